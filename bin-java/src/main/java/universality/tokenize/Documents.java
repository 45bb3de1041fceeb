package universality.tokenize;

import java.util.ArrayList;
import java.util.List;
import universality.data.Digests;
import universality.data.ToolException;
import universality.text.SeededRandom;

/** Deals documents out to splits before anything is packed, so that no document is in two of them. */
final class Documents {
    private Documents() {}

    /**
     * Deals documents in a seeded random order: one to each split, then each to the split that is furthest below its part of
     * the text. Where shares add up to less than 100%, the rest stays out.
     *
     * @return for each part of the plan its documents, in the random order
     * @throws ToolException (bad data) if there are fewer documents than splits
     */
    static List<List<String>> deal(List<String> documents, SplitPlan plan, long seed) {
        int parts = plan.parts().size();
        if (documents.size() < parts) {
            throw ToolException.badData(
                    "the text has %d documents for %d splits: give more text, or separate its parts by blank lines",
                    documents.size(), parts);
        }
        double[] weights = weights(plan);
        List<List<String>> dealt = new ArrayList<>();
        for (int s = 0; s < weights.length; s++) {
            dealt.add(new ArrayList<>());
        }
        long all = documents.stream().mapToLong(String::length).sum();
        long[] has = new long[weights.length];
        int next = 0;
        for (int d : order(documents.size(), seed)) {
            int split = next < parts ? next : neediest(weights, has, all);
            next++;
            dealt.get(split).add(documents.get(d));
            has[split] += documents.get(d).length();
        }
        return dealt.subList(0, parts);
    }

    /** The parts of the text, and what stays out as the last. */
    private static double[] weights(SplitPlan plan) {
        int parts = plan.parts().size();
        double[] weights = new double[parts + 1];
        double whole = plan.shares() ? 100 : plan.total();
        double sum = 0;
        for (int s = 0; s < parts; s++) {
            weights[s] = plan.parts().get(s).amount() / whole;
            sum += weights[s];
        }
        weights[parts] = Math.max(0, 1 - sum);
        return weights;
    }

    private static int neediest(double[] weights, long[] has, long all) {
        int best = 0;
        double most = Double.NEGATIVE_INFINITY;
        for (int s = 0; s < weights.length; s++) {
            double lacks = weights[s] * all - has[s];
            if (weights[s] > 1e-9 && lacks > most) {
                most = lacks;
                best = s;
            }
        }
        return best;
    }

    /** The numbers 0 … {@code count} − 1 in an order that depends on the seed alone. */
    static int[] order(int count, long seed) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            order[i] = i;
        }
        new SeededRandom(Digests.seed("split", seed)).shuffle(order);
        return order;
    }
}
