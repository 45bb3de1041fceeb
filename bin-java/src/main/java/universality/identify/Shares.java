package universality.identify;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** Counts, shares and means over ranges of neurons; undefined is null, which JSON writes as such. */
final class Shares {
    private Shares() {}

    static long count(int from, int to, IntPredicate test) {
        return IntStream.range(from, to).filter(test).count();
    }

    /** part / whole; null where the whole is 0. */
    static Double share(long part, long whole) {
        return whole == 0 ? null : (double) part / whole;
    }

    /** Mean of the defined values among 0 … neurons − 1; null where there are none. */
    static Double mean(int neurons, IntToDoubleFunction value) {
        double sum = 0;
        int defined = 0;
        for (int i = 0; i < neurons; i++) {
            double v = value.applyAsDouble(i);
            if (!Double.isNaN(v)) {
                sum += v;
                defined++;
            }
        }
        return defined == 0 ? null : sum / defined;
    }

    /** The thresholds that are always reported, and the one in use. */
    static SortedSet<Double> thresholds(double threshold) {
        SortedSet<Double> thresholds = new TreeSet<>(java.util.List.of(0.3, 0.4, 0.5));
        thresholds.add(threshold);
        return thresholds;
    }

    /** A test of neurons at a threshold. */
    interface AtThreshold {
        boolean test(int neuron, double threshold);
    }

    /** Threshold → {@code universal, share} of all neurons. */
    static Map<String, Object> byThreshold(double threshold, int neurons, AtThreshold universal) {
        Map<String, Object> map = new TreeMap<>();
        for (double at : thresholds(threshold)) {
            long count = count(0, neurons, i -> universal.test(i, at));
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("universal", count);
            entry.put("share", share(count, neurons));
            map.put(Double.toString(at), entry);
        }
        return map;
    }
}
