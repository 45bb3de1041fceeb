package universality.persist;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import universality.data.CheckpointName;
import universality.data.ToolException;

/** All snapshots of a family: seed × step. A neuron's index stands for the same unit at every step of its seed. */
final class History {
    final String family;
    final double threshold;
    /** With hysteresis, a neuron stays universal down to this: 0.9 · threshold, 0.45 for 0.5. */
    final double leave;

    private final SortedMap<Long, SortedMap<Long, Snapshot>> bySeed = new TreeMap<>();
    private final SortedSet<Long> steps = new TreeSet<>();
    private final Map<String, CheckpointName> checkpoints = new TreeMap<>();

    History(String family, double threshold) {
        this.family = family;
        this.threshold = threshold;
        leave = 0.9 * threshold;
    }

    /**
     * Adds one seed at one step.
     *
     * @throws ToolException (bad data) if it is there already, or the seed has another shape at another step
     */
    void add(Snapshot snapshot) {
        CheckpointName checkpoint = snapshot.checkpoint;
        SortedMap<Long, Snapshot> ofSeed = bySeed.computeIfAbsent(checkpoint.seed(), seed -> new TreeMap<>());
        if (!ofSeed.isEmpty() && !ofSeed.get(ofSeed.firstKey()).shape.equals(snapshot.shape)) {
            Snapshot other = ofSeed.get(ofSeed.firstKey());
            throw ToolException.badData(
                    "'%s' has %d layers of %d neurons, but '%s' of the same seed has %d of %d",
                    checkpoint.id(),
                    snapshot.shape.layers(),
                    snapshot.shape.width(),
                    other.checkpoint.id(),
                    other.shape.layers(),
                    other.shape.width());
        }
        if (ofSeed.put(checkpoint.step(), snapshot) != null || checkpoints.put(checkpoint.id(), checkpoint) != null) {
            throw ToolException.badData(
                    "checkpoint '%s' (seed %d, step %d) is given twice",
                    checkpoint.id(), checkpoint.seed(), checkpoint.step());
        }
        steps.add(checkpoint.step());
    }

    /** Follows every neuron through the steps of its seed: it enters above the threshold and leaves at {@link #leave}. */
    void followHysteresis() {
        for (SortedMap<Long, Snapshot> ofSeed : bySeed.values()) {
            boolean[] inside = null;
            for (Snapshot snapshot : ofSeed.values()) {
                for (int i = 0; i < snapshot.hysteresis.length; i++) {
                    boolean stays = inside != null && inside[i] && snapshot.alive[i] && snapshot.excess[i] > leave;
                    snapshot.hysteresis[i] = snapshot.universal[i] || stays;
                }
                inside = snapshot.hysteresis;
            }
        }
    }

    SortedSet<Long> seeds() {
        return new TreeSet<>(bySeed.keySet());
    }

    /** Steps of any seed, ascending. */
    List<Long> steps() {
        return List.copyOf(steps);
    }

    /** The snapshots of a seed by step. */
    SortedMap<Long, Snapshot> of(long seed) {
        return bySeed.get(seed);
    }

    /** A checkpoint by id, null if there is none. */
    CheckpointName checkpoint(String id) {
        return checkpoints.get(id);
    }

    /** Whether two ids are checkpoints of one seed. */
    boolean sameSeed(String a, String b) {
        CheckpointName first = checkpoints.get(a);
        CheckpointName second = checkpoints.get(b);
        return first != null && second != null && first.seed() == second.seed();
    }

    /** A line for each seed that lacks some steps. */
    List<String> gaps() {
        List<String> lines = new ArrayList<>();
        bySeed.forEach((seed, ofSeed) -> {
            if (ofSeed.size() < steps.size()) {
                lines.add("seed " + seed + " has the steps " + ofSeed.keySet() + " of " + steps
                        + ": pooled figures of other steps leave it out");
            }
        });
        return lines;
    }
}
