package universality.stats;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/**
 * Percentile bootstrap over groups. Tokens of one document are not independent, so whole groups (documents, or rows where
 * each lies within one document) are drawn with replacement, never tokens. Two conditions measured on the same groups are
 * compared by resampling their difference in each group (paired).
 */
public final class Bootstrap {
    private Bootstrap() {}

    /** An estimate with its interval; the limits are NaN where there are fewer than two groups. */
    public record Interval(double estimate, double low, double high) {}

    /**
     * Interval of a statistic of the groups.
     *
     * @param statistic from how often each group counts (all 1 for the data themselves); NaN where undefined
     * @param level coverage, such as 0.95
     */
    public static Interval of(int groups, ToDoubleFunction<int[]> statistic, int draws, double level, Draws random) {
        int[] counts = new int[groups];
        Arrays.fill(counts, 1);
        double estimate = statistic.applyAsDouble(counts);
        if (groups < 2) {
            return new Interval(estimate, Double.NaN, Double.NaN);
        }
        double[] drawn = new double[draws];
        for (int d = 0; d < draws; d++) {
            Arrays.fill(counts, 0);
            for (int g = 0; g < groups; g++) {
                counts[random.below(groups)]++;
            }
            drawn[d] = statistic.applyAsDouble(counts);
        }
        double tail = (1 - level) / 2;
        return new Interval(estimate, Ranks.quantile(tail, drawn), Ranks.quantile(1 - tail, drawn));
    }

    /**
     * Interval of Σ sums / Σ weights, such as nats per token from the nats and tokens of each document. Groups without weight
     * take part and add nothing.
     */
    public static Interval ratio(double[] sums, double[] weights, int draws, double level, Draws random) {
        if (sums.length != weights.length) {
            throw new IllegalArgumentException(sums.length + " sums, " + weights.length + " weights");
        }
        return of(
                sums.length,
                counts -> {
                    double sum = 0;
                    double weight = 0;
                    for (int g = 0; g < counts.length; g++) {
                        sum += counts[g] * sums[g];
                        weight += counts[g] * weights[g];
                    }
                    return weight > 0 ? sum / weight : Double.NaN;
                },
                draws,
                level,
                random);
    }

    /** {@link #ratio} of the differences {@code first − second}, both measured on the same groups. */
    public static Interval paired(
            double[] first, double[] second, double[] weights, int draws, double level, Draws random) {
        double[] differences = new double[first.length];
        Arrays.setAll(differences, g -> first[g] - second[g]);
        return ratio(differences, weights, draws, level, random);
    }
}
