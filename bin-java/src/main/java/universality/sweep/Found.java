package universality.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.data.CsvTable;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.ToolException;

/** What one combination of parameters found, by family, step and seed. Not thread-safe. */
final class Found {
    /** Columns of {@link #rows}, described in docs/output.md. */
    static final List<String> HEADER = List.of(
            "family",
            "step",
            "seed",
            "neurons",
            "alive",
            "universal",
            "share",
            "share_alive",
            "mean_corr",
            "mean_baseline",
            "mean_excess",
            "step_before",
            "persistence",
            "persistence_chance",
            "ablated",
            "delta_loss",
            "delta_loss_control",
            "delta_loss_z",
            "delta_loss_p");

    /** All seeds together; sorts after every seed. */
    private static final long ALL = Long.MAX_VALUE;

    private static final String ALL_TEXT = "all";

    private record Key(String family, long step, long seed) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byFamily = family.compareTo(other.family);
            int byStep = byFamily != 0 ? byFamily : Long.compare(step, other.step);
            return byStep != 0 ? byStep : Long.compare(seed, other.seed);
        }
    }

    private final List<String> settings;
    /** Columns from {@code neurons} to {@code mean_excess}. */
    private final SortedMap<Key, double[]> neurons = new TreeMap<>();
    /** {@code step_before, persistence, persistence_chance}. */
    private final SortedMap<Key, double[]> persistence = new TreeMap<>();
    /** {@code ablated} to {@code delta_loss_p}. */
    private final SortedMap<Key, double[]> ablation = new TreeMap<>();

    /** @param settings values of the parameters, which may be null */
    Found(List<String> settings) {
        this.settings = settings;
    }

    List<String> settings() {
        return settings;
    }

    /** Adds what a folder holds. */
    void add(Path folder, Manifest manifest) {
        switch (manifest.stage()) {
            case "identify" -> identified(Json.read(manifest.verified(folder, "summary.json")));
            case "persist" -> persisted(
                    CsvTable.read(manifest.verified(folder, "persistence.csv"), "layer", "persistence"));
            case "ablate" -> ablated(
                    CsvTable.read(manifest.verified(folder, "summary.csv"), "layers", "metric"), manifest);
            default -> throw ToolException.badData(
                    "%s was written by the stage '%s'; expected identify, persist or ablate", folder, manifest.stage());
        }
    }

    private void identified(JsonNode summary) {
        for (JsonNode c : summary.path("checkpoints")) {
            neurons.put(
                    new Key(
                            summary.path("family").asText(),
                            summary.path("step").asLong(),
                            c.path("seed").asLong()),
                    numbers(c, HEADER.subList(HEADER.indexOf("neurons"), HEADER.indexOf("step_before"))));
        }
    }

    private static double[] numbers(JsonNode node, List<String> fields) {
        return fields.stream()
                .mapToDouble(field -> node.path(field).asDouble(Double.NaN))
                .toArray();
    }

    private void persisted(CsvTable table) {
        for (int i = 0; i < table.size(); i++) {
            if (ALL_TEXT.equals(table.text(i, "layer")) && table.flag(i, "consecutive")) {
                boolean pooled = ALL_TEXT.equals(table.text(i, "seed"));
                persistence.put(
                        new Key(
                                table.text(i, "family"),
                                table.integer(i, "step_to"),
                                pooled ? ALL : table.integer(i, "seed")),
                        new double[] {
                            table.number(i, "step_from"), table.number(i, "persistence"), table.number(i, "chance")
                        });
            }
        }
    }

    /** All universal neurons at once, beside as many in each layer. */
    private void ablated(CsvTable table, Manifest manifest) {
        for (int i = 0; i < table.size(); i++) {
            if (ALL_TEXT.equals(table.text(i, "layers"))
                    && "control_layer".equals(table.text(i, "control"))
                    && "delta_loss".equals(table.text(i, "metric"))) {
                ablation.put(
                        new Key(manifest.parameter("family"), manifest.integer("step"), manifest.integer("seed")),
                        new double[] {
                            table.number(i, "neurons"),
                            table.number(i, "universal"),
                            table.number(i, "control_mean"),
                            table.number(i, "z"),
                            table.number(i, "p")
                        });
            }
        }
    }

    /** A row for each family, step and seed, then one for all seeds of the step. */
    List<List<Object>> rows() {
        SortedMap<Key, List<Key>> steps = new TreeMap<>();
        neurons.keySet()
                .forEach(key -> steps.computeIfAbsent(new Key(key.family(), key.step(), ALL), k -> new ArrayList<>())
                        .add(key));
        List<List<Object>> rows = new ArrayList<>();
        for (Map.Entry<Key, List<Key>> step : steps.entrySet()) {
            step.getValue().forEach(key -> rows.add(row(key, neurons.get(key), ablation.get(key))));
            List<double[]> ablations = step.getValue().stream()
                    .map(ablation::get)
                    .filter(values -> values != null)
                    .toList();
            rows.add(row(
                    step.getKey(),
                    pooled(step.getValue().stream().map(neurons::get).toList()),
                    ablations.isEmpty() ? null : together(ablations)));
        }
        return rows;
    }

    private List<Object> row(Key key, double[] counts, double[] effect) {
        List<Object> row = new ArrayList<>();
        row.add(key.family());
        row.add(key.step());
        row.add(key.seed() == ALL ? ALL_TEXT : key.seed());
        for (int i = 0; i < counts.length; i++) {
            row.add(i < 3 ? whole(counts[i]) : counts[i]);
        }
        double[] kept = persistence.getOrDefault(key, new double[] {Double.NaN, Double.NaN, Double.NaN});
        row.add(whole(kept[0]));
        row.add(kept[1]);
        row.add(kept[2]);
        double[] ablated =
                effect == null ? new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN} : effect;
        row.add(whole(ablated[0]));
        for (int i = 1; i < ablated.length; i++) {
            row.add(ablated[i]);
        }
        return row;
    }

    private static Object whole(double value) {
        return Double.isFinite(value) ? (Object) Math.round(value) : null;
    }

    /** Neurons are added up, shares are those of the sums, correlations the means over seeds. */
    private static double[] pooled(List<double[]> seeds) {
        double[] all = new double[8];
        for (int i = 0; i < 3; i++) {
            all[i] = sum(seeds, i);
        }
        all[3] = all[2] / all[0];
        all[4] = all[2] / all[1];
        for (int i = 5; i < all.length; i++) {
            all[i] = mean(seeds, i);
        }
        return all;
    }

    /** Ablated neurons are added up, changes of the loss are means over seeds; these have no z and no p. */
    private static double[] together(List<double[]> seeds) {
        return new double[] {sum(seeds, 0), mean(seeds, 1), mean(seeds, 2), Double.NaN, Double.NaN};
    }

    private static double sum(List<double[]> seeds, int column) {
        return seeds.stream().mapToDouble(values -> values[column]).sum();
    }

    /** Mean of the defined values, NaN where there is none. */
    private static double mean(List<double[]> seeds, int column) {
        return seeds.stream()
                .mapToDouble(values -> values[column])
                .filter(Double::isFinite)
                .average()
                .orElse(Double.NaN);
    }
}
