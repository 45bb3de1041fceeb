package universality.tokenize;

import java.util.Arrays;
import universality.data.ToolException;

/** Positions of token rows as they are packed: three columns that grow together, and one of planted features if wanted. */
final class Growing {
    private static final int MOST = Integer.MAX_VALUE - 64;

    int[] tokens = new int[1 << 14];
    byte[] mask = new byte[1 << 14];
    int[] document = new int[1 << 14];
    long[] features;
    int size;

    Growing(boolean planted) {
        features = planted ? new long[1 << 14] : null;
    }

    void add(int token, boolean counts, int documentNumber, long planted) {
        if (size == tokens.length) {
            grow();
        }
        tokens[size] = token;
        mask[size] = (byte) (counts ? 1 : 0);
        document[size] = documentNumber;
        if (features != null) {
            features[size] = planted;
        }
        size++;
    }

    private void grow() {
        if (size >= MOST) {
            throw ToolException.badData(
                    "one split holds at most %d tokens: ask for fewer with --split or --tokens", MOST);
        }
        int length = (int) Math.min(MOST, 2L * size);
        tokens = Arrays.copyOf(tokens, length);
        mask = Arrays.copyOf(mask, length);
        document = Arrays.copyOf(document, length);
        features = features == null ? null : Arrays.copyOf(features, length);
    }
}
