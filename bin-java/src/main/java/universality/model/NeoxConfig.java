package universality.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A GPT-NeoX such as the Pythia models (Black et al. 2022; Biderman et al. 2023): part of each query and key is rotated by its
 * position, and the MLP stands beside the attention or after it.
 *
 * @param rotated dimensions of each head that are rotated, even: ⌊d_head · {@code rotary_pct}⌋
 * @param rotaryBase pair i of them turns by base^(−2i/rotated) per position ({@code rotary_emb_base})
 * @param parallel attention and MLP read the same residual stream ({@code use_parallel_residual})
 * @param attentionBias the attention's projections have biases ({@code attention_bias})
 */
public record NeoxConfig(
        Sizes sizes,
        Activation activation,
        double epsilon,
        int rotated,
        double rotaryBase,
        boolean parallel,
        boolean attentionBias,
        boolean tied)
        implements ModelConfig {
    /** {@code model_type} */
    static final String TYPE = "gpt_neox";

    static NeoxConfig read(ConfigFields json) {
        json.refuseVariants();
        json.size("intermediate_size"); // not four times the width where it is absent
        Sizes sizes = json.sizes(
                "num_hidden_layers",
                "num_attention_heads",
                "hidden_size",
                "intermediate_size",
                "max_position_embeddings");
        Rotary rotary = Rotary.read(json);
        return new NeoxConfig(
                sizes,
                json.activation("hidden_act", Activation.GELU),
                json.epsilon("layer_norm_eps"),
                rotary.dimensions(json, sizes.dModel() / sizes.heads()),
                rotary.base,
                json.flag("use_parallel_residual", true),
                json.flag("attention_bias", true),
                json.flag("tie_word_embeddings", false));
    }

    /** Settings of the rotation. Newer configs keep them together in {@code rope_parameters}, older ones apart. */
    private record Rotary(double base, double share) {
        static Rotary read(ConfigFields json) {
            for (String field : new String[] {"rope_parameters", "rope_scaling"}) {
                JsonNode type = json.get(field).path(json.get(field).has("rope_type") ? "rope_type" : "type");
                if (json.get(field).isObject() && !type.asText("default").equals("default")) {
                    throw json.refused(field, "the only supported type of rotation is: default");
                }
            }
            return new Rotary(
                    number(json, 10000, "rope_theta", "rotary_emb_base", "rope_theta"),
                    number(json, 0.25, "partial_rotary_factor", "rotary_pct", "partial_rotary_factor"));
        }

        /** {@code rope_parameters.NESTED}, else one of the fields {@code apart}; all that are there must agree. */
        private static double number(ConfigFields json, double fallback, String nested, String... apart) {
            JsonNode inside = json.get("rope_parameters").path(nested);
            double value = inside.asDouble(Double.NaN);
            String from = inside.isMissingNode() ? null : "rope_parameters";
            for (String field : apart) {
                if (json.has(field)) {
                    double other = json.get(field).asDouble(Double.NaN);
                    if (from != null && other != value) {
                        throw json.refused(field, "this is not what " + from + " says: give one of them only");
                    }
                    value = other;
                    from = field;
                }
            }
            double result = from == null ? fallback : value;
            if (!(result > 0 && result < Double.POSITIVE_INFINITY)) {
                throw json.refused(from, "a positive number was expected");
            }
            return result;
        }

        int dimensions(ConfigFields json, int dHead) {
            int rotated = (int) (dHead * share);
            if (share > 1 || rotated < 2 || rotated % 2 != 0) {
                throw json.refused(
                        json.has("rope_parameters") ? "rope_parameters" : "rotary_pct",
                        "of the " + dHead + " dimensions of a head " + rotated
                                + " would be rotated, but an even number from 2 to " + dHead + " was expected");
            }
            return rotated;
        }
    }

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public TensorNames names() {
        return TensorNames.NEOX;
    }

    @Override
    public String contextField() {
        return "max_position_embeddings";
    }

    @Override
    public Optional<String> absence(HookPoint.Kind kind) {
        return switch (kind) {
            case POS_EMBED -> Optional.of("its positions are rotated, not embedded");
            case RESID_MID -> parallel
                    ? Optional.of("with use_parallel_residual its MLPs stand beside the attention")
                    : Optional.empty();
            default -> Optional.empty();
        };
    }

    @Override
    public String kernel() {
        return "neox";
    }

    @Override
    public long[] shape() {
        return new long[] {layers(), heads(), activation.code(), 1, 0, parallel ? 1 : 0, rotated};
    }

    @Override
    public double[] real() {
        return new double[] {epsilon, rotaryBase};
    }

    @Override
    public Map<String, long[]> operands() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("embed_in.weight", new long[] {vocabulary(), dModel()});
        shapes.putAll(names().afterEmbeddings(sizes, tied));
        return shapes;
    }

    @Override
    public Map<String, long[]> weights() {
        Map<String, long[]> shapes = operands();
        if (!attentionBias) {
            shapes.keySet()
                    .removeIf(name -> name.endsWith(names().attentionIn() + ".bias")
                            || name.endsWith(names().attentionOut() + ".bias"));
        }
        return shapes;
    }
}
