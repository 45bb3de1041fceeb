package universality.correlate;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import universality.data.ToolException;
import universality.stats.Draws;

/**
 * Which kept position of the second model is set against which of the first. In the study both are the same; in the controls
 * of docs/methods.md the second model is shifted or permuted. Rows are split into two halves by alternate documents of
 * the first model (alternate rows where there is one document only).
 *
 * @param first indices of kept positions of the first model, [2][n of the half]
 * @param second indices of the second model, likewise
 */
record RowPlan(int[][] first, int[][] second) {
    /** Where kept positions come from: arrays over the kept positions. */
    record Positions(int[] row, int[] pos, int[] document, int[] token) {}

    /**
     * @param seed decides the permutation of {@code token_permuted}
     * @throws ToolException (usage) for an unknown control, (bad data) if nothing is left to correlate
     */
    static RowPlan of(String control, Positions positions, long seed) {
        int n = positions.row().length;
        int[] partner =
                switch (control) {
                    case "none", "rotated" -> identity(n);
                    case "row_shifted" -> shifted(positions, 0);
                    case "shifted" -> shifted(positions, offset(positions));
                    case "token_permuted" -> permuted(positions, seed);
                    default -> throw ToolException.usage(
                            "--control '%s' is not one of none, rotated, shifted, row_shifted, token_permuted",
                            control);
                };
        int[] half = halves(positions);
        int[][] first = new int[2][];
        int[][] second = new int[2][];
        for (int h = 0; h < 2; h++) {
            int wanted = h;
            first[h] = java.util.stream.IntStream.range(0, n)
                    .filter(i -> partner[i] >= 0 && half[i] == wanted)
                    .toArray();
            second[h] = Arrays.stream(first[h]).map(i -> partner[i]).toArray();
        }
        if (first[0].length + first[1].length == 0) {
            throw ToolException.badData("control '%s' leaves no position to correlate: give more rows", control);
        }
        return new RowPlan(first, second);
    }

    private static int[] identity(int n) {
        return java.util.stream.IntStream.range(0, n).toArray();
    }

    /** About a third of a row, and no multiple of its length, so that positions and text are both out of step. */
    private static int offset(Positions positions) {
        int longest = Arrays.stream(positions.pos()).max().orElse(0) + 1;
        return Math.max(1, longest / 3);
    }

    /**
     * Position (row, pos) goes with (row + half of all rows, pos + offset), running on into the next row; −1: none. Half of all
     * rows is as far from the same document as one can get.
     */
    private static int[] shifted(Positions positions, int offset) {
        int n = positions.row().length;
        int context = Arrays.stream(positions.pos()).max().orElse(0) + 1;
        int rows = Arrays.stream(positions.row()).max().orElse(0) + 1;
        int[] index = new int[rows * context];
        Arrays.fill(index, -1);
        for (int i = 0; i < n; i++) {
            index[positions.row()[i] * context + positions.pos()[i]] = i;
        }
        int total = rows * context;
        if (rows < 2) {
            throw ToolException.badData(
                    "a shift by rows needs at least two rows, but there is %d: give more text", rows);
        }
        int by = rows / 2 * context + offset;
        int[] partner = new int[n];
        for (int i = 0; i < n; i++) {
            partner[i] = index[(positions.row()[i] * context + positions.pos()[i] + by) % total];
        }
        return partner;
    }

    /** A seeded permutation among the positions that hold the same token. */
    private static int[] permuted(Positions positions, long seed) {
        Map<Integer, int[]> members = new LinkedHashMap<>();
        int[] token = positions.token();
        for (int i = 0; i < token.length; i++) {
            int[] list = members.computeIfAbsent(token[i], t -> new int[] {0, 0});
            list[0]++;
        }
        Map<Integer, int[]> groups = new LinkedHashMap<>();
        members.forEach((t, counts) -> groups.put(t, new int[counts[0]]));
        for (int i = 0; i < token.length; i++) {
            groups.get(token[i])[members.get(token[i])[1]++] = i;
        }
        Draws random = Draws.of("token-permuted", seed);
        int[] partner = new int[token.length];
        for (int[] group : groups.values()) {
            int[] order = group.clone();
            random.shuffle(order);
            for (int i = 0; i < group.length; i++) {
                partner[group[i]] = order[i];
            }
        }
        return partner;
    }

    private static int[] halves(Positions positions) {
        boolean documents =
                Arrays.stream(positions.document()).distinct().limit(2).count() > 1;
        int[] key = documents ? positions.document() : positions.row();
        Map<Integer, Integer> ranks = new LinkedHashMap<>();
        int[] half = new int[key.length];
        for (int i = 0; i < key.length; i++) {
            half[i] = ranks.computeIfAbsent(key[i], k -> ranks.size()) % 2;
        }
        return half;
    }

    /** Positions in both halves together. */
    long size() {
        return (long) first[0].length + first[1].length;
    }
}
