package universality.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the checkpoints of a family name their tensors. All but the head come with the prefix or, where the model was saved
 * without its head, without. Projections and LayerNorms are named without {@code .weight} and {@code .bias}.
 *
 * @param prefix what names begin with
 * @param tokens token embedding
 * @param block what the names of a layer's tensors begin with, before the layer's number and a point
 * @param norm1 LayerNorm before the attention
 * @param attentionIn projection to queries, keys and values
 * @param attentionOut projection of the attention's values to the residual stream
 * @param norm2 LayerNorm before the MLP
 * @param mlpIn projection to the neurons
 * @param mlpOut projection of the neurons to the residual stream
 * @param finalNorm LayerNorm before the unembedding
 * @param head unembedding of its own
 * @param buffer constants that some versions of the library stored with the weights
 * @param outputsFirst projections are stored as [out, in], not as [in, out]
 */
public record TensorNames(
        String prefix,
        String tokens,
        String block,
        String norm1,
        String attentionIn,
        String attentionOut,
        String norm2,
        String mlpIn,
        String mlpOut,
        String finalNorm,
        String head,
        Pattern buffer,
        boolean outputsFirst) {
    static final String WEIGHT = ".weight";
    static final String BIAS = ".bias";

    /** Projections are [in, out], as Hugging Face's {@code Conv1D} keeps them. */
    static final TensorNames GPT2 = new TensorNames(
            "transformer.",
            "wte",
            "h.",
            "ln_1",
            "attn.c_attn",
            "attn.c_proj",
            "ln_2",
            "mlp.c_fc",
            "mlp.c_proj",
            "ln_f",
            "lm_head",
            // the causal mask, and the number that masks
            Pattern.compile("h\\.\\d+\\.attn\\.(bias|masked_bias)"),
            false);

    /** The same, and the frequencies of the rotation; what these should be, the config says. */
    static final TensorNames NEOX = new TensorNames(
            "gpt_neox.",
            "embed_in",
            "layers.",
            "input_layernorm",
            "attention.query_key_value",
            "attention.dense",
            "post_attention_layernorm",
            "mlp.dense_h_to_4h",
            "mlp.dense_4h_to_h",
            "final_layer_norm",
            "embed_out",
            Pattern.compile(
                    "layers\\.\\d+\\.attention\\.(bias|masked_bias|rotary_emb\\.inv_freq)|rotary_emb\\.inv_freq"),
            true);

    /** The name in a file of a tensor of the whole model: with the prefix, unless it is the head's. */
    public String stored(String name) {
        return ofHead(name) ? name : prefix + name;
    }

    /** The name without the prefix. */
    String bare(String stored) {
        return stored.startsWith(prefix) ? stored.substring(prefix.length()) : stored;
    }

    /** Whether a tensor belongs to the unembedding. */
    boolean ofHead(String name) {
        return name.startsWith(head + ".");
    }

    /** Whether a tensor is the scale of a LayerNorm. */
    public boolean isScale(String name) {
        return name.endsWith(norm1 + WEIGHT) || name.endsWith(norm2 + WEIGHT) || name.equals(finalNorm + WEIGHT);
    }

    /** Whether a tensor is the weight of a projection that writes to the residual stream. */
    public boolean isOutput(String name) {
        return name.endsWith("." + attentionOut + WEIGHT) || name.endsWith("." + mlpOut + WEIGHT);
    }

    /** What the names of a layer's tensors begin with. */
    String block(int layer) {
        return block + layer + ".";
    }

    /** The layer that a tensor belongs to; −1 if to none. */
    int layerOf(String name) {
        Matcher inBlock =
                Pattern.compile(Pattern.quote(block) + "(\\d{1,9})\\..+").matcher(name);
        return inBlock.matches() ? Integer.parseInt(inBlock.group(1)) : -1;
    }

    /** Whether a tensor is a weight or a bias of a layer's linear maps, as those of its LayerNorms are not. */
    boolean ofProjection(String name) {
        int layer = layerOf(name);
        return layer >= 0
                && !name.startsWith(block(layer) + norm1 + ".")
                && !name.startsWith(block(layer) + norm2 + ".");
    }

    /** Shapes of the weights of all layers, of the final LayerNorm, and of the head unless it is tied, in this order. */
    Map<String, long[]> afterEmbeddings(Sizes sizes, boolean tied) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        int dModel = sizes.dModel();
        for (int layer = 0; layer < sizes.layers(); layer++) {
            String names = block(layer);
            norm(shapes, names + norm1, dModel);
            projection(shapes, names + attentionIn, dModel, 3L * dModel);
            projection(shapes, names + attentionOut, dModel, dModel);
            norm(shapes, names + norm2, dModel);
            projection(shapes, names + mlpIn, dModel, sizes.dMlp());
            projection(shapes, names + mlpOut, sizes.dMlp(), dModel);
        }
        norm(shapes, finalNorm, dModel);
        if (!tied) {
            shapes.put(head + WEIGHT, new long[] {sizes.vocabulary(), dModel});
        }
        return shapes;
    }

    private static void norm(Map<String, long[]> shapes, String name, long size) {
        shapes.put(name + WEIGHT, new long[] {size});
        shapes.put(name + BIAS, new long[] {size});
    }

    private void projection(Map<String, long[]> shapes, String name, long in, long out) {
        shapes.put(name + WEIGHT, outputsFirst ? new long[] {out, in} : new long[] {in, out});
        shapes.put(name + BIAS, new long[] {out});
    }
}
