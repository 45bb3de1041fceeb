package universality.model.capture;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.stream.IntStream;
import universality.data.ExitCode;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.LanguageModel;
import universality.tensor.Compute;

/**
 * Runs a model over token rows, some rows at a time and layer after layer, so that the activations of one layer are all that is
 * held. Where a device's memory does not suffice, it goes on with half as many rows.
 */
public final class LayerwiseForward {
    /** Activations of one layer at all positions of a batch. All arrays are freed when {@link #accept} returns. */
    public interface Consumer {
        /**
         * Takes the activations of some rows in. Several threads call it, each for another layer; calls for one layer follow one
         * another. After a failure for want of device memory the same rows come again, perhaps fewer at a
         * time; the consumer passes over those that it has taken.
         *
         * @param layer layers come in order, rows too within a layer
         * @param first index into {@link #rows} of the first row of the batch
         * @param count rows of the batch
         * @param pre hook_pre F32 [count × context, d_mlp]
         * @param post hook_post F32 [count × context, d_mlp]
         */
        void accept(int layer, int first, int count, NDArray pre, NDArray post);
    }

    private final Compute compute;
    private final LanguageModel model;
    private final TokenRows tokens;
    private final int unit;
    private final int lanes;
    private final int[] rows;
    private int batch;

    /**
     * @param unit rows that are never parted, but at the end
     * @param batch rows to begin with, a multiple of {@code unit}
     * @param lanes batches that are computed at once, at most {@link Compute#lanes}
     */
    public LayerwiseForward(Compute compute, LanguageModel model, TokenRows tokens, int unit, int batch, int lanes) {
        this.compute = compute;
        this.model = model;
        this.tokens = tokens;
        this.unit = unit;
        this.batch = batch;
        this.lanes = lanes;
        int context = tokens.context();
        rows = IntStream.range(0, tokens.rows())
                .filter(row ->
                        IntStream.range(row * context, (row + 1) * context).anyMatch(i -> tokens.mask()[i] != 0))
                .toArray();
    }

    /** The rows with a position that counts, ascending; no other is run. Shared, not copied. */
    public int[] rows() {
        return rows;
    }

    /** Rows of a batch, fewer than at the beginning if device memory did not suffice. */
    public int batch() {
        return batch;
    }

    /**
     * Runs the model over all rows: each lane takes the next batch, and hands the activations of a layer over when the batch
     * before it has.
     *
     * @throws ToolException (device memory) if that does not suffice for a single unit
     */
    public void run(Consumer consumer) {
        for (int first = 0; first < rows.length; ) {
            Pass pass = new Pass(consumer, first);
            try {
                compute.sideBySide(Math.min(lanes, pass.batches), lane -> pass.run());
                return;
            } catch (ToolException e) {
                int count = Math.min(batch, rows.length - first);
                if (e.code() != ExitCode.DEVICE_MEMORY || count <= unit) {
                    throw e;
                }
                first += pass.finished() * batch;
                batch = Math.max(unit, count / 2 / unit * unit);
            }
        }
    }

    /** One way over the rows that are left, in batches of one size. */
    private final class Pass {
        private final Consumer consumer;
        private final int first;
        private final int size = batch;
        final int batches;
        /** The next batch to begin with. */
        private int next;
        /** For each layer, of how many batches it was handed over. */
        private final int[] handed = new int[model.config().layers()];

        private boolean failed;

        Pass(Consumer consumer, int first) {
            this.consumer = consumer;
            this.first = first;
            batches = (rows.length - first + size - 1) / size;
        }

        /** Batches that are through all layers. */
        synchronized int finished() {
            return handed[handed.length - 1];
        }

        private synchronized int take() {
            return failed ? batches : Math.min(next++, batches);
        }

        private synchronized void fail() {
            failed = true;
            notifyAll();
        }

        void run() {
            try {
                for (int k = take(); k < batches; k = take()) {
                    run(k);
                }
            } catch (RuntimeException | Error e) {
                fail();
                throw e;
            }
        }

        private void run(int k) {
            int from = first + k * size;
            int count = Math.min(size, rows.length - from);
            try (NDManager scope = compute.manager().newSubManager()) {
                NDArray start = MaskedForward.ids(scope, tokens, Arrays.copyOfRange(rows, from, from + count));
                for (int layer = 0; layer < handed.length; layer++) {
                    try (NDManager inner = scope.newSubManager();
                            NDArray before = start) {
                        NDList got = model.layer(inner, before, layer);
                        if (layer + 1 < handed.length) {
                            start = got.get(2);
                            start.attach(scope);
                        }
                        if (!await(layer, k)) {
                            return;
                        }
                        consumer.accept(layer, from, count, got.get(0), got.get(1));
                        handedOver(layer);
                    }
                }
            }
        }

        /** Waits until it is a batch's turn; false if it never will be. */
        private synchronized boolean await(int layer, int k) {
            try {
                while (!failed && handed[layer] < k) {
                    wait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ToolException(ExitCode.INTERNAL, "interrupted while waiting for an earlier batch", e);
            }
            return !failed;
        }

        private synchronized void handedOver(int layer) {
            handed[layer]++;
            notifyAll();
        }
    }
}
