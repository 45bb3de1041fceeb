package universality.identify;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import universality.data.ToolException;

/**
 * The same computation on controls (one side rotated, shifted or permuted): what it calls universal there is chance, position
 * or token identity. A control may cover some checkpoints, some of their partners and some of their neurons only; shares are
 * of the neurons covered.
 */
final class Controls {
    private final Map<String, Model> models;
    private final double threshold;
    private final SortedMap<String, Object> summary = new TreeMap<>();

    Controls(Map<String, Model> models, double threshold) {
        this.models = models;
        this.threshold = threshold;
    }

    /** Control name → list of entries, one for each checkpoint that it covers. */
    Map<String, Object> summary() {
        return summary;
    }

    /**
     * Adds the folders of one control.
     *
     * @param main the correlations that are controlled
     * @return the folders, for the record of inputs
     * @throws ToolException if they are of another family or step, or of unknown checkpoints or neurons
     */
    Correlations add(String name, List<Path> folders, Correlations main) {
        if (name.equals("none")) {
            throw ToolException.usage(
                    "%s is no control: its correlations are of the models themselves; pass it with --correlations",
                    folders.get(0));
        }
        Correlations control = Correlations.read(folders);
        if (!control.family().equals(main.family()) || control.step() != main.step()) {
            throw ToolException.badData(
                    "%s is of family '%s' at step %d, but the correlations are of '%s' at step %d",
                    folders.get(0), control.family(), control.step(), main.family(), main.step());
        }
        if (control.tokens().isPresent()
                && main.tokens().isPresent()
                && !control.tokens().equals(main.tokens())) {
            throw ToolException.badData(
                    "%s is of other tokens (sha256 %.12s) than the correlations (%.12s): a control needs the same ones",
                    folders.get(0), control.tokens().get(), main.tokens().get());
        }
        List<Object> entries = new ArrayList<>();
        for (String id : control.references()) {
            Model model = models.get(id);
            if (model == null) {
                throw ToolException.badData(
                        "the control '%s' has correlations of '%s', which has none among --correlations", name, id);
            }
            entries.add(entry(model, control));
        }
        summary.put(name, entries);
        return control;
    }

    private Map<String, Object> entry(Model model, Correlations control) {
        Scores scores = null;
        PairTable first = null;
        for (String other : control.others(model.checkpoint.id())) {
            PairTable table = control.table(model.checkpoint.id(), other);
            if (first == null) {
                first = table;
                scores = new Scores(table.layer().length);
            } else if (!Arrays.equals(first.layer(), table.layer()) || !Arrays.equals(first.neuron(), table.neuron())) {
                throw ToolException.badData("%s and %s have different rows", first.file(), table.file());
            }
            scores.add(table);
        }
        return entry(model, scores, indices(model, first));
    }

    private static int[] indices(Model model, PairTable table) {
        int[] index = new int[table.layer().length];
        for (int row = 0; row < index.length; row++) {
            if (!model.shape.holds(table.layer()[row], table.neuron()[row])) {
                throw ToolException.badData(
                        "%s, row %d is neuron %d.%d, but '%s' has %d layers of %d neurons",
                        table.file(),
                        row + 2,
                        table.layer()[row],
                        table.neuron()[row],
                        model.checkpoint.id(),
                        model.shape.layers(),
                        model.shape.width());
            }
            index[row] = model.shape.index(table.layer()[row], table.neuron()[row]);
        }
        return index;
    }

    private Map<String, Object> entry(Model model, Scores scores, int[] index) {
        int neurons = index.length;
        // whoever cannot be counted has no say in the extremes either
        IntToDoubleFunction excess = row ->
                model.state(scores.defined(row), index[row]) == Model.State.ALIVE ? scores.excess(row) : Double.NaN;
        Map<String, Object> thresholds =
                Shares.byThreshold(threshold, neurons, (row, at) -> excess.applyAsDouble(row) > at);
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("id", model.checkpoint.id());
        entry.put("neurons", neurons);
        entry.putAll(atThreshold(thresholds));
        entry.put("mean_excess", Shares.mean(neurons, excess));
        OptionalDouble largest = IntStream.range(0, neurons)
                .mapToDouble(excess)
                .filter(value -> !Double.isNaN(value))
                .max();
        entry.put("max_excess", largest.isPresent() ? largest.getAsDouble() : null);
        entry.put("thresholds", thresholds);
        return entry;
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> atThreshold(Map<String, Object> thresholds) {
        return (Map<String, Object>) thresholds.get(Double.toString(threshold));
    }
}
