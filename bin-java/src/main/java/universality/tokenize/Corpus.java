package universality.tokenize;

/** Where the documents of each split come from. No two splits share one. */
interface Corpus {
    /** Starts a run through the documents. Every run gives the same documents to the same splits in the same order. */
    Documents open();

    /** Whether documents carry planted features; otherwise their masks are empty. */
    boolean planted();

    /** Whether every split has as many documents as are asked for. */
    boolean endless();
}
