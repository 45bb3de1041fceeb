package universality.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import universality.ablate.AblateStage;
import universality.ablate.Replacement;
import universality.data.CheckpointFolder;
import universality.data.CsvWriter;
import universality.data.Dtype;
import universality.data.Json;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.model.capture.MaskedForward;
import universality.tensor.Compute;

/**
 * Time of the stage {@code ablate} on a random model, beside that of running every condition in full: the whole forward pass,
 * log-softmax, loss, KL, entropy and likeliest token for each. Times are of the processor, all threads together, so that a busy
 * neighbour counts less. Arguments (all optional, {@code name=value}): {@code layers},
 * {@code width}, {@code vocabulary}, {@code context}, {@code rows}, {@code draws}, {@code share} (of neurons in the set), {@code
 * replace}, {@code device}, {@code threads}, {@code full} (conditions run in full, from which the rest is extrapolated).
 */
public final class AblateBenchmark {
    private final Map<String, String> arguments = new LinkedHashMap<>();
    private final SplittableRandom random = new SplittableRandom(1);

    private AblateBenchmark(String... arguments) {
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            this.arguments.put(parts[0], parts[1]);
        }
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("ablate-benchmark");
        try {
            new AblateBenchmark(arguments).run(folder);
        } finally {
            OutputFolder.deleteTree(folder);
        }
    }

    private int number(String name, int fallback) {
        return Integer.parseInt(arguments.getOrDefault(name, Integer.toString(fallback)));
    }

    private void run(Path folder) throws IOException {
        Path checkpoint = checkpoint(folder.resolve("checkpoint"));
        ModelConfig config = ModelConfig.read(Json.read(checkpoint.resolve("config.json")), "config.json");
        Path tokens = tokens(folder.resolve("tokens"), config);
        Path neurons = neurons(folder.resolve("neurons.csv"), config);
        Replacement replacement = Replacement.parse(arguments.getOrDefault("replace", "zero"));
        AblateStage stage = new AblateStage(new AblateStage.Settings(
                checkpoint, tokens, neurons, null, null, replacement, number("draws", 20), 1, 2L << 30));
        try (Compute compute = Compute.start(arguments.getOrDefault("device", "cpu"), number("threads", 1))) {
            double shared = seconds(() -> stage.run(compute, folder.resolve("out"), false));
            long conditions = Json.read(folder.resolve("out/manifest.json"))
                    .path("counts")
                    .path("distinct_sets")
                    .asLong();
            TokenRows rows = TokenRows.read(tokens);
            double full = full(compute, checkpoint, rows, number("full", 5));
            System.out.printf(
                    Locale.ROOT,
                    "%s: %d distinct sets, %d positions: %.2f s, %.1f ms per set; in full %.1f ms per set, %.2f s: %.1f times%n",
                    arguments,
                    conditions,
                    rows.tokens().length,
                    shared,
                    1e3 * shared / conditions,
                    1e3 * full,
                    full * conditions,
                    full * conditions / shared);
        }
    }

    /** Seconds of one condition in full. */
    private double full(Compute compute, Path checkpoint, TokenRows rows, int repeats) {
        try (LanguageModel model = LanguageModel.load(compute, CheckpointFolder.open(checkpoint))) {
            fullCondition(compute, model, rows);
            return seconds(() -> {
                        for (int i = 0; i < repeats; i++) {
                            fullCondition(compute, model, rows);
                        }
                    })
                    / repeats;
        }
    }

    /** Whole forward pass and plain metrics; the undisturbed model's log-probabilities are taken as kept (not timed apart). */
    private static void fullCondition(Compute compute, LanguageModel model, TokenRows rows) {
        int context = rows.context();
        long vocabulary = model.config().vocabulary();
        int batch = (int) Math.max(1, Math.min(4096 / context, (1 << 26) / (context * vocabulary)));
        for (int row = 0; row < rows.rows(); row += batch) {
            int count = Math.min(batch, rows.rows() - row);
            try (NDManager scope = compute.manager().newSubManager()) {
                NDArray ids = MaskedForward.ids(scope, rows, row, count);
                NDArray log = model.logits(scope, ids).reshape(-1, vocabulary).logSoftmax(1);
                NDArray clean = log; // stands for the undisturbed model's, so that its cost is not counted
                NDArray kl = clean.exp().mul(clean.sub(log)).sum(new int[] {1});
                NDArray entropy = log.exp().mul(log).sum(new int[] {1}).neg();
                NDArray loss = log.gather(ids.reshape(-1, 1), 1).neg();
                NDArray top = log.argMax(1);
                kl.toType(DataType.FLOAT64, true).sum().getDouble();
                entropy.toType(DataType.FLOAT64, true).sum().getDouble();
                loss.toType(DataType.FLOAT64, true).sum().getDouble();
                top.sum().getLong();
            }
        }
    }

    private Path checkpoint(Path out) throws IOException {
        int width = number("width", 96);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("model_type", "gpt2");
        json.put("n_layer", number("layers", 2));
        json.put("n_head", Math.max(1, width / 32));
        json.put("n_embd", width);
        json.put("vocab_size", number("vocabulary", 1024));
        json.put("n_positions", number("context", 64));
        json.put("activation_function", "gelu_new");
        json.put("tie_word_embeddings", true);
        try (OutputFolder folder = OutputFolder.create(out, false)) {
            Json.write(folder.file("config.json"), json);
            ModelConfig config = ModelConfig.read(Json.read(folder.file("config.json")), "config.json");
            try (SafetensorsWriter writer = new SafetensorsWriter(folder.file("model.safetensors"))) {
                config.weights().forEach((name, shape) -> writer.declare(name, Dtype.F32, shape));
                config.weights().forEach((name, shape) -> writer.floats(weight(name, shape)));
            }
            folder.parameter("family", "random").parameter("seed", 1).parameter("step", 0);
            folder.commit("fetch", "random");
        }
        return out;
    }

    private float[] weight(String name, long[] shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
        float centre = name.contains("ln_") && name.endsWith("weight") ? 1 : 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = centre + (float) (0.3 * (random.nextDouble() - 0.5));
        }
        return values;
    }

    private Path tokens(Path out, ModelConfig config) {
        int rows = number("rows", 480);
        int context = config.context();
        int[] ids = random.ints((long) rows * context, 0, config.vocabulary()).toArray();
        int[] documents = new int[ids.length];
        byte[] mask = new byte[ids.length];
        for (int i = 0; i < ids.length; i++) {
            documents[i] = i / context;
            mask[i] = 1;
        }
        try (OutputFolder folder = OutputFolder.create(out, false)) {
            try (SafetensorsWriter writer = new SafetensorsWriter(folder.file(TokenRows.FILE))) {
                writer.declare("tokens", Dtype.I32, rows, context);
                writer.declare("mask", Dtype.U8, rows, context);
                writer.declare("document", Dtype.I32, rows, context);
                writer.ints(ids);
                writer.bytes(ByteBuffer.wrap(mask));
                writer.ints(documents);
            }
            folder.commit("tokenize", "tokens");
        }
        return out;
    }

    private Path neurons(Path file, ModelConfig config) {
        double share = Double.parseDouble(arguments.getOrDefault("share", "0.05"));
        try (CsvWriter table = new CsvWriter(file, java.util.List.of("layer", "neuron"))) {
            for (int layer = 0; layer < config.layers(); layer++) {
                for (int neuron = 0; neuron < share * config.dMlp(); neuron++) {
                    table.row(layer, neuron);
                }
            }
        }
        return file;
    }

    private static double seconds(Runnable task) {
        var system = (com.sun.management.OperatingSystemMXBean)
                java.lang.management.ManagementFactory.getOperatingSystemMXBean();
        long start = system.getProcessCpuTime();
        task.run();
        return (system.getProcessCpuTime() - start) / 1e9;
    }
}
