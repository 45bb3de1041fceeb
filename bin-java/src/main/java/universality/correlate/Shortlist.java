package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.stream.IntStream;
import universality.tensor.Kernel;

/**
 * Which neurons of b may be the most or least correlated one of each neuron of a, as far as correlations known within bounds can tell:
 * all whose upper bound is not below the largest lower bound (methods of the filter: docs/methods.md). The {@value #SIZE} largest
 * upper bounds are kept; where the last of them is not below that either, the list may lack some, and the row is to be computed in full.
 */
final class Shortlist {
    static final int SIZE = 32;

    private final int width;
    /** By upper bound of ρ, and of −ρ. */
    private final TopList[] upper;
    /** Largest lower bound of ρ, and of −ρ, [2][rows]. */
    private final double[][] lower;

    private final int columns;

    /** @param columns neurons of b */
    Shortlist(int rows, int rowWidth, int columns) {
        this.width = rowWidth;
        this.columns = columns;
        upper = new TopList[] {new TopList(rows, SIZE), new TopList(rows, SIZE)};
        lower = new double[2][rows];
        Arrays.stream(lower).forEach(l -> Arrays.fill(l, Double.NEGATIVE_INFINITY));
    }

    /**
     * Takes in a layer block of approximate correlations.
     *
     * @param rho F64 [d_mlp of a, d_mlp of b]
     * @param alive I64, the columns that have a correlation
     * @param left F64 [d_mlp of a, 2], right F64 [2, d_mlp of b]: their product bounds the error of {@code rho}
     * @param offset number of the first column's neuron
     */
    void add(
            Kernel kernel,
            NDManager scope,
            int layerA,
            NDArray rho,
            NDArray alive,
            NDArray left,
            NDArray right,
            int offset) {
        NDList found = kernel.call(scope, "bounds", rho, alive, left, right, SIZE);
        for (int side = 0; side < 2; side++) {
            double[] values = found.get(3 * side).toDoubleArray();
            long[] at = found.get(3 * side + 1).toLongArray();
            double[] best = found.get(3 * side + 2).toDoubleArray();
            int k = values.length / width;
            for (int i = 0; i < width; i++) {
                int row = layerA * width + i;
                for (int j = 0; j < k; j++) {
                    upper[side].add(row, values[i * k + j], offset + (int) at[i * k + j]);
                }
                lower[side][row] = Math.max(lower[side][row], best[i]);
            }
        }
    }

    /** Whether the lists of a row may lack the most or least correlated neuron. */
    boolean overflows(int row) {
        return columns > SIZE
                && IntStream.range(0, 2)
                        .anyMatch(side ->
                                upper[side].count(row) == SIZE && upper[side].value(row, SIZE - 1) >= lower[side][row]);
    }

    /**
     * Neurons of b to be looked at again, ascending: all that may be the most or least correlated one, and the first {@code high} by
     * upper bound and {@code low} by lower bound.
     */
    int[] candidates(int row, int high, int low) {
        IntStream.Builder found = IntStream.builder();
        for (int side = 0; side < 2; side++) {
            int count = upper[side].count(row);
            for (int i = 0; i < count; i++) {
                if (upper[side].value(row, i) >= lower[side][row] || i < (side == 0 ? high : low)) {
                    found.add(upper[side].at(row, i));
                }
            }
        }
        return found.build().sorted().distinct().toArray();
    }

    /** The largest upper bound of ρ among the neurons of b that are not in {@link #candidates}; −∞ where there is none. */
    double rest(int row, int high) {
        TopList list = upper[0];
        for (int i = high; i < list.count(row); i++) {
            if (list.value(row, i) < lower[0][row]) {
                return list.value(row, i);
            }
        }
        return columns > SIZE ? list.value(row, SIZE - 1) : Double.NEGATIVE_INFINITY;
    }
}
