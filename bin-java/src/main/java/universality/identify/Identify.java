package universality.identify;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import universality.data.CheckpointName;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.NeuronShape;
import universality.data.OutputFolder;
import universality.data.ToolException;

/**
 * Finds the universal neurons of one step (Gurnee et al. 2024). For neuron i of checkpoint s and the other checkpoints m:
 * excess = mean over m of max_j ρ(s,m)[i,j] − mean over m of its rotation baseline; universal when excess &gt; threshold and
 * n / kurt(post) ≥ {@value Model#LEAST_EFFECTIVE}.
 */
public final class Identify {
    /**
     * What to read.
     *
     * @param correlations folders of {@code correlate} that together hold every ordered pair
     * @param controls folders of {@code correlate} made with a control
     * @param activations folders of {@code activate}, for the number of positions and moments
     * @param descriptions folders of {@code describe}
     */
    public record Inputs(
            List<Path> correlations, List<Path> controls, List<Path> activations, List<Path> descriptions) {}

    private final Inputs inputs;
    private final double threshold;
    private final OutputFolder out;
    private final Correlations correlations;
    private final Map<String, Attributes.Folder> activations;
    private final Map<String, Attributes.Folder> descriptions;
    private final Map<String, Model> models = new TreeMap<>();

    private Identify(Inputs inputs, double threshold, OutputFolder out) {
        this.inputs = inputs;
        this.threshold = threshold;
        this.out = out;
        correlations = Correlations.read(inputs.correlations());
        activations = Attributes.folders(inputs.activations(), "activate");
        descriptions = Attributes.folders(inputs.descriptions(), "describe");
        correlations.require("--activations", "activations", digests(activations, m -> Optional.of(m.contentDigest())));
        correlations.require("--descriptions", "activations", digests(descriptions, m -> m.inputDigest("activations")));
        correlations.require("--activations", "checkpoint", digests(activations, m -> m.inputDigest("checkpoint")));
        correlations.require("--descriptions", "checkpoint", digests(descriptions, m -> m.inputDigest("checkpoint")));
    }

    private static Map<String, String> digests(
            Map<String, Attributes.Folder> folders, Function<Manifest, Optional<String>> digest) {
        Map<String, String> digests = new TreeMap<>();
        folders.forEach((id, folder) -> digest.apply(folder.manifest()).ifPresent(value -> digests.put(id, value)));
        return digests;
    }

    /**
     * Reads {@code inputs}, writes the neuron tables and the summary into {@code out} and commits it.
     *
     * @throws ToolException if the inputs are incomplete or contradict each other
     */
    public static void run(Inputs inputs, double threshold, OutputFolder out) throws IOException {
        if (!(threshold >= 0 && threshold < 1)) {
            throw ToolException.usage("--threshold is %s, but a number from 0 to below 1 was expected", threshold);
        }
        Correlations.byControl(inputs.correlations()).keySet().stream()
                .filter(control -> !control.equals("none"))
                .findFirst()
                .ifPresent(control -> {
                    throw ToolException.usage(
                            "a folder of --correlations was made with the control '%s'; pass it with --controls",
                            control);
                });
        new Identify(inputs, threshold, out).run();
    }

    private void run() throws IOException {
        List<CheckpointName> checkpoints = checkpoints();
        for (int a = 0; a < checkpoints.size(); a++) {
            for (int b = a + 1; b < checkpoints.size(); b++) {
                addPair(checkpoints.get(a), checkpoints.get(b));
            }
        }
        List<Model> ordered = checkpoints.stream().map(c -> models.get(c.id())).toList();
        recordInputs();
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("family", correlations.family());
        summary.put("step", correlations.step());
        summary.put("threshold", threshold);
        summary.put("n_eff_min", Model.LEAST_EFFECTIVE);
        summary.put("precision", correlations.precision());
        summary.put("activations", correlations.activations());
        summary.put(
                "checkpoints",
                ordered.stream()
                        .map(model -> new Summary(model, threshold).checkpoint())
                        .toList());
        summary.put("cliques", new Cliques(ordered).summary(threshold));
        summary.put("controls", controls());
        for (Model model : ordered) {
            NeuronTable.write(out.file(model.checkpoint.id() + ".csv"), model, threshold);
        }
        Json.write(out.file("summary.json"), summary);
        counts(ordered);
        out.commit("identify", correlations.family() + "-t" + correlations.step());
    }

    private List<CheckpointName> checkpoints() {
        List<CheckpointName> checkpoints = new ArrayList<>();
        for (String id : correlations.ids()) {
            CheckpointName checkpoint = checkpoint(id);
            if (!checkpoint.family().equals(correlations.family()) || checkpoint.step() != correlations.step()) {
                throw ToolException.badData(
                        "checkpoint '%s' is of family '%s' at step %d, but its correlations are of '%s' at step %d",
                        id, checkpoint.family(), checkpoint.step(), correlations.family(), correlations.step());
            }
            checkpoints.add(checkpoint);
        }
        if (checkpoints.isEmpty()) {
            throw ToolException.badData(
                    "%s has no table A__B.csv: one seed alone cannot be correlated; give at least two seeds of one step",
                    inputs.correlations().get(0));
        }
        checkpoints.sort(null);
        return checkpoints;
    }

    private CheckpointName checkpoint(String id) {
        return correlations
                .checkpoint(id)
                .or(() -> fromManifest(activations.get(id)))
                .or(() -> fromManifest(descriptions.get(id)))
                .or(() -> CheckpointName.ofDefaultId(id))
                .orElseThrow(() -> ToolException.badData(
                        "the seed of checkpoint '%s' is unknown: pass its folder with --activations", id));
    }

    private static Optional<CheckpointName> fromManifest(Attributes.Folder folder) {
        return folder == null ? Optional.empty() : CheckpointName.of(folder.manifest());
    }

    /** Reads both tables of a pair, and lets them go again: only sums and best partners are kept. */
    private void addPair(CheckpointName a, CheckpointName b) {
        PairTable ab = correlations.table(a.id(), b.id());
        PairTable ba = correlations.table(b.id(), a.id());
        Model modelA = model(a, ab);
        Model modelB = model(b, ba);
        ab.checkPartners(modelB.shape);
        ba.checkPartners(modelA.shape);
        double[][] matched = OneToOne.match(ab, modelA.shape, ba, modelB.shape);
        add(modelA, modelB, ab, ba, matched[0]);
        add(modelB, modelA, ba, ab, matched[1]);
        modelA.resampled.add(ab, correlations.sums(a.id(), modelA.shape, b.id(), modelB.shape));
        modelB.resampled.add(ba, correlations.sums(b.id(), modelB.shape, a.id(), modelA.shape));
    }

    private static void add(Model model, Model other, PairTable table, PairTable reverse, double[] matched) {
        model.scores.add(table);
        model.scores.addPartners(other.checkpoint.id(), other.shape, table);
        model.scores.addMatched(table, matched);
        model.copies.add(reverse, model.shape);
    }

    private Model model(CheckpointName checkpoint, PairTable table) {
        NeuronShape shape = NeuronShape.complete(table.file(), table.layer(), table.neuron());
        Model model = models.computeIfAbsent(
                checkpoint.id(), id -> new Model(checkpoint, shape, attributes(checkpoint.id(), shape)));
        if (!model.shape.equals(shape)) {
            throw ToolException.badData(
                    "%s is of %d layers of %d neurons, but another table of '%s' of %d layers of %d",
                    table.file(),
                    shape.layers(),
                    shape.width(),
                    checkpoint.id(),
                    model.shape.layers(),
                    model.shape.width());
        }
        return model;
    }

    private Attributes attributes(String id, NeuronShape shape) {
        Attributes attributes = new Attributes(shape);
        if (descriptions.containsKey(id)) {
            attributes.describe(descriptions.get(id));
        }
        if (activations.containsKey(id)) {
            attributes.moments(activations.get(id));
        }
        correlations.kept().ifPresent(attributes::keptOr);
        return attributes;
    }

    private Map<String, Object> controls() {
        Controls controls = new Controls(models, threshold);
        Correlations.byControl(inputs.controls()).forEach((name, folders) -> controls.add(name, folders, correlations)
                .manifests()
                .forEach(manifest -> out.input("control", manifest)));
        return controls.summary();
    }

    private void recordInputs() {
        out.parameter("family", correlations.family());
        out.parameter("step", correlations.step());
        out.parameter("threshold", threshold);
        out.parameter("n_eff_min", Model.LEAST_EFFECTIVE);
        correlations.manifests().forEach(manifest -> out.input("correlations", manifest));
        recordOfKnown("activations", activations);
        recordOfKnown("descriptions", descriptions);
        correlations.differences().forEach(out::warning);
        List<String> unknown = models.values().stream()
                .filter(model -> !model.attributes.knowsEffective())
                .map(model -> model.checkpoint.id())
                .toList();
        if (models.values().stream().anyMatch(model -> model.resampled.incomplete())) {
            out.warning(
                    "some correlations were made without sums by groups of documents (correlate --candidates 0, or an older"
                            + " version): excess_se, p_universal and excess_heldout are empty");
        }
        if (!unknown.isEmpty()) {
            out.warning("n_eff is unknown for " + String.join(", ", unknown)
                    + " (needs --descriptions or --activations): none of its neurons can be called undetermined");
        }
    }

    private void recordOfKnown(String role, Map<String, Attributes.Folder> folders) {
        folders.forEach((id, folder) -> {
            if (models.containsKey(id)) {
                Manifest manifest = folder.manifest();
                out.input(role, manifest);
            } else {
                out.warning(role + " of " + id + " were not used: it has no correlations");
            }
        });
    }

    private void counts(List<Model> ordered) {
        long universal = 0;
        long inactive = 0;
        long undetermined = 0;
        long neurons = 0;
        for (Model model : ordered) {
            int all = model.shape.neurons();
            neurons += all;
            universal += Shares.count(0, all, i -> model.universal(i, threshold));
            inactive += Shares.count(0, all, i -> model.state(i) == Model.State.INACTIVE);
            undetermined += Shares.count(0, all, i -> model.state(i) == Model.State.UNDETERMINED);
        }
        out.count("checkpoints", ordered.size())
                .count("neurons", neurons)
                .count("universal", universal)
                .count("inactive", inactive)
                .count("undetermined", undetermined);
    }
}
