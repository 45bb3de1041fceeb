package universality.ablate;

import java.util.HashMap;
import java.util.Map;
import universality.data.TokenRows;

/**
 * What of the token rows is measured, and for which document. The loss of token t + 1, predicted at t, counts where mask[t + 1]
 * is 1, for the document of t + 1; the comparison of the distributions at t counts where mask[t] is 1, the last position of a
 * row included, for the document of t.
 */
final class Terms {
    private final TokenRows tokens;
    /** Documents numbered by their first appearance, [rows × context]. */
    private final int[] document;

    private final double[] losses;
    private final double[] positions;

    Terms(TokenRows tokens) {
        this.tokens = tokens;
        document = new int[tokens.document().length];
        Map<Integer, Integer> numbers = new HashMap<>();
        for (int p = 0; p < document.length; p++) {
            document[p] = numbers.computeIfAbsent(tokens.document()[p], d -> numbers.size());
        }
        losses = new double[numbers.size()];
        positions = new double[numbers.size()];
        for (int p = 0; p < document.length; p++) {
            if (countsLoss(p)) {
                losses[document[p + 1]]++;
            }
            if (counts(p)) {
                positions[document[p]]++;
            }
        }
    }

    /** Whether the distribution at the flat position {@code p} counts. */
    boolean counts(int p) {
        return tokens.mask()[p] != 0;
    }

    /** Whether the loss of the token after the flat position {@code p} counts. */
    boolean countsLoss(int p) {
        return p % tokens.context() + 1 < tokens.context() && tokens.mask()[p + 1] != 0;
    }

    int documents() {
        return losses.length;
    }

    int document(int p) {
        return document[p];
    }

    /** Loss terms of each document; shared. */
    double[] losses() {
        return losses;
    }

    /** Compared positions of each document; shared. */
    double[] positions() {
        return positions;
    }
}
