package universality.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The weights of a folder in Hugging Face layout: safetensors or PyTorch files, whole or in shards with an index. Symbolic
 * links are followed, for the files of a Hugging Face cache are links; but what an index names lies beside it. The caller
 * closes it.
 */
public final class WeightFiles implements AutoCloseable {
    private static final String INDEX = ".index.json";

    /** In order of preference, as Hugging Face's own library does. */
    private static final List<String> FORMATS =
            List.of("model.safetensors", "model.safetensors" + INDEX, "pytorch_model.bin", "pytorch_model.bin" + INDEX);

    /** A hundred thousand tensors take about ten million. */
    private static final long MOST_INDEX_BYTES = 1 << 25;

    private static final String LFS_POINTER = "version https://git-lfs";

    private final Path folder;
    private final List<String> names = new ArrayList<>();
    private final List<TensorFile> files = new ArrayList<>();
    private final Map<String, TensorFile> tensors = new TreeMap<>();

    private WeightFiles(Path folder) {
        this.folder = folder;
    }

    /**
     * Opens the weights of {@code folder}.
     *
     * @throws ToolException if there are none in a supported format, or a file is missing, malformed or not as the index says
     */
    public static WeightFiles open(Path folder) {
        String format = FORMATS.stream()
                .filter(name -> Files.exists(folder.resolve(name)))
                .findFirst()
                .orElseThrow(() -> ToolException.missing(
                        "%s has no weights: one of %s was expected", folder, String.join(", ", FORMATS)));
        WeightFiles weights = new WeightFiles(folder);
        try {
            if (format.endsWith(INDEX)) {
                weights.openShards(folder.resolve(format));
                weights.names.add(format);
            } else {
                weights.openFile(format);
            }
            return weights;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** Opens the shards that {@code index} names and checks that each holds the very tensors that it says. */
    private void openShards(Path index) {
        Map<String, String> shards = weightMap(index);
        for (String shard : new TreeSet<>(shards.values())) {
            for (String tensor : openFile(shard).names()) {
                String listed = shards.get(tensor);
                if (!shard.equals(listed)) {
                    throw ToolException.badData(
                            "tensor '%s' is in %s, but %s %s: fetch both again",
                            tensor,
                            folder.resolve(shard),
                            index.getFileName(),
                            listed == null ? "does not list it" : "says that it is in " + listed);
                }
            }
        }
        shards.forEach((tensor, shard) -> {
            if (!tensors.containsKey(tensor)) {
                throw ToolException.badData("%s says that tensor '%s' is in %s, but it is not", index, tensor, shard);
            }
        });
    }

    /** File name by tensor. */
    private static Map<String, String> weightMap(Path index) {
        requireSize(index);
        JsonNode map = Json.read(index).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw ToolException.badData("%s has no weight_map from tensors to files", index);
        }
        Map<String, String> shards = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String shard = entry.getValue().isTextual() ? entry.getValue().textValue() : "";
            if (!shard.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,200}\\.(safetensors|bin)")) {
                throw ToolException.badData(
                        "%s says that tensor '%s' is in '%s'; the name of a .safetensors or .bin file beside it was expected",
                        index, entry.getKey(), entry.getValue().asText());
            }
            shards.put(entry.getKey(), shard);
        }
        return shards;
    }

    private static void requireSize(Path index) {
        try {
            if (Files.size(index) > MOST_INDEX_BYTES) {
                throw ToolException.badData(
                        "%s has %d bytes; an index of at most %d was expected",
                        index, Files.size(index), MOST_INDEX_BYTES);
            }
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, index + " cannot be read: " + e.getMessage(), e);
        }
    }

    private TensorFile openFile(String name) {
        Path path = folder.resolve(name);
        requireContent(path);
        TensorFile file = name.endsWith(".safetensors") ? SafetensorsFile.open(path) : TorchFile.open(path);
        names.add(name);
        files.add(file);
        file.names().forEach(tensor -> tensors.put(tensor, file));
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

    /** Names of the files, those with tensors first, the index, where there is one, last. */
    public List<String> names() {
        return Collections.unmodifiableList(names);
    }

    /** By the name of a tensor the file that holds it; sorted. */
    public Map<String, TensorFile> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public void close() {
        files.forEach(TensorFile::close);
    }
}
