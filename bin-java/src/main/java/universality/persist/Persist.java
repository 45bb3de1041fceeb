package universality.persist;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.data.CheckpointName;
import universality.data.CsvWriter;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.OutputFolder;
import universality.data.ToolException;

/**
 * Follows the universal sets U_ℓ(s,t) of every seed s and layer ℓ through training (Nandan et al. 2025; the definitions are
 * ours where theirs are not public, see docs/output.md). Persistence from t₁ to t₂ is |U(t₁) ∩ U(t₂)| / |U(t₁)|, undefined
 * where U(t₁) is empty; beside it stand what chance and noise would give.
 */
public final class Persist {
    private final List<Path> neurons;
    private final List<Path> selfFolders;
    private final OutputFolder out;
    private History history;

    private Persist(List<Path> neurons, List<Path> selfFolders, OutputFolder out) {
        this.neurons = neurons;
        this.selfFolders = selfFolders;
        this.out = out;
    }

    /**
     * Reads the tables, writes the results into {@code out} and commits it.
     *
     * @param neurons folders of {@code identify}, one for each step of one family
     * @param selfFolders folders of {@code correlate} with self-correlations; may be empty
     * @throws ToolException (bad data) if the folders are of different families or thresholds, of one step only, or
     *     contradict each other
     */
    public static void run(List<Path> neurons, List<Path> selfFolders, OutputFolder out) throws IOException {
        new Persist(neurons, selfFolders, out).run();
    }

    private void run() throws IOException {
        readHistory();
        Map<Path, Manifest> selfManifests = new LinkedHashMap<>();
        for (Path folder : selfFolders) {
            Manifest manifest = Manifest.read(folder, "correlate");
            selfManifests.put(folder, manifest);
            out.input("self", manifest);
        }
        SelfCorrelations self = SelfCorrelations.read(List.copyOf(selfManifests.keySet()), selfManifests, history);
        try (CsvWriter writer = new CsvWriter(out.file("emergence.csv"), Emergence.HEADER)) {
            Emergence.write(writer, history);
        }
        Map<Transitions.Steps, Transitions.Pooled> pooled;
        try (CsvWriter writer = new CsvWriter(out.file("persistence.csv"), Transitions.HEADER)) {
            pooled = new Transitions(history, self).write(writer);
        }
        try (CsvWriter writer = new CsvWriter(out.file("lifetimes.csv"), Lifetimes.HEADER)) {
            out.count("ever_universal", Lifetimes.write(writer, history));
        }
        Json.write(out.file("summary.json"), summary(pooled));
        out.parameter("family", history.family);
        out.parameter("threshold", history.threshold);
        out.parameter("leave", history.leave);
        out.parameter("steps", history.steps());
        out.parameter("seeds", List.copyOf(history.seeds()));
        history.gaps().forEach(out::warning);
        out.commit("persist", history.family);
    }

    private void readHistory() {
        Path firstFolder = neurons.get(0);
        Manifest first = Manifest.read(firstFolder, "identify");
        history = new History(first.parameter("family"), threshold(first));
        for (Path folder : neurons) {
            Manifest manifest = Manifest.read(folder, "identify");
            mustAgree(folder, "family", manifest.parameter("family"), firstFolder, history.family);
            mustAgree(folder, "threshold", manifest.parameter("threshold"), firstFolder, first.parameter("threshold"));
            readStep(folder, manifest);
            out.input("neurons", manifest);
        }
        if (history.steps().size() < 2) {
            throw ToolException.badData(
                    "persistence needs at least two steps, but --neurons has only step %s of '%s': add a checkpoint, or"
                            + " leave this stage out",
                    history.steps().get(0), history.family);
        }
        history.followHysteresis();
    }

    private static double threshold(Manifest manifest) {
        try {
            return Double.parseDouble(manifest.parameter("threshold"));
        } catch (NumberFormatException e) {
            throw ToolException.badData(
                    "parameter 'threshold' of the manifest of '%s' is '%s', not a number",
                    manifest.id(), manifest.parameter("threshold"));
        }
    }

    private static void mustAgree(Path folder, String what, String found, Path first, String expected) {
        if (!found.equals(expected)) {
            throw ToolException.badData(
                    "%s has the %s '%s', but %s has '%s': give tables of one family made with one threshold",
                    folder, what, found, first, expected);
        }
    }

    private void readStep(Path folder, Manifest manifest) {
        Path file = manifest.verified(folder, "summary.json");
        JsonNode checkpoints = Json.read(file).path("checkpoints");
        if (!checkpoints.isArray() || checkpoints.isEmpty()) {
            throw ToolException.badData("%s lists no checkpoints; rerun the stage 'identify'", file);
        }
        for (JsonNode node : checkpoints) {
            CheckpointName checkpoint = CheckpointName.of(node, file);
            history.add(
                    Snapshot.read(manifest.verified(folder, checkpoint.id() + ".csv"), checkpoint, history.threshold));
        }
    }

    private Map<String, Object> summary(Map<Transitions.Steps, Transitions.Pooled> pooled) {
        long last = history.steps().get(history.steps().size() - 1);
        List<Object> consecutive = new ArrayList<>();
        List<Object> retention = new ArrayList<>();
        pooled.forEach((steps, pool) -> {
            if (steps.consecutive()) {
                consecutive.add(entry(steps, pool));
            }
            if (steps.to() == last) {
                Map<String, Object> entry = new LinkedHashMap<>();
                entry.put("step", steps.from());
                entry.put("retained", defined(pool.tally().persistence()));
                entry.put("of_final", defined(pool.tally().ofLater()));
                retention.add(entry);
            }
        });
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("family", history.family);
        summary.put("threshold", history.threshold);
        summary.put("leave", history.leave);
        summary.put("steps", history.steps());
        summary.put("seeds", List.copyOf(history.seeds()));
        summary.put("emergence", Emergence.pooled(history));
        summary.put("pooled", consecutive);
        summary.put("retention", retention);
        summary.put("noise_floor", Emergence.noiseFloor(history));
        summary.put("clear_by", clearBy());
        return summary;
    }

    /** How many neurons, over all seeds and steps, were called clear or not by which measure of noise. */
    private Map<String, Object> clearBy() {
        long errors = 0;
        long halves = 0;
        for (long seed : history.seeds()) {
            for (Snapshot snapshot : history.of(seed).values()) {
                errors += snapshot.byError;
                halves += snapshot.byHalves;
            }
        }
        return Map.of("excess_se", errors, "halves", halves);
    }

    private static Map<String, Object> entry(Transitions.Steps steps, Transitions.Pooled pool) {
        Tally tally = pool.tally();
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("step_from", steps.from());
        entry.put("step_to", steps.to());
        entry.put("universal_from", tally.from);
        entry.put("universal_to", tally.to);
        entry.put("both", tally.both);
        entry.put("persistence", defined(tally.persistence()));
        entry.put("persistence_sd", defined(pool.deviation()));
        entry.put("seeds", pool.seeds());
        entry.put("chance", defined(tally.chance()));
        entry.put("jaccard", defined(tally.jaccard()));
        entry.put("persistence_hysteresis", defined(tally.hysteresis()));
        entry.put("persistence_clear", defined(tally.clear()));
        entry.put("partner_kept", defined(tally.partnerKept()));
        entry.put("half_noise", defined(tally.halfNoise()));
        entry.put("self_corr_universal", defined(tally.selfUniversal()));
        entry.put("self_corr_kept", defined(tally.selfKept()));
        entry.put("self_corr_other", defined(tally.selfOther()));
        return entry;
    }

    private static Double defined(double value) {
        return Double.isNaN(value) ? null : value;
    }
}
