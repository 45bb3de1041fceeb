package universality.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import universality.data.Dtype;
import universality.tensor.Kernel;

/**
 * Brings the weights of a checkpoint to the device by way of one small buffer. Of a whole array of Java's, the engine would make its
 * tensor in direct memory, of which there is as little as heap; and a system clears every page of memory that is asked for.
 */
final class WeightLoader {
    private static final int PART = 1 << 20; // elements

    private final NDManager manager;
    private final Kernel kernel;
    private final CheckpointWeights source;
    private final ByteBuffer bytes =
            ByteBuffer.allocateDirect(Float.BYTES * PART).order(ByteOrder.nativeOrder());
    private final FloatBuffer part = bytes.asFloatBuffer();

    /**
     * A loader.
     *
     * @param manager owner of the weights
     * @param kernel of the model's family
     */
    WeightLoader(NDManager manager, Kernel kernel, CheckpointWeights source) {
        this.manager = manager;
        this.kernel = kernel;
        this.source = source;
    }

    /**
     * A weight, or zeros where the config asks for none in the file.
     *
     * @param type F32, or BF16, to which its values are rounded
     */
    NDArray load(String name, Dtype type, long... shape) {
        NDArray weight;
        try (NDArray like = manager.zeros(new Shape(1))) {
            weight = kernel.call(manager, "zeros", shape, type, like).singletonOrThrow();
        }
        if (source.config().weights().containsKey(name)) {
            long[] placed = {0};
            source.read(
                    name,
                    values -> {
                        while (values.hasRemaining()) {
                            int taken = Math.min(values.remaining(), part.remaining());
                            part.put(part.position(), values, values.position(), taken)
                                    .position(part.position() + taken);
                            values.position(values.position() + taken);
                            if (!part.hasRemaining()) {
                                placed[0] += place(weight, placed[0]);
                            }
                        }
                    },
                    shape);
            place(weight, placed[0]);
        }
        return weight;
    }

    /** What has been gathered becomes the weight's elements from number {@code at} on. Returns how many these are. */
    private int place(NDArray weight, long at) {
        int count = part.position();
        if (count > 0) {
            bytes.limit(Float.BYTES * count);
            try (NDManager scope = manager.newSubManager();
                    NDArray values = scope.create(bytes, new Shape(count), DataType.FLOAT32)) {
                kernel.call(scope, "place", weight, values, at);
            }
            bytes.clear();
            part.clear();
        }
        return count;
    }
}
