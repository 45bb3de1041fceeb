package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import universality.stats.ColumnMoments;
import universality.stats.Moments;
import universality.tensor.Kernel;

/**
 * What is kept of the correlations of every neuron of model a (rows) with all neurons of model b, taken in layer block by layer
 * block in any order. Neurons are numbered layer × d_mlp + index. Where the correlations are approximate, partners are only
 * shortlisted, and {@link Refinement} sets them; histogram, moments, halves and baseline remain approximate.
 */
final class PairTable {
    static final int BINS = 101;

    final int rows;
    private final int rowWidth;
    private final int columnWidth;
    private final int top;
    private final NDArray edges;
    /** Partners to be looked at again; {@code null} where correlations are exact, and when that has been done. */
    Shortlist shortlist;

    final double[] largest;
    final int[] largestAt;
    final double[] least;
    final int[] leastAt;
    /** What the largest correlation is at most, where it is not certain. */
    final double[] upper;

    private final TopList best;
    /** Correlations in each bin, [rows][BINS]; a row has as many as b has neurons, fewer than 2³¹. */
    final int[][] counts;
    /** Largest correlation in each half of the positions, [2][rows]. */
    final double[][] halfLargest = new double[2][];
    /** Largest correlation with a rotated neuron, [set][draw][rows]. */
    final double[][][] baseline;

    private final ColumnMoments[] moments;

    PairTable(NDManager manager, Source a, Source b, int top, int draws, boolean exact) {
        rows = a.model.neurons();
        rowWidth = a.width();
        columnWidth = b.width();
        this.top = top;
        edges = manager.create(edges());
        largest = filled(rows);
        largestAt = new int[rows];
        least = new double[rows];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        leastAt = new int[rows];
        upper = filled(rows);
        best = new TopList(rows, top);
        shortlist = exact ? null : new Shortlist(rows, rowWidth, b.model.neurons());
        counts = new int[rows][BINS];
        moments = new ColumnMoments[a.layers()];
        Arrays.setAll(moments, l -> new ColumnMoments(rowWidth));
        Arrays.setAll(halfLargest, h -> filled(rows));
        baseline = new double[Source.SETS][][];
        for (int set = 0; set < Source.SETS; set++) {
            baseline[set] = new double[Baselines.draws(set, draws)][];
            Arrays.setAll(baseline[set], d -> filled(rows));
        }
    }

    private static double[] filled(int size) {
        double[] values = new double[size];
        Arrays.fill(values, Double.NEGATIVE_INFINITY);
        return values;
    }

    /** linspace(−1, 1, 100), Gurnee's edges. */
    private static double[] edges() {
        double[] edges = new double[BINS - 1];
        for (int i = 0; i < edges.length; i++) {
            edges[i] = -1 + 2.0 * i / (edges.length - 1);
        }
        return edges;
    }

    /**
     * Takes in the correlations over all positions.
     *
     * @param rho F64 [d_mlp of a, d_mlp of b]. Not modified.
     * @param alive the columns that have a correlation
     * @param bound what bounds the error of {@code rho}; {@code null} where it is exact
     */
    void add(Kernel kernel, NDManager scope, int layerA, int layerB, NDArray rho, long[] alive, Bound bound) {
        if (alive.length == 0) {
            return;
        }
        NDArray columns = scope.create(alive);
        int offset = layerB * columnWidth;
        if (shortlist == null) {
            addExact(kernel, scope, layerA, offset, rho, columns);
        } else {
            shortlist.add(kernel, scope, layerA, rho, columns, bound.left(), bound.right(), offset);
        }
        NDList distribution = kernel.call(scope, "distribution", rho, columns, edges);
        moments[layerA].merge(alive.length, distribution.get(0).toDoubleArray());
        long[] added = distribution.get(1).toLongArray();
        for (int i = 0; i < rowWidth; i++) {
            int[] row = counts[layerA * rowWidth + i];
            for (int bin = 0; bin < BINS; bin++) {
                row[bin] += (int) added[i * BINS + bin];
            }
        }
    }

    /** The error of approximate correlations [da, db] is at most left [da, 2] times right [2, db], F64. */
    record Bound(NDArray left, NDArray right) {}

    private void addExact(Kernel kernel, NDManager scope, int layerA, int offset, NDArray rho, NDArray columns) {
        NDList extremes = kernel.call(scope, "extremes", rho, columns);
        double[] high = extremes.get(0).toDoubleArray();
        long[] highAt = extremes.get(1).toLongArray();
        double[] low = extremes.get(2).toDoubleArray();
        long[] lowAt = extremes.get(3).toLongArray();
        NDList tops = kernel.call(scope, "top", rho, columns, best.size);
        double[] values = tops.get(0).toDoubleArray();
        long[] at = tops.get(1).toLongArray();
        int k = values.length / rowWidth;
        for (int i = 0; i < rowWidth; i++) {
            int row = layerA * rowWidth + i;
            offerExtremes(row, high[i], offset + (int) highAt[i], low[i], offset + (int) lowAt[i]);
            for (int j = 0; j < k; j++) {
                best.add(row, values[i * k + j], offset + (int) at[i * k + j]);
            }
        }
    }

    private void offerExtremes(int row, double high, int highAt, double low, int lowAt) {
        if (high > largest[row] || high == largest[row] && highAt < largestAt[row]) {
            largest[row] = high;
            largestAt[row] = highAt;
        }
        if (low < least[row] || low == least[row] && lowAt < leastAt[row]) {
            least[row] = low;
            leastAt[row] = lowAt;
        }
    }

    /** Takes in one exact correlation, in any order; each once. */
    void offer(int row, double rho, int at) {
        offer(row, rho, at, true);
    }

    /** {@code list}: whether it may enter the list of partners too. */
    void offer(int row, double rho, int at, boolean list) {
        offerExtremes(row, rho, at, rho, at);
        if (list) {
            best.add(row, rho, at);
        }
    }

    /** The most correlated neurons of b, best first. */
    int topCount(int row) {
        return best.count(row);
    }

    double topValue(int row, int entry) {
        return best.value(row, entry);
    }

    int topAt(int row, int entry) {
        return best.at(row, entry);
    }

    /** Takes in the correlations over one half of the positions. */
    void addHalf(Kernel kernel, NDManager scope, int half, int layerA, NDArray rho, long[] alive) {
        if (alive.length > 0) {
            NDArray values =
                    kernel.call(scope, "largest", rho, scope.create(alive)).singletonOrThrow();
            raise(halfLargest[half], layerA, values.toDoubleArray());
        }
    }

    /** Takes in the largest correlations of layer {@code layerA} with one rotated layer of b. */
    void addBaseline(int set, int draw, int layerA, double[] values) {
        raise(baseline[set][draw], layerA, values);
    }

    /** Neurons of a layer of a. */
    int rowWidth() {
        return rowWidth;
    }

    private void raise(double[] best, int layerA, double[] values) {
        for (int i = 0; i < values.length; i++) {
            int row = layerA * rowWidth + i;
            best[row] = Math.max(best[row], values[i]);
        }
    }

    /** Mean, population variance, skewness and Pearson kurtosis of a row's correlations; NaN where undefined. */
    double[] shape(int row) {
        ColumnMoments layer = moments[row / rowWidth];
        int i = row % rowWidth;
        double n = layer.count();
        double m2 = layer.m2()[i];
        return new double[] {
            layer.mean()[i], m2 / n, Moments.skewness(n, m2, layer.m3()[i]), Moments.kurtosis(n, m2, layer.m4()[i])
        };
    }
}
