package universality.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A GPT-2 (Radford et al. 2019): learned positions, the MLP after the attention. {@code reorder_and_upcast_attn} asks for
 * attention scores in F32, which is what they always are here.
 *
 * @param inverseLayerScale attention scores of layer ℓ are also divided by ℓ + 1 ({@code scale_attn_by_inverse_layer_idx})
 * @param scaleAttention attention scores are divided by √d_head ({@code scale_attn_weights})
 */
public record Gpt2Config(
        Sizes sizes,
        Activation activation,
        double epsilon,
        boolean inverseLayerScale,
        boolean scaleAttention,
        boolean tied)
        implements ModelConfig {
    /** {@code model_type} */
    static final String TYPE = "gpt2";

    static Gpt2Config read(ConfigFields json) {
        json.refuseVariants();
        json.flag("reorder_and_upcast_attn", false);
        return new Gpt2Config(
                json.sizes("n_layer", "n_head", "n_embd", "n_inner", json.has("n_positions") ? "n_positions" : "n_ctx"),
                json.activation("activation_function", Activation.GELU_NEW),
                json.epsilon("layer_norm_epsilon"),
                json.flag("scale_attn_by_inverse_layer_idx", false),
                json.flag("scale_attn_weights", true),
                json.flag("tie_word_embeddings", true));
    }

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public TensorNames names() {
        return TensorNames.GPT2;
    }

    @Override
    public String contextField() {
        return "n_positions";
    }

    @Override
    public Optional<String> absence(HookPoint.Kind kind) {
        return switch (kind) {
            case ROT_Q, ROT_K -> Optional.of("its positions are embedded, not rotated");
            default -> Optional.empty();
        };
    }

    @Override
    public String kernel() {
        return "gpt2";
    }

    @Override
    public long[] shape() {
        return new long[] {layers(), heads(), activation.code(), scaleAttention ? 1 : 0, inverseLayerScale ? 1 : 0, 0, 0
        };
    }

    @Override
    public double[] real() {
        return new double[] {epsilon, 0};
    }

    @Override
    public Map<String, long[]> operands() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("wte.weight", new long[] {vocabulary(), dModel()});
        shapes.put("wpe.weight", new long[] {context(), dModel()});
        shapes.putAll(names().afterEmbeddings(sizes, tied));
        return shapes;
    }
}
