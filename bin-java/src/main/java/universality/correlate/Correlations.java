package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.tensor.Kernel;

/** Correlations of layers from the sums of their products. */
final class Correlations {
    private final Kernel kernel;
    /** {@code null} where there are no products of whole numbers. */
    private final Kernel integers;

    private final Precision precision;

    Correlations(Kernel kernel, Kernel integers, Precision precision) {
        this.kernel = kernel;
        this.integers = integers;
        this.precision = precision;
    }

    /**
     * What kernels take to compute a cell's correlations over a set of positions.
     *
     * @param scope owns the arrays that are made for it
     * @param bounded the error is to be bounded: in units of the true standard deviations. Otherwise, where activations were rounded,
     *     those of the rounded activations, which are nearer by as much as rounding a neuron's values errs to one side
     * @param more what follows
     */
    Object[] known(NDManager scope, Cell cell, int set, boolean bounded, Object... more) {
        Unit unit = cell.unit();
        Layer a = cell.a();
        Layer b = cell.b();
        boolean rounded = !bounded && precision == Precision.BF16;
        boolean whole = precision == Precision.INT8;
        double[] none = {};
        List<Object> all = new ArrayList<>();
        all.add(cell.totals().of(set));
        all.add((a.index() - unit.a().from()) * a.width());
        all.add(unit.self() ? 0 : (b.index() - unit.b().from()) * b.width());
        all.add(scope.create(whole ? a.source().steps(a.index()) : none));
        all.add(scope.create(whole ? b.source().steps(b.index()) : none));
        all.add((double) a.source().count(set));
        all.add(sums(scope, a, set, rounded));
        all.add(sums(scope, b, set, rounded));
        all.addAll(List.of(more));
        return all.toArray();
    }

    /** A cell's correlations over a set of positions, F64 [d_mlp of a, d_mlp of b]. */
    NDArray of(NDManager scope, Cell cell, int set, boolean bounded) {
        try (NDManager step = scope.newSubManager()) {
            NDArray rho = kernel.call(step, "correlation", known(step, cell, set, bounded))
                    .singletonOrThrow();
            if (cell.unit().self() && precision == Precision.INT8) {
                // the square of a rounded value is too large by what rounding adds, products of two neurons are not
                integers.call(step, "certain", rho);
            }
            rho.attach(scope);
            return rho;
        }
    }

    /** Of each set, Σx of each neuron of a layer and then Σx² of each, as correlations that are not bounded are computed with. */
    double[][] sums(Layer layer) {
        double[][] sums = new double[Source.SETS][];
        Arrays.setAll(sums, set -> sums(layer, set, precision == Precision.BF16));
        return sums;
    }

    private NDArray sums(NDManager scope, Layer layer, int set, boolean rounded) {
        return scope.create(sums(layer, set, rounded), new Shape(2, layer.width()));
    }

    /** Σx of each neuron of a layer, then Σx² of each. */
    private double[] sums(Layer layer, int set, boolean rounded) {
        Source source = layer.source();
        if (precision == Precision.SKETCH) {
            return source.centredSums(layer.index(), set);
        }
        return rounded ? source.roundedSums(layer.index(), set) : source.sums(layer.index(), set);
    }
}
