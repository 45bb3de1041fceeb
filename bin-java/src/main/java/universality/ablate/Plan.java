package universality.ablate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * All conditions of a run, in the order of the tables, and what had to be left out.
 *
 * @param warnings one line each
 */
public record Plan(List<Condition> conditions, List<String> warnings) {
    /** With fewer different control sets than this there is no spread and no p-value, whatever the number of draws. */
    public static final int LEAST_DISTINCT = 5;

    /** Above this share of common neurons two draws of a control are no longer told apart well enough. */
    static final double MOST_OVERLAP = 0.2;

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
        if (draws < LEAST_DISTINCT) {
            warnings.add(String.format(
                    "with %d draws z, p and the interval are empty: %d different control sets are needed",
                    draws, LEAST_DISTINCT));
        }
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
            int[] occupied = target.occupied();
            add(conditions, warnings, "control_layer", layers, target, draws, candidates::sameLayer);
            warnOverlap(warnings, "control_layer", layers, occupied, layer -> candidates.overlap(target, layer));
            add(conditions, warnings, "control_matched", layers, target, draws, candidates::matched);
            warnUnmatched(warnings, layers, target, candidates);
            warnOverlap(
                    warnings, "control_matched", layers, occupied, layer -> candidates.overlapMatched(target, layer));
        }
        if (candidates.count() < target.size()) {
            warnings.add(String.format(
                    "layers %s: control_any left out: the model has %d alive neurons outside the set, %d are needed",
                    layers, candidates.count(), target.size()));
        } else {
            add(conditions, warnings, "control_any", layers, target, draws, candidates::anywhere);
            warnOverlap(warnings, "control_any", layers, new int[] {-1}, model -> candidates.overlapAnywhere(target));
        }
    }

    private static void add(
            List<Condition> conditions,
            List<String> warnings,
            String name,
            String layers,
            NeuronSet target,
            int draws,
            BiFunction<NeuronSet, Integer, NeuronSet> control) {
        Set<NeuronSet> distinct = new HashSet<>();
        for (int draw = 0; draw < draws; draw++) {
            NeuronSet drawn = control.apply(target, draw);
            distinct.add(drawn);
            conditions.add(new Condition(name, layers, draw, target, drawn));
        }
        if (draws >= LEAST_DISTINCT && distinct.size() < LEAST_DISTINCT) {
            warnings.add(String.format(
                    "layers %s: z, p and the interval of %s are empty: its %d draws are %d distinct sets, %d are needed",
                    layers, name, draws, distinct.size(), LEAST_DISTINCT));
        }
    }

    /**
     * Warns of layers where draws overlap too much.
     *
     * @param of the layers concerned, or −1 alone for the model as a whole
     */
    private static void warnOverlap(
            List<String> warnings, String name, String layers, int[] of, IntToDoubleFunction overlap) {
        int[] above = IntStream.of(of)
                .filter(layer -> overlap.applyAsDouble(layer) > MOST_OVERLAP)
                .toArray();
        if (above.length == 0) {
            return;
        }
        int worst = above[0];
        for (int layer : above) {
            worst = overlap.applyAsDouble(layer) > overlap.applyAsDouble(worst) ? layer : worst;
        }
        warnings.add(String.format(
                "layers %s: draws of %s have %d%% of their neurons%s in common%s, more than %d%%: their spread is"
                        + " understated, and z and p are too good",
                layers,
                name,
                Math.round(100 * overlap.applyAsDouble(worst)),
                worst < 0 ? "" : " of layer " + worst,
                above.length == 1 ? "" : " (and too many in " + (above.length - 1) + " other layers)",
                Math.round(100 * MOST_OVERLAP)));
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
