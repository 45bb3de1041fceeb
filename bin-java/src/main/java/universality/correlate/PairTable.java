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
 * block in any order of the layers of a, and ascending layers of b. Neurons are numbered layer × d_mlp + index.
 */
final class PairTable {
    static final int BINS = 101;

    final int rows;
    private final int rowWidth;
    private final int columnWidth;
    private final int top;
    private final NDArray edges;
    final double[] largest;
    final int[] largestAt;
    final double[] least;
    final int[] leastAt;
    final double[][] topValues;
    final int[][] topAt;
    /** Correlations in each bin, [rows][BINS]; a row has as many as b has neurons, fewer than 2³¹. */
    final int[][] counts;
    /** Largest correlation in each half of the positions, [2][rows]. */
    final double[][] halfLargest = new double[2][];
    /** Largest correlation with a rotated neuron, [set][draw][rows]. */
    final double[][][] baseline;

    private final ColumnMoments[] moments;

    PairTable(NDManager manager, Source a, Source b, int top, int draws) {
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
        topValues = new double[rows][0];
        topAt = new int[rows][0];
        counts = new int[rows][BINS];
        moments = new ColumnMoments[a.layers()];
        Arrays.setAll(moments, l -> new ColumnMoments(rowWidth));
        Arrays.setAll(halfLargest, h -> filled(rows));
        baseline = new double[Source.SETS][][];
        for (int set = 0; set < Source.SETS; set++) {
            baseline[set] = new double[Correlator.draws(set, draws)][];
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
     */
    void add(Kernel kernel, NDManager scope, int layerA, int layerB, NDArray rho, long[] alive) {
        if (alive.length == 0) {
            return;
        }
        NDArray columns = scope.create(alive);
        NDList extremes = kernel.call(scope, "extremes", rho, columns);
        double[] high = extremes.get(0).toDoubleArray();
        long[] highAt = extremes.get(1).toLongArray();
        double[] low = extremes.get(2).toDoubleArray();
        long[] lowAt = extremes.get(3).toLongArray();
        for (int i = 0; i < rowWidth; i++) {
            int row = layerA * rowWidth + i;
            if (high[i] > largest[row]) {
                largest[row] = high[i];
                largestAt[row] = layerB * columnWidth + (int) highAt[i];
            }
            if (low[i] < least[row]) {
                least[row] = low[i];
                leastAt[row] = layerB * columnWidth + (int) lowAt[i];
            }
        }
        addTop(kernel, scope, layerA, layerB, rho, columns);
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

    private void addTop(Kernel kernel, NDManager scope, int layerA, int layerB, NDArray rho, NDArray columns) {
        NDList best = kernel.call(scope, "top", rho, columns, top);
        int k = (int) best.get(0).getShape().get(1);
        double[] values = best.get(0).toDoubleArray();
        long[] at = best.get(1).toLongArray();
        for (int i = 0; i < rowWidth; i++) {
            int row = layerA * rowWidth + i;
            double[] blockValues = Arrays.copyOfRange(values, i * k, (i + 1) * k);
            int[] blockAt = new int[k];
            for (int j = 0; j < k; j++) {
                blockAt[j] = layerB * columnWidth + (int) at[i * k + j];
            }
            mergeTop(row, blockValues, blockAt);
        }
    }

    /** Best first; of equal values the lower neuron first. */
    private void mergeTop(int row, double[] values, int[] at) {
        int old = topValues[row].length;
        double[] allValues = Arrays.copyOf(topValues[row], old + values.length);
        int[] allAt = Arrays.copyOf(topAt[row], old + at.length);
        System.arraycopy(values, 0, allValues, old, values.length);
        System.arraycopy(at, 0, allAt, old, at.length);
        int[] order = java.util.stream.IntStream.range(0, allAt.length)
                .boxed()
                .sorted((x, y) -> {
                    int byValue = Double.compare(allValues[y], allValues[x]);
                    return byValue != 0 ? byValue : Integer.compare(allAt[x], allAt[y]);
                })
                .limit(top)
                .mapToInt(Integer::intValue)
                .toArray();
        topValues[row] = Arrays.stream(order).mapToDouble(i -> allValues[i]).toArray();
        topAt[row] = Arrays.stream(order).map(i -> allAt[i]).toArray();
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
