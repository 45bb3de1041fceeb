package universality.activate;

import ai.djl.ndarray.NDArray;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import universality.data.Dtype;
import universality.data.SafetensorsWriter;
import universality.data.ToolException;

/** Stores the activations of one layer, block by block, as F32 or F16. The caller closes it. */
final class LayerWriter implements AutoCloseable {
    private final SafetensorsWriter writer;
    private final int layer;
    private final int neurons;
    private final Dtype dtype;

    LayerWriter(Path file, int layer, long kept, int neurons, Dtype dtype) {
        this.layer = layer;
        this.neurons = neurons;
        this.dtype = dtype;
        this.writer = new SafetensorsWriter(file).declare("activations", dtype, kept, neurons);
    }

    /**
     * Appends a block.
     *
     * @param block [rows, neurons] on the host, of this writer's dtype
     * @throws ToolException (bad data) naming the neuron if a finite activation does not fit the dtype
     */
    void add(NDArray block) {
        ByteBuffer bytes = block.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        if (dtype == Dtype.F16) {
            checkHalf(bytes);
        }
        writer.bytes(bytes.rewind());
    }

    private void checkHalf(ByteBuffer bytes) {
        int elements = bytes.remaining() / 2;
        for (int i = 0; i < elements; i++) {
            // all exponent bits set: infinity, since what came in was finite
            if ((bytes.getShort(2 * i) & 0x7c00) == 0x7c00) {
                throw ToolException.badData(
                        "an activation of neuron %d.%d is beyond 65504, the largest half-precision number: use --dtype f32",
                        layer, i % neurons);
            }
        }
    }

    @Override
    public void close() {
        writer.close();
    }
}
