package universality.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import universality.data.CsvWriter;
import universality.data.Dtype;
import universality.data.Json;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;
import universality.model.ModelConfig;

/**
 * A GPT-2 of any size with random weights, and token rows for it. What it says means nothing, but it costs what a trained one
 * does.
 *
 * @param width d_model; the MLP is four times as wide
 */
record RandomModel(int layers, int heads, int width, int vocabulary, int context) {
    /** The shape of GPT-2 small, with rows of 512 tokens. */
    static final RandomModel GPT2_SMALL = new RandomModel(12, 12, 768, 50257, 512);

    /** The model of the profile {@code demo}. */
    static final RandomModel DEMO = new RandomModel(2, 4, 96, 1024, 64);

    /** One of {@link #DEMO} and {@link #GPT2_SMALL} by its name in a list of shapes. */
    static RandomModel named(String name) {
        return switch (name) {
            case "demo" -> DEMO;
            case "gpt2-small" -> GPT2_SMALL;
            default -> throw new IllegalArgumentException("'" + name + "' is not one of demo, gpt2-small");
        };
    }

    /** The model that {@code layers}, {@code width}, {@code vocabulary} and {@code context} give, where they differ from this one. */
    RandomModel with(Arguments arguments) {
        int wide = arguments.number("width", width);
        return new RandomModel(
                arguments.number("layers", layers),
                wide == width ? heads : Math.max(1, wide / 32),
                wide,
                arguments.number("vocabulary", vocabulary),
                arguments.number("context", context));
    }

    int dMlp() {
        return 4 * width;
    }

    /**
     * Operations for one token, up to the last layer's activations: the products with weights, without the last layer's output
     * matrix. Attention between tokens and everything element by element is not counted.
     */
    double activationFlops() {
        double block = 4.0 * width * width + 2.0 * width * dMlp();
        return 2 * (layers * block - (double) width * dMlp());
    }

    /** Writes a checkpoint as {@code fetch} leaves it. */
    Path checkpoint(Path out, int seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        try (OutputFolder folder = OutputFolder.create(out, false)) {
            Json.write(folder.file("config.json"), config());
            ModelConfig config = ModelConfig.read(Json.read(folder.file("config.json")), "config.json");
            try (SafetensorsWriter writer = new SafetensorsWriter(folder.file("model.safetensors"))) {
                config.weights().forEach((name, shape) -> writer.declare(name, Dtype.F32, shape));
                config.weights().forEach((name, shape) -> writer.floats(weight(random, name, shape)));
            }
            folder.parameter("family", "random").parameter("seed", seed).parameter("step", 0);
            folder.commit("fetch", "random-s" + seed + "-t0");
        }
        return out;
    }

    private Map<String, Object> config() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("model_type", "gpt2");
        json.put("n_layer", layers);
        json.put("n_head", heads);
        json.put("n_embd", width);
        json.put("vocab_size", vocabulary);
        json.put("n_positions", context);
        json.put("activation_function", "gelu_new");
        json.put("tie_word_embeddings", true);
        return json;
    }

    private float[] weight(SplittableRandom random, String name, long[] shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
        float centre = name.contains("ln_") && name.endsWith("weight") ? 1 : 0;
        // of a deviation that keeps activations near 1 in any width
        double range = Math.min(0.3, 3 / Math.sqrt(width));
        for (int i = 0; i < values.length; i++) {
            values[i] = centre + (float) (range * (random.nextDouble() - 0.5));
        }
        return values;
    }

    /** Writes {@code rows} rows of random tokens, each a document; every position counts. */
    Path tokens(Path out, int rows) {
        int[] ids = new SplittableRandom(rows)
                .ints((long) rows * context, 0, vocabulary)
                .toArray();
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

    /** Writes a table of the first neurons of every layer, {@code share} of them. */
    Path neurons(Path file, double share) {
        try (CsvWriter table = new CsvWriter(file, List.of("layer", "neuron"))) {
            for (int layer = 0; layer < layers; layer++) {
                for (int neuron = 0; neuron < share * dMlp(); neuron++) {
                    table.row(layer, neuron);
                }
            }
        }
        return file;
    }

    @Override
    public String toString() {
        return layers + " layers of width " + width + ", vocabulary " + vocabulary;
    }
}
