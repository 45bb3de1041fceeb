package universality.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import universality.data.CheckpointFolder;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.SafetensorsFile;
import universality.data.TensorFile;
import universality.data.ToolException;
import universality.data.TorchFile;

/**
 * Weights of a checkpoint by their Hugging Face names, with or without the family's prefix ({@code transformer.}, {@code
 * gpt_neox.}) in the file; from safetensors or PyTorch files, whole or in shards. Plain Java: no engine is started. The caller closes it.
 */
public final class CheckpointWeights implements AutoCloseable {
    private static final String INDEX = ".index.json";

    /** In order of preference, as Hugging Face's own library does. */
    private static final List<String> FORMATS =
            List.of("model.safetensors", "model.safetensors" + INDEX, "pytorch_model.bin", "pytorch_model.bin" + INDEX);

    private static final String LFS_POINTER = "version https://git-lfs";

    private final ModelConfig config;
    private final TensorNames names;
    private final Path folder;
    private final Map<String, TensorFile> files = new LinkedHashMap<>();
    private final Map<String, TensorFile> tensors = new TreeMap<>(); // by the name in the file
    private String index;

    private CheckpointWeights(ModelConfig config, Path folder) {
        this.config = config;
        this.names = config.names();
        this.folder = folder;
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
        CheckpointWeights weights = new CheckpointWeights(ModelConfig.read(Json.read(json), json.toString()), folder);
        try {
            weights.openFiles();
            return weights;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private void openFiles() {
        String format = FORMATS.stream()
                .filter(name -> Files.exists(folder.resolve(name)))
                .findFirst()
                .orElseThrow(() -> ToolException.missing(
                        "%s has no weights: one of %s was expected", folder, String.join(", ", FORMATS)));
        if (format.endsWith(INDEX)) {
            index = format;
            openShards();
        } else {
            TensorFile file = openFile(format);
            file.names().forEach(name -> tensors.put(name, file));
        }
    }

    private void openShards() {
        JsonNode map = Json.read(folder.resolve(index)).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw ToolException.badData("%s has no weight_map from tensors to files", folder.resolve(index));
        }
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String shard = entry.getValue().asText();
            if (!shard.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
                throw ToolException.badData(
                        "%s says that tensor '%s' is in '%s', which is not the name of a file beside it",
                        folder.resolve(index), entry.getKey(), shard);
            }
            TensorFile file = files.containsKey(shard) ? files.get(shard) : openFile(shard);
            if (!file.names().contains(entry.getKey())) {
                throw ToolException.badData(
                        "%s says that tensor '%s' is in %s, but it is not",
                        folder.resolve(index), entry.getKey(), shard);
            }
            tensors.put(entry.getKey(), file);
        }
    }

    private TensorFile openFile(String name) {
        Path path = folder.resolve(name);
        requireContent(path);
        TensorFile file = name.endsWith(".safetensors") ? SafetensorsFile.open(path) : TorchFile.open(path);
        files.put(name, file);
        return file;
    }

    /** A clone made without Git LFS has small text files in place of the weights. */
    private static void requireContent(Path path) {
        try {
            if (Files.isRegularFile(path)
                    && Files.size(path) < 1024
                    && Files.readString(path, StandardCharsets.ISO_8859_1).startsWith(LFS_POINTER)) {
                throw ToolException.badData(
                        "%s is a Git LFS pointer, not the file itself: run 'git lfs pull' in its folder", path);
            }
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, path + " cannot be read: " + e.getMessage(), e);
        }
    }

    public ModelConfig config() {
        return config;
    }

    /** Names of the files that hold the weights, with the index where there is one. */
    public Collection<String> files() {
        List<String> names = new ArrayList<>(files.keySet());
        if (index != null) {
            names.add(index);
        }
        return names;
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
        files.values().forEach(TensorFile::close);
    }
}
