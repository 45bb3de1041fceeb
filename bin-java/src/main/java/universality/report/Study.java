package universality.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.data.Manifest;
import universality.report.Results.Folder;

/**
 * The results arranged as a study: families of models that differ in their seed, each at several training steps.
 *
 * @param families sorted by name
 */
record Study(Results results, List<Family> families) {

    /**
     * Models of one family.
     *
     * @param models sorted by seed, then step
     * @param steps what {@code identify} found, by step; empty where nothing was correlated
     */
    record Family(String name, List<Model> models, SortedMap<Long, IdentifySummary> steps) {
        List<Long> seeds() {
            return models.stream().map(Model::seed).distinct().sorted().toList();
        }

        List<Long> modelSteps() {
            return models.stream().map(Model::step).distinct().sorted().toList();
        }

        /** The model with this id, {@code null} if there is none. */
        Model model(String id) {
            return models.stream().filter(m -> m.id().equals(id)).findFirst().orElse(null);
        }
    }

    /**
     * One checkpoint.
     *
     * @param checkpoint its folder as {@code train} or {@code fetch} wrote it, {@code null} where it is not among the results
     * @param activations its folder of {@code activate}, {@code null} where it is not among the results
     */
    record Model(String id, String family, long seed, long step, Folder checkpoint, Folder activations) {}

    /** Arranges {@code results}. */
    static Study of(Results results) {
        SortedMap<String, SortedMap<String, Model>> models = new TreeMap<>();
        for (Folder folder : results.folders()) {
            Manifest manifest = folder.manifest();
            boolean checkpoint =
                    manifest.stage().equals("train") || manifest.stage().equals("fetch");
            boolean activations = manifest.stage().equals("activate");
            if ((checkpoint || activations)
                    && manifest.parameters().keySet().containsAll(List.of("family", "seed", "step"))) {
                add(
                        models,
                        new Model(
                                manifest.id(),
                                manifest.parameter("family"),
                                manifest.integer("seed"),
                                manifest.integer("step"),
                                checkpoint ? folder : null,
                                activations ? folder : null));
            }
        }
        SortedMap<String, SortedMap<Long, IdentifySummary>> found = new TreeMap<>();
        for (Folder folder : results.of("identify")) {
            IdentifySummary summary = IdentifySummary.read(folder);
            found.computeIfAbsent(summary.family(), f -> new TreeMap<>()).put(summary.step(), summary);
            summary.checkpoints()
                    .forEach(c ->
                            add(models, new Model(c.id(), summary.family(), c.seed(), summary.step(), null, null)));
        }
        List<Family> families = new ArrayList<>();
        models.forEach((name, byId) -> families.add(new Family(
                name,
                byId.values().stream()
                        .sorted(Comparator.comparingLong(Model::seed)
                                .thenComparingLong(Model::step)
                                .thenComparing(Model::id))
                        .toList(),
                found.getOrDefault(name, new TreeMap<>()))));
        return new Study(results, List.copyOf(families));
    }

    private static void add(SortedMap<String, SortedMap<String, Model>> models, Model model) {
        models.computeIfAbsent(model.family(), f -> new TreeMap<>())
                .merge(
                        model.id(),
                        model,
                        (a, b) -> new Model(
                                a.id(),
                                a.family(),
                                a.seed(),
                                a.step(),
                                a.checkpoint() == null ? b.checkpoint() : a.checkpoint(),
                                a.activations() == null ? b.activations() : a.activations()));
    }

    /** Families of which something was identified. */
    List<Family> identified() {
        return families.stream().filter(f -> !f.steps().isEmpty()).toList();
    }

    /** Whether the models were trained by the stage {@code train}, on a laptop's scale. */
    boolean hasTrained() {
        return families.stream()
                .flatMap(f -> f.models().stream())
                .anyMatch(m -> m.checkpoint() != null
                        && m.checkpoint().manifest().stage().equals("train"));
    }

    /** {@code name} where there are several families, so that titles do not repeat the only one. */
    String ofFamily(Family family) {
        return families.size() > 1 ? " · " + family.name() : "";
    }
}
