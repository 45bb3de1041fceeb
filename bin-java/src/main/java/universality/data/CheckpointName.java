package universality.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which model a table is about. Ordered by seed, then id: the order of other seeds in every result. */
public record CheckpointName(String id, String family, long seed, long step) implements Comparable<CheckpointName> {
    private static final Comparator<CheckpointName> ORDER =
            Comparator.comparingLong(CheckpointName::seed).thenComparing(CheckpointName::id);
    private static final Pattern DEFAULT_ID = Pattern.compile("(.+)-s(\\d+)-t(\\d+)");

    @Override
    public int compareTo(CheckpointName other) {
        return ORDER.compare(this, other);
    }

    /** From a manifest that names family, seed and step; empty if it does not. */
    public static Optional<CheckpointName> of(Manifest manifest) {
        boolean complete = manifest.parameters().keySet().containsAll(java.util.Set.of("family", "seed", "step"));
        return complete
                ? Optional.of(new CheckpointName(
                        manifest.id(),
                        manifest.parameter("family"),
                        manifest.integer("seed"),
                        manifest.integer("step")))
                : Optional.empty();
    }

    /**
     * From an entry {@code id, family, seed, step} of a summary.
     *
     * @throws ToolException (bad data) naming {@code where} if one is missing or of another kind
     */
    public static CheckpointName of(JsonNode node, Object where) {
        if (!node.path("id").isTextual()
                || !node.path("family").isTextual()
                || !node.path("seed").canConvertToLong()
                || !node.path("step").canConvertToLong()) {
            throw ToolException.badData("%s: a checkpoint needs id, family, seed and step, but is %s", where, node);
        }
        return new CheckpointName(
                node.path("id").textValue(),
                node.path("family").textValue(),
                node.path("seed").longValue(),
                node.path("step").longValue());
    }

    /** From an id of the default form {@code FAMILY-sSEED-tSTEP}; empty if it is of another form. */
    public static Optional<CheckpointName> ofDefaultId(String id) {
        Matcher matcher = DEFAULT_ID.matcher(id);
        try {
            return matcher.matches()
                    ? Optional.of(new CheckpointName(
                            id, matcher.group(1), Long.parseLong(matcher.group(2)), Long.parseLong(matcher.group(3))))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty(); // more digits than a number has: not of the default form
        }
    }
}
