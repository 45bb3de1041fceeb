package universality.tokenize;

import java.util.function.ToLongFunction;
import universality.data.ToolException;

/** Plain text as one document, or cut into several. */
final class PlainText implements DocumentReader {
    /** Text that was handed out is removed from the buffer when it is so long. */
    private static final int SPENT = 1 << 18;

    private final TextFile file;
    private final Unpacked source;
    private final Utf8 decoder;
    private final Cut cut;
    private final StringBuilder text = new StringBuilder();
    private int from; // what is before was handed out
    private String separator;
    private String held; // the last document, which a short rest may join
    private boolean ended;

    /**
     * How a text is cut: at blank lines (at line ends where its first {@link DocumentReader#LONGEST} characters have no blank
     * line) into documents of at least {@code least}; a shorter rest joins the last one.
     *
     * @param size a lower bound for the tokens of a piece of text
     */
    record Cut(long least, ToLongFunction<String> size) {}

    /** @param cut {@code null} for one document */
    PlainText(TextFile file, Cut cut) {
        this.file = file;
        this.cut = cut;
        this.source = new Unpacked(file);
        this.decoder = new Utf8(file, source);
    }

    @Override
    public String next() {
        while (!ended) {
            String before = held;
            held = cut == null ? null : document();
            if (held == null) {
                ended = true;
                return last(before);
            }
            if (before != null) {
                return before.strip();
            }
        }
        return null;
    }

    private String last(String before) {
        while (more()) {
            // all that is left, or the whole text
        }
        String rest = text.substring(from);
        return (before == null ? rest : rest.isBlank() ? before : before + rest).strip();
    }

    /** Paragraphs that are long enough together; {@code null} if those that are left are not. */
    private String document() {
        if (from > SPENT) {
            text.delete(0, from);
            from = 0;
        }
        long sized = 0;
        int to = from;
        while (sized < cut.least()) {
            int end = paragraphEnd(to);
            if (end == to) {
                return null;
            }
            sized += cut.size().applyAsLong(text.substring(to, end));
            to = end;
        }
        String document = text.substring(from, to);
        from = to;
        return document;
    }

    /** The start of the paragraph after the one at {@code at}, or the end of the text. */
    private int paragraphEnd(int at) {
        if (separator == null) {
            separator = separator();
        }
        int searched = at;
        int end;
        while ((end = text.indexOf(separator, searched)) < 0) {
            searched = Math.max(at, text.length() - 1); // a blank line may begin there
            if (!more()) {
                return text.length();
            }
        }
        while (end < text.length() && text.charAt(end) == '\n' || end == text.length() && more()) {
            end += end < text.length() && text.charAt(end) == '\n' ? 1 : 0;
        }
        return end;
    }

    private String separator() {
        int searched = 0;
        while (text.indexOf("\n\n", searched) < 0) {
            searched = Math.max(0, text.length() - 1);
            if (text.length() > LONGEST || !more()) {
                return "\n";
            }
        }
        return "\n\n";
    }

    /** Reads on; false at the end. */
    private boolean more() {
        if (text.length() - from > LONGEST) {
            throw ToolException.badData(
                    "%s has a document of more than %d characters: cut it into several, or give its text as .jsonl",
                    file.path(), LONGEST);
        }
        return decoder.read(text);
    }

    @Override
    public String digest() {
        return source.digest();
    }

    @Override
    public void close() {
        source.close();
    }
}
