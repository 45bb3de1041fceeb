package universality.fetch;

import java.util.regex.Pattern;
import universality.data.ToolException;

/**
 * A file of a repository at a commit.
 *
 * @param path relative, with {@code /}
 * @param bytes its size
 * @param gitId the id of its entry in git: SHA-1 of the content, or of the pointer to it
 * @param sha256 of the content where git has a pointer only (Git LFS); else null
 * @param xetHash the hub's id of it in its chunk storage, kept for other users of the cache; null where it has none
 */
record RemoteFile(String path, long bytes, String gitId, String sha256, String xetHash) {
    private static final Pattern SHA1 = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /**
     * Checks what a server or a cache says, since paths and digests become names of files.
     *
     * @throws ToolException (bad data) if it cannot be true
     */
    RemoteFile {
        if (!isSafe(path)
                || bytes < 0
                || sha256 == null && !SHA1.matcher(gitId).matches()
                || sha256 != null && !SHA256.matcher(sha256).matches()) {
            throw ToolException.badData(
                    "the list of files has an entry that cannot be: '%s', %d bytes, id '%s', sha256 '%s'",
                    printable(path), bytes, printable(gitId), printable(sha256));
        }
    }

    /** Whether a path of a repository stays inside of any folder that it is put into. */
    static boolean isSafe(String path) {
        if (path == null || path.isEmpty() || path.length() > 1000) {
            return false;
        }
        for (String part : path.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                return false;
            }
        }
        return path.chars().noneMatch(c -> c < ' ' || c == 127 || c == '\\');
    }

    /** The hub's ETag, by which its cache calls the content: sha256 of large files, git's SHA-1 of small ones. */
    String blob() {
        return sha256 == null ? gitId : sha256;
    }

    static String printable(String text) {
        return text == null ? "" : text.replaceAll("[^\\x20-\\x7e]", "?");
    }
}
