package universality.stats;

/**
 * Count, mean and sums of powers of deviations of a sample, m_k = Σ(x − mean)^k. Samples merge exactly as if they had been
 * one (Chan, Golub and LeVeque 1979 for m2; Pébay 2008, SAND2008-6212, for m3 and m4), so parts may be gathered in any
 * grouping. Immutable.
 *
 * @param n number of values
 * @param mean 0 where n is 0
 */
public record Moments(long n, double mean, double m2, double m3, double m4) {
    public static final Moments EMPTY = new Moments(0, 0, 0, 0, 0);

    /** The moments of {@code values} in two passes. */
    public static Moments of(double... values) {
        if (values.length == 0) {
            return EMPTY;
        }
        double mean = Samples.mean(values);
        double m2 = 0;
        double m3 = 0;
        double m4 = 0;
        for (double value : values) {
            double deviation = value - mean;
            double square = deviation * deviation;
            m2 += square;
            m3 += square * deviation;
            m4 += square * square;
        }
        return new Moments(values.length, mean, m2, m3, m4);
    }

    /** The moments of both samples together. */
    public Moments plus(Moments other) {
        if (n == 0) {
            return other;
        }
        if (other.n == 0) {
            return this;
        }
        double a = n;
        double b = other.n;
        double total = a + b;
        double delta = other.mean - mean;
        double step = delta / total;
        double product = delta * step * a * b;
        return new Moments(
                n + other.n,
                mean + step * b,
                m2 + other.m2 + product,
                m3 + other.m3 + product * step * (a - b) + 3 * step * (a * other.m2 - b * m2),
                m4
                        + other.m4
                        + product * step * step * (a * a - a * b + b * b)
                        + 6 * step * step * (a * a * other.m2 + b * b * m2)
                        + 4 * step * (a * other.m3 - b * m3));
    }

    /** Population variance m2 / n; NaN without values. */
    public double variance() {
        return n == 0 ? Double.NaN : m2 / n;
    }

    /** Population standard deviation; NaN without values. */
    public double standardDeviation() {
        return Math.sqrt(variance());
    }

    /** Population skewness √n · m3 / m2^{3/2}; NaN where all values are equal. */
    public double skewness() {
        return skewness(n, m2, m3);
    }

    /** Pearson kurtosis n · m4 / m2² (3 for a normal distribution); NaN where all values are equal. */
    public double kurtosis() {
        return kurtosis(n, m2, m4);
    }

    /** {@link #skewness()} of n values from the sums of powers alone, for those who keep moments in arrays. */
    public static double skewness(double n, double m2, double m3) {
        return defined(m2, Math.sqrt(n) * m3 / (m2 * Math.sqrt(m2)));
    }

    /** {@link #kurtosis()} of n values from the sums of powers alone. */
    public static double kurtosis(double n, double m2, double m4) {
        return defined(m2, n * m4 / (m2 * m2));
    }

    private static double defined(double m2, double ratio) {
        return m2 > 0 && Double.isFinite(ratio) ? ratio : Double.NaN;
    }
}
