package universality.identify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Cliques across seeds: one neuron of every checkpoint, every two of them mutual best matches. The strictest sense of "the
 * same neuron in all models".
 */
final class Cliques {
    private final List<Model> models;
    private final List<int[]> members = new ArrayList<>();

    /** Finds the cliques of {@code models}, whose partner lists name each other in this order. */
    Cliques(List<Model> models) {
        this.models = models;
        Model first = models.get(0);
        for (int i = 0; i < first.shape.neurons(); i++) {
            int[] clique = candidate(i);
            if (clique != null && complete(clique)) {
                members.add(clique);
            }
        }
    }

    /** The best partners of the first model's neuron i; null where one is missing. */
    private int[] candidate(int i) {
        int[] clique = new int[models.size()];
        clique[0] = i;
        for (int m = 1; m < clique.length; m++) {
            clique[m] = partner(0, m).index()[i];
            if (clique[m] < 0) {
                return null;
            }
        }
        return clique;
    }

    private boolean complete(int[] clique) {
        for (int a = 0; a < clique.length; a++) {
            for (int b = 0; b < clique.length; b++) {
                if (a != b && partner(a, b).index()[clique[a]] != clique[b]) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Model a's partners in model b: its list leaves a itself out. */
    private Scores.Partners partner(int a, int b) {
        return models.get(a).scores.partners().get(b < a ? b : b - 1);
    }

    /** {@code checkpoints}, {@code complete}, {@code universal} (all members are), {@code neurons} of the universal ones. */
    Map<String, Object> summary(double threshold) {
        List<int[]> universal = members.stream()
                .filter(clique -> allUniversal(clique, threshold))
                .toList();
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("checkpoints", models.stream().map(m -> m.checkpoint.id()).toList());
        summary.put("complete", members.size());
        summary.put("universal", universal.size());
        summary.put("neurons", universal.stream().map(this::names).toList());
        return summary;
    }

    private boolean allUniversal(int[] clique, double threshold) {
        for (int m = 0; m < clique.length; m++) {
            if (!models.get(m).universal(clique[m], threshold)) {
                return false;
            }
        }
        return true;
    }

    private List<String> names(int[] clique) {
        String[] names = new String[clique.length];
        Arrays.setAll(names, m -> models.get(m).shape.name(clique[m]));
        return List.of(names);
    }
}
