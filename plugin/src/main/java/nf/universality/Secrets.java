package nf.universality;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** Keeps what looks like a secret by its name, and passwords in addresses, out of everything that is written. */
public final class Secrets {
    private static final String HIDDEN = "[hidden]";
    /** A token at the end of a name gives access; tokens and tokenizers are of text. */
    private static final String NAMES =
            "[\\w.-]*(?:secret|passw|credential|(?:api|access|private)[_-]?key)[\\w.-]*|[\\w.-]*token";

    private static final Pattern NAME = Pattern.compile(NAMES, Pattern.CASE_INSENSITIVE);
    private static final Pattern OPTION =
            Pattern.compile("(--(?:" + NAMES + ")(?:=|\\s+))('[^']*'|\"[^\"]*\"|\\S+)", Pattern.CASE_INSENSITIVE);
    private static final Pattern PASSWORD = Pattern.compile("(://[^/\\s:@]*:)[^/\\s@]+@");

    private Secrets() {}

    /** {@code values} in terms of JSON, in their order. */
    public static Map<String, Object> hidden(Map<?, ?> values) {
        Map<String, Object> result = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            boolean secret = value != null && NAME.matcher(String.valueOf(name)).matches();
            result.put(String.valueOf(name), secret ? HIDDEN : plain(value));
        });
        return result;
    }

    private static Object plain(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return value;
        }
        if (value instanceof Map<?, ?> map) {
            return hidden(map);
        }
        if (value instanceof Collection<?> collection) {
            return collection.stream().map(Secrets::plain).toList();
        }
        return hidden(value.toString());
    }

    /** A text, such as a command line. */
    public static String hidden(String text) {
        if (text == null) {
            return null;
        }
        String options = OPTION.matcher(text).replaceAll("$1" + HIDDEN);
        return PASSWORD.matcher(options).replaceAll("$1" + HIDDEN + "@");
    }
}
