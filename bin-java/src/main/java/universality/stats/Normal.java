package universality.stats;

/** The standard normal distribution. */
public final class Normal {
    /** Beyond it the tail is below 10⁻¹⁵. */
    private static final double FAR = 8;

    private Normal() {}

    /** P(Z ≤ x), within 10⁻¹⁵, by the series of Marsaglia (2004): ½ + φ(x) (x + x³/3 + x⁵/(3·5) + …); NaN for NaN. */
    public static double below(double x) {
        if (Math.abs(x) >= FAR) {
            return x < 0 ? 0 : 1;
        }
        double sum = x;
        double term = x;
        double before = Double.NaN;
        for (int i = 3; sum != before && !Double.isNaN(sum); i += 2) {
            before = sum;
            term *= x * x / i;
            sum += term;
        }
        double value = 0.5 + sum * StrictMath.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
        return Double.isNaN(value) ? value : Math.max(0, Math.min(1, value));
    }
}
