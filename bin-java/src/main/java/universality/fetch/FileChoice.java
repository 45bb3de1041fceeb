package universality.fetch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.PatternSyntaxException;
import universality.data.Json;
import universality.data.ToolException;

/** Which files of a repository are needed, sorted by path. */
final class FileChoice {
    private static final String INDEX = ".index.json";
    /** In order of preference, as Hugging Face's own library does. */
    private static final List<String> WEIGHTS =
            List.of("model.safetensors", "model.safetensors" + INDEX, "pytorch_model.bin", "pytorch_model.bin" + INDEX);

    /** What {@code tokenize} reads, but for plain .json, which in a dataset's repository describes it. */
    static final List<String> TEXTS = List.of(
            ".parquet",
            ".jsonl",
            ".jsonl.zst",
            ".jsonl.gz",
            ".ndjson",
            ".json.zst",
            ".json.gz",
            ".txt",
            ".txt.zst",
            ".txt.gz");

    private static final int MOST_NAMED = 20;

    private final String where;
    private final Map<String, RemoteFile> files = new TreeMap<>();

    /** @param where what the files are those of, for messages */
    FileChoice(String where, List<RemoteFile> files) {
        this.where = where;
        files.forEach(file -> this.files.put(file.path(), file));
    }

    /**
     * A model's config, weights in the best format there is, and tokenizer files.
     *
     * @param content reads a small file; empty where that cannot be done now, and shards are then known by their names
     * @throws ToolException (missing) if there is no config or no weights, naming the files there are
     */
    List<RemoteFile> model(Function<RemoteFile, Optional<byte[]>> content) {
        List<RemoteFile> chosen = new ArrayList<>();
        if (!files.containsKey("config.json")) {
            throw ToolException.missing("%s has no config.json; it has %s", where, names());
        }
        chosen.add(files.get("config.json"));
        String weights = WEIGHTS.stream()
                .filter(files::containsKey)
                .findFirst()
                .orElseThrow(() -> ToolException.missing(
                        "%s has no weights: one of %s was expected, but it has %s",
                        where, String.join(", ", WEIGHTS), names()));
        chosen.add(files.get(weights));
        if (weights.endsWith(INDEX)) {
            chosen.addAll(shards(weights, content.apply(files.get(weights))));
        }
        for (String name : LocalCheckpoint.OPTIONAL) {
            if (files.containsKey(name)) {
                chosen.add(files.get(name));
            }
        }
        chosen.sort(Comparator.comparing(RemoteFile::path));
        return chosen;
    }

    private List<RemoteFile> shards(String index, Optional<byte[]> content) {
        if (content.isEmpty()) {
            String name = index.substring(0, index.length() - INDEX.length());
            int dot = name.lastIndexOf('.');
            String pattern = "\\Q" + name.substring(0, dot) + "\\E-\\d+-of-\\d+\\Q" + name.substring(dot) + "\\E";
            return files.values().stream()
                    .filter(file -> file.path().matches(pattern))
                    .toList();
        }
        List<RemoteFile> shards = new ArrayList<>();
        for (String shard : shardNames(index, content.get())) {
            RemoteFile file = files.get(shard);
            if (file == null) {
                throw ToolException.missing(
                        "%s has no '%s', which its %s names; it has %s",
                        where, RemoteFile.printable(shard), index, names());
            }
            shards.add(file);
        }
        return shards;
    }

    private TreeSet<String> shardNames(String index, byte[] content) {
        TreeSet<String> names = new TreeSet<>();
        try {
            JsonNode map = Json.mapper().readTree(content).path("weight_map");
            map.forEach(node -> names.add(node.asText()));
        } catch (JsonProcessingException e) {
            throw ToolException.badData("%s: %s is not JSON: %s", where, index, e.getOriginalMessage());
        } catch (IOException e) {
            throw ToolException.badData("%s: %s cannot be read: %s", where, index, e.getMessage());
        }
        if (names.isEmpty()) {
            throw ToolException.badData("%s: %s has no weight_map from tensors to files", where, index);
        }
        return names;
    }

    /**
     * A dataset's files of text.
     *
     * @param include globs of paths, or of names where they have no slash; none means all
     * @throws ToolException (missing) if there are none, naming the files there are; (usage) if a glob is none
     */
    List<RemoteFile> dataset(List<String> include) {
        List<RemoteFile> texts = files.values().stream()
                .filter(file -> TEXTS.stream().anyMatch(file.path()::endsWith))
                .toList();
        if (texts.isEmpty()) {
            throw ToolException.missing(
                    "%s has no file that ends in %s; it has %s", where, String.join(", ", TEXTS), names());
        }
        List<PathMatcher> globs = include.stream().map(FileChoice::glob).toList();
        List<RemoteFile> chosen = texts.stream()
                .filter(file ->
                        globs.isEmpty() || globs.stream().anyMatch(glob -> glob.matches(Path.of("/" + file.path()))))
                .toList();
        if (chosen.isEmpty()) {
            throw ToolException.missing(
                    "%s: no file of text matches --include %s; there are %s",
                    where,
                    String.join(", ", include),
                    listed(texts.stream().map(RemoteFile::path).toList()));
        }
        return chosen;
    }

    private static PathMatcher glob(String pattern) {
        try {
            return FileSystems.getDefault()
                    .getPathMatcher("glob:" + (pattern.contains("/") ? "/" : "/{**/,}") + pattern);
        } catch (PatternSyntaxException e) {
            throw ToolException.usage("--include '%s' is no glob: %s", pattern, e.getDescription());
        }
    }

    private String names() {
        return files.isEmpty() ? "no files" : listed(List.copyOf(files.keySet()));
    }

    private static String listed(List<String> names) {
        String first = String.join(
                ", ",
                names.stream().limit(MOST_NAMED).map(RemoteFile::printable).toList());
        return names.size() > MOST_NAMED ? first + " and " + (names.size() - MOST_NAMED) + " more" : first;
    }
}
