package universality.correlate;

/** How the products of all pairs of neurons are computed. */
public enum Precision {
    /** F32 products, F64 sums. */
    EXACT,
    /** BF16 products find candidates, which are computed again in F32 and F64. */
    BF16,
    /** Products of integers of 8 bits, rounded at random, find candidates, which are computed again in F32 and F64. */
    INT8,
    /** Sketches of the activations find candidates, which are computed again in F32 and F64. */
    SKETCH
}
