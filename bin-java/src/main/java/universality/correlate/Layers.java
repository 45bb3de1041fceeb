package universality.correlate;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Layers {@code from} (inclusive) to {@code to} of a model, side by side. */
record Layers(Source source, int from, int to) {
    /** Columns that a product should have, where the layers of a model give them. */
    private static final int WIDTH = 1024;

    /** The layers of a model, as many together as come to about {@link #WIDTH} columns. */
    static List<Layers> of(Source source) {
        int together = Math.max(1, WIDTH / source.width());
        List<Layers> all = new ArrayList<>();
        for (int from = 0; from < source.layers(); from += together) {
            all.add(new Layers(source, from, Math.min(source.layers(), from + together)));
        }
        return all;
    }

    int size() {
        return to - from;
    }

    int columns() {
        return size() * source.width();
    }

    /** No neuron of these layers has a larger Σẑ² in steps over a block. */
    double most(Source.Block block) {
        return IntStream.range(from, to)
                .mapToDouble(layer -> source.most(layer, block))
                .max()
                .orElse(0);
    }

    /** Numbers of so many positions or buckets. */
    long size(long positions) {
        return positions * columns();
    }
}
