package universality.verify;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Locale;

/**
 * In what two versions of one file differ, at one place of it.
 *
 * @param where a column, a tensor, a path inside JSON; empty where it is the file as a whole
 * @param count how many cells, elements or rows; 0 where counting makes no sense
 * @param absolute the largest |a − b| of numbers; null where none are compared
 * @param relative the largest |a − b| / max(|a|, |b|); null where none are compared
 * @param text what is to be said besides; null for nothing
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({"where", "count", "absolute", "relative", "text"})
public record Difference(String where, long count, Double absolute, Double relative, String text) {
    static Difference of(String where, String format, Object... arguments) {
        return new Difference(where, 0, null, null, String.format(Locale.ROOT, format, arguments));
    }

    /** For people, on one line. */
    String line() {
        StringBuilder line = new StringBuilder(where);
        if (absolute != null) {
            append(line, String.format(Locale.ROOT, "%d by at most %.3g (relative %.3g)", count, absolute, relative));
        }
        if (text != null) {
            append(line, text);
        }
        return line.toString();
    }

    private static void append(StringBuilder line, String text) {
        line.append(line.isEmpty() ? "" : line.indexOf(": ") < 0 ? ": " : "; ").append(text);
    }
}
