package universality.correlate;

/** How many rows a model runs over at a time, and how many of these batches are kept. Not thread-safe. */
final class BatchSizes {
    private int rows;
    private int least = 2;
    private long memory;

    /**
     * @param rows of a batch at first
     * @param memoryBytes what batches that are kept may take
     */
    BatchSizes(int rows, long memoryBytes) {
        this.rows = rows;
        this.memory = memoryBytes;
    }

    /** Rows of a batch. */
    int rows() {
        return rows;
    }

    /**
     * Batches to be kept: as many as fit, no more than are wanted; but two, where the device holds them, since a block may begin in one and
     * end in the next.
     *
     * @param rowBytes what a row's activations take
     */
    long most(long wanted, long rowBytes) {
        return Math.max(least, Math.min(wanted, memory / (rowBytes * rows)));
    }

    /**
     * Takes half of the rows, and keeps half the bytes, after the device's memory did not suffice; of single rows one alone.
     *
     * @return false if there is nothing smaller
     */
    boolean shrink() {
        if (rows == 1 && least == 1) {
            return false;
        }
        least = rows == 1 ? 1 : least;
        rows = Math.max(1, rows / 2);
        memory /= 2;
        return true;
    }
}
