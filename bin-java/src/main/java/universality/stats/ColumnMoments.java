package universality.stats;

/**
 * Count, mean and central sums m_k = Σ(x − mean)^k, k = 2, 3, 4, of many columns at once, merged block by block by the formulas
 * of Pébay (2008), "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
 * moments", section 3. All in F64. Not thread-safe.
 */
public final class ColumnMoments {
    private final double[] mean;
    private final double[] m2;
    private final double[] m3;
    private final double[] m4;
    private long count;

    public ColumnMoments(int columns) {
        mean = new double[columns];
        m2 = new double[columns];
        m3 = new double[columns];
        m4 = new double[columns];
    }

    /**
     * Adds a block of {@code n} rows of which the mean and central sums are given for each column.
     *
     * @param block means, then m2, m3, m4: [4, columns] row-major. Not modified.
     */
    public void merge(long n, double[] block) {
        int columns = mean.length;
        if (block.length != 4 * columns) {
            throw new IllegalArgumentException("a block of " + block.length + " values for " + columns + " columns");
        }
        if (n == 0) {
            return;
        }
        double na = count;
        double nb = n;
        double total = na + nb;
        for (int c = 0; c < columns; c++) {
            double delta = block[c] - mean[c];
            double b2 = block[columns + c];
            double b3 = block[2 * columns + c];
            double b4 = block[3 * columns + c];
            double d = delta / total;
            m4[c] += b4
                    + delta * d * d * d * na * nb * (na * na - na * nb + nb * nb)
                    + 6 * d * d * (na * na * b2 + nb * nb * m2[c])
                    + 4 * d * (na * b3 - nb * m3[c]);
            m3[c] += b3 + delta * d * d * na * nb * (na - nb) + 3 * d * (na * b2 - nb * m2[c]);
            m2[c] += b2 + delta * d * na * nb;
            mean[c] += d * nb;
        }
        count += n;
    }

    public long count() {
        return count;
    }

    /** Means; shared, not copied. */
    public double[] mean() {
        return mean;
    }

    /** Σ(x − mean)²; shared, not copied. */
    public double[] m2() {
        return m2;
    }

    /** Σ(x − mean)³; shared, not copied. */
    public double[] m3() {
        return m3;
    }

    /** Σ(x − mean)⁴; shared, not copied. */
    public double[] m4() {
        return m4;
    }
}
