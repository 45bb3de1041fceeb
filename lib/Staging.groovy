import java.nio.file.Files
import java.nio.file.Path

/**
 * Paths in the scripts that Nextflow writes around a task's own. It puts a backslash before quotes, blanks, parentheses and
 * some more (24.10: {@code nextflow.util.Escape}), and nothing before the characters that are found here: a shell takes what
 * follows a semicolon or a line break for a command, and {@code a[1].txt} for {@code a1.txt}. Links are no way around, for
 * Nextflow follows them before it writes. So such paths are refused.
 */
class Staging {
    private static final String ACTIVE = /[$;*?\[\]{}\p{Cntrl}]/
    /** What a shell reads in double quotes, between which the path of the tools stands; and what ends a part of PATH. */
    private static final String ACTIVE_IN_QUOTES = /[$`"\\:\p{Cntrl}]/

    /**
     * Returns {@code path} unchanged.
     *
     * @param what it is, for the message
     * @throws IllegalArgumentException if it, or where it leads, may not stand in such a script
     */
    static Path check(String what, Path path) {
        return refused(what, path, ACTIVE)
    }

    /** {@link #check} for the folder of the project, in which the tools are. */
    static Path checkProject(Path path) {
        return refused('the folder of the project', path, ACTIVE_IN_QUOTES)
    }

    private static Path refused(String what, Path path, String active) {
        Path real = Files.exists(path) ? path.toRealPath() : path
        String found = [path, real].findResult { it.toString().find(active) }
        if (found != null) {
            String place = path == real ? '' : " (really '${real}')"
            throw new IllegalArgumentException("${what} '${path}'${place} has a '${found}' in it, which Nextflow would pass on to a shell as it is; give it another name")
        }
        return path
    }
}
