package universality.fetch;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A repository of the hub.
 *
 * @param name {@code ORGANISATION/NAME}
 */
record Repository(Kind kind, String name) {
    /** What is fetched; the hub keeps models and datasets apart. */
    enum Kind {
        MODEL,
        DATASET;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][\\w.-]{0,95}/[A-Za-z0-9][\\w.-]{0,95}");

    /** Whether {@code text} reads like the name of a repository; the rules are the hub's. */
    static boolean isName(String text) {
        return NAME.matcher(text).matches()
                && !text.contains("--")
                && !text.contains("..")
                && !text.endsWith(".")
                && !text.endsWith("-")
                && !text.endsWith(".git");
    }

    /** The repository's folder in the cache, {@code models--ORGANISATION--NAME}. */
    String folder() {
        return kind + "s--" + name.replace("/", "--");
    }

    /** Path of its interface below the endpoint. */
    String api() {
        return "/api/" + kind + "s/" + name;
    }

    /** Path of its files below the endpoint. */
    String files() {
        return kind == Kind.DATASET ? "/datasets/" + name : "/" + name;
    }

    /** The name without its organisation. */
    String shortName() {
        return name.substring(name.indexOf('/') + 1);
    }

    @Override
    public String toString() {
        return kind + " '" + name + "'";
    }
}
