package universality.stats;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Disjoint sets of 0 … n − 1, joined by {@link #join} (Tarjan 1975; by size, with path halving). Not thread-safe. */
public final class UnionFind {
    private final int[] parent;
    private final int[] size;

    public UnionFind(int n) {
        parent = new int[n];
        size = new int[n];
        for (int i = 0; i < n; i++) {
            parent[i] = i;
            size[i] = 1;
        }
    }

    /** The set's representative. */
    public int find(int i) {
        int at = i;
        while (parent[at] != at) {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        return at;
    }

    /** Joins the sets of {@code a} and {@code b}; whether they were apart. */
    public boolean join(int a, int b) {
        int large = find(a);
        int small = find(b);
        if (large == small) {
            return false;
        }
        if (size[large] < size[small]) {
            int other = large;
            large = small;
            small = other;
        }
        parent[small] = large;
        size[large] += size[small];
        return true;
    }

    /** Sets of at least {@code members} members, each ascending, by their smallest member. */
    public List<List<Integer>> sets(int members) {
        Map<Integer, List<Integer>> byRoot = new TreeMap<>();
        for (int i = 0; i < parent.length; i++) {
            if (size[find(i)] >= members) {
                byRoot.computeIfAbsent(find(i), root -> new ArrayList<>()).add(i);
            }
        }
        List<List<Integer>> sets = new ArrayList<>(byRoot.values());
        sets.sort((a, b) -> Integer.compare(a.get(0), b.get(0)));
        return sets;
    }
}
