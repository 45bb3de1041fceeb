package universality.activate;

/**
 * Consecutive units of token rows within one batch, to be taken in at once.
 *
 * @param kept rows of the batch's activations that count, ascending
 * @param ends where in {@code kept} each unit ends
 * @param positions flat index of each kept row into all token rows
 */
record Segment(long[] kept, long[] ends, int[] positions) {}
