package universality.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import universality.activate.ActivateStage;
import universality.correlate.CorrelateStage;
import universality.correlate.Precision;
import universality.data.CheckpointFolder;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.data.TokenRows;
import universality.model.CheckpointWeights;
import universality.model.ModelConfig;
import universality.tensor.Compute;
import universality.train.TrainStage;

/**
 * Throughput of {@code train}, {@code activate} and {@code correlate} on the demo's model, each beside a plain F32 matrix product
 * of the shape that dominates it, measured in the same run. Stages are timed whole: reading, computing, statistics, writing.
 * Arguments (all optional, {@code name=value}): {@code config} (conf/models/demo.json), {@code tokenizer}, {@code steps}, {@code
 * tokens} (to analyse), {@code draws}, {@code candidates} (of the second pass), {@code seeds}, {@code threads}.
 */
public final class StageThroughput {
    private final Map<String, String> arguments = new LinkedHashMap<>();
    private final Compute compute;
    private final Path folder;

    private StageThroughput(Path folder, String... arguments) {
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            this.arguments.put(parts[0], parts[1]);
        }
        this.folder = folder;
        this.compute = Compute.start("cpu", number("threads", 1));
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("throughput");
        try {
            new StageThroughput(folder, arguments).run();
        } finally {
            OutputFolder.deleteTree(folder);
        }
    }

    private int number(String name, int fallback) {
        return Integer.parseInt(arguments.getOrDefault(name, Integer.toString(fallback)));
    }

    private String text(String name, String fallback) {
        return arguments.getOrDefault(name, fallback);
    }

    private void run() throws IOException {
        int steps = number("steps", 60);
        int seeds = number("seeds", 2);
        int analysed = number("tokens", 65536);
        Path config = Path.of(text("config", "conf/models/demo.json"));
        tokenize(analysed);
        List<Path> activations = new ArrayList<>();
        double trained = 0;
        double activated = 0;
        ModelConfig model = null;
        for (int seed = 1; seed <= seeds; seed++) {
            Path run = folder.resolve("train-" + seed);
            int s = seed;
            trained += seconds(() -> new TrainStage(folder.resolve("tokens/train"), config, "bench", s, List.of(steps))
                    .run(compute, run, false, line -> {}));
            Path checkpoint = run.resolve("bench-s" + seed + "-t" + steps);
            Path out = folder.resolve("activations-" + seed);
            activated += seconds(() -> new ActivateStage(checkpoint, folder.resolve("tokens/analysis"), Dtype.F32)
                    .run(compute, out, false));
            activations.add(out);
            try (CheckpointWeights weights = CheckpointWeights.open(CheckpointFolder.open(checkpoint))) {
                model = weights.config();
            }
        }
        reportModel(model, trained / seeds, steps, config, activated / seeds);
        correlate(model, activations);
        compute.close();
    }

    private void tokenize(int analysed) throws IOException {
        String[] line = {
            "tokenize",
            "--generate",
            "1",
            "--tokenizer",
            text("tokenizer", "bpe:1024"),
            "--context",
            "64",
            "--split",
            "train=400000,analysis=" + analysed,
            "--out",
            folder.resolve("tokens").toString()
        };
        if (universality.cli.Main.run(line) != 0) {
            throw new IOException("tokenize failed");
        }
    }

    private void reportModel(ModelConfig model, double train, int steps, Path config, double activate) {
        TokenRows rows = TokenRows.read(folder.resolve("tokens/analysis"));
        double perLayer = 4.0 * model.dModel() * model.dModel() + 2.0 * model.dModel() * model.dMlp();
        double weights = model.layers() * perLayer + (double) model.vocabulary() * model.dModel();
        int batch = universality.data.Json.read(config)
                .path("training")
                .path("rows")
                .asInt();
        double trainTokens = (double) steps * batch * rows.context();
        double ceiling = product(2048, model.dModel(), model.dMlp());
        // the last layer's output product and the unembedding are not needed for activations
        double captured = model.layers() * perLayer - (double) model.dModel() * model.dMlp();
        double tokens = (double) rows.rows() * rows.context();
        print("plain product 2048 x %d x %d", ceiling / 1e9, "GFLOP/s", model.dModel(), model.dMlp());
        print("train", trainTokens / train, "tokens/s");
        print("train", 6 * weights * trainTokens / train / ceiling, "of the plain product's rate");
        print("activate, moments, examples and F32 storage included", tokens / activate, "tokens/s");
        print("activate", 2 * captured * tokens / activate / ceiling, "of the plain product's rate");
    }

    private void correlate(ModelConfig model, List<Path> activations) throws IOException {
        int draws = number("draws", 10);
        double n = TokenRows.read(folder.resolve("tokens/analysis")).kept();
        double pairs = activations.size() * (activations.size() - 1) / 2.0;
        double flops = 2 * pairs * model.neurons() * model.neurons() * n;
        double narrow = product(4096, model.dMlp(), model.dMlp());
        print("plain product %d x 4096 x %d", narrow / 1e9, "GFLOP/s", model.dMlp(), model.dMlp());
        // correlate multiplies the layers of a narrow model side by side
        int wide = Math.min(model.neurons(), Math.max(1, 1024 / model.dMlp()) * model.dMlp());
        double ceiling = product(4096, wide, wide);
        print("plain product %d x 4096 x %d", ceiling / 1e9, "GFLOP/s", wide, wide);
        int candidates = number("candidates", 5);
        for (int[] how : new int[][] {{0, 0}, {draws, 0}, {draws, candidates}}) {
            var settings = new CorrelateStage.Settings(
                    List.of(), how[0], 0, 10, how[1], "none", null, Precision.EXACT, 16384, 1L << 30);
            double time = seconds(() -> {
                try (CorrelateStage stage = new CorrelateStage(activations, settings)) {
                    stage.run(compute, folder.resolve("correlations-" + how[0] + "-" + how[1]), false);
                }
            });
            String what = "correlate with " + how[0] + " baseline draws, " + how[1] + " candidates";
            print(what, flops / time / 1e9, "GFLOP/s of pair products");
            print(what, flops / time / ceiling, "of the plain product's rate");
        }
    }

    /** Operations per second of X W for X [n, k], W [k, m], best of several. */
    private double product(int n, int k, int m) {
        double best = Double.POSITIVE_INFINITY;
        try (NDManager scope = compute.manager().newSubManager()) {
            NDArray x = scope.randomNormal(new Shape(n, k));
            NDArray w = scope.randomNormal(new Shape(k, m));
            for (int i = 0; i < 30; i++) {
                long start = System.nanoTime();
                x.matMul(w).close();
                best = Math.min(best, (System.nanoTime() - start) / 1e9);
            }
        }
        return 2.0 * n * k * m / best;
    }

    private interface Work {
        void run() throws IOException;
    }

    private static double seconds(Work work) throws IOException {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }

    private static void print(String what, double value, String unit, Object... names) {
        System.out.printf(Locale.ROOT, "%-60s %10.2f %s%n", String.format(Locale.ROOT, what, names), value, unit);
    }
}
