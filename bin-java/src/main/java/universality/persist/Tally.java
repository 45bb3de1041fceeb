package universality.persist;

import java.util.Map;

/**
 * Counts over one layer of one seed between two steps; cells add up, so a pooled figure is a ratio of sums: Σ|U(t₁) ∩ U(t₂)| ÷
 * Σ|U(t₁)|, and its chance level Σ|U(t₁)||U(t₂)|/d ÷ Σ|U(t₁)|. Every ratio is NaN where its denominator is 0.
 */
final class Tally {
    long from;
    long to;
    long both;
    private double expected;
    private long hysteresisFrom;
    private long hysteresisBoth;
    private long clearFrom;
    private long clearBoth;
    private long partners;
    private long samePartners;
    private long halves;
    private long bothHalves;
    private double selfUniversal;
    private long selfUniversals;
    private double selfKept;
    private long selfKepts;
    private double selfOther;
    private long selfOthers;

    /**
     * The counts of one layer.
     *
     * @param self correlation of each neuron with itself between the steps, null where it was not measured
     */
    static Tally of(Snapshot first, Snapshot second, int layer, History history, double[] self) {
        Tally tally = new Tally();
        int width = first.shape.width();
        for (int i = layer * width; i < (layer + 1) * width; i++) {
            tally.count(first, second, i);
            if (first.universal[i] && second.universal[i]) {
                tally.countPartners(first.partners(i), second.partners(i), history);
            }
            if (self != null && !Double.isNaN(self[i])) {
                tally.countSelf(self[i], first.universal[i], second.universal[i]);
            }
        }
        tally.expected = (double) tally.from * tally.to / width;
        return tally;
    }

    private void count(Snapshot first, Snapshot second, int i) {
        from += one(first.universal[i]);
        to += one(second.universal[i]);
        both += one(first.universal[i] && second.universal[i]);
        hysteresisFrom += one(first.hysteresis[i]);
        hysteresisBoth += one(first.hysteresis[i] && second.hysteresis[i]);
        boolean clear = first.clear[i] && second.clear[i];
        clearFrom += one(clear && first.universal[i]);
        clearBoth += one(clear && first.universal[i] && second.universal[i]);
        halves += one(first.half[0][i]) + one(first.half[1][i]);
        bothHalves += one(first.half[0][i] && first.half[1][i]);
    }

    /** Partners are compared in every other seed that has one at both steps; ids differ by step, so seeds are matched. */
    private void countPartners(Map<String, String> first, Map<String, String> second, History history) {
        for (Map.Entry<String, String> before : first.entrySet()) {
            for (Map.Entry<String, String> after : second.entrySet()) {
                if (history.sameSeed(before.getKey(), after.getKey())) {
                    partners++;
                    samePartners += one(before.getValue().equals(after.getValue()));
                }
            }
        }
    }

    private void countSelf(double corr, boolean before, boolean after) {
        if (before) {
            selfUniversal += corr;
            selfUniversals++;
        } else {
            selfOther += corr;
            selfOthers++;
        }
        if (before && after) {
            selfKept += corr;
            selfKepts++;
        }
    }

    private static int one(boolean value) {
        return value ? 1 : 0;
    }

    /** Adds the counts of {@code other}; this tally is modified. */
    void add(Tally other) {
        from += other.from;
        to += other.to;
        both += other.both;
        expected += other.expected;
        hysteresisFrom += other.hysteresisFrom;
        hysteresisBoth += other.hysteresisBoth;
        clearFrom += other.clearFrom;
        clearBoth += other.clearBoth;
        partners += other.partners;
        samePartners += other.samePartners;
        halves += other.halves;
        bothHalves += other.bothHalves;
        selfUniversal += other.selfUniversal;
        selfUniversals += other.selfUniversals;
        selfKept += other.selfKept;
        selfKepts += other.selfKepts;
        selfOther += other.selfOther;
        selfOthers += other.selfOthers;
    }

    /** |U(t₁) ∩ U(t₂)| / |U(t₁)|. */
    double persistence() {
        return ratio(both, from);
    }

    /** What {@link #persistence} would be if U(t₂) were drawn at random within each layer: |U(t₂)| / d. */
    double chance() {
        return ratio(expected, from);
    }

    /** |U(t₁) ∩ U(t₂)| / |U(t₁) ∪ U(t₂)|. */
    double jaccard() {
        return ratio(both, from + to - both);
    }

    /** |U(t₁) ∩ U(t₂)| / |U(t₂)|. */
    double ofLater() {
        return ratio(both, to);
    }

    /** {@link #persistence} of the sets with hysteresis. */
    double hysteresis() {
        return ratio(hysteresisBoth, hysteresisFrom);
    }

    /** {@link #persistence} among the neurons that are clear cases at both steps. */
    double clear() {
        return ratio(clearBoth, clearFrom);
    }

    /** Share of (neuron universal at both steps, other seed) with the same partner at both. */
    double partnerKept() {
        return ratio(samePartners, partners);
    }

    /** 2|H₁ ∩ H₂| / (|H₁| + |H₂|) of the sets found on the two halves of the tokens at t₁. */
    double halfNoise() {
        return ratio(2.0 * bothHalves, halves);
    }

    /** Mean self-correlation over U(t₁). */
    double selfUniversal() {
        return ratio(selfUniversal, selfUniversals);
    }

    /** Mean self-correlation over U(t₁) ∩ U(t₂). */
    double selfKept() {
        return ratio(selfKept, selfKepts);
    }

    /** Mean self-correlation over the neurons outside U(t₁). */
    double selfOther() {
        return ratio(selfOther, selfOthers);
    }

    private static double ratio(double part, long whole) {
        return whole == 0 ? Double.NaN : part / whole;
    }
}
