package universality.verify;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;
import java.util.Locale;

/**
 * Something that is not as it should be.
 *
 * @param path in the results folder, with {@code /}
 * @param text what was found and what was expected; null where {@code differences} say it
 * @param differences of two versions of the file
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonPropertyOrder({"kind", "path", "text", "differences"})
public record Finding(Kind kind, String path, String text, List<Difference> differences) {
    /** What is wrong, in the order in which the summary counts. */
    public enum Kind {
        /** A file is not what its manifest says. */
        CHANGED("changed"),
        /** A file is listed and not there. */
        MISSING("missing"),
        /** A file is there and no manifest lists it. */
        UNLISTED("not listed"),
        /** A result was made from another input than the one that is here. */
        STALE("made from other inputs"),
        /** A file or folder cannot be read. */
        UNREADABLE("unreadable"),
        /** Two versions of a file differ. */
        DIFFERS("different"),
        /** A file of the first folder is missing in the second. */
        ONLY_FIRST("only in the first"),
        /** A file of the second folder is missing in the first. */
        ONLY_SECOND("only in the second");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /** For people. */
        String words() {
            return words;
        }

        /** For machines. */
        @JsonValue
        String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    Finding(Kind kind, String path, String text) {
        this(kind, path, text, List.of());
    }

    /** For people: one line, and below it one for each difference. Line breaks in names are shown as {@code ?}. */
    public String lines() {
        StringBuilder lines = new StringBuilder(plain(kind.words() + ": " + path + (text == null ? "" : ": " + text)));
        differences.forEach(d -> lines.append("\n  ").append(plain(d.line())));
        return lines.toString();
    }

    private static String plain(String text) {
        return text.replaceAll("[\\p{Cc}\\p{Cf}]", "?");
    }
}
