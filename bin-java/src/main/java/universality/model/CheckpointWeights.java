package universality.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import universality.data.CheckpointFolder;
import universality.data.SafetensorsFile;
import universality.data.ToolException;

/**
 * Weights of a checkpoint by their Hugging Face names, with or without the {@code transformer.} prefix in the file. Plain
 * Java: no engine is started. The caller closes it.
 */
public final class CheckpointWeights implements AutoCloseable {
    private static final String PREFIX = "transformer.";

    private final ModelConfig config;
    private final SafetensorsFile file;

    private CheckpointWeights(ModelConfig config, SafetensorsFile file) {
        this.config = config;
        this.file = file;
    }

    /**
     * Opens the weights of a checkpoint.
     *
     * @throws ToolException if there are none in a supported format, or the config is not supported
     */
    public static CheckpointWeights open(CheckpointFolder checkpoint) {
        ModelConfig config = ModelConfig.read(
                checkpoint.config(), checkpoint.folder().resolve("config.json").toString());
        Path path = checkpoint.folder().resolve("model.safetensors");
        if (!Files.exists(path)) {
            throw ToolException.missing("%s has no model.safetensors", checkpoint.folder());
        }
        return new CheckpointWeights(config, SafetensorsFile.open(path));
    }

    public ModelConfig config() {
        return config;
    }

    /** Whether there is a tensor called {@code name}, such as {@code h.0.mlp.c_fc.weight} or {@code lm_head.weight}. */
    public boolean has(String name) {
        return file.tensors().containsKey(name) || file.tensors().containsKey(PREFIX + name);
    }

    /**
     * A tensor as F32, row-major; half-precision weights are widened exactly. Every value is finite.
     *
     * @param name without the {@code transformer.} prefix
     * @param shape the shape that the config asks for
     * @throws ToolException (bad data) naming the tensor and both shapes if it is absent, of another shape, or not finite
     */
    public float[] read(String name, long... shape) {
        String stored = file.tensors().containsKey(name) ? name : PREFIX + name;
        SafetensorsFile.Tensor tensor = file.tensor(stored);
        if (!Arrays.equals(tensor.shape(), shape)) {
            throw ToolException.badData(
                    "%s: tensor '%s' has shape %s, but config.json asks for %s",
                    file.path(), stored, tensor.shapeText(), Arrays.toString(shape));
        }
        float[] values = file.floats(stored);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw ToolException.badData(
                        "%s: tensor '%s' holds %s at element %d; weights must be finite",
                        file.path(), stored, values[i], i);
            }
        }
        return values;
    }

    @Override
    public void close() {
        file.close();
    }
}
