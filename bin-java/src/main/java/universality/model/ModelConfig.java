package universality.model;

import com.fasterxml.jackson.databind.JsonNode;
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
 * @param activation {@code activation_function} as spelt in the config
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

    /**
     * Reads a config.
     *
     * @param where names the config in messages
     * @throws ToolException (bad data) if the architecture is not supported or a size is missing or impossible
     */
    public static ModelConfig read(JsonNode json, String where) {
        String type = json.path("model_type").asText("");
        if (!type.equals("gpt2")) {
            throw ToolException.badData("%s has model_type '%s'; supported is gpt2", where, type);
        }
        int dModel = size(json, where, "n_embd");
        int heads = size(json, where, "n_head");
        if (dModel % heads != 0) {
            throw ToolException.badData("%s: n_embd %d is not a multiple of n_head %d", where, dModel, heads);
        }
        JsonNode inner = json.path("n_inner");
        return new ModelConfig(
                size(json, where, "n_layer"),
                heads,
                dModel,
                inner.isMissingNode() || inner.isNull() ? 4 * dModel : size(json, where, "n_inner"),
                size(json, where, "vocab_size"),
                size(json, where, json.has("n_positions") ? "n_positions" : "n_ctx"),
                json.path("activation_function").asText("gelu_new"),
                json.path("layer_norm_epsilon").asDouble(1e-5),
                json.path("scale_attn_by_inverse_layer_idx").asBoolean(false),
                json.path("scale_attn_weights").asBoolean(true),
                json.path("tie_word_embeddings").asBoolean(true));
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
}
