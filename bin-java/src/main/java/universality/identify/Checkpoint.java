package universality.identify;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.Manifest;
import universality.data.ToolException;

/** Which model a table is about. Ordered by seed, then id: the order of other seeds in every result. */
record Checkpoint(String id, String family, long seed, long step) implements Comparable<Checkpoint> {
    private static final Comparator<Checkpoint> ORDER =
            Comparator.comparingLong(Checkpoint::seed).thenComparing(Checkpoint::id);
    private static final Pattern DEFAULT_ID = Pattern.compile("(.+)-s(\\d+)-t(\\d+)");

    @Override
    public int compareTo(Checkpoint other) {
        return ORDER.compare(this, other);
    }

    /** From a manifest that names family, seed and step; empty if it does not. */
    static Optional<Checkpoint> of(Manifest manifest) {
        boolean complete = manifest.parameters().keySet().containsAll(java.util.Set.of("family", "seed", "step"));
        return complete
                ? Optional.of(new Checkpoint(
                        manifest.id(),
                        manifest.parameter("family"),
                        manifest.integer("seed"),
                        manifest.integer("step")))
                : Optional.empty();
    }

    /** From an entry {@code id, family, seed, step} of a summary. */
    static Checkpoint of(JsonNode node, Object where) {
        if (!node.path("id").isTextual()
                || !node.path("family").isTextual()
                || !node.path("seed").canConvertToLong()
                || !node.path("step").canConvertToLong()) {
            throw ToolException.badData("%s: a checkpoint needs id, family, seed and step, but is %s", where, node);
        }
        return new Checkpoint(
                node.path("id").textValue(),
                node.path("family").textValue(),
                node.path("seed").longValue(),
                node.path("step").longValue());
    }

    /** From an id of the default form {@code FAMILY-sSEED-tSTEP}; empty if it is of another form. */
    static Optional<Checkpoint> ofDefaultId(String id) {
        Matcher matcher = DEFAULT_ID.matcher(id);
        try {
            return matcher.matches()
                    ? Optional.of(new Checkpoint(
                            id, matcher.group(1), Long.parseLong(matcher.group(2)), Long.parseLong(matcher.group(3))))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty(); // more digits than a number has: not of the default form
        }
    }
}
