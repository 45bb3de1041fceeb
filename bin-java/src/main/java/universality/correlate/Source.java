package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import universality.data.ActivationFolder;
import universality.data.ActivationMoments;
import universality.data.Dtype;
import universality.tensor.Kernel;

/**
 * One model as the engine sees it: its stored activations at chosen positions, block by block, shifted and scaled to about zero
 * mean and unit variance, and for one control rotated. Sums over all blocks are gathered on the way. Not thread-safe; the
 * folder is closed by whoever opened it.
 */
final class Source {
    /** Kept positions of a block; fixed, so that results do not depend on memory or grouping. */
    static final int BLOCK = 4096;

    /** Rows of which the medians are taken. */
    private static final int CENTER_ROWS = 1023;

    /** The whole, then the two halves. */
    static final int SETS = 3;

    final ActivationFolder model;
    private final int[][] rows;
    private final Kernel kernel;
    private final NDArray[] shift;
    private final NDArray[] scale;
    private final NDArray[] rotation;
    private final double[][] scales;
    /** Σz and Σz² by layer and half, [layers][2][2 × d_mlp]. */
    private final double[][][] sums;

    /**
     * @param rows indices of kept positions by half
     * @param rotations for the control {@code rotated}; {@code null}: as it is
     */
    Source(NDManager manager, Kernel kernel, ActivationFolder model, int[][] rows, Rotations rotations) {
        this.model = model;
        this.rows = rows;
        this.kernel = kernel;
        int layers = model.layers();
        shift = new NDArray[layers];
        scale = new NDArray[layers];
        rotation = new NDArray[layers];
        scales = new double[layers][];
        sums = new double[layers][2][2 * model.dMlp()];
        ActivationMoments moments = model.moments();
        for (int layer = 0; layer < layers; layer++) {
            double[] deviation = new double[model.dMlp()];
            for (int i = 0; i < deviation.length; i++) {
                deviation[i] = Math.sqrt(moments.post().variance(layer, i));
            }
            shift[layer] = center(manager, layer);
            scales[layer] = rotations == null ? inverses(deviation) : common(deviation);
            scale[layer] = manager.create(scales[layer]);
            if (rotations != null) {
                NDArray made = rotations.get(manager, model, layer, "control");
                rotation[layer] = made;
            }
        }
    }

    /** Medians over some rows, F64 [d_mlp]: near enough to the means for exact sums, and at rest values of sparse neurons. */
    private NDArray center(NDManager manager, int layer) {
        int half = rows[0].length > 0 ? 0 : 1;
        try (NDManager scope = manager.newSubManager()) {
            NDArray some = raw(scope, layer, rows[half], 0, Math.min(CENTER_ROWS, rows[half].length));
            NDArray center = kernel.call(scope, "center", some).singletonOrThrow();
            center.attach(manager);
            return center;
        }
    }

    /** 1/σ, or 0 for an inactive neuron, whose column then is 0 everywhere. */
    private static double[] inverses(double[] deviation) {
        boolean[] inactive = inactive(deviation);
        double[] result = new double[deviation.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = inactive[i] ? 0 : 1 / deviation[i];
        }
        return result;
    }

    /** One scale for the whole layer, since a rotation mixes its neurons. */
    private static double[] common(double[] deviation) {
        double sum = 0;
        for (double s : deviation) {
            sum += s * s;
        }
        double[] result = new double[deviation.length];
        java.util.Arrays.fill(result, sum > 0 ? Math.sqrt(deviation.length / sum) : 0);
        return result;
    }

    int layers() {
        return model.layers();
    }

    int width() {
        return model.dMlp();
    }

    int blocks(int half) {
        return (rows[half].length + BLOCK - 1) / BLOCK;
    }

    /** Positions in a set: 0 the whole, 1 and 2 the halves. */
    long count(int set) {
        return set == 0 ? (long) rows[0].length + rows[1].length : rows[set - 1].length;
    }

    /** Block {@code block} of a half, F32 [n, d_mlp], owned by {@code scope}. */
    NDArray block(NDManager scope, int layer, int half, int block) {
        int from = block * BLOCK;
        return values(scope, layer, rows[half], from, Math.min(BLOCK, rows[half].length - from));
    }

    /** {@code count} positions of {@code which} (indices of kept positions), F32 [count, d_mlp], owned by {@code scope}. */
    NDArray values(NDManager scope, int layer, int[] which, int from, int count) {
        try (NDArray raw = raw(scope, layer, which, from, count)) {
            if (rotation[layer] == null) {
                return kernel.call(scope, "standard", raw, shift[layer], scale[layer])
                        .singletonOrThrow();
            }
            return kernel.call(scope, "rotated", raw, shift[layer], rotation[layer], scale[layer])
                    .singletonOrThrow();
        }
    }

    private NDArray raw(NDManager scope, int layer, int[] which, int from, int count) {
        ByteBuffer bytes = model.gather(layer, which, from, count);
        DataType type = model.storedType() == Dtype.F32 ? DataType.FLOAT32 : DataType.FLOAT16;
        return scope.create(bytes, new Shape(count, width()), type);
    }

    /** Adds a block's sums; to be called once for every block of a layer. */
    void addSums(NDManager scope, int layer, int half, NDArray block) {
        double[] both = kernel.call(scope, "sums", block).singletonOrThrow().toDoubleArray();
        for (int i = 0; i < both.length; i++) {
            sums[layer][half][i] += both[i];
        }
    }

    /** Σz and Σz² of a set, [2 × d_mlp]. */
    double[] sums(int layer, int set) {
        if (set > 0) {
            return sums[layer][set - 1];
        }
        double[] total = new double[2 * width()];
        for (int i = 0; i < total.length; i++) {
            total[i] = sums[layer][0][i] + sums[layer][1][i];
        }
        return total;
    }

    /** Standard deviations of a set in the original units, relative to the layer's root mean square. */
    double[] deviations(int layer, int set) {
        double[] s = sums(layer, set);
        double n = count(set);
        double[] result = new double[width()];
        double square = 0;
        for (int i = 0; i < result.length; i++) {
            double variance = Math.max(0, (s[width() + i] - s[i] * s[i] / n) / n);
            double unit = rotation[layer] == null ? scales[layer][i] : 1;
            result[i] = n > 0 && unit > 0 ? Math.sqrt(variance) / unit : 0;
            square += result[i] * result[i];
        }
        double norm = Math.sqrt(square / width());
        for (int i = 0; i < result.length && norm > 0; i++) {
            result[i] /= norm;
        }
        return result;
    }

    private static boolean[] inactive(double[] deviations) {
        double[] squares = java.util.Arrays.stream(deviations).map(s -> s * s).toArray();
        return ActivationMoments.inactive(new double[][] {squares}, 1)[0];
    }

    /** Columns of a layer that vary in a set, ascending. */
    long[] alive(int layer, int set) {
        boolean[] inactive = inactive(deviations(layer, set));
        return java.util.stream.IntStream.range(0, width())
                .filter(i -> !inactive[i])
                .mapToLong(i -> i)
                .toArray();
    }
}
