package universality.persist;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.data.CsvWriter;
import universality.stats.Samples;

/** Every pair of steps t₁ &lt; t₂: one tally for each seed and layer, and their sums. */
final class Transitions {
    static final List<String> HEADER = List.of(
            "family",
            "seed",
            "layer",
            "step_from",
            "step_to",
            "consecutive",
            "universal_from",
            "universal_to",
            "both",
            "persistence",
            "chance",
            "jaccard",
            "persistence_hysteresis",
            "persistence_clear",
            "partner_kept",
            "half_noise",
            "self_corr_universal",
            "self_corr_kept",
            "self_corr_other",
            "seeds",
            "persistence_sd");

    /** Layers of one seed, or of all: layer → tally, and their sum. */
    private static final class Group {
        final SortedMap<Integer, Tally> layers = new TreeMap<>();
        final Tally all = new Tally();

        void add(int layer, Tally tally) {
            layers.computeIfAbsent(layer, l -> new Tally()).add(tally);
            all.add(tally);
        }
    }

    private final History history;
    private final SelfCorrelations self;

    Transitions(History history, SelfCorrelations self) {
        this.history = history;
        this.self = self;
    }

    /** Two steps, t₁ first. */
    record Steps(long from, long to, boolean consecutive) {}

    /** Every pair of steps; {@code consecutive} where no other step lies between. */
    List<Steps> pairs() {
        List<Long> steps = history.steps();
        List<Steps> pairs = new ArrayList<>();
        for (int a = 0; a < steps.size(); a++) {
            for (int b = a + 1; b < steps.size(); b++) {
                pairs.add(new Steps(steps.get(a), steps.get(b), b == a + 1));
            }
        }
        return pairs;
    }

    /** Writes the rows of every pair of steps; returns the pooled tallies. */
    Map<Steps, Pooled> write(CsvWriter writer) {
        Map<Steps, Pooled> pooled = new java.util.LinkedHashMap<>();
        for (Steps steps : pairs()) {
            pooled.put(steps, write(writer, steps));
        }
        return pooled;
    }

    /**
     * All seeds together.
     *
     * @param seeds number of seeds whose persistence is defined
     * @param deviation standard deviation of their persistences (n − 1), NaN for fewer than two
     */
    record Pooled(Tally tally, long seeds, double deviation) {}

    private Pooled write(CsvWriter writer, Steps steps) {
        SortedMap<Long, Group> seeds = new TreeMap<>();
        Group pooled = new Group();
        for (long seed : history.seeds()) {
            Snapshot first = history.of(seed).get(steps.from());
            Snapshot second = history.of(seed).get(steps.to());
            if (first == null || second == null) {
                continue;
            }
            double[] corr = self.between(first, second);
            Group group = new Group();
            for (int layer = 0; layer < first.shape.layers(); layer++) {
                Tally tally = Tally.of(first, second, layer, history, corr);
                group.add(layer, tally);
                pooled.add(layer, tally);
            }
            seeds.put(seed, group);
            group.layers.forEach((layer, tally) -> row(writer, steps, seed, layer, tally, null));
            row(writer, steps, seed, "all", group.all, null);
        }
        pooled.layers.forEach(
                (layer, tally) -> row(writer, steps, "all", layer, tally, spread(tally, tallies(seeds, layer))));
        Pooled all = spread(pooled.all, seeds.values().stream().map(g -> g.all).toList());
        row(writer, steps, "all", "all", pooled.all, all);
        return all;
    }

    private static List<Tally> tallies(SortedMap<Long, Group> seeds, int layer) {
        return seeds.values().stream()
                .map(group -> group.layers.get(layer))
                .filter(java.util.Objects::nonNull)
                .toList();
    }

    private static Pooled spread(Tally pooled, List<Tally> seeds) {
        double[] values = seeds.stream()
                .mapToDouble(Tally::persistence)
                .filter(p -> !Double.isNaN(p))
                .toArray();
        return new Pooled(pooled, values.length, Samples.standardDeviation(values));
    }

    private void row(CsvWriter writer, Steps steps, Object seed, Object layer, Tally tally, Pooled spread) {
        writer.row(
                history.family,
                seed,
                layer,
                steps.from(),
                steps.to(),
                steps.consecutive(),
                tally.from,
                tally.to,
                tally.both,
                tally.persistence(),
                tally.chance(),
                tally.jaccard(),
                tally.hysteresis(),
                tally.clear(),
                tally.partnerKept(),
                tally.halfNoise(),
                tally.selfUniversal(),
                tally.selfKept(),
                tally.selfOther(),
                spread == null ? null : spread.seeds(),
                spread == null ? null : spread.deviation());
    }
}
