package universality.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.ToolException;

/** Sizes such as {@code 800 MB}, {@code 4.GB} or {@code 1.5GiB}; as in Nextflow, a kilobyte is 1,024 bytes. */
final class Sizes {
    private static final Pattern SIZE = Pattern.compile("(\\d+(?:\\.\\d+)?)[ .]?\\s*([KMGT]?)I?B?");

    private Sizes() {}

    /**
     * Bytes.
     *
     * @throws ToolException (usage) if {@code text} is no size
     */
    static long parse(String text) {
        Matcher matcher = SIZE.matcher(text.strip().toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw ToolException.usage("'%s' is not a size; write it like '800 MB' or '4 GB'", text);
        }
        int power = matcher.group(2).isEmpty() ? 0 : "KMGT".indexOf(matcher.group(2)) + 1;
        return (long) (Double.parseDouble(matcher.group(1)) * Math.pow(1024, power));
    }
}
