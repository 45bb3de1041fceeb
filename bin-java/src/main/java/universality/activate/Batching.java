package universality.activate;

import universality.data.Dtype;
import universality.model.Arithmetic;
import universality.model.ModelConfig;

/**
 * How many token rows go together.
 *
 * @param unit rows that are never parted: the order in which sums are taken is fixed within a unit
 * @param block rows after which moments are merged, a multiple of {@code unit}
 * @param batch rows of a forward pass, a multiple of {@code unit}; on a processor just that, so that not even the last bits of an
 *     activation depend on the memory there is
 * @param lanes batches that are computed at once
 * @param bytes what weights and the batches of all lanes take
 */
record Batching(int unit, int block, int batch, int lanes, long bytes) {
    /** Positions of a unit on a processor, about, and their product with d_model: products of fewer are slow, and of more are no faster. */
    private static final int UNIT = 1024;

    private static final int MOST_OF_UNIT = 4096;
    private static final int SIZE_OF_UNIT = UNIT * 768;
    /** More on a GPU, which is slow with many small operations. */
    private static final int GPU_UNIT = 2048;

    private static final int GPU_MOST = 32768;
    /** Positions of a block, about. */
    private static final int BLOCK = 4096;

    /**
     * As many batches at once, or as large ones on a GPU, as fit.
     *
     * @param lanes batches that may be computed at once
     * @param memory bytes that weights and batches may take; there is one batch of one unit in any case
     * @param stored type of the stored activations, {@code null} for none
     */
    static Batching choose(
            ModelConfig config, int context, Arithmetic arithmetic, Dtype stored, boolean gpu, int lanes, long memory) {
        int small = Math.min(MOST_OF_UNIT, Math.max(UNIT, SIZE_OF_UNIT / config.dModel()));
        int unit = Math.max(1, (gpu ? GPU_UNIT : small) / context);
        int block = unit * Math.max(1, BLOCK / (unit * context));
        long weights = weights(config, arithmetic);
        long size = (long) unit * context;
        long waiting = size * stored(config, stored) * (Store.WAITING + 1);
        long lane = size * (position(config, arithmetic) + stored(config, stored));
        if (gpu) {
            long units = Math.min((memory - weights) / (lane + waiting), GPU_MOST / size);
            int batch = (int) Math.max(1, units) * unit;
            return new Batching(unit, block, batch, 1, weights + batch / unit * (lane + waiting));
        }
        int fitting = (int) Math.max(1, Math.min((memory - weights - waiting) / lane, lanes));
        return new Batching(unit, block, unit, fitting, weights + waiting + fitting * lane);
    }

    /** Bytes of one position that is computed: arrays of the attention or of the MLP, whichever are more. */
    private static long position(ModelConfig config, Arithmetic arithmetic) {
        long attention = 4L * 12 * config.dModel();
        long perNeuron = 2 * Float.BYTES + (arithmetic == Arithmetic.BF16 ? 4 : 0);
        long mlp = 4L * 4 * config.dModel() + perNeuron * config.dMlp();
        return Math.max(attention, mlp);
    }

    private static long stored(ModelConfig config, Dtype stored) {
        return stored == null ? 0 : (long) stored.bytes() * config.dMlp();
    }

    private static long weights(ModelConfig config, Arithmetic arithmetic) {
        long perLayer = 4L * config.dModel() * config.dModel() + 2L * config.dModel() * config.dMlp();
        long embeddings = ((long) config.vocabulary() * (config.tied() ? 1 : 2) + config.context()) * config.dModel();
        return config.layers() * perLayer * (arithmetic == Arithmetic.BF16 ? 2 : 4) + embeddings * 4;
    }
}
