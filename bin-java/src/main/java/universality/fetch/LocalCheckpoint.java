package universality.fetch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.OutputFolder;
import universality.data.ToolException;
import universality.model.CheckpointWeights;

/**
 * A folder on this machine in Hugging Face layout: {@code config.json}, weights, perhaps a tokenizer. It is read completely
 * before anything is written: config, shapes of all weights, every value finite.
 */
final class LocalCheckpoint {
    /** What may come along; none of it is needed. */
    static final List<String> OPTIONAL = List.of(
            "tokenizer.json",
            "vocab.json",
            "merges.txt",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "generation_config.json");

    private final Path folder;
    private final Origin origin;
    private final Set<String> small = new TreeSet<>();
    private final Set<String> weights = new TreeSet<>();
    private final List<String> unexpected;
    private final String contentDigest;

    private LocalCheckpoint(Path folder, Origin origin) {
        this.folder = folder;
        this.origin = origin;
        try (CheckpointWeights tensors = CheckpointWeights.open(folder)) {
            tensors.checkShapes();
            tensors.config().weights().forEach(tensors::read);
            unexpected = tensors.unexpected();
            weights.addAll(tensors.files());
        }
        small.add("config.json");
        for (String name : OPTIONAL) {
            if (Files.isRegularFile(folder.resolve(name))) {
                small.add(name);
            }
        }
        if (small.contains("tokenizer.json")) {
            Json.read(folder.resolve("tokenizer.json"));
        }
        contentDigest = digest();
    }

    /**
     * Reads and verifies {@code folder}.
     *
     * @throws ToolException if anything in it is missing, broken, not finite or not supported
     */
    static LocalCheckpoint verified(Path folder, Origin origin) {
        return new LocalCheckpoint(folder, origin);
    }

    /** The content digest that the manifest of a copy will have. */
    private String digest() {
        StringBuilder lines = new StringBuilder();
        for (String name : allFiles()) {
            Path file = folder.resolve(name);
            try {
                lines.append(name)
                        .append(' ')
                        .append(Files.size(file))
                        .append(' ')
                        .append(Digests.ofFile(file))
                        .append('\n');
            } catch (IOException e) {
                throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
            }
        }
        return Digests.ofText(lines.toString());
    }

    private Set<String> allFiles() {
        Set<String> names = new TreeSet<>(small);
        names.addAll(weights);
        return names;
    }

    /** Digest of the content and of all that the manifest says about it: what must be equal for a copy to serve. */
    String identity() {
        return Digests.ofText(String.join(
                "\n",
                contentDigest,
                origin.id(),
                origin.family(),
                Long.toString(origin.seed()),
                Long.toString(origin.step()),
                origin.source()));
    }

    /**
     * Makes {@code target} a checkpoint folder with this content. Weights that nobody will write to again are hard links where
     * the file system allows, so that they take no room twice. Others are copied: a training run that saves over its
     * checkpoint in place would change a link's content under whoever reads it.
     *
     * @throws ToolException (try again) if the source changed meanwhile
     */
    void write(Path target, boolean overwrite) {
        try (OutputFolder out = OutputFolder.create(target, overwrite)) {
            for (String name : small) {
                copy(folder.resolve(name), out.file(name));
            }
            for (String name : weights) {
                linkOrCopy(folder.resolve(name), out.file(name));
            }
            out.parameter("source", origin.source()).parameter("commit", contentDigest);
            commit(out, target);
        }
    }

    /**
     * Makes {@code target}, replacing it, a checkpoint folder of links into the hub's cache.
     *
     * @param hub the links, and where the content comes from
     */
    void write(Path target, HubFolder hub) {
        try (OutputFolder out = OutputFolder.create(target, true)) {
            allFiles().forEach(name -> hub.link(out, name, target));
            hub.describe(out);
            commit(out, target);
        }
    }

    private void commit(OutputFolder out, Path target) {
        out.parameter("family", origin.family())
                .parameter("seed", origin.seed())
                .parameter("step", origin.step());
        if (!unexpected.isEmpty()) {
            out.warning("tensors without a use in this architecture were ignored: " + String.join(", ", unexpected));
        }
        Manifest manifest = out.commit("fetch", origin.id());
        if (manifest.contentDigest().equals(contentDigest)) {
            return;
        }
        try {
            OutputFolder.deleteTree(target);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, target + " cannot be removed: " + e, e);
        }
        throw new ToolException(
                ExitCode.TRY_AGAIN, folder + " changed while it was read: run again when it is complete");
    }

    private static void copy(Path from, Path to) {
        try {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, from + " cannot be copied to " + to + ": " + e, e);
        }
    }

    private static void linkOrCopy(Path from, Path to) {
        try {
            // a hub's cache keeps links to blobs: the blob is what must be linked
            Path real = from.toRealPath();
            if (neverChanges(real)) {
                Files.createLink(to, real);
                return;
            }
        } catch (IOException | UnsupportedOperationException e) {
            // another file system, or one without links
        }
        copy(from, to);
    }

    /** Whether a file is named by its content (a blob in a hub's cache) or writable by nobody. */
    private static boolean neverChanges(Path file) throws IOException {
        Path parent = file.getParent();
        return parent != null && parent.endsWith("blobs")
                || Files.getPosixFilePermissions(file).stream()
                        .noneMatch(permission -> permission.name().endsWith("_WRITE"));
    }
}
