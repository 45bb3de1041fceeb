package universality.persist;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.data.CsvWriter;

/** How many neurons are universal at each step: |U_ℓ(s,t)| per layer and in total. */
final class Emergence {
    static final List<String> HEADER =
            List.of("id", "family", "seed", "step", "layer", "neurons", "alive", "universal", "share", "share_alive");

    private Emergence() {}

    /** Writes a row for each layer of each checkpoint, and one for all layers. */
    static void write(CsvWriter writer, History history) {
        for (long seed : history.seeds()) {
            for (Snapshot snapshot : history.of(seed).values()) {
                int width = snapshot.shape.width();
                for (int layer = 0; layer < snapshot.shape.layers(); layer++) {
                    row(writer, snapshot, layer, layer * width, (layer + 1) * width);
                }
                row(writer, snapshot, "all", 0, snapshot.shape.neurons());
            }
        }
    }

    private static void row(CsvWriter writer, Snapshot snapshot, Object layer, int from, int to) {
        long alive = count(snapshot.alive, from, to);
        long universal = count(snapshot.universal, from, to);
        writer.row(
                snapshot.checkpoint.id(),
                snapshot.checkpoint.family(),
                snapshot.checkpoint.seed(),
                snapshot.checkpoint.step(),
                layer,
                to - from,
                alive,
                universal,
                (double) universal / (to - from),
                alive == 0 ? null : (double) universal / alive);
    }

    private static long count(boolean[] values, int from, int to) {
        long count = 0;
        for (int i = from; i < to; i++) {
            count += values[i] ? 1 : 0;
        }
        return count;
    }

    /** Step → {@code neurons, universal, share} of all seeds together. */
    static List<Map<String, Object>> pooled(History history) {
        List<Map<String, Object>> entries = new ArrayList<>();
        for (long step : history.steps()) {
            long neurons = 0;
            long universal = 0;
            for (long seed : history.seeds()) {
                Snapshot snapshot = history.of(seed).get(step);
                if (snapshot != null) {
                    neurons += snapshot.shape.neurons();
                    universal += count(snapshot.universal, 0, snapshot.shape.neurons());
                }
            }
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("step", step);
            entry.put("neurons", neurons);
            entry.put("universal", universal);
            entry.put("share", (double) universal / neurons);
            entries.add(entry);
        }
        return entries;
    }

    /**
     * What noise alone does: the sets found on the two halves of the tokens of one step, all seeds together. Both are at n/2,
     * so a comparison of whole classifications suffers less.
     *
     * @return step → {@code persistence} (2|H₁ ∩ H₂| / (|H₁| + |H₂|)), {@code flip_rate} (share of the neurons defined on both
     *     halves that are in one set only)
     */
    static List<Map<String, Object>> noiseFloor(History history) {
        List<Map<String, Object>> entries = new ArrayList<>();
        for (long step : history.steps()) {
            long both = 0;
            long either = 0;
            long flipped = 0;
            long defined = 0;
            for (long seed : history.seeds()) {
                Snapshot snapshot = history.of(seed).get(step);
                for (int i = 0; snapshot != null && i < snapshot.universal.length; i++) {
                    boolean halved = snapshot.halved[i];
                    defined += halved ? 1 : 0;
                    flipped += halved && snapshot.half[0][i] != snapshot.half[1][i] ? 1 : 0;
                    both += snapshot.half[0][i] && snapshot.half[1][i] ? 1 : 0;
                    either += snapshot.half[0][i] || snapshot.half[1][i] ? 1 : 0;
                }
            }
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("step", step);
            entry.put("persistence", either == 0 ? null : 2.0 * both / (both + either));
            entry.put("flip_rate", defined == 0 ? null : (double) flipped / defined);
            entries.add(entry);
        }
        return entries;
    }
}
