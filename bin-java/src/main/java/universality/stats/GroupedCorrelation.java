package universality.stats;

import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * Pearson correlations of x and y over chosen groups of observations, from each group's sums. Arguments are not modified; they
 * have one entry for each group.
 */
public final class GroupedCorrelation {
    /** A spread this small, relative to the squares over all groups, is rounding: the column is constant. */
    private static final double CONSTANT = 1e-12;

    /** Σx and Σx² of each group. */
    public record Sums(double[] sum, double[] square) {}

    private final double[] count;

    /** @param count observations of each group */
    public GroupedCorrelation(double... count) {
        this.count = count.clone();
    }

    public int groups() {
        return count.length;
    }

    public double[] count() {
        return count.clone();
    }

    /** Observations in the groups that {@code wanted} lets through. */
    public double count(IntPredicate wanted) {
        return total(count, wanted);
    }

    /**
     * Correlation over the groups that {@code wanted} lets through.
     *
     * @param xy Σxy of each group
     * @return NaN where one side does not vary
     */
    public double over(IntPredicate wanted, Sums x, Sums y, double[] xy) {
        return correlation(
                total(count, wanted),
                total(x.sum(), wanted),
                total(x.square(), wanted),
                total(x.square(), g -> true),
                total(y.sum(), wanted),
                total(y.square(), wanted),
                total(y.square(), g -> true),
                total(xy, wanted));
    }

    /** Correlation over all groups. */
    public double whole(Sums x, Sums y, double[] xy) {
        return over(g -> true, x, y, xy);
    }

    /** Correlations over all groups but one, [groups]. */
    public double[] withoutEach(Sums x, Sums y, double[] xy) {
        double n = total(count, g -> true);
        double sx = total(x.sum(), g -> true);
        double sxx = total(x.square(), g -> true);
        double sy = total(y.sum(), g -> true);
        double syy = total(y.square(), g -> true);
        double sxy = total(xy, g -> true);
        double[] without = new double[count.length];
        Arrays.setAll(
                without,
                g -> correlation(
                        n - count[g],
                        sx - x.sum()[g],
                        sxx - x.square()[g],
                        sxx,
                        sy - y.sum()[g],
                        syy - y.square()[g],
                        syy,
                        sxy - xy[g]));
        return without;
    }

    /**
     * One correlation of x with a y that may be another variable in each group: Σ_g C_g(x, y_g) / √(Σ_g V_g(x) · Σ_g V_g(y_g)),
     * where C_g and V_g are sums over the group of products of deviations from the means over <em>all</em> groups, y_g in units of its
     * standard deviation over all groups. With the same y in every group it is the correlation over all.
     *
     * @param y for each group the variable that is used in it
     * @param xy for each group the Σxy (of all groups) of that variable
     */
    public double pooled(Sums x, Sums[] y, double[][] xy) {
        double n = total(count, g -> true);
        double meanX = total(x.sum(), g -> true) / n;
        double covariance = 0;
        double varianceX = 0;
        double varianceY = 0;
        double squares = 0;
        for (int g = 0; g < count.length; g++) {
            Sums other = y[g];
            double meanY = total(other.sum(), i -> true) / n;
            double variance = total(other.square(), i -> true) / n - meanY * meanY;
            double sx = x.sum()[g];
            double sy = other.sum()[g];
            covariance += (xy[g][g] - meanX * sy - meanY * sx + count[g] * meanX * meanY) / Math.sqrt(variance);
            varianceX += x.square()[g] - 2 * meanX * sx + count[g] * meanX * meanX;
            varianceY += (other.square()[g] - 2 * meanY * sy + count[g] * meanY * meanY) / variance;
            squares += other.square()[g] / variance;
        }
        return ratio(covariance, varianceX, total(x.square(), g -> true), varianceY, squares);
    }

    /** @param allX, allY Σx² and Σy² over all groups */
    private static double correlation(
            double n, double sx, double sxx, double allX, double sy, double syy, double allY, double sxy) {
        return ratio(sxy - sx * sy / n, sxx - sx * sx / n, allX, syy - sy * sy / n, allY);
    }

    private static double ratio(double covariance, double vx, double xx, double vy, double yy) {
        boolean varies = vx > CONSTANT * xx && vy > CONSTANT * yy;
        return varies ? Math.max(-1, Math.min(1, covariance / Math.sqrt(vx * vy))) : Double.NaN;
    }

    private static double total(double[] values, IntPredicate wanted) {
        double total = 0;
        for (int g = 0; g < values.length; g++) {
            if (wanted.test(g)) {
                total += values[g];
            }
        }
        return total;
    }
}
