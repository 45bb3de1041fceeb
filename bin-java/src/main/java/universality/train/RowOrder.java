package universality.train;

import java.util.Random;

/** Endless order of rows: one seeded permutation after another, so every row comes once per epoch. */
final class RowOrder {
    private final int[] rows;
    private final Random random;
    private int next;

    RowOrder(int count, long seed) {
        rows = java.util.stream.IntStream.range(0, count).toArray();
        random = new Random(seed);
        next = count;
    }

    int next() {
        if (next == rows.length) {
            shuffle();
            next = 0;
        }
        return rows[next++];
    }

    private void shuffle() {
        for (int i = rows.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int kept = rows[i];
            rows[i] = rows[j];
            rows[j] = kept;
        }
    }
}
