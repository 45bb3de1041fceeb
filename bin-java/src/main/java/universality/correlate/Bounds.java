package universality.correlate;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;

/** By how much correlations from rounded activations may be wrong. */
final class Bounds {
    /** Unit roundoff of BF16 and of F32. */
    private static final double HALF = 0x1p-8;

    private static final double SINGLE = 0x1p-24;

    /** Standard deviations that no sum of random rounding errors is taken to exceed: by Hoeffding's bound 5·10⁻¹⁴ of them do. */
    private static final double DEVIATIONS = 8;

    /** Blocks whose products of whole numbers are below 2³¹ together, whatever they are: 127² × 4,096 each. */
    private static final int WHOLE_BLOCKS = 32;

    private Bounds() {}

    /**
     * The bound of docs/methods.md, "Precision": with κ = ‖x − a‖ / (σ√n) for the shift a, δ = ‖x̂ − x‖ / ‖x − a‖ for x̂ rounded to BF16,
     * u the roundoff of a block's products and γ that of the sums in F32, a correlation is wrong by at most κ_i κ_j ((1 + u)(1 + δ_i)(1 + δ_j) − 1 +
     * γ).
     */
    static PairTable.Bound of(Precision precision, NDManager scope, Layer a, Layer b) {
        if (precision == Precision.SKETCH) { // by the value itself: what may be missed is told afterwards
            return new PairTable.Bound(
                    scope.zeros(new Shape(a.width(), 2), DataType.FLOAT64),
                    scope.zeros(new Shape(2, b.width()), DataType.FLOAT64));
        }
        if (precision == Precision.INT8) {
            return whole(scope, a, b);
        }
        double gamma = (Source.BLOCK + (double) a.source().count(0) / Source.BLOCK + 2) * SINGLE;
        double[][] x = factors(a);
        double[][] y = factors(b);
        double[] left = new double[2 * a.width()];
        for (int i = 0; i < a.width(); i++) {
            left[2 * i] = (1 + HALF) * x[0][i];
            left[2 * i + 1] = (gamma - 1) * x[1][i];
        }
        double[] right = Arrays.copyOf(y[0], 2 * b.width());
        System.arraycopy(y[1], 0, right, b.width(), b.width());
        return new PairTable.Bound(
                scope.create(left, new Shape(a.width(), 2)), scope.create(right, new Shape(2, b.width())));
    }

    /**
     * What rounding at random may change. With x̂ = x + e, e independent, of mean 0 and within one step s, Σ x̂ŷ − Σ xy = Σ e_x y + Σ x̂
     * e_y, and by Hoeffding's lemma Σ e y has the tail of a normal sum with the deviation s ‖y‖ / 2. So with S = {@value #DEVIATIONS} s / 2 /
     * (σ√n), and a little for sums in F32, and κ the larger of ‖x‖ and ‖x̂‖ over σ√n, a correlation is wrong by at most S_i κ_j +
     * κ_i S_j, but for a probability below 10⁻³ in a study of 10¹⁰ pairs.
     */
    private static PairTable.Bound whole(NDManager scope, Layer a, Layer b) {
        double[][] x = wholeFactors(a);
        double[][] y = wholeFactors(b);
        double[] left = new double[2 * a.width()];
        for (int i = 0; i < a.width(); i++) {
            left[2 * i] = x[0][i];
            left[2 * i + 1] = x[1][i];
        }
        double[] right = Arrays.copyOf(y[1], 2 * b.width());
        System.arraycopy(y[0], 0, right, b.width(), b.width());
        return new PairTable.Bound(
                scope.create(left, new Shape(a.width(), 2)), scope.create(right, new Shape(2, b.width())));
    }

    /** S and κ of each neuron; 0 where it does not vary. */
    private static double[][] wholeFactors(Layer layer) {
        Source source = layer.source();
        double[] sums = source.sums(layer.index(), 0);
        double[] squares = source.roundedSums(layer.index(), 0);
        double n = source.count(0);
        int width = source.width();
        double sums32 = (n / Source.BLOCK / WHOLE_BLOCKS + 3) * SINGLE;
        double[][] factors = new double[2][width];
        for (int i = 0; i < width; i++) {
            double deviation = Math.sqrt(sums[width + i] - sums[i] * sums[i] / n);
            if (deviation > 0) {
                double step = source.steps(layer.index())[i];
                factors[0][i] = DEVIATIONS * step / 2 / deviation + sums32;
                factors[1][i] = Math.sqrt(Math.max(sums[width + i], squares[width + i])) / deviation;
            }
        }
        return factors;
    }

    /** κ(1 + δ) and κ of each neuron; 0 where it does not vary. */
    private static double[][] factors(Layer layer) {
        Source source = layer.source();
        double[] sums = source.sums(layer.index(), 0);
        double[] rounding = source.rounding(layer.index());
        double n = source.count(0);
        int width = source.width();
        double[][] factors = new double[2][width];
        for (int i = 0; i < width; i++) {
            double square = sums[width + i];
            double variance = square - sums[i] * sums[i] / n;
            if (variance > 0) {
                factors[1][i] = Math.sqrt(square / variance);
                factors[0][i] = factors[1][i] * (1 + Math.sqrt(rounding[i] / square));
            }
        }
        return factors;
    }
}
