package universality.correlate;

import ai.djl.ndarray.NDArray;
import universality.data.Digests;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * The random numbers by which one model's blocks are rounded, since drawing them takes longer than all else: numbers of one block
 * and one row more, F32 [({@value Source#BLOCK} + 1) × d_mlp]. Each block of each layer begins with another one of the first d_mlp, so no
 * neuron gets a number twice; when all have been first they are drawn anew. Models share none. So the errors of two neurons of one
 * layer or of two models, and of one neuron at different positions, are independent (not those of neurons of two layers of one model,
 * which are never multiplied). They
 * depend on the model, the layer and the block alone, not on the order of blocks or how often they are read. The manager of {@code
 * compute} owns the array.
 */
final class Noise {
    private final Compute compute;
    private final Kernel integers;
    private final Source source;
    private NDArray numbers;
    private long drawn;

    Noise(Compute compute, Kernel integers, Source source) {
        this.compute = compute;
        this.integers = integers;
        this.source = source;
    }

    /** Bytes of a model's numbers. */
    static long bytes(int width) {
        return (Source.BLOCK + 1L) * width * Float.BYTES;
    }

    /** Blocks of the two halves in turn, since that is how they are read, and the layers of each. */
    private long number(int layer, Source.Block block) {
        return (2L * (block.from() / Source.BLOCK) + block.half()) * source.layers() + layer;
    }

    /** The first number that a block of a layer takes. */
    long first(int layer, Source.Block block) {
        return number(layer, block) % source.width();
    }

    /**
     * The numbers, of which a block takes those from {@link #first} on; owned by this object.
     *
     * @param like an array on the device
     */
    NDArray numbers(int layer, Source.Block block, NDArray like) {
        long draw = number(layer, block) / source.width();
        if (numbers == null || drawn != draw) {
            close();
            compute.seed(Digests.seed("quantise", source.model.id(), draw));
            numbers = integers.call(compute.manager(), "noise", like, (Source.BLOCK + 1L) * source.width())
                    .singletonOrThrow();
            drawn = draw;
        }
        return numbers;
    }

    /** Frees the numbers; they are drawn again when they are asked for. */
    void close() {
        if (numbers != null) {
            numbers.close();
            numbers = null;
        }
    }
}
