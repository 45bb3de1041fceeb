package universality.data;

import java.util.Arrays;
import java.util.Locale;

/** A defect found while taking a file apart; whoever knows the file's name turns it into a {@link ToolException}. */
final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    private static final int MOST_CHARACTERS = 200;

    /**
     * @param format as of {@link String#format}, a clause that continues "FILE is malformed: "; texts among the arguments are
     *     shortened, for a broken file may say anything
     */
    Malformed(String format, Object... arguments) {
        super(String.format(
                Locale.ROOT,
                format,
                Arrays.stream(arguments).map(Malformed::shown).toArray()));
    }

    private static Object shown(Object argument) {
        return argument instanceof String text && text.length() > MOST_CHARACTERS
                ? text.substring(0, MOST_CHARACTERS) + "…"
                : argument;
    }
}
