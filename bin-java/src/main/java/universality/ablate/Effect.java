package universality.ablate;

import java.util.Arrays;

/** Sums of one condition, in nats: of loss and of KL(P_clean ‖ P) for each document, of the rest over all positions. */
final class Effect {
    final double[] loss;
    final double[] kl;
    private double entropy;
    private double changed;

    Effect(int documents) {
        loss = new double[documents];
        kl = new double[documents];
    }

    /**
     * Takes a batch in.
     *
     * @param at flat positions of the batch in the token rows
     * @param measured [4, at.length]: loss, KL, change of entropy, whether the likeliest token changed
     */
    void add(Terms terms, int[] at, double[] measured) {
        int n = at.length;
        for (int i = 0; i < n; i++) {
            int p = at[i];
            if (terms.countsLoss(p)) {
                loss[terms.document(p + 1)] += measured[i];
            }
            if (terms.counts(p)) {
                kl[terms.document(p)] += measured[n + i];
                entropy += measured[2 * n + i];
                changed += measured[3 * n + i];
            }
        }
    }

    double lossSum() {
        return Arrays.stream(loss).sum();
    }

    double klSum() {
        return Arrays.stream(kl).sum();
    }

    /** Sum of the entropy's changes, in nats. */
    double entropySum() {
        return entropy;
    }

    /** Positions where another token than the clean model's is the likeliest. */
    double changedSum() {
        return changed;
    }
}
