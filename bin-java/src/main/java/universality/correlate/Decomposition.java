package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import universality.tensor.Kernel;

/**
 * How much of two neurons' covariance is between the values v of one property of the positions (the current token, or the place
 * in the row): Σ_v n_v (x̄_v − x̄)(ȳ_v − ȳ) = Σ_v S_v(x) S_v(y) / n_v − S(x) S(y) / n, S_v the sum over the positions that
 * have the value. Sums of all values and neurons need not fit into memory: the values are taken range by range, and every
 * position is read once in all. Exact but for rounding, whatever the ranges.
 */
final class Decomposition implements AutoCloseable {
    /** Rows of which products are taken at once, so that they stay in the processor's cache. */
    private static final int CHUNK = 256;

    private final NDManager manager;
    private final Kernel kernel;
    private final List<Source> sources;
    /** Of each kept position, from 0. */
    private final int[] value;

    private final int[] count;
    private final long bytes;
    private int most;
    private final NDArray between;
    private final List<NDArray> totals = new ArrayList<>();
    private int from;
    private int to;

    /**
     * @param property of each kept position, any integers
     * @param products number of products wanted
     * @param memoryBytes what sums may take
     */
    Decomposition(
            NDManager parent, Kernel kernel, List<Source> sources, int[] property, int products, long memoryBytes) {
        this.manager = parent.newSubManager();
        this.kernel = kernel;
        this.sources = sources;
        int[] values = Arrays.stream(property).sorted().distinct().toArray();
        value = Arrays.stream(property).map(p -> Arrays.binarySearch(values, p)).toArray();
        count = new int[values.length];
        for (int v : value) {
            count[v]++;
        }
        bytes = 8L * sources.stream().mapToInt(s -> s.model.neurons()).sum();
        allow(memoryBytes);
        between = manager.zeros(new Shape(products), DataType.FLOAT64);
    }

    /** Says what the sums of the ranges to come may take. */
    void allow(long memoryBytes) {
        // whole chunks, so that it does not depend on memory which values are summed together; a chunk is copied for
        // its products
        long fitting = Math.max(CHUNK, (memoryBytes / bytes - CHUNK - 1) / CHUNK * CHUNK);
        most = (int) Math.min(count.length, fitting);
    }

    /**
     * Goes on to the next range of values.
     *
     * @return whether there is one
     */
    boolean next() {
        from = to;
        to = Math.min(count.length, from + most);
        for (Source source : to > from ? sources : List.<Source>of()) {
            for (int layer = 0; layer < source.layers(); layer++) {
                totals.add(manager.zeros(new Shape(to - from + 1L, source.width()), DataType.FLOAT64));
            }
        }
        return to > from;
    }

    /** The kept positions whose value is in the range, ascending. */
    int[] positions() {
        return IntStream.range(0, value.length)
                .filter(i -> value[i] >= from && value[i] < to)
                .toArray();
    }

    /**
     * Adds blocks of positions; those out of the range do not count.
     *
     * @param blocks of each layer of each source, F32 [n, d_mlp]. Not modified.
     * @param rows indices of kept positions
     * @param start first entry of {@code rows} that is in the blocks
     */
    void add(NDManager scope, List<NDArray> blocks, int[] rows, int start) {
        NDArray index =
                scope.create(places(rows, start, (int) blocks.get(0).getShape().get(0)));
        for (int i = 0; i < blocks.size(); i++) {
            kernel.call(scope, "add_rows", totals.get(i), blocks.get(i), index);
        }
    }

    /** The rows of {@link #total} that {@code count} positions belong to; the last one where the range lacks their value. */
    long[] places(int[] rows, int start, int count) {
        long[] at = new long[count];
        for (int i = 0; i < count; i++) {
            int v = value[rows[start + i]];
            at[i] = v >= from && v < to ? v - from : to - from;
        }
        return at;
    }

    /** Sums of a layer by value, F64 [values in the range + 1, d_mlp]; to be added to. */
    NDArray total(int layer) {
        return totals.get(layer);
    }

    /** Takes the products of the range's sums, and frees these. */
    void finishRange(NDArray first, NDArray second) {
        try (NDManager scope = manager.newSubManager()) {
            double[] roots = IntStream.range(from, to)
                    .mapToDouble(v -> Math.sqrt(count[v]))
                    .toArray();
            NDArray root = scope.create(roots);
            List<NDArray> means = new ArrayList<>();
            for (NDArray total : totals) {
                means.add(kernel.call(scope, "means", total, root).singletonOrThrow());
            }
            kernel.call(scope, "products", between, means, first, second, CHUNK);
        }
        totals.forEach(NDArray::close);
        totals.clear();
    }

    /** Σ_v S_v(x) S_v(y) / n_v of every product, after the last range. */
    double[] between() {
        return between.toDoubleArray();
    }

    @Override
    public void close() {
        manager.close();
    }
}
