package universality.persist;

import java.util.List;
import java.util.SortedMap;
import universality.data.CsvWriter;
import universality.data.NeuronShape;

/**
 * When each neuron was universal. Checkpoints are far apart, so a birth lies in the interval (birth_after, birth_step] and a
 * death in (last_step, death_step]; a neuron that is universal at the first checkpoint has no known birth (censored left), one
 * that is at the last has no known death (censored right).
 */
final class Lifetimes {
    static final List<String> HEADER = List.of(
            "family",
            "seed",
            "layer",
            "neuron",
            "birth_step",
            "birth_after",
            "last_step",
            "death_step",
            "lifetime_steps",
            "checkpoints_universal",
            "interruptions",
            "censored_left",
            "censored_right",
            "universal_at_end");

    private Lifetimes() {}

    /** Writes a row for every neuron that is ever universal; returns their number. */
    static long write(CsvWriter writer, History history) {
        long rows = 0;
        for (long seed : history.seeds()) {
            SortedMap<Long, Snapshot> ofSeed = history.of(seed);
            Snapshot[] snapshots = ofSeed.values().toArray(Snapshot[]::new);
            NeuronShape shape = snapshots[0].shape;
            for (int i = 0; i < shape.neurons(); i++) {
                rows += row(writer, history.family, seed, shape, snapshots, i) ? 1 : 0;
            }
        }
        return rows;
    }

    private static boolean row(
            CsvWriter writer, String family, long seed, NeuronShape shape, Snapshot[] snapshots, int i) {
        int first = -1;
        int last = -1;
        int times = 0;
        for (int t = 0; t < snapshots.length; t++) {
            if (snapshots[t].universal[i]) {
                first = first < 0 ? t : first;
                last = t;
                times++;
            }
        }
        if (first < 0) {
            return false;
        }
        boolean atEnd = last == snapshots.length - 1;
        writer.row(
                family,
                seed,
                i / shape.width(),
                i % shape.width(),
                step(snapshots[first]),
                first == 0 ? null : step(snapshots[first - 1]),
                step(snapshots[last]),
                atEnd ? null : step(snapshots[last + 1]),
                step(snapshots[last]) - step(snapshots[first]),
                times,
                last - first + 1 - times,
                first == 0,
                atEnd,
                atEnd);
        return true;
    }

    private static long step(Snapshot snapshot) {
        return snapshot.checkpoint.step();
    }
}
