package universality.report;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes HTML and SVG. Everything that comes from data goes through {@link #text} or an attribute value and is escaped there,
 * so ids, warnings and text of unknown origin can hold anything. Tag and attribute names are constants of the code.
 *
 * <p>The output is well-formed XML as well, so that the same figure stands in the page and in a file of its own. Characters
 * that XML forbids (controls, lone surrogates) become U+FFFD.
 */
final class Markup {
    private final StringBuilder out = new StringBuilder();
    private final Deque<String> open = new ArrayDeque<>();

    /** {@code <tag name="value" …>}; attributes with a {@code null} value are left out. */
    Markup open(String tag, String... attributes) {
        start(tag, attributes);
        out.append('>');
        open.push(tag);
        return this;
    }

    /** Closes the innermost open tag. */
    Markup close() {
        out.append("</").append(open.pop()).append('>');
        return this;
    }

    /** Closes the innermost open tag, which must be {@code tag}. */
    Markup close(String tag) {
        if (!tag.equals(open.peek())) {
            throw new IllegalStateException("closing <" + tag + ">, but <" + open.peek() + "> is open");
        }
        return close();
    }

    /** Escaped text. */
    Markup text(String text) {
        escape(text, out);
        return this;
    }

    /** An element that holds nothing but text. */
    Markup element(String tag, String text, String... attributes) {
        return open(tag, attributes).text(text).close();
    }

    /** An element without content, {@code <tag …/>}. */
    Markup empty(String tag, String... attributes) {
        start(tag, attributes);
        out.append("/>");
        return this;
    }

    /** Appends markup that was made by this class. */
    Markup add(Markup other) {
        out.append(other);
        return this;
    }

    /** Appends a newline between elements, for readers of the source. */
    Markup line() {
        out.append('\n');
        return this;
    }

    private void start(String tag, String... attributes) {
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            if (attributes[i + 1] != null) {
                out.append(' ').append(attributes[i]).append("=\"");
                escape(attributes[i + 1], out);
                out.append('"');
            }
        }
    }

    private static void escape(String text, StringBuilder out) {
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.appendCodePoint(allowed(c) ? c : 0xFFFD);
            }
        }
    }

    private static boolean allowed(int c) {
        boolean surrogate = c >= 0xD800 && c <= 0xDFFF;
        boolean control = c < 0x20 && c != '\n' && c != '\t' || c >= 0x7F && c < 0xA0;
        return !surrogate && !control && (c & 0xFFFE) != 0xFFFE;
    }

    /**
     * What was written.
     *
     * @throws IllegalStateException if a tag is still open
     */
    @Override
    public String toString() {
        if (!open.isEmpty()) {
            throw new IllegalStateException("<" + open.peek() + "> is still open");
        }
        return out.toString();
    }
}
