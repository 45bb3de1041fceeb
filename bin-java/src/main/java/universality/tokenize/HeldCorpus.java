package universality.tokenize;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import universality.data.Digests;
import universality.data.ToolException;
import universality.text.PlantedText;
import universality.text.SeededRandom;

/**
 * A text that fits into memory, dealt out before anything is packed.
 *
 * @param dealt for each split its documents in packing order
 */
record HeldCorpus(List<List<String>> dealt) implements Corpus {
    static final long[] NO_FEATURES = {};

    /**
     * All documents of a text.
     *
     * @return {@code null} if they have more than {@code most} characters; a document counts as 32 at least
     */
    static List<String> read(TextStream text, long most) {
        List<String> documents = new ArrayList<>();
        long characters = 0;
        for (String document; (document = text.next()) != null; ) {
            characters += Math.max(32, document.length());
            if (characters > most) {
                return null;
            }
            documents.add(document);
        }
        return documents;
    }

    /** All documents in one split, in the order of the text. */
    static HeldCorpus whole(List<String> documents) {
        return new HeldCorpus(List.of(documents));
    }

    /**
     * Deals documents in a seeded random order: one to each split, then each to the split that is furthest below its part of
     * the text. Where shares add up to less than 100%, the rest stays out.
     *
     * @throws ToolException (bad data) if there are fewer documents than splits
     */
    static HeldCorpus deal(List<String> documents, SplitPlan plan, long seed) {
        int parts = plan.parts().size();
        requireEnough(documents.size(), parts);
        double[] weights = plan.weights();
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
        return new HeldCorpus(dealt.subList(0, parts));
    }

    /** @throws ToolException (bad data) if there are fewer documents than splits */
    static void requireEnough(long documents, int splits) {
        if (documents < splits) {
            throw ToolException.badData(
                    "the text has %d documents for %d splits: give more text, or separate its parts by blank lines",
                    documents, splits);
        }
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

    @Override
    public Documents open() {
        return new Documents() {
            private int split;
            private int document;

            @Override
            public Dealt next(IntPredicate open) {
                while (split < dealt.size() && (document == dealt.get(split).size() || !open.test(split))) {
                    split++;
                    document = 0;
                }
                return split == dealt.size()
                        ? null
                        : new Dealt(split, new PlantedText(dealt.get(split).get(document++), NO_FEATURES), null);
            }
        };
    }

    @Override
    public boolean planted() {
        return false;
    }

    @Override
    public boolean endless() {
        return false;
    }
}
