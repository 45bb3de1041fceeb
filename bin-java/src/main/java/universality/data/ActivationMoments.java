package universality.data;

import java.nio.file.Path;
import java.util.Arrays;

/**
 * Moments of every neuron's activations, as the stage {@code activate} writes them to {@code moments.safetensors}. Arrays are
 * [layers][d_mlp]; shared, not copied.
 *
 * @param manifest of the folder they were read from
 * @param count kept positions that they were taken over, at least 1
 * @param layers layers of the model
 * @param dMlp neurons of each layer
 * @param post of activations
 * @param pre of pre-activations
 * @param postMin smallest activation
 * @param postMax largest activation
 * @param postAbsMean mean of |activation|
 * @param postMeanSquare mean of activation²
 * @param prePositive number of kept positions whose pre-activation is above 0
 */
public record ActivationMoments(
        Manifest manifest,
        long count,
        int layers,
        int dMlp,
        Sums post,
        Sums pre,
        double[][] postMin,
        double[][] postMax,
        double[][] postAbsMean,
        double[][] postMeanSquare,
        double[][] prePositive) {

    public static final String FILE = "moments.safetensors";

    /** A neuron whose standard deviation is below this share of the layer's median is inactive. */
    public static final double INACTIVE_SHARE = 1e-6;

    /**
     * Mean, and sums of powers of the deviations from it, m_k = Σ(x − mean)^k, over {@code count} positions.
     *
     * @param mean [layers][d_mlp], as the others
     */
    public record Sums(long count, double[][] mean, double[][] m2, double[][] m3, double[][] m4) {
        /** Population variance m2 / n. */
        public double variance(int layer, int neuron) {
            return m2[layer][neuron] / count;
        }
    }

    /**
     * Reads the moments of an activation folder; their sha256 is checked.
     *
     * @throws ToolException if it is no complete folder of {@code activate}, or a value is impossible
     */
    public static ActivationMoments read(Path folder) {
        Manifest manifest = Manifest.read(folder, "activate");
        try (SafetensorsFile file = SafetensorsFile.open(manifest.verified(folder, FILE))) {
            return new Reader(file).read(manifest);
        }
    }

    /** Neurons that hardly vary: {@link #inactive(double[][], long)} of the activations. */
    public boolean[][] inactive() {
        return inactive(post.m2(), count);
    }

    /**
     * Neurons whose activations have no variance, or a standard deviation below {@link #INACTIVE_SHARE} of the median of
     * their layer, taken over the neurons that vary at all (docs/methods.md, "Correlation and baseline"). They have no correlation with anything.
     *
     * @param m2 Σ(x − mean)² of activations, [layers][d_mlp]; not modified
     * @param count number of values behind each sum
     * @return [layers][d_mlp]
     */
    public static boolean[][] inactive(double[][] m2, long count) {
        boolean[][] inactive = new boolean[m2.length][];
        for (int layer = 0; layer < m2.length; layer++) {
            double[] deviations =
                    Arrays.stream(m2[layer]).map(m -> Math.sqrt(m / count)).toArray();
            double least = INACTIVE_SHARE * medianOfPositive(deviations);
            inactive[layer] = new boolean[deviations.length];
            for (int neuron = 0; neuron < deviations.length; neuron++) {
                inactive[layer][neuron] = !(deviations[neuron] > 0 && deviations[neuron] >= least);
            }
        }
        return inactive;
    }

    /** The median of the values above 0, the mean of the two middle ones where their number is even; 0 where there is none. */
    private static double medianOfPositive(double[] values) {
        double[] positive = Arrays.stream(values).filter(v -> v > 0).sorted().toArray();
        int n = positive.length;
        return n == 0 ? 0 : positive[(n - 1) / 2] + (positive[n / 2] - positive[(n - 1) / 2]) / 2;
    }

    /** Takes the tensors out of the file and checks them. */
    private static final class Reader {
        private final SafetensorsFile file;
        private int layers;
        private int dMlp;

        Reader(SafetensorsFile file) {
            this.file = file;
        }

        ActivationMoments read(Manifest manifest) {
            long[] shape = file.tensor("post.mean", Dtype.F64, -1, -1).shape();
            layers = Math.toIntExact(shape[0]);
            dMlp = Math.toIntExact(shape[1]);
            file.tensor("count", Dtype.F64, 1);
            double count = file.doubles("count")[0];
            if (!(count >= 1 && count <= 0x1p53 && count == Math.rint(count))) {
                throw ToolException.badData(
                        "%s: count is %s, but a number of positions was expected", file.path(), count);
            }
            return new ActivationMoments(
                    manifest,
                    (long) count,
                    layers,
                    dMlp,
                    sums("post.", (long) count),
                    sums("pre.", (long) count),
                    values("post.min", -Double.MAX_VALUE),
                    values("post.max", -Double.MAX_VALUE),
                    values("post.abs_mean", 0),
                    values("post.mean_square", 0),
                    values("pre.positive", 0));
        }

        private Sums sums(String prefix, long count) {
            return new Sums(
                    count,
                    values(prefix + "mean", -Double.MAX_VALUE),
                    values(prefix + "m2", 0),
                    values(prefix + "m3", -Double.MAX_VALUE),
                    values(prefix + "m4", 0));
        }

        private double[][] values(String name, double least) {
            file.tensor(name, Dtype.F64, layers, dMlp);
            double[] flat = file.doubles(name);
            double[][] values = new double[layers][];
            for (int layer = 0; layer < layers; layer++) {
                values[layer] = Arrays.copyOfRange(flat, layer * dMlp, (layer + 1) * dMlp);
                for (int neuron = 0; neuron < dMlp; neuron++) {
                    if (!(values[layer][neuron] >= least && values[layer][neuron] <= Double.MAX_VALUE)) {
                        throw ToolException.badData(
                                "%s: %s of layer %d, neuron %d is %s; a finite number%s was expected",
                                file.path(),
                                name,
                                layer,
                                neuron,
                                values[layer][neuron],
                                least == 0 ? " of at least 0" : "");
                    }
                }
            }
            return values;
        }
    }
}
