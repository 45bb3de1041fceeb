package universality.ablate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/**
 * All conditions of a run, in the order of the tables, and what had to be left out.
 *
 * @param warnings one line each
 */
public record Plan(List<Condition> conditions, List<String> warnings) {
    /**
     * Plans the set and {@code draws} of each control for all layers, all but layer 0, and each layer alone. Layers in which
     * the set is empty, and controls for which there are too few candidates, are left out.
     */
    public static Plan of(NeuronSet set, Candidates candidates, int draws) {
        List<Condition> conditions = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        if (set.isEmpty()) {
            warnings.add("the set is empty: there is nothing to ablate");
            return new Plan(conditions, warnings);
        }
        parts(set).forEach((layers, target) -> {
            if (target.isEmpty()) {
                warnings.add("layers " + layers + " left out: no neuron of the set is there");
                return;
            }
            conditions.add(new Condition(Condition.UNIVERSAL, layers, 0, target, target));
            addControls(conditions, warnings, layers, target, candidates, draws);
        });
        return new Plan(conditions, warnings);
    }

    private static Map<String, NeuronSet> parts(NeuronSet set) {
        Map<String, NeuronSet> parts = new LinkedHashMap<>();
        parts.put("all", set);
        if (set.layers() > 1) {
            parts.put("all_but_0", set.only(layer -> layer != 0));
        }
        for (int layer = 0; layer < set.layers(); layer++) {
            int one = layer;
            parts.put(Integer.toString(layer), set.only(l -> l == one));
        }
        return parts;
    }

    private static void addControls(
            List<Condition> conditions,
            List<String> warnings,
            String layers,
            NeuronSet target,
            Candidates candidates,
            int draws) {
        OptionalInt scarce = IntStream.of(target.occupied())
                .filter(layer -> candidates.count(layer) < target.count(layer))
                .findFirst();
        if (scarce.isPresent()) {
            int layer = scarce.getAsInt();
            warnings.add(String.format(
                    "layers %s: control_layer and control_matched left out: layer %d has %d alive neurons outside the set, %d"
                            + " are needed",
                    layers, layer, candidates.count(layer), target.count(layer)));
        } else {
            add(conditions, "control_layer", layers, target, draws, candidates::sameLayer);
            add(conditions, "control_matched", layers, target, draws, candidates::matched);
            warnUnmatched(warnings, layers, target, candidates);
        }
        if (candidates.count() < target.size()) {
            warnings.add(String.format(
                    "layers %s: control_any left out: the model has %d alive neurons outside the set, %d are needed",
                    layers, candidates.count(), target.size()));
        } else {
            add(conditions, "control_any", layers, target, draws, candidates::anywhere);
        }
    }

    private static void add(
            List<Condition> conditions,
            String name,
            String layers,
            NeuronSet target,
            int draws,
            BiFunction<NeuronSet, Integer, NeuronSet> control) {
        for (int draw = 0; draw < draws; draw++) {
            conditions.add(new Condition(name, layers, draw, target, control.apply(target, draw)));
        }
    }

    private static void warnUnmatched(List<String> warnings, String layers, NeuronSet target, Candidates candidates) {
        int unmatched = IntStream.of(target.occupied())
                .map(layer -> candidates.unmatched(target, layer))
                .sum();
        if (unmatched > 0) {
            warnings.add(String.format(
                    "layers %s: control_matched takes %d of %d neurons from another decile of effect, the nearest with any left",
                    layers, unmatched, target.size()));
        }
    }
}
