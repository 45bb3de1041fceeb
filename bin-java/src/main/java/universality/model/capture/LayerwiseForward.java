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
         * Takes the activations of some rows in. After a failure for want of device memory the same rows come again, perhaps fewer at a
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
    private final int[] rows;
    private int batch;

    /**
     * @param unit rows that are never parted, but at the end
     * @param batch rows to begin with, a multiple of {@code unit}
     */
    public LayerwiseForward(Compute compute, LanguageModel model, TokenRows tokens, int unit, int batch) {
        this.compute = compute;
        this.model = model;
        this.tokens = tokens;
        this.unit = unit;
        this.batch = batch;
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
     * Runs the model over all rows.
     *
     * @throws ToolException (device memory) if that does not suffice for a single unit
     */
    public void run(Consumer consumer) {
        for (int first = 0; first < rows.length; ) {
            int count = Math.min(batch, rows.length - first);
            try {
                run(consumer, first, count);
                first += count;
            } catch (ToolException e) {
                if (e.code() != ExitCode.DEVICE_MEMORY || count <= unit) {
                    throw e;
                }
                batch = Math.max(unit, Math.min(batch, count) / 2 / unit * unit);
            }
        }
    }

    private void run(Consumer consumer, int first, int count) {
        int layers = model.config().layers();
        try (NDManager scope = compute.manager().newSubManager()) {
            NDArray start = MaskedForward.ids(scope, tokens, Arrays.copyOfRange(rows, first, first + count));
            for (int layer = 0; layer < layers; layer++) {
                try (NDManager inner = scope.newSubManager();
                        NDArray before = start) {
                    NDList got = model.layer(inner, before, layer);
                    if (layer + 1 < layers) {
                        start = got.get(2);
                        start.attach(scope);
                    }
                    consumer.accept(layer, first, count, got.get(0), got.get(1));
                }
            }
        }
    }
}
