package universality.identify;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.data.NeuronShape;
import universality.stats.Assignment;

/**
 * Matches the neurons of two checkpoints one to one, with the largest total correlation over the partners that either side's
 * table lists. Many neurons may share one best partner; here a partner is given away once.
 */
final class OneToOne {
    private OneToOne() {}

    /**
     * The correlation of each matched neuron of both sides.
     *
     * @param ab table of A against B
     * @param ba table of B against A
     * @return for A's neurons [0] and B's neurons [1] the correlation with the match, 0 for those that stay alone
     */
    static double[][] match(PairTable ab, NeuronShape shapeA, PairTable ba, NeuronShape shapeB) {
        List<SortedMap<Integer, Double>> edges = new ArrayList<>();
        for (int i = 0; i < shapeA.neurons(); i++) {
            edges.add(new TreeMap<>());
            for (PairTable.Partner partner : ab.top()[i]) {
                edges.get(i).put(shapeB.index(partner.layer(), partner.neuron()), partner.corr());
            }
        }
        for (int j = 0; j < shapeB.neurons(); j++) {
            for (PairTable.Partner partner : ba.top()[j]) {
                edges.get(shapeA.index(partner.layer(), partner.neuron())).putIfAbsent(j, partner.corr());
            }
        }
        return solve(edges, shapeB.neurons());
    }

    private static double[][] solve(List<SortedMap<Integer, Double>> edges, int columnCount) {
        int[] start = new int[edges.size() + 1];
        for (int i = 0; i < edges.size(); i++) {
            start[i + 1] = start[i] + edges.get(i).size();
        }
        int[] columns = new int[start[edges.size()]];
        double[] weights = new double[columns.length];
        int next = 0;
        for (SortedMap<Integer, Double> row : edges) {
            for (var edge : row.entrySet()) {
                columns[next] = edge.getKey();
                weights[next++] = edge.getValue();
            }
        }
        int[] match = Assignment.maximise(columnCount, start, columns, weights);
        double[][] matched = {new double[edges.size()], new double[columnCount]};
        for (int i = 0; i < edges.size(); i++) {
            if (match[i] >= 0) {
                matched[0][i] = edges.get(i).get(match[i]);
                matched[1][match[i]] = matched[0][i];
            }
        }
        return matched;
    }
}
