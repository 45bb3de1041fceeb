package universality.activate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.data.Dtype;
import universality.data.TokenRows;
import universality.model.ModelConfig;
import universality.model.capture.LayerwiseForward;
import universality.tensor.Kernel;

/**
 * Takes the activations of all layers in, row after row: statistics, examples, storage. What comes of it does not depend on how
 * rows were cut into batches. The caller closes it.
 */
final class Reduction implements LayerwiseForward.Consumer, AutoCloseable {
    /** Examples kept of each neuron. */
    static final int EXAMPLES = 10;

    private final TokenRows tokens;
    private final int[] rows;
    private final Batching batching;
    private final Store store;
    private final Dtype dtype;
    private final List<LayerStatistics> layers = new ArrayList<>();
    /** The next row of each layer. */
    private final int[] next;

    /**
     * @param manager of the device; owns the running sums
     * @param rows the token rows that come, in order
     * @param dtype of the stored activations; {@code null} for none
     */
    Reduction(
            NDManager manager,
            Kernel kernel,
            ModelConfig config,
            TokenRows tokens,
            int[] rows,
            Batching batching,
            Store store,
            Dtype dtype) {
        this.tokens = tokens;
        this.rows = rows;
        this.batching = batching;
        this.store = store;
        this.dtype = dtype;
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(new LayerStatistics(manager, kernel, layer, config.dMlp(), EXAMPLES));
        }
        next = new int[config.layers()];
    }

    List<LayerStatistics> layers() {
        return layers;
    }

    @Override
    public void accept(int layer, int first, int count, NDArray pre, NDArray post) {
        while (next[layer] < first + count) {
            int from = next[layer];
            int to = Math.min(first + count, end(from));
            Segment segment = segment(first, from, to);
            if (segment.kept().length > 0) {
                try (NDManager scope = post.getManager().newSubManager()) {
                    store.add(layer, layers.get(layer).add(scope, pre, post, segment, dtype));
                }
            }
            next[layer] = to;
            if (to % batching.block() == 0 || to == rows.length) {
                layers.get(layer).endBlock();
            }
        }
    }

    /** Where a segment that begins with row {@code from} ends: with the block, and within the first one soon, since the bar that examples have to clear rises quickly there. */
    private int end(int from) {
        int block = batching.block();
        return from < block ? Math.min(block, Math.max(batching.unit(), 2 * from)) : (from / block + 1) * block;
    }

    private Segment segment(int first, int from, int to) {
        int context = tokens.context();
        int unit = batching.unit();
        int[] positions = new int[(to - from) * context];
        long[] kept = new long[positions.length];
        long[] ends = new long[(to - from + unit - 1) / unit];
        int n = 0;
        for (int row = from; row < to; row++) {
            for (int pos = 0; pos < context; pos++) {
                int position = rows[row] * context + pos;
                if (tokens.mask()[position] != 0) {
                    positions[n] = position;
                    kept[n++] = (long) (row - first) * context + pos;
                }
            }
            ends[(row - from) / unit] = n;
        }
        return new Segment(Arrays.copyOf(kept, n), ends, Arrays.copyOf(positions, n));
    }

    @Override
    public void close() {
        layers.forEach(LayerStatistics::close);
    }
}
