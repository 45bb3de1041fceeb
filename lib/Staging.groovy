import java.nio.file.FileAlreadyExistsException
import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path
import java.security.MessageDigest

/**
 * Paths in the scripts that Nextflow writes around a task's own. It puts a backslash before quotes, blanks, parentheses and
 * some more (24.10: {@code nextflow.util.Escape}), and nothing before the characters that are found here: a shell would take
 * what follows a semicolon for a command, and {@code a[1].txt} for {@code a1.txt}.
 */
class Staging {
    private static final String ACTIVE = /[$;*?\[\]{}\p{Cntrl}]/
    /** What a shell reads in double quotes, between which the path of the tools stands; and what ends a part of PATH. */
    private static final String ACTIVE_IN_QUOTES = /[$`"\\:\p{Cntrl}]/

    /**
     * A path to the same file that may stand in such a script: itself, or a link.
     *
     * @param links folder for links, a path that may stand there itself; null to make none
     * @throws IllegalArgumentException if a link would be needed and there is no folder for it
     */
    static Path safe(Path path, Path links) {
        if (!(path.toString() =~ ACTIVE)) {
            return path
        }
        if (links == null) {
            check('the path', path)
        }
        String unique = MessageDigest.getInstance('SHA-256').digest(path.toString().getBytes('UTF-8')).encodeHex().toString().take(16)
        Path link = links.resolve(unique).resolve(path.fileName.toString().replaceAll(ACTIVE, '_'))
        Files.createDirectories(link.parent)
        if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            try {
                Files.createSymbolicLink(link, path)
            } catch (FileAlreadyExistsException ignored) {
                // another launch made it meanwhile
            }
        }
        return link
    }

    /**
     * Returns {@code path} unchanged.
     *
     * @param what it is, for the message
     * @throws IllegalArgumentException if it may not stand in such a script
     */
    static Path check(String what, Path path) {
        return refused(what, path, ACTIVE)
    }

    /** {@link #check} for the folder of the project, in which the tools are. */
    static Path checkProject(Path path) {
        return refused('the folder of the project', path, ACTIVE_IN_QUOTES)
    }

    private static Path refused(String what, Path path, String active) {
        String found = path.toString().find(active)
        if (found != null) {
            throw new IllegalArgumentException("${what} '${path}' has a '${found}' in it, which Nextflow would pass on to a shell as it is; give it another name")
        }
        return path
    }
}
