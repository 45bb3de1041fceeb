package universality.persist;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import universality.data.CheckpointName;
import universality.data.CsvTable;
import universality.data.NeuronShape;
import universality.data.ToolException;

/**
 * The neurons of one seed at one step, as {@code identify} left them, by index. Immutable but for {@link #hysteresis}.
 *
 * <p>A half's classification (universal by the excess over that half of the tokens) is at n/2 tokens and therefore noisier
 * than the one from all tokens.
 */
final class Snapshot {
    final CheckpointName checkpoint;
    final NeuronShape shape;
    final boolean[] universal;
    final boolean[] alive;
    /** Without any correlation. */
    final boolean[] inactive;
    /** Excess correlation, NaN where undefined. */
    final double[] excess;
    /** Whether both halves are defined. */
    final boolean[] halved;
    /** Universal by one half of the tokens, [2][neurons]. */
    final boolean[][] half;
    /** |excess − threshold| &gt; 2 SE, or inactive; see {@link #findClear}. */
    final boolean[] clear;
    /** Neurons that were judged by the standard error of {@code identify}. */
    int byError;
    /** Neurons that were judged by the difference of the halves, for want of a standard error. */
    int byHalves;
    /** Universal with hysteresis; filled in by {@link History}. */
    final boolean[] hysteresis;

    /** Of universal neurons: partner by id of the other checkpoint. */
    private final Map<Integer, String> partners = new HashMap<>();

    private Snapshot(CheckpointName checkpoint, NeuronShape shape) {
        this.checkpoint = checkpoint;
        this.shape = shape;
        int neurons = shape.neurons();
        universal = new boolean[neurons];
        alive = new boolean[neurons];
        inactive = new boolean[neurons];
        excess = new double[neurons];
        halved = new boolean[neurons];
        half = new boolean[2][neurons];
        clear = new boolean[neurons];
        hysteresis = new boolean[neurons];
    }

    /**
     * Reads {@code ID.csv} of {@code identify}.
     *
     * @throws ToolException (bad data) if a column is missing or the table does not list every neuron
     */
    static Snapshot read(Path file, CheckpointName checkpoint, double threshold) {
        CsvTable table = CsvTable.read(
                file,
                "layer",
                "neuron",
                "universal",
                "state",
                "excess_corr",
                "excess_half1",
                "excess_half2",
                "partners");
        Snapshot snapshot = new Snapshot(checkpoint, NeuronShape.complete(file, table));
        double[][] halves = new double[2][table.size()];
        double[] errors = new double[table.size()];
        for (int i = 0; i < table.size(); i++) {
            String state = table.text(i, "state");
            snapshot.universal[i] = table.flag(i, "universal");
            snapshot.alive[i] = "alive".equals(state);
            snapshot.inactive[i] = "inactive".equals(state);
            snapshot.excess[i] = table.number(i, "excess_corr");
            errors[i] = table.has("excess_se") ? table.number(i, "excess_se") : Double.NaN;
            for (int h = 0; h < 2; h++) {
                halves[h][i] = table.number(i, h == 0 ? "excess_half1" : "excess_half2");
                snapshot.half[h][i] = snapshot.alive[i] && halves[h][i] > threshold;
            }
            snapshot.halved[i] = !Double.isNaN(halves[0][i]) && !Double.isNaN(halves[1][i]);
            if (snapshot.universal[i] && table.text(i, "partners") != null) {
                snapshot.partners.put(i, table.text(i, "partners"));
            }
        }
        for (int layer = 0; layer < snapshot.shape.layers(); layer++) {
            snapshot.findClear(layer, errors, halves, threshold);
        }
        return snapshot;
    }

    /**
     * Marks the clear cases of a layer: by the standard error over groups of documents where {@code identify} gave one, else by
     * the halves. The halves' excesses differ by noise of variance 4 SE², so (h₁ − h₂) / 2 estimates the
     * standard error of the whole's excess with one degree of freedom. A neuron's SE is the larger of its own estimate and the
     * root mean square over its layer: few neurons look clear by luck, and noisy ones are not hidden in the mean.
     */
    private void findClear(int layer, double[] errors, double[][] halves, double threshold) {
        int from = layer * shape.width();
        int to = from + shape.width();
        double square = 0;
        int defined = 0;
        for (int i = from; i < to; i++) {
            if (halved[i]) {
                double error = (halves[0][i] - halves[1][i]) / 2;
                square += error * error;
                defined++;
            }
        }
        double common = Math.sqrt(square / defined);
        for (int i = from; i < to; i++) {
            boolean known = !Double.isNaN(errors[i]);
            double error = known ? errors[i] : Math.max(common, Math.abs(halves[0][i] - halves[1][i]) / 2);
            byError += known ? 1 : 0;
            byHalves += !known && halved[i] ? 1 : 0;
            clear[i] = inactive[i] || alive[i] && Math.abs(excess[i] - threshold) > 2 * error;
        }
    }

    /**
     * The partners of a universal neuron by the other checkpoint's id, {@code LAYER.NEURON}.
     *
     * @throws ToolException (bad data) if the cell is malformed
     */
    Map<String, String> partners(int i) {
        Map<String, String> byId = new HashMap<>();
        String cell = partners.get(i);
        if (cell == null) {
            return byId;
        }
        Arrays.stream(cell.split(";")).forEach(text -> {
            String[] parts = text.split(":");
            if (parts.length != 3) {
                throw ToolException.badData(
                        "%s, neuron %s: partners holds '%s', but ID:LAYER.NEURON:CORRELATION was expected",
                        checkpoint.id(), shape.name(i), text);
            }
            byId.put(parts[0], parts[1]);
        });
        return byId;
    }
}
