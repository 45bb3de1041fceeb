package universality.correlate;

import java.util.function.LongSupplier;

/** How many rows a model runs over at a time, and how many of these batches are kept. Not thread-safe. */
final class BatchSizes {
    private final LongSupplier memory;
    private int rows;
    /** How often the device's memory did not suffice. */
    private int halvings;

    private boolean single;

    /**
     * @param rows of a batch at first
     * @param memory bytes that batches that are kept may take
     */
    BatchSizes(int rows, LongSupplier memory) {
        this.rows = rows;
        this.memory = memory;
    }

    /** Rows of a batch. */
    int rows() {
        return rows;
    }

    /**
     * Batches to be kept: as many as fit, no more than are wanted, one at least.
     *
     * @param rowBytes what a row's activations take
     */
    long most(long wanted, long rowBytes) {
        long fitting = (memory.getAsLong() >> halvings) / (rowBytes * rows);
        return single ? 1 : Math.max(1, Math.min(wanted, fitting));
    }

    /**
     * Takes half of the rows, and keeps half the bytes, after the device's memory did not suffice; of single rows one alone.
     *
     * @return false if there is nothing smaller
     */
    boolean shrink() {
        if (single) {
            return false;
        }
        single = rows == 1;
        rows = Math.max(1, rows / 2);
        halvings++;
        return true;
    }
}
