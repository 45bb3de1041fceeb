package universality.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.cli.Main;
import universality.data.ExitCode;
import universality.data.OutputFolder;
import universality.tensor.Compute;

/** What benchmarks of whole stages have in common: a folder, a clock, the commands, and the machine's rate of products. */
final class Bench implements AutoCloseable {
    /** Operations of one timed product, about: a tenth of a second on a small machine. */
    private static final double PRODUCT_FLOPS = 2e10;

    final Arguments arguments;
    final Clock clock;
    final Path folder;
    private final int threads;
    private final double ceilingSeconds;
    private final Compute compute;
    private int made;

    Bench(Arguments arguments) throws IOException {
        this.arguments = arguments;
        clock = Clock.valueOf(arguments.text("clock", "wall").toUpperCase(java.util.Locale.ROOT));
        threads = arguments.number("threads", Runtime.getRuntime().availableProcessors());
        ceilingSeconds = arguments.real("ceiling_seconds", 4);
        compute = Compute.start("cpu", threads);
        folder =
                Files.createTempDirectory(Path.of(arguments.text("folder", System.getProperty("java.io.tmpdir"))), "b");
    }

    /** A name in the folder that nothing has. */
    Path fresh(String name) {
        return folder.resolve(name + "-" + made++);
    }

    /**
     * Runs a stage on this benchmark's threads.
     *
     * @return seconds by the clock
     * @throws NotMeasured if it fails, with its error; so an option that this build does not have is told in the table
     */
    double stage(Object... command) throws Exception {
        List<String> line = new ArrayList<>();
        for (Object word : command) {
            line.add(word.toString());
        }
        line.addAll(List.of("--device", "cpu", "--threads", Integer.toString(threads)));
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        int[] status = new int[1];
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            double seconds = clock.seconds(() -> status[0] = Main.run(line.toArray(String[]::new)));
            if (status[0] != ExitCode.OK.status()) {
                String error = said.toString(StandardCharsets.UTF_8).strip();
                throw new NotMeasured("'" + command[0] + "' ends with " + status[0] + ": "
                        + error.lines().findFirst().orElse("no message"));
            }
            return seconds;
        } finally {
            System.setErr(before);
        }
    }

    /**
     * Does some work, and products A B in F32, A [n, k], B [k, m], for {@code ceiling_seconds} (4) before it and after it.
     */
    Ceiling around(long n, long k, long m, Clock.Work work) throws Exception {
        Ceiling before = products(n, k, m);
        work.run();
        return before.and(products(n, k, m));
    }

    private Ceiling products(long n, long k, long m) throws Exception {
        double flops = 2.0 * n * k * m;
        int count = (int) Math.max(1, Math.min(1000, PRODUCT_FLOPS / flops));
        long end = System.nanoTime() + (long) (ceilingSeconds * 1e9);
        Ceiling all = new Ceiling(0, 0, 0);
        try (NDManager scope = compute.manager().newSubManager()) {
            NDArray x = scope.randomNormal(new Shape(n, k));
            NDArray y = scope.randomNormal(new Shape(k, m));
            for (int done = 0; done < 5 || System.nanoTime() < end; done++) {
                double seconds = clock.seconds(() -> {
                    for (int i = 0; i < count; i++) {
                        x.matMul(y).close();
                    }
                });
                // a clock of coarse ticks shows nothing for the smallest
                double time = Math.max(seconds, 1e-6);
                all = all.and(new Ceiling(count * flops / time, count * flops, time));
            }
        }
        return all;
    }

    int threads() {
        return threads;
    }

    Compute compute() {
        return compute;
    }

    /**
     * The project's folder, in which {@code bin/universality} is.
     *
     * @throws NotMeasured if these classes are not in it
     */
    static Path project() throws NotMeasured {
        try {
            Path at = Path.of(Bench.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            while (at != null && !Files.isExecutable(at.resolve("bin/universality"))) {
                at = at.getParent();
            }
            if (at != null) {
                return at;
            }
        } catch (URISyntaxException e) {
            throw new NotMeasured("the project's folder is not known: " + e.getMessage());
        }
        throw new NotMeasured("bin/universality is not beside these classes");
    }

    /** Deletes what a row made, to keep the disk free for the next one. */
    void discard(Path... paths) {
        Arrays.stream(paths).forEach(path -> {
            try {
                OutputFolder.deleteTree(path);
            } catch (IOException e) {
                System.err.println(path + " cannot be deleted: " + e.getMessage());
            }
        });
    }

    @Override
    public void close() {
        compute.close();
        discard(folder);
    }
}
