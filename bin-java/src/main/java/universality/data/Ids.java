package universality.data;

import java.util.regex.Pattern;

/** Names of checkpoints, families and groups: safe in a file name, a shell and a URL, and free of {@code __}. */
public final class Ids {
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9]+([._-][A-Za-z0-9]+)*");
    private static final int MOST_CHARACTERS = 64;

    private Ids() {}

    /** Whether {@code id} may name a checkpoint or family. */
    public static boolean isValid(String id) {
        return id.length() <= MOST_CHARACTERS && ID.matcher(id).matches();
    }

    /**
     * Returns {@code id} unchanged.
     *
     * @throws ToolException (usage) if it is not a valid id
     */
    public static String check(String what, String id) {
        if (!isValid(id)) {
            throw ToolException.usage(
                    "%s '%s' is not a valid name: use letters and digits, single '.', '_' or '-' between them, at most %d"
                            + " characters",
                    what, id, MOST_CHARACTERS);
        }
        return id;
    }

    /** The default id of a checkpoint, {@code FAMILY-sSEED-tSTEP}. */
    public static String checkpoint(String family, long seed, long step) {
        return check("checkpoint id", family + "-s" + seed + "-t" + step);
    }
}
