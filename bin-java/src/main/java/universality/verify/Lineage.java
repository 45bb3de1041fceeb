package universality.verify;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import universality.data.Manifest;

/** Which digests the results that are here have, under the names by which manifests call their inputs. */
final class Lineage {
    /** The stages that write what is read in a role; other roles have a stage's name or are no results. */
    private static final Map<String, List<String>> STAGES = Map.of(
            "correlations", List.of("correlate"),
            "control", List.of("correlate"),
            "self", List.of("correlate"),
            "checkpoint", List.of("train", "fetch"),
            "activations", List.of("activate"),
            "descriptions", List.of("describe"),
            "neurons", List.of("identify"),
            "dataset", List.of("fetch"));

    /** Inputs that are one file of a folder: its name begins as the folder or the file is called. */
    private static final String TOKENS = "tokens.safetensors";

    private static final String TABLE = ".csv";

    private final Map<String, Set<String>> digests = new HashMap<>();

    void add(Manifest manifest) {
        add(manifest.stage(), manifest.id(), manifest.contentDigest());
        for (Manifest.FileEntry file : manifest.files()) {
            if (file.path() == null || file.sha256() == null) {
                continue;
            }
            if (manifest.stage().equals("tokenize") && file.path().equals(TOKENS)) {
                add("tokens", manifest.id(), file.sha256());
            }
            if (manifest.stage().equals("identify") && file.path().endsWith(TABLE)) {
                String table = file.path().substring(0, file.path().length() - TABLE.length());
                add("identify", table, file.sha256());
            }
        }
    }

    private void add(String stage, String id, String digest) {
        digests.computeIfAbsent(stage + "/" + id, key -> new TreeSet<>()).add(digest);
    }

    /** Digests of what is here under the name of {@code input}; empty where nothing is. */
    Set<String> digests(Manifest.Input input) {
        Set<String> found = new TreeSet<>();
        if (input.role() == null || input.role().equals("tokens")) {
            // by the digest of the rows, not of their folder
            return digests.getOrDefault("tokens/" + input.id(), found);
        }
        for (String stage : STAGES.getOrDefault(input.role(), List.of(input.role()))) {
            found.addAll(digests.getOrDefault(stage + "/" + input.id(), Set.of()));
        }
        return found;
    }
}
