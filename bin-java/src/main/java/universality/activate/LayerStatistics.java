package universality.activate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import universality.data.Dtype;
import universality.data.ToolException;
import universality.stats.ColumnMoments;
import universality.tensor.Kernel;

/**
 * Moments of the pre- and post-activations of one layer in F64, and its largest examples, segment by segment. Power sums are
 * gathered on the device about a shift that stays the same over a block of rows, and merged at the block's end; so the result
 * depends on where blocks end, and not on how they were cut into segments. The caller closes it.
 */
final class LayerStatistics implements AutoCloseable {
    /** Rows of the kernels' states (kernels/moments.py). */
    private static final int PRE = 5;

    private static final int POST = 7;

    /** In place of a type to store activations in. */
    private static final Object NOT_STORED = -1;

    private final int layer;
    private final int neurons;
    private final Kernel kernel;
    /** Of the states. */
    private final NDManager manager;

    final ColumnMoments post;
    final ColumnMoments pre;
    final double[] least;
    final double[] largest;
    final double[] magnitudeSum;
    final double[] positive;
    final TopExamples examples;

    /** Where the block began, and its sums so far; null before the first position of a block. */
    private NDArray preShift;

    private NDArray postShift;
    private NDArray preState;
    private NDArray postState;
    private long rows;

    LayerStatistics(NDManager parent, Kernel kernel, int layer, int neurons, int k) {
        this.manager = parent.newSubManager();
        this.kernel = kernel;
        this.layer = layer;
        this.neurons = neurons;
        post = new ColumnMoments(neurons);
        pre = new ColumnMoments(neurons);
        least = filled(Double.POSITIVE_INFINITY);
        largest = filled(Double.NEGATIVE_INFINITY);
        magnitudeSum = new double[neurons];
        positive = new double[neurons];
        examples = new TopExamples(neurons, k);
    }

    private double[] filled(double value) {
        double[] values = new double[neurons];
        Arrays.fill(values, value);
        return values;
    }

    /**
     * Takes a segment in. If this fails for want of memory, nothing has been taken.
     *
     * @param preBlock hook_pre F32 [.., d_mlp]. Not modified.
     * @param postBlock hook_post F32 [.., d_mlp]. Not modified.
     * @param segment the rows of these that count
     * @param stored the type to give them back in; {@code null} for none
     * @return hook_post at the kept rows in the type {@code stored}, owned by {@code scope}; {@code null} without one
     * @throws ToolException (bad data) naming the neuron if an activation is not finite
     */
    NDArray add(NDManager scope, NDArray preBlock, NDArray postBlock, Segment segment, Dtype stored) {
        NDArray kept = scope.create(segment.kept());
        if (preState == null) {
            begin(scope, preBlock, postBlock, kept);
        }
        NDList results = kernel.call(
                scope,
                "post",
                postState,
                postShift,
                postBlock,
                kept,
                segment.ends(),
                scope.create(examples.least()),
                stored == null ? NOT_STORED : stored);
        NDArray newPre = kernel.call(scope, "pre", preState, preShift, preBlock, kept, segment.ends())
                .singletonOrThrow();
        checkRange(results.get(0), stored);
        if (examples.isEmpty()) {
            NDArray values = kernel.call(scope, "rows", postBlock, kept).singletonOrThrow();
            examples.add(values.toFloatArray(), segment.positions());
        } else {
            examples.add(
                    results.get(2).toLongArray(),
                    results.get(3).toLongArray(),
                    results.get(4).toFloatArray(),
                    segment.positions());
        }
        preState = replaced(preState, newPre);
        postState = replaced(postState, results.get(0));
        rows += segment.kept().length;
        return stored == null ? null : results.get(1);
    }

    /** The shift of a block: the means so far, or at the very beginning the first row. */
    private void begin(NDManager scope, NDArray preBlock, NDArray postBlock, NDArray kept) {
        preShift = shift(scope, pre, preBlock, kept);
        postShift = shift(scope, post, postBlock, kept);
        postState = manager.zeros(new Shape(POST, neurons), DataType.FLOAT64);
        try (NDArray low = postState.get(4);
                NDArray high = postState.get(5)) {
            low.addi(Double.POSITIVE_INFINITY);
            high.subi(Double.POSITIVE_INFINITY);
        }
        preState = manager.zeros(new Shape(PRE, neurons), DataType.FLOAT64);
    }

    private NDArray shift(NDManager scope, ColumnMoments moments, NDArray block, NDArray kept) {
        NDArray shift = moments.count() > 0
                ? scope.create(moments.mean())
                : kernel.call(scope, "first", block, kept).singletonOrThrow();
        shift.attach(manager);
        return shift;
    }

    private NDArray replaced(NDArray old, NDArray state) {
        state.attach(manager);
        old.close();
        return state;
    }

    /** Least and largest value of the block so far tell whether anything was not finite, or did not fit. */
    private void checkRange(NDArray state, Dtype stored) {
        double[] values = state.toDoubleArray();
        for (int i = 0; i < neurons; i++) {
            double low = values[4 * neurons + i];
            double high = values[5 * neurons + i];
            checkFinite(low + high, i);
            double magnitude = Math.max(-low, high);
            if (stored != null && magnitude >= tooLarge(stored)) {
                throw ToolException.badData(
                        "an activation of neuron %d.%d is %s, beyond the largest %s number: use --dtype f32",
                        layer, i, (float) magnitude, stored);
            }
        }
    }

    private void checkFinite(double value, int neuron) {
        if (!Double.isFinite(value)) {
            throw ToolException.badData(
                    "activations of neuron %d.%d are not finite: the weights overflow in single precision or are corrupt",
                    layer, neuron);
        }
    }

    /** The least number that is rounded to infinity. */
    private static double tooLarge(Dtype stored) {
        return switch (stored) {
            case F16 -> 65520;
            case BF16 -> 0x1.ffp127;
            default -> Double.POSITIVE_INFINITY;
        };
    }

    /** Ends a block: merges what it has gathered. */
    void endBlock() {
        if (preState == null) {
            return;
        }
        double[] a = postState.toDoubleArray();
        double[] b = preState.toDoubleArray();
        for (int i = 0; i < neurons; i++) {
            checkFinite(a[3 * neurons + i], i);
            checkFinite(b[3 * neurons + i], i);
            least[i] = Math.min(least[i], a[4 * neurons + i]);
            largest[i] = Math.max(largest[i], a[5 * neurons + i]);
            magnitudeSum[i] += a[6 * neurons + i];
            positive[i] += b[4 * neurons + i];
        }
        post.merge(rows, central(a, postShift.toDoubleArray()));
        pre.merge(rows, central(b, preShift.toDoubleArray()));
        rows = 0;
        for (NDArray array : new NDArray[] {preState, postState, preShift, postShift}) {
            array.close();
        }
        preState = null;
    }

    /** Means and central sums [4, neurons] from sums of powers about {@code shift}. */
    private double[] central(double[] sums, double[] shift) {
        double[] result = new double[4 * neurons];
        for (int i = 0; i < neurons; i++) {
            double s1 = sums[i];
            double s2 = sums[neurons + i];
            double s3 = sums[2 * neurons + i];
            double s4 = sums[3 * neurons + i];
            double d = s1 / rows;
            result[i] = shift[i] + d;
            result[neurons + i] = Math.max(0, s2 - d * s1);
            result[2 * neurons + i] = s3 - 3 * d * s2 + 2 * d * d * s1;
            result[3 * neurons + i] = Math.max(0, s4 - 4 * d * s3 + 6 * d * d * s2 - 3 * d * d * d * s1);
        }
        return result;
    }

    @Override
    public void close() {
        manager.close();
    }
}
