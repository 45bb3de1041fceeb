package universality.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import universality.data.ToolException;

/**
 * Shape and settings of a GPT-2, from Hugging Face's {@code config.json}.
 *
 * @param layers {@code n_layer}
 * @param heads {@code n_head}
 * @param dModel width of the residual stream, {@code n_embd}
 * @param dMlp neurons per layer, {@code n_inner}, 4 × dModel where absent
 * @param vocabulary {@code vocab_size}
 * @param context most positions, {@code n_positions}
 * @param activation {@code activation_function}: {@code gelu_new} (by tanh), {@code gelu} (by erf) or {@code relu}; other
 *     spellings of these are resolved
 * @param epsilon {@code layer_norm_epsilon}
 * @param inverseLayerScale attention scores of layer ℓ are also divided by ℓ + 1 ({@code scale_attn_by_inverse_layer_idx})
 * @param scaleAttention attention scores are divided by √d_head ({@code scale_attn_weights})
 * @param tied the unembedding is the token embedding ({@code tie_word_embeddings})
 */
public record ModelConfig(
        int layers,
        int heads,
        int dModel,
        int dMlp,
        int vocabulary,
        int context,
        String activation,
        double epsilon,
        boolean inverseLayerScale,
        boolean scaleAttention,
        boolean tied) {

    /** Supported activation functions by the names that configs have for them. */
    private static final Map<String, String> ACTIVATIONS =
            Map.of("gelu_new", "gelu_new", "gelu_pytorch_tanh", "gelu_new", "gelu", "gelu", "relu", "relu");

    /**
     * Reads a config.
     *
     * @param where names the config in messages
     * @throws ToolException (bad data) if the architecture or a setting is not supported, or a size is missing or impossible
     */
    public static ModelConfig read(JsonNode json, String where) {
        String type = json.path("model_type").asText("");
        if (!type.equals("gpt2")) {
            throw ToolException.badData("%s has model_type '%s'; supported are: gpt2", where, type);
        }
        if (flag(json, where, "add_cross_attention", false)) {
            throw ToolException.badData("%s: add_cross_attention is true, but only decoders are supported", where);
        }
        int dModel = size(json, where, "n_embd");
        boolean ownWidth = json.hasNonNull("n_inner");
        ModelConfig config = new ModelConfig(
                size(json, where, "n_layer"),
                size(json, where, "n_head"),
                dModel,
                ownWidth ? size(json, where, "n_inner") : (int) Math.min(4L * dModel, Integer.MAX_VALUE),
                size(json, where, "vocab_size"),
                size(json, where, json.has("n_positions") ? "n_positions" : "n_ctx"),
                activation(json, where),
                epsilon(json, where),
                flag(json, where, "scale_attn_by_inverse_layer_idx", false),
                flag(json, where, "scale_attn_weights", true),
                flag(json, where, "tie_word_embeddings", true));
        config.check(where);
        return config;
    }

    private void check(String where) {
        if (dModel % heads != 0) {
            throw ToolException.badData("%s: n_embd %d is not a multiple of n_head %d", where, dModel, heads);
        }
        // an array of Java's holds a whole tensor, and neurons are numbered by an int
        long largest = Math.max(
                Math.max((long) vocabulary, context) * dModel, Math.max(3L * dModel, dMlp) * Math.max(dModel, layers));
        if (largest > Integer.MAX_VALUE - 8) {
            throw ToolException.badData(
                    "%s: n_embd %d, n_inner %d, vocab_size %d, n_positions %d and n_layer %d make a tensor of more than"
                            + " 2^31 elements, which is not supported",
                    where, dModel, dMlp, vocabulary, context, layers);
        }
    }

    private static String activation(JsonNode json, String where) {
        String spelt = json.path("activation_function").asText("gelu_new");
        String activation = ACTIVATIONS.get(spelt);
        if (activation == null) {
            throw ToolException.badData(
                    "%s has activation_function '%s'; supported are: gelu_new (also spelt gelu_pytorch_tanh), gelu, relu",
                    where, spelt);
        }
        return activation;
    }

    private static double epsilon(JsonNode json, String where) {
        JsonNode node = json.path("layer_norm_epsilon");
        double epsilon = node.isMissingNode() ? 1e-5 : node.doubleValue();
        if (!(epsilon > 0 && epsilon < 1)) {
            throw ToolException.badData(
                    "%s: layer_norm_epsilon is '%s', but a number between 0 and 1 was expected", where, node.asText());
        }
        return epsilon;
    }

    private static boolean flag(JsonNode json, String where, String field, boolean fallback) {
        JsonNode node = json.path(field);
        if (!node.isMissingNode() && !node.isBoolean()) {
            throw ToolException.badData("%s: %s is '%s', but true or false was expected", where, field, node.asText());
        }
        return node.asBoolean(fallback);
    }

    private static int size(JsonNode json, String where, String field) {
        JsonNode node = json.path(field);
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() <= 0) {
            throw ToolException.badData(
                    "%s: %s is '%s', but a positive integer was expected", where, field, node.asText());
        }
        return node.intValue();
    }

    /** Neurons of the whole model, layers × dMlp. */
    public int neurons() {
        return layers * dMlp;
    }

    /**
     * Shapes of all weights by name, in the order of the forward pass. Weights of projections are [in, out], as Hugging
     * Face's {@code Conv1D} keeps them.
     */
    public Map<String, long[]> weights() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("wte.weight", new long[] {vocabulary, dModel});
        shapes.put("wpe.weight", new long[] {context, dModel});
        for (int layer = 0; layer < layers; layer++) {
            String block = "h." + layer + ".";
            shapes.put(block + "ln_1.weight", new long[] {dModel});
            shapes.put(block + "ln_1.bias", new long[] {dModel});
            projection(shapes, block + "attn.c_attn", dModel, 3L * dModel);
            projection(shapes, block + "attn.c_proj", dModel, dModel);
            shapes.put(block + "ln_2.weight", new long[] {dModel});
            shapes.put(block + "ln_2.bias", new long[] {dModel});
            projection(shapes, block + "mlp.c_fc", dModel, dMlp);
            projection(shapes, block + "mlp.c_proj", dMlp, dModel);
        }
        shapes.put("ln_f.weight", new long[] {dModel});
        shapes.put("ln_f.bias", new long[] {dModel});
        if (!tied) {
            shapes.put("lm_head.weight", new long[] {vocabulary, dModel});
        }
        return shapes;
    }

    private static void projection(Map<String, long[]> shapes, String name, long in, long out) {
        shapes.put(name + ".weight", new long[] {in, out});
        shapes.put(name + ".bias", new long[] {out});
    }
}
