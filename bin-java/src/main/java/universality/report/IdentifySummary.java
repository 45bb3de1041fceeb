package universality.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.data.Json;
import universality.report.Results.Folder;

/**
 * What {@code identify} found at one step of one family, from its {@code summary.json}. Absent numbers are NaN.
 *
 * @param threshold the excess above which a neuron is called universal
 * @param precision of the correlations; {@code null} where that is not told
 * @param live whether models were run for them again, and activations not stored, of some checkpoints at least
 * @param checkpoints sorted by seed, then id
 * @param controls by name of the control
 * @param cliques groups of one neuron of each checkpoint, every two mutual best matches; −1 where they were not counted
 * @param universalCliques those of which every neuron is universal; −1 where they were not counted
 */
record IdentifySummary(
        Folder folder,
        String family,
        long step,
        double threshold,
        String precision,
        boolean live,
        List<Checkpoint> checkpoints,
        SortedMap<String, List<Control>> controls,
        long cliques,
        long universalCliques) {

    /**
     * One model.
     *
     * @param open neurons that could be universal with a partner that was overlooked; −1 where that is not told
     * @param shares from a threshold such as {@code "0.5"} to the share of all neurons above it
     */
    record Checkpoint(
            String id,
            long seed,
            long neurons,
            long alive,
            long inactive,
            long undetermined,
            long universal,
            long strict,
            long mutual,
            double share,
            double shareAlive,
            double shareOneToOne,
            double meanCorr,
            double meanBaseline,
            double meanExcess,
            long open,
            Certainty certainty,
            List<Layer> layers,
            SortedMap<String, Double> shares) {}

    /**
     * How far the counts depend on the texts; NaN where correlations hold no sums by groups of documents.
     *
     * @param clear universal neurons more than two standard errors above the threshold
     * @param expected expected number of universal neurons
     * @param heldOut share by partners chosen on other texts
     */
    record Certainty(double clear, double expected, double heldOut) {}

    record Layer(int layer, long neurons, long alive, long universal, double share, double shareAlive) {}

    /** One model of a control, counted like a real one. */
    record Control(
            String id,
            long neurons,
            long universal,
            double share,
            double meanExcess,
            SortedMap<String, Double> shares) {}

    /** Reads the summary of {@code folder}. */
    static IdentifySummary read(Folder folder) {
        JsonNode json = Json.read(folder.verified("summary.json"));
        List<Checkpoint> checkpoints = new ArrayList<>();
        json.path("checkpoints").forEach(node -> checkpoints.add(checkpoint(node)));
        checkpoints.sort(Comparator.comparingLong(Checkpoint::seed).thenComparing(Checkpoint::id));
        SortedMap<String, List<Control>> controls = new TreeMap<>();
        for (Map.Entry<String, JsonNode> field : json.path("controls").properties()) {
            List<Control> list = new ArrayList<>();
            field.getValue().forEach(node -> list.add(control(node)));
            controls.put(field.getKey(), List.copyOf(list));
        }
        return new IdentifySummary(
                folder,
                json.path("family").asText(folder.manifest().parameterOr("family", "")),
                json.path("step").asLong(),
                number(json, "threshold"),
                json.path("precision").asText(null),
                json.path("activations").asText("").contains("live"),
                List.copyOf(checkpoints),
                controls,
                json.path("cliques").path("complete").asLong(-1),
                json.path("cliques").path("universal").asLong(-1));
    }

    private static Checkpoint checkpoint(JsonNode node) {
        List<Layer> layers = new ArrayList<>();
        node.path("layers").forEach(layer -> layers.add(layer(layer)));
        layers.sort(Comparator.comparingInt(Layer::layer));
        return new Checkpoint(
                node.path("id").asText(),
                node.path("seed").asLong(),
                node.path("neurons").asLong(),
                node.path("alive").asLong(),
                node.path("inactive").asLong(),
                node.path("undetermined").asLong(),
                node.path("universal").asLong(),
                node.path("universal_strict").asLong(),
                node.path("universal_mutual").asLong(),
                number(node, "share"),
                number(node, "share_alive"),
                number(node, "share_one_to_one"),
                number(node, "mean_corr"),
                number(node, "mean_baseline"),
                number(node, "mean_excess"),
                node.path("open").asLong(-1),
                new Certainty(
                        number(node, "clearly_universal"),
                        number(node, "expected_universal"),
                        number(node, "share_heldout")),
                List.copyOf(layers),
                shares(node));
    }

    private static Layer layer(JsonNode node) {
        return new Layer(
                node.path("layer").asInt(),
                node.path("neurons").asLong(),
                node.path("alive").asLong(),
                node.path("universal").asLong(),
                number(node, "share"),
                number(node, "share_alive"));
    }

    private static Control control(JsonNode node) {
        return new Control(
                node.path("id").asText(),
                node.path("neurons").asLong(),
                node.path("universal").asLong(),
                number(node, "share"),
                number(node, "mean_excess"),
                shares(node));
    }

    private static SortedMap<String, Double> shares(JsonNode node) {
        SortedMap<String, Double> shares = new TreeMap<>();
        for (Map.Entry<String, JsonNode> field : node.path("thresholds").properties()) {
            shares.put(field.getKey(), number(field.getValue(), "share"));
        }
        return shares;
    }

    private static double number(JsonNode node, String field) {
        return node.path(field).asDouble(Double.NaN);
    }
}
