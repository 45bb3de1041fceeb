package universality.model;

/** What a model computes in. */
public enum Arithmetic {
    /** Everything in F32. */
    F32,

    /**
     * The projections of the layers (queries, keys and values, attention output, MLP in and out) and the attention's products in
     * bfloat16, with weights cast once at load and sums in F32; their results are rounded to bfloat16. The residual stream,
     * LayerNorms, softmax, the neurons' non-linearity, embedding and unembedding stay in F32. Root mean square differences from
     * {@link #F32} are below 1% of the standard deviation of a layer's activations (0.3% to 1% on the models of the specs).
     */
    BF16;

    /** As options and manifests spell it, {@code f32} or {@code bf16}. */
    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
