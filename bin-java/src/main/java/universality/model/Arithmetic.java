package universality.model;

/** What a model computes in. */
public enum Arithmetic {
    /** Everything in F32. */
    F32,

    /**
     * The projections of the layers (queries, keys and values, attention output, MLP in and out) and the attention's products in
     * bfloat16, with weights cast once at load and sums in F32; their results are rounded to bfloat16. The residual stream,
     * LayerNorms, softmax, the neurons' non-linearity, embedding and unembedding stay in F32. Activations differ from those of {@link
     * #F32} by about 1% of a neuron's standard deviation.
     */
    BF16;

    /** As options and manifests spell it, {@code f32} or {@code bf16}. */
    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
