package universality.identify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.data.NeuronShape;

/**
 * What the tables of one checkpoint against all others add up to, neuron by neuron. A pair in which a neuron has no
 * correlation or no baseline (dead, or nothing alive on the other side) does not count for it; a neuron with no pair left is
 * undefined in everything.
 */
final class Scores {
    /** The best partners of every neuron in one other checkpoint; −1 where undefined. */
    record Partners(String id, NeuronShape shape, int[] index, double[] corr, boolean[] mutual) {}

    private final int[] pairs;
    private final double[] sumCorr;
    private final double[] minCorr;
    private final double[] maxCorr;
    private final double[] sumBaseline;
    private final double[] minBaseline;
    private final double[] maxBaseline;
    private final double[] sumDeviation;
    private final double[] sumUpper;
    private final double[] negCorr;
    private final int[] mutual;
    private final double[] sumMatched;
    private final int[][] halfPairs;
    private final double[][] sumHalf;
    private final int[] decomposed;
    private final double[] sumToken;
    private final double[] sumPosition;
    private final List<Partners> partners = new ArrayList<>();

    Scores(int neurons) {
        pairs = new int[neurons];
        sumCorr = new double[neurons];
        minCorr = filled(neurons);
        maxCorr = filled(neurons);
        sumBaseline = new double[neurons];
        minBaseline = filled(neurons);
        maxBaseline = filled(neurons);
        sumDeviation = new double[neurons];
        sumUpper = new double[neurons];
        negCorr = filled(neurons);
        mutual = new int[neurons];
        sumMatched = new double[neurons];
        halfPairs = new int[2][neurons];
        sumHalf = new double[2][neurons];
        decomposed = new int[neurons];
        sumToken = new double[neurons];
        sumPosition = new double[neurons];
    }

    private static double[] filled(int neurons) {
        double[] values = new double[neurons];
        Arrays.fill(values, Double.NaN);
        return values;
    }

    int neurons() {
        return pairs.length;
    }

    /** Adds a table whose rows are this checkpoint's neurons in order. */
    void add(PairTable table) {
        for (int i = 0; i < pairs.length; i++) {
            addHalves(table, i);
            if (!table.defined(i)) {
                continue;
            }
            pairs[i]++;
            sumCorr[i] += table.maxCorr()[i];
            minCorr[i] = least(minCorr[i], table.maxCorr()[i]);
            maxCorr[i] = most(maxCorr[i], table.maxCorr()[i]);
            sumBaseline[i] += table.baseline()[i];
            minBaseline[i] = least(minBaseline[i], table.baseline()[i]);
            maxBaseline[i] = most(maxBaseline[i], table.baseline()[i]);
            sumDeviation[i] += table.baselineDeviation()[i] * table.baselineDeviation()[i];
            sumUpper[i] += table.upper()[i]; // NaN, and so the sum, where a table does not tell
            negCorr[i] = least(negCorr[i], table.negCorr()[i]);
            mutual[i] += table.mutual()[i] ? 1 : 0;
            if (!Double.isNaN(table.corrToken()[i])) {
                decomposed[i]++;
                sumToken[i] += table.corrToken()[i];
                sumPosition[i] += table.corrPosition()[i];
            }
        }
    }

    private void addHalves(PairTable table, int i) {
        for (int h = 0; h < 2; h++) {
            double excess = table.half()[h][i] - table.halfBaseline()[h][i];
            if (!Double.isNaN(excess)) {
                halfPairs[h][i]++;
                sumHalf[h][i] += excess;
            }
        }
    }

    /** Remembers the best partners of a table that was {@linkplain #add added}. */
    void addPartners(String id, NeuronShape shape, PairTable table) {
        int[] index = new int[pairs.length];
        double[] corr = filled(pairs.length);
        for (int i = 0; i < pairs.length; i++) {
            index[i] = table.defined(i) ? shape.index(table.partnerLayer()[i], table.partnerNeuron()[i]) : -1;
            corr[i] = table.defined(i) ? table.maxCorr()[i] : Double.NaN;
        }
        partners.add(new Partners(id, shape, index, corr, table.mutual()));
    }

    /** Adds the correlations with the partners of a one-to-one matching, 0 where a neuron stays alone. */
    void addMatched(PairTable table, double[] corr) {
        for (int i = 0; i < pairs.length; i++) {
            sumMatched[i] += table.defined(i) ? corr[i] : 0;
        }
    }

    private static double least(double a, double b) {
        return Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.min(a, b);
    }

    private static double most(double a, double b) {
        return Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b);
    }

    boolean defined(int i) {
        return pairs[i] > 0;
    }

    /** Number of other checkpoints in which the neuron has a partner. */
    int pairs(int i) {
        return pairs[i];
    }

    double meanCorr(int i) {
        return over(sumCorr[i], pairs[i]);
    }

    double minCorr(int i) {
        return minCorr[i];
    }

    double maxCorr(int i) {
        return maxCorr[i];
    }

    double meanBaseline(int i) {
        return over(sumBaseline[i], pairs[i]);
    }

    double minBaseline(int i) {
        return minBaseline[i];
    }

    double maxBaseline(int i) {
        return maxBaseline[i];
    }

    /** Standard deviation of the baseline over draws, root mean square over the other checkpoints. */
    double baselineDeviation(int i) {
        return Math.sqrt(over(sumDeviation[i], pairs[i]));
    }

    /** Excess correlation: mean over the others of max_corr − mean over the others of the baseline. */
    double excess(int i) {
        return meanCorr(i) - meanBaseline(i);
    }

    /** What the excess is at most, whatever partners were overlooked; NaN where some table does not tell. */
    double excessUpper(int i) {
        return over(sumUpper[i], pairs[i]) - meanBaseline(i);
    }

    /** The strict variant: min_corr − max_baseline. */
    double strictExcess(int i) {
        return minCorr[i] - maxBaseline[i];
    }

    /** {@link #excess} with each partner given to one neuron only. */
    double matchedExcess(int i) {
        return over(sumMatched[i], pairs[i]) - meanBaseline(i);
    }

    /** {@link #excess} over one half of the tokens, 0 or 1. */
    double halfExcess(int half, int i) {
        return over(sumHalf[half][i], halfPairs[half][i]);
    }

    /** Mean over the others of what the current token alone gives of the best partner's correlation. */
    double tokenCorr(int i) {
        return over(sumToken[i], decomposed[i]);
    }

    /** The same of the position in the row. */
    double positionCorr(int i) {
        return over(sumPosition[i], decomposed[i]);
    }

    double negCorr(int i) {
        return negCorr[i];
    }

    /** Number of other checkpoints in which the partner's best match is this neuron. */
    int mutual(int i) {
        return mutual[i];
    }

    List<Partners> partners() {
        return partners;
    }

    /** {@code ID:LAYER.NEURON:ρ} of each other checkpoint with a partner, joined by {@code ;}. */
    String partnerText(int i) {
        StringBuilder text = new StringBuilder();
        for (Partners other : partners) {
            if (other.index()[i] >= 0) {
                text.append(text.isEmpty() ? "" : ";")
                        .append(other.id())
                        .append(':')
                        .append(other.shape().name(other.index()[i]))
                        .append(':')
                        .append(other.corr()[i]);
            }
        }
        return text.toString();
    }

    private static double over(double sum, int count) {
        return count == 0 ? Double.NaN : sum / count;
    }
}
