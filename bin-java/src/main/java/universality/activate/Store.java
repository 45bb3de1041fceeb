package universality.activate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.List;
import universality.data.ActivationFolder;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.model.ModelConfig;
import universality.tensor.Kernel;

/** The stored activations of all layers, one file each; nothing if none are wanted. The caller closes it. */
final class Store implements AutoCloseable {
    private final List<LayerWriter> layers = new ArrayList<>();
    private final Dtype dtype;
    private final Kernel kernel;

    Store(OutputFolder folder, ModelConfig config, long kept, Dtype dtype, Kernel kernel) {
        this.dtype = dtype;
        this.kernel = kernel;
        for (int layer = 0; dtype != null && layer < config.layers(); layer++) {
            String name = ActivationFolder.layerFile(layer);
            layers.add(new LayerWriter(folder.file(name), layer, kept, config.dMlp(), dtype));
        }
    }

    /** Appends hook_post F32 [n, d_mlp]. Not modified. */
    void add(NDManager scope, int layer, NDArray post) {
        if (layers.isEmpty()) {
            return;
        }
        layers.get(layer)
                .add(dtype == Dtype.F16 ? kernel.call(scope, "half", post).singletonOrThrow() : post);
    }

    @Override
    public void close() {
        layers.forEach(LayerWriter::close);
    }
}
