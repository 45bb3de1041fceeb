package universality.activate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import universality.data.ToolException;
import universality.stats.ColumnMoments;
import universality.tensor.Kernel;

/** Moments of the pre- and post-activations of one layer, gathered block by block in F64. */
final class LayerStatistics {
    private final int layer;
    private final int neurons;
    final ColumnMoments post;
    final ColumnMoments pre;
    final double[] least;
    final double[] largest;
    final double[] magnitudeSum;
    final double[] positive;

    LayerStatistics(int layer, int neurons) {
        this.layer = layer;
        this.neurons = neurons;
        post = new ColumnMoments(neurons);
        pre = new ColumnMoments(neurons);
        least = new double[neurons];
        largest = new double[neurons];
        magnitudeSum = new double[neurons];
        positive = new double[neurons];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        Arrays.fill(largest, Double.NEGATIVE_INFINITY);
    }

    /**
     * Takes a block in.
     *
     * @param preBlock hook_pre F32 [n, d_mlp]. Not modified.
     * @param postBlock hook_post F32 [n, d_mlp]. Not modified.
     * @throws ToolException (bad data) naming the neuron if an activation is not finite
     */
    void add(Kernel kernel, NDManager scope, NDArray preBlock, NDArray postBlock) {
        long n = postBlock.getShape().get(0);
        double[] a = kernel.call(scope, "post", postBlock).singletonOrThrow().toDoubleArray();
        double[] b = kernel.call(scope, "pre", preBlock).singletonOrThrow().toDoubleArray();
        for (int i = 0; i < neurons; i++) {
            if (!Double.isFinite(a[i]) || !Double.isFinite(b[i])) {
                throw ToolException.badData(
                        "activations of neuron %d.%d are not finite: the weights overflow in single precision or are corrupt",
                        layer, i);
            }
            least[i] = Math.min(least[i], a[4 * neurons + i]);
            largest[i] = Math.max(largest[i], a[5 * neurons + i]);
            magnitudeSum[i] += a[6 * neurons + i];
            positive[i] += b[4 * neurons + i];
        }
        post.merge(n, Arrays.copyOf(a, 4 * neurons));
        pre.merge(n, Arrays.copyOf(b, 4 * neurons));
    }
}
