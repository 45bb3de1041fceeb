package universality.identify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.data.NeuronShape;
import universality.stats.UnionFind;

/**
 * Neurons of one model that are copies of each other (ρ > 0.8), as far as the tables against other models prove it: for two
 * neurons i, j with a common partner p, ρ(i,j) ≥ ρ(i,p) ρ(j,p) − √((1 − ρ(i,p)²)(1 − ρ(j,p)²)), because correlation matrices
 * are positive semidefinite. Copies that no listed partner proves are missed: the counts are lower bounds.
 */
final class Copies {
    private static final double LEAST = 0.8;

    private final UnionFind sets;

    Copies(int neurons) {
        sets = new UnionFind(neurons);
    }

    /** Adds what the table of another model against this one proves: each of its rows is a partner of those that it lists. */
    void add(PairTable otherToThis, NeuronShape shape) {
        for (PairTable.Partner[] partners : otherToThis.top()) {
            for (int i = 0; i < partners.length; i++) {
                for (int j = 0; j < i; j++) {
                    if (bound(partners[i].corr(), partners[j].corr()) > LEAST) {
                        sets.join(
                                shape.index(partners[i].layer(), partners[i].neuron()),
                                shape.index(partners[j].layer(), partners[j].neuron()));
                    }
                }
            }
        }
    }

    /** The least correlation that two variables can have whose correlations with a third are {@code a} and {@code b}. */
    static double bound(double a, double b) {
        return a * b - Math.sqrt(Math.max(0, 1 - a * a) * Math.max(0, 1 - b * b));
    }

    /** {@code clusters, neurons} (in clusters), {@code largest}, {@code least_corr}. */
    Map<String, Object> summary() {
        List<List<Integer>> clusters = new ArrayList<>(sets.sets(2));
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("clusters", clusters.size());
        summary.put("neurons", clusters.stream().mapToInt(List::size).sum());
        summary.put("largest", clusters.stream().mapToInt(List::size).max().orElse(0));
        summary.put("least_corr", LEAST);
        return summary;
    }
}
