package universality.activate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import universality.data.ActivationFolder;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;
import universality.model.ModelConfig;

/**
 * The stored activations of all layers, one file each, written (and hashed) by a thread of their own while the next ones are
 * computed. Closing it without {@link #finish} gives up what is not yet written.
 */
final class Store implements AutoCloseable {
    /** Blocks that may wait to be written: one being written and the next one. */
    static final int WAITING = 2;

    private final OutputFolder folder;
    private final NDManager manager;
    private final List<SafetensorsWriter> layers = new ArrayList<>();
    private final BackgroundWork work = new BackgroundWork("activations", WAITING);

    /** @param manager of the device; owns the blocks that wait */
    Store(OutputFolder folder, NDManager manager, ModelConfig config, long kept, Dtype dtype) {
        this.folder = folder;
        this.manager = manager;
        for (int layer = 0; dtype != null && layer < config.layers(); layer++) {
            layers.add(new SafetensorsWriter(folder.file(ActivationFolder.layerFile(layer)))
                    .hashing()
                    .declare("activations", dtype, kept, config.dMlp()));
        }
    }

    /**
     * Appends a block, which becomes the store's own.
     *
     * @param block [n, d_mlp] in the type of the store; {@code null} where nothing is stored
     * @throws universality.data.ToolException (cannot write) if this block or one before could not be written
     */
    void add(int layer, NDArray block) {
        if (block == null) {
            return;
        }
        NDManager own = manager.newSubManager();
        block.attach(own);
        work.submit(() -> {
            try (own) {
                ByteBuffer bytes = block.toByteBuffer(true);
                layers.get(layer).bytes(bytes.rewind());
            }
        });
    }

    /**
     * Waits until everything is written.
     *
     * @throws universality.data.ToolException (cannot write) if something could not be
     */
    void finish() {
        work.finish();
        for (int layer = 0; layer < layers.size(); layer++) {
            SafetensorsWriter writer = layers.get(layer);
            writer.close();
            folder.digest(ActivationFolder.layerFile(layer), writer.sha256());
        }
        layers.clear();
    }

    @Override
    public void close() {
        work.close();
        layers.forEach(SafetensorsWriter::abandon);
    }
}
