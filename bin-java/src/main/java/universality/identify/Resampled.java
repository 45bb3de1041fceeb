package universality.identify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import universality.data.ToolException;
import universality.stats.GroupedCorrelation;
import universality.stats.GroupedCorrelation.Sums;
import universality.stats.Jackknife;

/**
 * What the groups of documents say about one checkpoint's neurons: how much their mean largest correlation would move with
 * other texts (jackknife), what is left of it when the partner is chosen on other texts, and what fewer texts would have
 * given. All of it is among the listed candidates of each neuron; a neuron without them in a pair that counts for it is
 * undefined here.
 */
final class Resampled {
    /** Parts of the groups: g mod 4 = r for r = 0 … 3, then g mod 2 = r for r = 0, 1. */
    private static final int[] MODULUS = {4, 4, 4, 4, 2, 2};

    private static final int[] RESIDUE = {0, 1, 2, 3, 0, 1};

    private final int neurons;
    private GroupedCorrelation groups;
    private boolean incomplete;
    private final int[] pairs;
    private final double[] whole;
    private final double[] heldOut;
    private double[][] without;
    private final double[][] part;

    Resampled(int neurons) {
        this.neurons = neurons;
        pairs = new int[neurons];
        whole = new double[neurons];
        heldOut = new double[neurons];
        without = new double[neurons][0];
        part = new double[MODULUS.length][neurons];
    }

    /**
     * Adds a table and its sums.
     *
     * @param sums {@code null} where there are none
     * @throws ToolException (bad data) if groups differ from those of another table
     */
    void add(PairTable table, GroupSums sums) {
        if (sums == null) {
            incomplete = true;
        } else if (groups == null) {
            groups = new GroupedCorrelation(sums.count());
            without = new double[neurons][groups.groups()];
        } else if (!Arrays.equals(groups.count(), sums.count())) {
            throw ToolException.badData(
                    "%s is of other groups of positions than another table; rerun the stage 'correlate'", sums.file());
        }
        for (int i = 0; i < neurons; i++) {
            if (table.defined(i)) {
                pairs[i]++;
                if (sums == null) {
                    whole[i] = Double.NaN;
                } else {
                    add(i, sums);
                }
            }
        }
    }

    private void add(int i, GroupSums sums) {
        Sums x = sums.a().of(i);
        List<Sums> y = new ArrayList<>();
        List<double[]> products = new ArrayList<>();
        for (int c = 0; c < sums.each() && sums.partner()[i * sums.each() + c] >= 0; c++) {
            y.add(sums.b().of(sums.partner()[i * sums.each() + c]));
            products.add(sums.product(i, c));
        }
        whole[i] += largest(y.size(), c -> groups.whole(x, y.get(c), products.get(c)));
        for (int p = 0; p < MODULUS.length; p++) {
            IntPredicate wanted = part(p);
            part[p][i] += largest(y.size(), c -> groups.over(wanted, x, y.get(c), products.get(c)));
        }
        double[][] each = new double[y.size()][];
        Arrays.setAll(each, c -> groups.withoutEach(x, y.get(c), products.get(c)));
        Sums[] chosen = new Sums[groups.groups()];
        double[][] chosenProducts = new double[chosen.length][];
        boolean defined = true;
        for (int g = 0; g < chosen.length; g++) {
            int group = g;
            int best = best(y.size(), c -> each[c][group]);
            without[i][g] += best < 0 ? Double.NaN : each[best][g];
            defined &= best >= 0;
            chosen[g] = best < 0 ? null : y.get(best);
            chosenProducts[g] = best < 0 ? null : products.get(best);
        }
        heldOut[i] += defined && chosen.length > 1 ? groups.pooled(x, chosen, chosenProducts) : Double.NaN;
    }

    private static IntPredicate part(int p) {
        return g -> g % MODULUS[p] == RESIDUE[p];
    }

    /** The index of the largest defined value, the first of equal ones; −1 where none is defined. */
    private static int best(int size, IntToDoubleFunction value) {
        int best = -1;
        double largest = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < size; c++) {
            double v = value.applyAsDouble(c);
            if (v > largest) {
                largest = v;
                best = c;
            }
        }
        return best;
    }

    private static double largest(int size, IntToDoubleFunction value) {
        int best = best(size, value);
        return best < 0 ? Double.NaN : value.applyAsDouble(best);
    }

    /** Whether some table came without sums. */
    boolean incomplete() {
        return incomplete;
    }

    /**
     * Jackknife standard error of the mean over the other checkpoints of the largest correlation; that is the excess's, the
     * baseline held fixed. NaN where a neuron has no correlation left without some group.
     */
    double error(int i) {
        if (pairs[i] == 0 || Double.isNaN(whole[i]) || groups == null) {
            return Double.NaN;
        }
        double[] means = Arrays.stream(without[i]).map(sum -> sum / pairs[i]).toArray();
        return Jackknife.standardError(whole[i] / pairs[i], means, groups.count());
    }

    /** Mean over the other checkpoints of the correlation with partners chosen, for each group, on the other groups. */
    double heldOut(int i) {
        return pairs[i] == 0 || groups == null || incomplete ? Double.NaN : heldOut[i] / pairs[i];
    }

    /** What 1/4, 1/2 and all of the groups give; a list of {@code fraction, positions, mean_excess, share}. */
    List<Object> againstPositions(Model model, double threshold) {
        List<Object> list = new ArrayList<>();
        if (groups == null || incomplete) {
            return list;
        }
        for (int modulus : new int[] {4, 2}) {
            if (groups.groups() >= modulus) {
                double positions = 0;
                List<double[]> parts = new ArrayList<>();
                for (int p = 0; p < MODULUS.length; p++) {
                    if (MODULUS[p] == modulus) {
                        positions += groups.count(part(p)) / modulus;
                        parts.add(part[p]);
                    }
                }
                list.add(entry(model, threshold, 1.0 / modulus, positions, parts));
            }
        }
        list.add(entry(model, threshold, 1, groups.count(g -> true), List.of(whole)));
        return list;
    }

    private Map<String, Object> entry(
            Model model, double threshold, double fraction, double positions, List<double[]> parts) {
        double excess = 0;
        long defined = 0;
        long universal = 0;
        for (double[] sums : parts) {
            for (int i = 0; i < neurons; i++) {
                double value = sums[i] / pairs[i] - model.scores.meanBaseline(i);
                if (!Double.isNaN(value) && model.state(i) != Model.State.INACTIVE) {
                    excess += value;
                    defined++;
                    universal += model.state(i) == Model.State.ALIVE && value > threshold ? 1 : 0;
                }
            }
        }
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("fraction", fraction);
        entry.put("positions", positions);
        entry.put("mean_excess", defined == 0 ? null : excess / defined);
        entry.put("share", (double) universal / parts.size() / neurons);
        return entry;
    }
}
