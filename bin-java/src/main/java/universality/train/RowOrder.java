package universality.train;

import universality.stats.Draws;

/** Endless order of rows: one seeded permutation after another, so every row comes once per epoch. */
final class RowOrder {
    private final int[] rows;
    private final Draws random;
    private int next;

    RowOrder(int count, Draws random) {
        rows = java.util.stream.IntStream.range(0, count).toArray();
        this.random = random;
        next = count;
    }

    int next() {
        if (next == rows.length) {
            random.shuffle(rows);
            next = 0;
        }
        return rows[next++];
    }
}
