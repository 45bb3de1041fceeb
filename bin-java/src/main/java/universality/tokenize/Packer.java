package universality.tokenize;

import universality.text.Tokenizer;

/**
 * Packs documents into rows of {@code context} tokens: every row starts with BOS, a BOS separates documents inside a row, a
 * document that does not fit goes on in the next row after its BOS, and what fills no row at the end is dropped. BOS and
 * tokens that are line ends only do not count (mask 0). A BOS carries the number of the document that follows it.
 */
final class Packer {
    private final int bos;
    private final long wantedRows;
    private final boolean[] newline;
    private final RowWriter rows;
    private final int[] ids;
    private final byte[] mask;
    private final int[] document;
    private final long[] features;
    private int column;
    private int documents;
    private long complete;

    /**
     * @param newline {@link #newlines} of the tokenizer
     * @param wantedRows packing stops there
     * @param rows takes the rows; {@code null} to count them only
     */
    Packer(Tokenizer tokenizer, boolean[] newline, int context, long wantedRows, RowWriter rows) {
        this.bos = tokenizer.bos();
        this.newline = newline;
        this.wantedRows = wantedRows;
        this.rows = rows;
        this.ids = new int[context];
        this.mask = new byte[context];
        this.document = new int[context];
        this.features = new long[context];
    }

    /** For each token of a vocabulary whether it is line ends only. */
    static boolean[] newlines(Tokenizer tokenizer) {
        boolean[] newline = new boolean[tokenizer.vocabulary()];
        for (int id = 0; id < newline.length; id++) {
            newline[id] = tokenizer.newlineOnly(id);
        }
        return newline;
    }

    /** Whether all wanted rows are complete. */
    boolean full() {
        return complete >= wantedRows;
    }

    /** Complete rows. */
    long rows() {
        return complete;
    }

    /** Tokens packed so far, BOS and an incomplete last row included. */
    long tokens() {
        return complete * ids.length + column;
    }

    /**
     * Adds a document; one without tokens leaves no trace.
     *
     * @param planted features of each token; {@code null} where there are none
     */
    void add(int[] tokens, long[] planted) {
        if (tokens.length == 0 || full()) {
            return;
        }
        int number = documents++;
        if (column != 0) {
            put(bos, false, number, 0);
        }
        for (int i = 0; i < tokens.length && !full(); i++) {
            if (column == 0) {
                put(bos, false, number, 0);
            }
            put(tokens[i], !newline[tokens[i]], number, planted == null ? 0 : planted[i]);
        }
    }

    private void put(int token, boolean counts, int number, long bits) {
        ids[column] = token;
        mask[column] = (byte) (counts ? 1 : 0);
        document[column] = number;
        features[column] = bits;
        if (++column == ids.length) {
            column = 0;
            complete++;
            if (rows != null) {
                rows.row(ids, mask, document, features);
            }
        }
    }
}
