package universality.correlate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The pairs of neurons that are looked at again: of every neuron in every direction some partners in the other model.
 * Neurons of all models are numbered through (model after model, layer × d_mlp + index). A product that several directions
 * want is summed once.
 */
final class Candidates {
    /** Neurons of a against those of b. */
    record Direction(Source a, Source b, PairTable table) {}

    private final List<Source> sources;
    private final Map<Source, Integer> offset = new HashMap<>();
    private final Map<Direction, int[]> partners;
    private final int neurons;
    private final int each;
    /** (smaller neuron) × neurons + (larger neuron), ascending. */
    private final long[] products;

    /**
     * @param partners of every neuron of each direction, layer × d_mlp + index, −1 where there are no more; [N × each]
     * @param each partners of each neuron
     */
    Candidates(Map<Direction, int[]> partners, int each) {
        Set<Source> all = new LinkedHashSet<>();
        partners.keySet().forEach(direction -> {
            all.add(direction.a());
            all.add(direction.b());
        });
        this.sources = List.copyOf(all);
        this.partners = partners;
        this.each = each;
        int total = 0;
        for (Source source : sources) {
            offset.put(source, total);
            total += source.model.neurons();
        }
        neurons = total;
        List<long[]> keys = new ArrayList<>();
        for (Direction direction : partners.keySet()) {
            keys.add(Arrays.stream(keys(direction))
                    .filter(key -> key >= 0)
                    .sorted()
                    .distinct()
                    .toArray());
        }
        products =
                keys.stream().flatMapToLong(Arrays::stream).sorted().distinct().toArray();
    }

    /** Neurons of all models together. */
    int neurons() {
        return neurons;
    }

    List<Source> sources() {
        return sources;
    }

    int each() {
        return each;
    }

    int products() {
        return products.length;
    }

    /** The smaller neuron of each product. */
    long[] first() {
        return Arrays.stream(products).map(key -> key / neurons).toArray();
    }

    /** The larger neuron of each product. */
    long[] second() {
        return Arrays.stream(products).map(key -> key % neurons).toArray();
    }

    /** The best partners of every neuron of a direction, best first; [N × each]. */
    static int[] best(Direction direction, int each) {
        PairTable table = direction.table();
        boolean[] alive = PairWriter.alive(direction.a(), 0);
        int[] partners = new int[table.rows * each];
        Arrays.fill(partners, -1);
        for (int row = 0; row < table.rows; row++) {
            if (!alive[row] || !Double.isFinite(table.largest[row])) {
                continue;
            }
            // of equal partners the list may begin with another than the one that is reported
            int at = row * each;
            partners[at++] = table.largestAt[row];
            for (int i = 0; i < table.topCount(row) && at < (row + 1) * each; i++) {
                if (table.topAt(row, i) != table.largestAt[row]) {
                    partners[at++] = table.topAt(row, i);
                }
            }
        }
        return partners;
    }

    /** The partners that were given for a direction; shared, not copied. */
    int[] partners(Direction direction) {
        return partners.get(direction);
    }

    /** The product of each entry of {@link #partners}, −1 where there is none. */
    int[] index(Direction direction) {
        return Arrays.stream(keys(direction))
                .mapToInt(key -> key < 0 ? -1 : Arrays.binarySearch(products, key))
                .toArray();
    }

    private long[] keys(Direction direction) {
        int[] of = partners.get(direction);
        int a = offset.get(direction.a());
        int b = offset.get(direction.b());
        long[] keys = new long[of.length];
        for (int i = 0; i < keys.length; i++) {
            long x = a + i / each;
            long y = b + of[i];
            keys[i] = of[i] < 0 ? -1 : Math.min(x, y) * neurons + Math.max(x, y);
        }
        return keys;
    }
}
