package universality.correlate;

import ai.djl.ndarray.types.Shape;

/** What is summed together: products of layers of a pair, or ({@code pair} is null, a equals b) of each layer with itself. */
record Unit(Correlator.Pair pair, Layers a, Layers b) {
    /**
     * Arrays of the size of one layer's correlations with another's that a reduction needs at a time, F64, on a GPU, where all rows
     * are taken at once.
     */
    private static final long REDUCTION_ARRAYS = 9;

    boolean self() {
        return pair == null;
    }

    /** Of the sums: [columns of a, columns of b]; of layers with themselves [layers × d_mlp, d_mlp], one below the other. */
    Shape shape() {
        return new Shape(a.columns(), self() ? a.source().width() : b.columns());
    }

    /** What no product of whole numbers over a block exceeds, by Cauchy and Schwarz. */
    double most(Source.Block block) {
        return Math.sqrt(a.most(block)) * Math.sqrt(b.most(block));
    }

    /** The size of one layer's correlations with another's. */
    long cellSize() {
        return (long) a.source().width() * b.source().width();
    }

    /** Bytes that are needed beside the sums while two layers are reduced. */
    long reducing() {
        return REDUCTION_ARRAYS * 8 * cellSize();
    }
}
