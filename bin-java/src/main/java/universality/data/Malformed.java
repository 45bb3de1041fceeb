package universality.data;

import java.util.Locale;

/** A defect found while taking a file apart; whoever knows the file's name turns it into a {@link ToolException}. */
final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * Control characters are replaced: what a broken file says must stay on one line and must not steer a terminal.
     *
     * @param format as of {@link String#format}, a clause that continues "FILE is malformed: "
     */
    Malformed(String format, Object... arguments) {
        super(String.format(Locale.ROOT, format, arguments).replaceAll("[\\p{Cntrl}\u2028\u2029]", "?"));
    }
}
