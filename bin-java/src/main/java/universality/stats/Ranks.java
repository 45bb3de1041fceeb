package universality.stats;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Ranks, percentiles and quantiles. NaN values are left out: they have no rank and do not count. Arguments are not modified. */
public final class Ranks {
    private Ranks() {}

    /** Ranks from 1, equal values sharing the average of theirs; NaN for NaN. */
    public static double[] average(double... values) {
        int[] order = IntStream.range(0, values.length)
                .filter(i -> !Double.isNaN(values[i]))
                .boxed()
                .sorted((a, b) -> compare(values[a], values[b]))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] ranks = new double[values.length];
        Arrays.fill(ranks, Double.NaN);
        for (int from = 0; from < order.length; ) {
            int to = from + 1;
            while (to < order.length && values[order[to]] == values[order[from]]) {
                to++;
            }
            for (int i = from; i < to; i++) {
                ranks[order[i]] = (from + 1 + to) / 2.0;
            }
            from = to;
        }
        return ranks;
    }

    /** −0 and 0 are equal here, unlike in {@link Double#compare}. */
    private static int compare(double a, double b) {
        return a < b ? -1 : a > b ? 1 : 0;
    }

    /** (rank − ½) / n, strictly between 0 and 1; NaN for NaN. */
    public static double[] percentiles(double... values) {
        double[] ranks = average(values);
        long n = Arrays.stream(values).filter(v -> !Double.isNaN(v)).count();
        return Arrays.stream(ranks).map(rank -> (rank - 0.5) / n).toArray();
    }

    /** The quantile group of each value, 0 … groups − 1 by {@link #percentiles}; −1 for NaN. Equal values share a group. */
    public static int[] groups(int groups, double... values) {
        return Arrays.stream(percentiles(values))
                .mapToInt(p -> Double.isNaN(p) ? -1 : (int) (p * groups))
                .toArray();
    }

    /**
     * The {@code q}-quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan 1996); NaN without
     * values.
     *
     * @param q 0 to 1
     */
    public static double quantile(double q, double... values) {
        if (!(q >= 0 && q <= 1)) {
            throw new IllegalArgumentException("a quantile lies between 0 and 1, not at " + q);
        }
        double[] sorted =
                Arrays.stream(values).filter(v -> !Double.isNaN(v)).sorted().toArray();
        if (sorted.length == 0) {
            return Double.NaN;
        }
        double at = q * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        double fraction = at - below;
        return fraction == 0 ? sorted[below] : sorted[below] + fraction * (sorted[above] - sorted[below]);
    }
}
