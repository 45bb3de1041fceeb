package universality.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.ToolException;

/** Two JSON documents by path, such as {@code checkpoints[2].share}. They are read whole. */
final class JsonComparison {
    /** How many paths are named. */
    private static final int MOST_PATHS = 20;

    private final Tolerance tolerance;
    private final List<Tally> tallies = new ArrayList<>();

    private JsonComparison(Tolerance tolerance) {
        this.tolerance = tolerance;
    }

    /**
     * Compares two documents. Of manifests, if anything is tolerated, only what is neither a digest nor says which tool on which
     * device made it: those are different wherever anything is.
     *
     * @throws IOException if one is no JSON
     */
    static FileComparison of(Path a, Path b, Tolerance tolerance) throws IOException {
        JsonComparison comparison = new JsonComparison(tolerance);
        try {
            boolean manifests = a.getFileName().toString().equals(Manifest.NAME) && !tolerance.isExact();
            JsonNode one = Json.read(a);
            JsonNode two = Json.read(b);
            if (manifests) {
                List.of(one, two).forEach(JsonComparison::removeProvenance);
            }
            comparison.compare("", one, two);
        } catch (ToolException e) {
            throw new IOException(e.getMessage(), e);
        }
        return comparison.result();
    }

    private static void removeProvenance(JsonNode manifest) {
        if (manifest instanceof ObjectNode object) {
            object.remove(List.of("version", "stageDigest", "device", "files"));
            manifest.path("inputs").forEach(input -> {
                if (input instanceof ObjectNode entry) {
                    entry.remove("digest");
                }
            });
        }
    }

    private void compare(String path, JsonNode a, JsonNode b) {
        if (a.isObject() && b.isObject()) {
            Set<String> names = new TreeSet<>();
            a.fieldNames().forEachRemaining(names::add);
            b.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                compare(path.isEmpty() ? name : path + "." + name, a.path(name), b.path(name));
            }
        } else if (a.isArray() && b.isArray()) {
            Iterator<JsonNode> others = b.iterator();
            int index = 0;
            for (JsonNode element : a) {
                JsonNode other = others.hasNext() ? others.next() : b.path(b.size());
                compare(path + "[" + index++ + "]", element, other);
            }
            for (; others.hasNext(); index++) {
                compare(path + "[" + index + "]", a.path(a.size()), others.next());
            }
        } else if (!a.equals(b)) {
            tallies.add(leaf(path, a, b));
        }
    }

    private Tally leaf(String path, JsonNode a, JsonNode b) {
        Tally tally = new Tally(path, tolerance);
        if (a.isNumber() && b.isNumber()) {
            tally.numbers(a.doubleValue(), b.doubleValue());
        } else if (isAbsent(a) || isAbsent(b)) {
            tally.undefined();
        } else {
            boolean texts = a.isTextual() && b.isTextual();
            tally.texts("", texts ? a.textValue() : a.toString(), texts ? b.textValue() : b.toString());
        }
        return tally;
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private FileComparison result() {
        FileComparison all = new FileComparison();
        tallies.forEach(all::add);
        if (all.isEmpty() && tolerance.isExact()) {
            all.add(Difference.of("", "values are the same, their order or layout is not"));
        }
        return new FileComparison(shortened(all.beyond()), shortened(all.within()));
    }

    private static List<Difference> shortened(List<Difference> differences) {
        if (differences.size() <= MOST_PATHS) {
            return differences;
        }
        List<Difference> rest = differences.subList(MOST_PATHS, differences.size());
        List<Difference> shown = new ArrayList<>(differences.subList(0, MOST_PATHS));
        shown.add(new Difference(
                "",
                rest.size(),
                largest(rest.stream().map(Difference::absolute).toList()),
                largest(rest.stream().map(Difference::relative).toList()),
                "at " + rest.size() + " more paths"));
        return shown;
    }

    private static Double largest(List<Double> values) {
        return values.stream()
                .mapToDouble(value -> value == null ? 0 : value)
                .max()
                .orElse(0);
    }
}
