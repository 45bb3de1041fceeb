package universality.tokenize;

import universality.text.Tokenizer;

/**
 * Packs documents into rows of {@code context} tokens: every row starts with BOS, a BOS separates documents inside a row, a
 * document that does not fit goes on in the next row after its BOS, and what fills no row at the end is dropped. BOS and
 * tokens that are line ends only do not count (mask 0). A BOS carries the number of the document that follows it.
 */
final class Packer {
    private final Tokenizer tokenizer;
    private final int context;
    private final long wantedRows;
    private final Growing positions;
    private final boolean[] newline;
    private int column;
    private int documents;

    /** @param wantedRows packing stops there */
    Packer(Tokenizer tokenizer, int context, long wantedRows, boolean planted) {
        this.tokenizer = tokenizer;
        this.context = context;
        this.wantedRows = wantedRows;
        this.positions = new Growing(planted);
        this.newline = new boolean[tokenizer.vocabulary()];
        for (int id = 0; id < newline.length; id++) {
            newline[id] = tokenizer.newlineOnly(id);
        }
    }

    /** Whether all wanted rows are complete. */
    boolean full() {
        return positions.size / context >= wantedRows;
    }

    /** Tokens packed so far, BOS and an incomplete last row included. */
    long tokens() {
        return positions.size;
    }

    /**
     * Adds a document; one without tokens leaves no trace.
     *
     * @param features planted features of each token; ignored where none are wanted
     */
    void add(int[] ids, long[] features) {
        if (ids.length == 0 || full()) {
            return;
        }
        int number = documents++;
        if (column != 0) {
            put(tokenizer.bos(), false, number, 0);
        }
        for (int i = 0; i < ids.length && !full(); i++) {
            if (column == 0) {
                put(tokenizer.bos(), false, number, 0);
            }
            if (column != 0) { // a context of one holds nothing but BOS
                put(ids[i], !newline[ids[i]], number, features == null ? 0 : features[i]);
            }
        }
    }

    private void put(int token, boolean counts, int document, long features) {
        positions.add(token, counts, document, features);
        column = (column + 1) % context;
    }

    /** The complete rows. */
    PackedRows finish() {
        int rows = positions.size / context;
        return new PackedRows(rows, context, positions.tokens, positions.mask, positions.document, positions.features);
    }
}
