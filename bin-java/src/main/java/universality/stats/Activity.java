package universality.stats;

import java.util.Arrays;

/**
 * Which neurons of a layer are inactive: those whose standard deviation is 0 or below 10⁻⁶ of the layer's median (taken over the
 * neurons that vary at all). They have no correlation.
 */
public final class Activity {
    private static final double FRACTION_OF_MEDIAN = 1e-6;

    private Activity() {}

    /** For each neuron of one layer whether it is inactive; a deviation that is not a positive number counts as 0. */
    public static boolean[] inactive(double[] deviations) {
        double[] varying = Arrays.stream(deviations).filter(s -> s > 0).sorted().toArray();
        double median = varying.length == 0 ? 0 : median(varying);
        boolean[] inactive = new boolean[deviations.length];
        for (int i = 0; i < inactive.length; i++) {
            inactive[i] = !(deviations[i] > 0) || deviations[i] < FRACTION_OF_MEDIAN * median;
        }
        return inactive;
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
    }
}
