package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import universality.data.Manifest;

/**
 * The MLP activations (hook_post) of one checkpoint at the kept positions of the token rows, wherever they come from: read from
 * the disk ({@link StoredActivations}) or computed when they are asked for ({@link LiveActivations}). Not thread-safe. The
 * caller closes it.
 */
interface Activations extends AutoCloseable {
    /** Checkpoint id. */
    String id();

    String family();

    long seed();

    long step();

    int layers();

    int dMlp();

    /** Neurons of the model, layers × d_mlp. */
    default int neurons() {
        return layers() * dMlp();
    }

    /** Kept positions. */
    int kept();

    /** Digest of the token rows. */
    String tokensDigest();

    /** Where each kept position comes from. */
    RowPlan.Positions positions();

    /** What the results depend on, and the role of that input. */
    Manifest manifest();

    /** The role of {@link #manifest} among the inputs of a result. */
    String role();

    /**
     * Says which layers are going to be read until the next call: those of {@code from} (inclusive) to {@code to}. Others may be
     * read, but at a cost.
     */
    void expect(int from, int to);

    /** Whether positions that lie apart cost as much as all between them. */
    boolean costsWhatLiesBetween();

    /**
     * Activations of a layer at chosen positions.
     *
     * @param which indices of kept positions
     * @param from first entry of {@code which} to use
     * @param count number of entries
     * @return F32 or F16 [count, d_mlp], owned by {@code scope}
     */
    NDArray read(NDManager scope, int layer, int[] which, int from, int count);

    @Override
    void close();
}
