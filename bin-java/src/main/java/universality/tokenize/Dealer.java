package universality.tokenize;

import universality.data.Digests;
import universality.text.SeededRandom;

/**
 * Deals documents out to splits one at a time, as they come: one to each split, then each at random, a split's chance being in
 * proportion to what it lacks of its part of the text so far (w · all − has, the document counted in). Shares are therefore met
 * within a few documents at any time, and what follows changes nothing. Depends on the seed and the lengths of the documents.
 */
final class Dealer {
    private final double[] weights;
    private final double[] lacks;
    private final long[] has;
    private final int[] first;
    private final SeededRandom random;
    private long all;
    private long documents;

    /** @param plan where its shares add up to less than 100%, the rest stays out */
    Dealer(SplitPlan plan, long seed) {
        weights = plan.weights();
        lacks = new double[weights.length];
        has = new long[weights.length];
        first = HeldCorpus.order(plan.parts().size(), seed);
        random = new SeededRandom(Digests.seed("deal", seed));
    }

    /** The split of the next document; the number of splits if it stays out. */
    int deal(long length) {
        all += length;
        int split = documents < first.length ? first[(int) documents] : draw();
        documents++;
        has[split] += length;
        return split;
    }

    private int draw() {
        double sum = 0;
        for (int s = 0; s < weights.length; s++) {
            lacks[s] = Math.max(0, weights[s] * all - has[s]);
            sum += lacks[s];
        }
        double at = random.unit() * sum;
        int last = 0;
        for (int s = 0; s < weights.length; s++) {
            if (lacks[s] > 0) {
                last = s;
                if (at < lacks[s]) {
                    return s;
                }
                at -= lacks[s];
            }
        }
        return last; // rounding left nothing for it
    }
}
