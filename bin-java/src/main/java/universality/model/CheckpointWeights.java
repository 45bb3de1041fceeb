package universality.model;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import universality.data.CheckpointFolder;
import universality.data.Json;
import universality.data.TensorFile;
import universality.data.ToolException;
import universality.data.WeightFiles;

/**
 * Weights of a checkpoint by their Hugging Face names, with or without the family's prefix ({@code transformer.}, {@code
 * gpt_neox.}) in the file; from safetensors or PyTorch files, whole or in shards. Plain Java: no engine is started. The caller closes it.
 */
public final class CheckpointWeights implements AutoCloseable {

    private final ModelConfig config;
    private final TensorNames names;
    private final Path folder;
    private final WeightFiles files;
    private final Map<String, TensorFile> tensors; // by the name in the file

    private CheckpointWeights(ModelConfig config, Path folder) {
        this.config = config;
        this.names = config.names();
        this.folder = folder;
        this.files = WeightFiles.open(folder);
        this.tensors = files.tensors();
    }

    /**
     * Opens the weights of a checkpoint.
     *
     * @throws ToolException if there are none in a supported format, or the config is not supported
     */
    public static CheckpointWeights open(CheckpointFolder checkpoint) {
        return open(checkpoint.folder());
    }

    /** {@link #open(CheckpointFolder)} for a folder in Hugging Face layout, with a manifest or without. */
    public static CheckpointWeights open(Path folder) {
        Path json = folder.resolve("config.json");
        return new CheckpointWeights(ModelConfig.read(Json.read(json), json.toString()), folder);
    }

    public ModelConfig config() {
        return config;
    }

    /** Names of the files that hold the weights, with the index where there is one. */
    public Collection<String> files() {
        return files.names();
    }

    /** Whether there is a tensor called {@code name}, such as {@code h.0.mlp.c_fc.weight} or {@code lm_head.weight}. */
    public boolean has(String name) {
        return tensors.containsKey(name) || tensors.containsKey(names.prefix() + name);
    }

    /**
     * Checks that every weight of the architecture is there with the shape that the config asks for, and no other that a layer
     * or the unembedding would compute with. Values are not read.
     *
     * @throws ToolException (bad data) naming the tensor and both shapes
     */
    public void checkShapes() {
        config.weights().forEach(this::stored);
        for (String stored : unexpected()) {
            String name = names.bare(stored);
            int layer = names.layerOf(name);
            if (layer >= config.layers()) {
                throw ToolException.badData(
                        "%s: tensor '%s' is of layer %d, but config.json has %d layers, counted from 0",
                        tensors.get(stored).path(), stored, layer, config.layers());
            }
            if (layer >= 0 || names.ofHead(name)) {
                throw ToolException.badData(
                        "%s: tensor '%s' is not of a plain %s as config.json describes it: adapters, cross-attention, quantized"
                                + " weights and other variants are not supported",
                        tensors.get(stored).path(), stored, config.type());
            }
        }
    }

    /** Tensors that this architecture has no use for, by their names in the file; constants stored as buffers are none. */
    public List<String> unexpected() {
        Collection<String> known = new TreeSet<>(config.weights().keySet());
        known.add(names.head() + TensorNames.WEIGHT); // stored by some although it is the token embedding
        return tensors.keySet().stream()
                .filter(stored -> {
                    String name = names.bare(stored);
                    return !known.contains(name)
                            && !names.buffer().matcher(name).matches();
                })
                .toList();
    }

    /** Scale and shift of the LayerNorm before the MLP, [2][d_model]. */
    public float[][] mlpNorm(int layer) {
        String name = names.block(layer) + names.norm2();
        return new float[][] {
            read(name + TensorNames.WEIGHT, config.dModel()), read(name + TensorNames.BIAS, config.dModel())
        };
    }

    /** What the neurons of a layer read, w_in, [d_model, d_mlp] row-major in every family. */
    public float[] mlpIn(int layer) {
        return projection(names.block(layer) + names.mlpIn(), config.dModel(), config.dMlp());
    }

    /** Biases of the neurons of a layer, [d_mlp]. */
    public float[] mlpBias(int layer) {
        return read(names.block(layer) + names.mlpIn() + TensorNames.BIAS, config.dMlp());
    }

    /** What the neurons of a layer write, w_out, [d_mlp, d_model] row-major in every family. */
    public float[] mlpOut(int layer) {
        return projection(names.block(layer) + names.mlpOut(), config.dMlp(), config.dModel());
    }

    private float[] projection(String name, int in, int out) {
        if (!names.outputsFirst()) {
            return read(name + TensorNames.WEIGHT, in, out);
        }
        float[] stored = read(name + TensorNames.WEIGHT, out, in);
        float[] turned = new float[stored.length];
        for (int row = 0; row < out; row++) {
            for (int column = 0; column < in; column++) {
                turned[column * out + row] = stored[row * in + column];
            }
        }
        return turned;
    }

    /**
     * A tensor as F32, row-major; half-precision weights are widened exactly. Every value is finite.
     *
     * @param name without the family's prefix
     * @param shape the shape that the config asks for
     * @throws ToolException (bad data) naming the tensor and both shapes if it is absent, of another shape, or not finite
     */
    public float[] read(String name, long... shape) {
        String stored = stored(name, shape);
        TensorFile file = tensors.get(stored);
        float[] values = file.floats(stored);
        checkFinite(file, stored, FloatBuffer.wrap(values), 0);
        return values;
    }

    /** {@link #read(String, long...)} a part at a time, in order; {@code taker} as in {@link TensorFile#floats(String, Consumer)}. */
    public void read(String name, Consumer<FloatBuffer> taker, long... shape) {
        String stored = stored(name, shape);
        TensorFile file = tensors.get(stored);
        long[] taken = {0};
        file.floats(stored, values -> {
            checkFinite(file, stored, values, taken[0]);
            taken[0] += values.remaining();
            taker.accept(values);
        });
    }

    private static void checkFinite(TensorFile file, String stored, FloatBuffer values, long first) {
        for (int i = values.position(); i < values.limit(); i++) {
            if (!Float.isFinite(values.get(i))) {
                throw ToolException.badData(
                        "%s: tensor '%s' holds %s at element %d; weights must be finite",
                        file.path(), stored, values.get(i), first + i - values.position());
            }
        }
    }

    /** The name in the file of a tensor that must be there with this shape. */
    private String stored(String name, long... shape) {
        String stored = tensors.containsKey(name) ? name : names.prefix() + name;
        TensorFile file = tensors.get(stored);
        if (file == null) {
            throw ToolException.badData(
                    "%s: there is no tensor '%s'; config.json asks for it, with shape %s",
                    folder.resolve(files().iterator().next()), name, Arrays.toString(shape));
        }
        if (!Arrays.equals(file.shape(stored), shape)) {
            throw ToolException.badData(
                    "%s: tensor '%s' has shape %s, but config.json asks for %s",
                    file.path(), stored, Arrays.toString(file.shape(stored)), Arrays.toString(shape));
        }
        return stored;
    }

    @Override
    public void close() {
        files.close();
    }
}
