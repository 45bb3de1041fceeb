package universality.activate;

import universality.data.Dtype;
import universality.model.Arithmetic;
import universality.model.ModelConfig;

/**
 * How many token rows go together.
 *
 * @param unit rows that are never parted: the order in which sums are taken is fixed within a unit
 * @param block rows after which moments are merged, a multiple of {@code unit}
 * @param batch rows of a forward pass, a multiple of {@code unit}; results do not depend on it
 * @param bytes what weights and one batch take
 */
record Batching(int unit, int block, int batch, long bytes) {
    /** Positions of a unit, at least; more on a GPU, which is slow with many small operations. */
    private static final int UNIT = 256;

    private static final int GPU_UNIT = 2048;
    /** Positions of a block, about. */
    private static final int BLOCK = 4096;
    /** Positions of a batch, at most: more makes products no faster. */
    private static final int MOST = 4096;

    private static final int GPU_MOST = 32768;

    /**
     * The largest batch that fits.
     *
     * @param memory bytes that weights and batches may take; a batch has at least one unit in any case
     * @param stored type of the stored activations, {@code null} for none
     */
    static Batching choose(
            ModelConfig config, int context, Arithmetic arithmetic, Dtype stored, boolean gpu, long memory) {
        int unit = Math.max(1, (gpu ? GPU_UNIT : UNIT) / context);
        int block = unit * Math.max(1, BLOCK / (unit * context));
        long row = context * position(config, arithmetic, stored);
        long weights = weights(config, arithmetic);
        long fitting = Math.min((memory - weights) / row, (gpu ? GPU_MOST : MOST) / context);
        int batch = (int) Math.max(1, fitting / unit) * unit;
        return new Batching(unit, block, batch, weights + batch * row);
    }

    /** Bytes of one position: arrays of the attention or of the MLP, whichever are more, and blocks to be stored. */
    private static long position(ModelConfig config, Arithmetic arithmetic, Dtype stored) {
        long attention = 4L * 12 * config.dModel();
        long perNeuron = 2 * Float.BYTES + (arithmetic == Arithmetic.BF16 ? 4 : 0);
        long mlp = 4L * 4 * config.dModel() + perNeuron * config.dMlp();
        long waiting = stored == null ? 0 : (Store.WAITING + 2L) * stored.bytes() * config.dMlp();
        return Math.max(attention, mlp) + waiting;
    }

    private static long weights(ModelConfig config, Arithmetic arithmetic) {
        long perLayer = 4L * config.dModel() * config.dModel() + 2L * config.dModel() * config.dMlp();
        long embeddings = ((long) config.vocabulary() * (config.tied() ? 1 : 2) + config.context()) * config.dModel();
        return config.layers() * perLayer * (arithmetic == Arithmetic.BF16 ? 2 : 4) + embeddings * 4;
    }
}
