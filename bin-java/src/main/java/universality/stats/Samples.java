package universality.stats;

/** Means, spreads and differences of small samples, in float64. Arguments are not modified. */
public final class Samples {
    private Samples() {}

    /** Σx / n, shifted by the first value so that a large common offset costs no digits; NaN without values. */
    public static double mean(double... values) {
        if (values.length == 0) {
            return Double.NaN;
        }
        double shift = values[0];
        double sum = 0;
        for (double value : values) {
            sum += value - shift;
        }
        return shift + sum / values.length;
    }

    /** Sample standard deviation √(Σ(x − mean)² / (n − 1)); NaN for fewer than two values. */
    public static double standardDeviation(double... values) {
        return values.length < 2 ? Double.NaN : Math.sqrt(Moments.of(values).m2() / (values.length - 1));
    }

    /** (observed − mean) / SD of the controls (n − 1); NaN where they do not vary. */
    public static double zScore(double observed, double... controls) {
        double spread = standardDeviation(controls);
        return spread > 0 ? (observed - mean(controls)) / spread : Double.NaN;
    }

    /**
     * Standardised difference of means (x̄ − ȳ) / √((s²_x + s²_y) / 2), s² with n − 1: how well two sets are balanced in a
     * covariate. 0 where neither varies and the means are equal; NaN where a set has fewer than two values, or neither varies
     * and the means differ.
     */
    public static double standardisedDifference(double[] x, double[] y) {
        if (x.length < 2 || y.length < 2) {
            return Double.NaN;
        }
        double difference = mean(x) - mean(y);
        double sx = standardDeviation(x);
        double sy = standardDeviation(y);
        double pooled = Math.sqrt((sx * sx + sy * sy) / 2);
        if (pooled > 0) {
            return difference / pooled;
        }
        return difference == 0 ? 0 : Double.NaN;
    }
}
