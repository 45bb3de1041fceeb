package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Optional;
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
     * Says which layers are going to be read until the next call: those of {@code from} (inclusive) to {@code to}; with 0 and 0 none.
     * Others may be read, but at a cost.
     */
    void expect(int from, int to);

    /**
     * Smallest and largest activation of each neuron over the kept positions, [layers][d_mlp].
     *
     * @param least not above any
     * @param largest not below any
     */
    record Extremes(double[][] least, double[][] largest) {}

    /** Extremes, where they are known without reading all positions. */
    Optional<Extremes> extremes();

    /** Whether positions that lie apart cost as much as all between them. */
    boolean costsWhatLiesBetween();

    /** Takes the values of one layer in. */
    interface LayerConsumer {
        /** @param values F32 or F16 [count, d_mlp]; the consumer closes it, at the latest with its scope */
        void accept(int layer, NDArray values);
    }

    /**
     * Hands over the activations of some layers at chosen positions, layer after layer. Reading layers together costs less than one
     * by one where they are computed.
     *
     * @param scope owns what is handed over
     * @param layers each once; this is their order
     * @param which indices of kept positions
     * @param from first entry of {@code which} to use
     * @param count number of entries
     */
    void read(NDManager scope, int[] layers, int[] which, int from, int count, LayerConsumer consumer);

    @Override
    void close();
}
