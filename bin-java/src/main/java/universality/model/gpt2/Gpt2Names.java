package universality.model.gpt2;

import java.util.ArrayList;
import java.util.List;
import universality.model.ModelConfig;

/** Hugging Face's names and shapes of GPT-2's weights, in the order in which the kernel {@code gpt2} takes them. */
public final class Gpt2Names {
    /** A weight's name, without the {@code transformer.} prefix, and its shape. */
    public record Weight(String name, long... shape) {
        /** Number of elements. */
        public int elements() {
            long elements = 1;
            for (long size : shape) {
                elements = Math.multiplyExact(elements, size);
            }
            return Math.toIntExact(elements);
        }
    }

    private Gpt2Names() {}

    /** All weights but the unembedding, which is {@code wte.weight} itself in a tied model and {@link #head} otherwise. */
    public static List<Weight> body(ModelConfig config) {
        long d = config.dModel();
        List<Weight> weights = new ArrayList<>();
        weights.add(new Weight("wte.weight", config.vocabulary(), d));
        weights.add(new Weight("wpe.weight", config.context(), d));
        for (int layer = 0; layer < config.layers(); layer++) {
            String h = "h." + layer + ".";
            weights.add(new Weight(h + "ln_1.weight", d));
            weights.add(new Weight(h + "ln_1.bias", d));
            weights.add(new Weight(h + "attn.c_attn.weight", d, 3 * d));
            weights.add(new Weight(h + "attn.c_attn.bias", 3 * d));
            weights.add(new Weight(h + "attn.c_proj.weight", d, d));
            weights.add(new Weight(h + "attn.c_proj.bias", d));
            weights.add(new Weight(h + "ln_2.weight", d));
            weights.add(new Weight(h + "ln_2.bias", d));
            weights.add(new Weight(h + "mlp.c_fc.weight", d, config.dMlp()));
            weights.add(new Weight(h + "mlp.c_fc.bias", config.dMlp()));
            weights.add(new Weight(h + "mlp.c_proj.weight", config.dMlp(), d));
            weights.add(new Weight(h + "mlp.c_proj.bias", d));
        }
        weights.add(new Weight("ln_f.weight", d));
        weights.add(new Weight("ln_f.bias", d));
        return weights;
    }

    /** The unembedding of an untied model, [vocabulary, d_model]. */
    public static Weight head(ModelConfig config) {
        return new Weight("lm_head.weight", config.vocabulary(), config.dModel());
    }
}
