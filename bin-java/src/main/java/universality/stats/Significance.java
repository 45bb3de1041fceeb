package universality.stats;

import java.util.Arrays;
import java.util.stream.IntStream;

/** p-values against drawn controls and their adjustment for many tests. NaN stands for a test that was not done. */
public final class Significance {
    private Significance() {}

    /**
     * One-sided p-value (1 + #{control ≥ observed}) / (1 + draws), never below 1 / (draws + 1) (Phipson and Smyth 2010). NaN
     * where {@code observed} is NaN or no control is defined; NaN controls do not count as draws.
     */
    public static double pValue(double observed, double... controls) {
        long draws = Arrays.stream(controls).filter(c -> !Double.isNaN(c)).count();
        if (Double.isNaN(observed) || draws == 0) {
            return Double.NaN;
        }
        long reached = Arrays.stream(controls).filter(c -> c >= observed).count();
        return (1.0 + reached) / (1.0 + draws);
    }

    /** Holm's (1979) adjusted p-values, controlling the chance of any false claim; NaN stays NaN and is no test. */
    public static double[] holm(double... p) {
        int[] order = ascending(p);
        double[] adjusted = undefined(p.length);
        double largest = 0;
        for (int i = 0; i < order.length; i++) {
            largest = Math.max(largest, Math.min(1, (order.length - i) * p[order[i]]));
            adjusted[order[i]] = largest;
        }
        return adjusted;
    }

    private static int[] ascending(double[] p) {
        return IntStream.range(0, p.length)
                .filter(i -> !Double.isNaN(p[i]))
                .boxed()
                .sorted((a, b) -> Double.compare(p[a], p[b]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private static double[] undefined(int length) {
        double[] values = new double[length];
        Arrays.fill(values, Double.NaN);
        return values;
    }
}
