package universality.correlate;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The kept positions cut into groups of whole documents, about equally large, for standard errors: tokens of one document are
 * not independent, documents are nearly so. Documents stay in their order, so neighbours (which may be of one source) share
 * a group. With fewer than {@value #WANTED} documents the groups are of whole rows, and errors come out too small.
 *
 * @param unit {@code document} or {@code row}
 * @param order indices of kept positions, group by group
 * @param end end (exclusive) of each group in {@code order}, [groups]; no group is empty
 */
record Groups(String unit, int[] order, int[] end) {
    /** Groups that are made where there are as many documents or rows. */
    static final int WANTED = 20;

    static Groups of(RowPlan.Positions positions) {
        int[] documents = ranks(positions.document());
        boolean enough = largest(documents) + 1 >= WANTED;
        int[] rank = enough ? documents : ranks(positions.row());
        int units = largest(rank) + 1;
        int[] size = new int[units];
        for (int r : rank) {
            size[r]++;
        }
        int[] start = new int[units];
        for (int u = 1; u < units; u++) {
            start[u] = start[u - 1] + size[u - 1];
        }
        int[] order = new int[rank.length];
        int[] next = start.clone();
        for (int i = 0; i < rank.length; i++) {
            order[next[rank[i]]++] = i;
        }
        return new Groups(enough ? "document" : "row", order, ends(size));
    }

    /** Cuts units of these sizes, in order, where the running total is nearest to the next equal share. */
    private static int[] ends(int[] size) {
        int groups = Math.min(WANTED, size.length);
        long total = Arrays.stream(size).asLongStream().sum();
        int[] end = new int[groups];
        int unit = 0;
        long taken = 0;
        for (int g = 0; g < groups; g++) {
            taken += size[unit++];
            // a unit goes where more than half of it belongs; every later group needs one
            while (size.length - unit > groups - g - 1
                    && (g == groups - 1 || (2 * taken + size[unit]) * groups <= 2 * total * (g + 1))) {
                taken += size[unit++];
            }
            end[g] = Math.toIntExact(taken);
        }
        return end;
    }

    /** Each value's rank in order of first appearance. */
    private static int[] ranks(int[] values) {
        Map<Integer, Integer> seen = new LinkedHashMap<>();
        return Arrays.stream(values)
                .map(value -> seen.computeIfAbsent(value, v -> seen.size()))
                .toArray();
    }

    private static int largest(int[] ranks) {
        return Arrays.stream(ranks).max().orElse(-1);
    }

    int count() {
        return end.length;
    }

    int start(int group) {
        return group == 0 ? 0 : end[group - 1];
    }

    int size(int group) {
        return end[group] - start(group);
    }
}
