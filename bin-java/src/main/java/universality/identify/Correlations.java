package universality.identify;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import universality.data.CheckpointName;
import universality.data.Ids;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.NeuronShape;
import universality.data.ToolException;

/**
 * The pairs in one or several folders of {@code correlate}, all of one family, step and control. Tables are read on demand,
 * one at a time, because all of a study's together need not fit into memory.
 */
final class Correlations {
    private static final String SUMMARY = "summary.json";
    private static final List<String> SETTINGS = List.of("baseline_draws", "baseline_seed", "precision");

    private record Source(Path folder, Manifest manifest) {}

    private final List<Source> sources = new ArrayList<>();
    private final SortedMap<String, Map<String, Source>> pairs = new TreeMap<>();
    private final Map<String, CheckpointName> checkpoints = new HashMap<>();
    private final Set<Long> kept = new TreeSet<>();

    private Correlations() {}

    /**
     * Lists the pairs of {@code folders}.
     *
     * @throws ToolException if a folder is no complete result of {@code correlate}, folders are of different families, steps
     *     or tokens, or a pair occurs twice
     */
    static Correlations read(List<Path> folders) {
        Correlations all = new Correlations();
        for (Path folder : folders) {
            all.add(folder);
        }
        return all;
    }

    /** The folders by the control they were made for; {@code none} are the correlations themselves. */
    static SortedMap<String, List<Path>> byControl(List<Path> folders) {
        SortedMap<String, List<Path>> byControl = new TreeMap<>();
        for (Path folder : folders) {
            String control = Manifest.read(folder, "correlate").parameterOr("control", "none");
            byControl.computeIfAbsent(control, name -> new ArrayList<>()).add(folder);
        }
        return byControl;
    }

    private void add(Path folder) {
        Source source = new Source(folder, Manifest.read(folder, "correlate"));
        if (!sources.isEmpty()) {
            Source first = sources.get(0);
            mustAgree(
                    first,
                    source,
                    "family",
                    first.manifest().parameter("family"),
                    source.manifest().parameter("family"));
            mustAgree(
                    first,
                    source,
                    "step",
                    first.manifest().parameter("step"),
                    source.manifest().parameter("step"));
            mustAgree(
                    first,
                    source,
                    "tokens",
                    first.manifest().inputDigest("tokens").orElse(null),
                    source.manifest().inputDigest("tokens").orElse(null));
        }
        sources.add(source);
        for (Manifest.FileEntry file : source.manifest().files()) {
            addPair(source, file.path());
        }
        if (source.manifest().files().stream().anyMatch(f -> f.path().equals(SUMMARY))) {
            readSummary(source.manifest().verified(folder, SUMMARY));
        }
    }

    private static void mustAgree(Source first, Source source, String what, String expected, String found) {
        if (expected != null && found != null && !expected.equals(found)) {
            throw ToolException.badData(
                    "%s has the %s '%s', but %s has '%s': give correlations of one family and step on the same tokens",
                    source.folder(), what, found, first.folder(), expected);
        }
    }

    /**
     * Requires that results of single checkpoints are those that were correlated.
     *
     * @param role of the correlations' inputs: {@code activations}, or {@code checkpoint} where the models were run
     * @param digests of what a result was made from (or is), by checkpoint: of its activations, or of the checkpoint
     * @throws ToolException if a digest is not the one that a folder of correlations records
     */
    void require(String what, String role, Map<String, String> digests) {
        for (Source source : sources) {
            for (Manifest.Input input : source.manifest().inputs()) {
                String given = digests.get(input.id());
                if (input.role().equals(role) && given != null && !given.equals(input.digest())) {
                    throw ToolException.badData(
                            "%s of '%s' are of other %s (digest %.12s) than %s (%.12s): give those of the same run",
                            what,
                            input.id(),
                            role.equals("checkpoint") ? "weights" : role,
                            given,
                            source.folder(),
                            input.digest());
                }
            }
        }
    }

    /** Digest of the tokens, where the folders record one. */
    Optional<String> tokens() {
        return sources.get(0).manifest().inputDigest("tokens");
    }

    private void addPair(Source source, String path) {
        if (!path.endsWith(".csv") || path.endsWith(".self.csv")) {
            return;
        }
        String[] ids = path.substring(0, path.length() - 4).split("__", -1);
        if (ids.length != 2 || !Ids.isValid(ids[0]) || !Ids.isValid(ids[1])) {
            return; // some other table
        }
        if (ids[0].equals(ids[1])) {
            throw ToolException.badData(
                    "%s correlates %s with itself", source.folder().resolve(path), ids[0]);
        }
        Source before = pairs.computeIfAbsent(ids[0], id -> new TreeMap<>()).put(ids[1], source);
        if (before != null) {
            throw ToolException.badData(
                    "the pair %s is in %s and in %s: give it once", path, before.folder(), source.folder());
        }
    }

    private void readSummary(Path file) {
        JsonNode summary = Json.read(file);
        for (JsonNode pair : summary.path("pairs")) {
            if (pair.path("kept").canConvertToLong()) {
                kept.add(pair.path("kept").longValue());
            }
        }
        for (JsonNode node : summary.path("checkpoints")) {
            CheckpointName checkpoint = CheckpointName.of(node, file);
            checkpoints.put(checkpoint.id(), checkpoint);
        }
    }

    String family() {
        return sources.get(0).manifest().parameter("family");
    }

    long step() {
        return sources.get(0).manifest().integer("step");
    }

    /** Every checkpoint that is on either side of a pair. */
    SortedSet<String> ids() {
        SortedSet<String> ids = new TreeSet<>(pairs.keySet());
        pairs.values().forEach(others -> ids.addAll(others.keySet()));
        return ids;
    }

    /** Checkpoints that have a table of their own with some other. */
    SortedSet<String> references() {
        return new TreeSet<>(pairs.keySet());
    }

    /** The checkpoints that {@code a} has a table with. */
    SortedSet<String> others(String a) {
        return new TreeSet<>(pairs.getOrDefault(a, Map.of()).keySet());
    }

    /**
     * Reads and verifies the table of an ordered pair.
     *
     * @throws ToolException (missing) if no folder has it
     */
    PairTable table(String a, String b) {
        Source source = pairs.getOrDefault(a, Map.of()).get(b);
        String name = a + "__" + b + ".csv";
        if (source == null) {
            throw ToolException.missing(
                    "no folder of --correlations has %s: every ordered pair of %s is needed", name, ids());
        }
        return PairTable.read(source.manifest().verified(source.folder(), name));
    }

    /**
     * Reads the sums by groups of an ordered pair.
     *
     * @return {@code null} where the pair was correlated without
     */
    GroupSums sums(String a, NeuronShape shapeA, String b, NeuronShape shapeB) {
        Source source = pairs.get(a).get(b);
        String name = a + "__" + b + ".candidates.safetensors";
        if (source.manifest().files().stream().noneMatch(file -> file.path().equals(name))) {
            return null;
        }
        return GroupSums.read(
                source.manifest().verified(source.folder(), name),
                source.manifest().verified(source.folder(), a + ".groups.safetensors"),
                shapeA,
                source.manifest().verified(source.folder(), b + ".groups.safetensors"),
                shapeB);
    }

    /** What a summary says about a checkpoint, if any does. */
    Optional<CheckpointName> checkpoint(String id) {
        return Optional.ofNullable(checkpoints.get(id));
    }

    /** Kept token positions, where the summaries tell and agree. */
    Optional<Long> kept() {
        return kept.size() == 1 ? Optional.of(kept.iterator().next()) : Optional.empty();
    }

    List<Manifest> manifests() {
        return sources.stream().map(Source::manifest).toList();
    }

    /** How the products were computed; undefined where no folder tells. */
    String precision() {
        SortedSet<String> found = new TreeSet<>();
        manifests().forEach(manifest -> found.add(manifest.parameterOr("precision", "")));
        found.remove("");
        return found.isEmpty() ? null : String.join(", ", found);
    }

    /** Where the activations came from: {@code stored}, {@code live}, or both. */
    String activations() {
        SortedSet<String> found = new TreeSet<>();
        manifests().forEach(manifest -> found.add(manifest.parameterOr("activations", "stored")));
        return String.join(", ", found);
    }

    /** A line for each setting in which the folders differ though their results are averaged. */
    List<String> differences() {
        List<String> lines = new ArrayList<>();
        for (String setting : SETTINGS) {
            Set<String> values = new TreeSet<>();
            manifests().forEach(manifest -> values.add(manifest.parameterOr(setting, "unknown")));
            if (values.size() > 1) {
                lines.add("correlations were made with different " + setting + ": " + String.join(", ", values));
            }
        }
        return lines;
    }
}
