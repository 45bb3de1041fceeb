package universality.model;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import universality.data.CheckpointFolder;
import universality.data.Json;
import universality.data.TensorFile;
import universality.data.ToolException;
import universality.data.WeightFiles;

/**
 * Weights of a checkpoint by their Hugging Face names, with or without the {@code transformer.} prefix in the file; from
 * safetensors or PyTorch files, whole or in shards. Plain Java: no engine is started. The caller closes it.
 */
public final class CheckpointWeights implements AutoCloseable {
    private static final String PREFIX = "transformer.";
    /** Constants that old versions of the library stored with the weights: the causal mask and the number that masks. */
    private static final Pattern BUFFER = Pattern.compile("h\\.\\d+\\.attn\\.(bias|masked_bias)");

    private final ModelConfig config;
    private final Path folder;
    private final WeightFiles files;
    private final Map<String, TensorFile> tensors; // by the name in the file

    private CheckpointWeights(ModelConfig config, Path folder) {
        this.config = config;
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
        return tensors.containsKey(name) || tensors.containsKey(PREFIX + name);
    }

    /**
     * Checks that every weight of the architecture is there with the shape that the config asks for. Values are not read.
     *
     * @throws ToolException (bad data) naming the tensor and both shapes
     */
    public void checkShapes() {
        config.weights().forEach(this::stored);
    }

    /** Tensors that this architecture has no use for, by their names in the file; constants stored as buffers are none. */
    public List<String> unexpected() {
        Collection<String> known = new TreeSet<>(config.weights().keySet());
        known.add("lm_head.weight"); // stored by some although it is the token embedding
        return tensors.keySet().stream()
                .filter(stored -> {
                    String name = stored.startsWith(PREFIX) ? stored.substring(PREFIX.length()) : stored;
                    return !known.contains(name) && !BUFFER.matcher(name).matches();
                })
                .toList();
    }

    /**
     * A tensor as F32, row-major; half-precision weights are widened exactly. Every value is finite.
     *
     * @param name without the {@code transformer.} prefix
     * @param shape the shape that the config asks for
     * @throws ToolException (bad data) naming the tensor and both shapes if it is absent, of another shape, or not finite
     */
    public float[] read(String name, long... shape) {
        String stored = stored(name, shape);
        TensorFile file = tensors.get(stored);
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

    /** The name in the file of a tensor that must be there with this shape. */
    private String stored(String name, long... shape) {
        String stored = tensors.containsKey(name) ? name : PREFIX + name;
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
