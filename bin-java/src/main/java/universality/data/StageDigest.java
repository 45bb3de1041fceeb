package universality.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Digest of the code that one stage runs. Nextflow does not see tool code as an input, so every task gets this digest of its
 * own stage as a value: what a stage does not run does not change it (a change in {@code report} retrains nothing), and a
 * rebuild that gives the same bytes leaves it alone. {@code lib/ToolDigest.groovy} computes the same for the workflow.
 *
 * <p>sha256 over sorted lines: {@code NAME CRC SIZE} of the jar's entries below the stage's package, the floors below the
 * stages ({@code model, text, tensor, stats, data}), command-line classes but for the commands of others (top-level classes
 * {@code XCommand}, {@code StageCommand} excepted, with what is nested in them), and resources
 * ({@code report/} for the report alone); {@code lib/NAME SIZE} of every library jar beside it in {@code lib/};
 * {@code launcher CRC SIZE} of {@code bin/universality}, two folders above the jar.
 */
public final class StageDigest {
    private static final Set<String> FLOORS = Set.of("model", "text", "tensor", "stats", "data");

    private StageDigest() {}

    /** The digest of {@code stage} in {@code jar}, 64 hexadecimal digits. */
    public static String of(String stage, Path jar) {
        Set<String> lines = new TreeSet<>();
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (!entry.isDirectory() && runs(stage, entry.getName())) {
                    lines.add(String.format(Locale.ROOT, "%s %d %d", entry.getName(), entry.getCrc(), entry.getSize()));
                }
            }
            lines.addAll(libraries(jar.resolveSibling("lib")));
            lines.add(launcher(jar));
        } catch (IOException e) {
            throw new ToolException(ExitCode.INTERNAL, jar + " cannot be read: " + e.getMessage(), e);
        }
        return Digests.ofText(String.join("\n", lines) + "\n");
    }

    private static boolean runs(String stage, String entry) {
        if (!entry.startsWith("universality/")) {
            // resources: kernels, features; the report's template only matters to the report
            return !entry.startsWith("META-INF/") && (!entry.startsWith("report/") || stage.equals("report"));
        }
        String[] parts = entry.split("/");
        if (parts.length < 3) {
            return true;
        }
        if (parts[1].equals("cli")) {
            String name = parts[2].replaceFirst("[.$].*", "");
            return !name.endsWith("Command") || name.equals("StageCommand") || name.equals(command(stage));
        }
        return FLOORS.contains(parts[1]) || parts[1].equals(stage);
    }

    private static String command(String stage) {
        return stage.substring(0, 1).toUpperCase(Locale.ROOT) + stage.substring(1) + "Command";
    }

    private static List<String> libraries(Path folder) throws IOException {
        List<String> lines = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (Stream<Path> jars = Files.list(folder)) {
                for (Path file : (Iterable<Path>) jars::iterator) {
                    lines.add("lib/" + file.getFileName() + " " + Files.size(file));
                }
            }
        }
        return lines;
    }

    private static String launcher(Path jar) throws IOException {
        Path launcher =
                jar.toAbsolutePath().resolve("../../../bin/universality").normalize();
        if (!Files.isRegularFile(launcher)) {
            return "launcher absent";
        }
        byte[] bytes = Files.readAllBytes(launcher);
        java.util.zip.CRC32 crc = new java.util.zip.CRC32();
        crc.update(bytes);
        return "launcher " + crc.getValue() + " " + bytes.length;
    }
}
