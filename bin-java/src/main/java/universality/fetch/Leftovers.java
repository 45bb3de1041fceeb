package universality.fetch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;
import universality.data.OutputFolder;

/** What processes that were ended by force left under names of their own, which nobody goes on with. */
final class Leftovers {
    /** No download writes nothing for so long. */
    static final Duration AGE = Duration.ofDays(7);

    private Leftovers() {}

    /**
     * Removes entries of {@code folder} that {@code name} matches and that nobody has written to for {@link #AGE}. What cannot
     * be removed stays: nothing depends on it.
     */
    static void remove(Path folder, Pattern name) {
        Instant limit = Instant.now().minus(AGE);
        DirectoryStream.Filter<Path> old =
                path -> name.matcher(path.getFileName().toString()).matches()
                        && Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS)
                                .toInstant()
                                .isBefore(limit);
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, old)) {
            for (Path entry : entries) {
                OutputFolder.deleteTree(entry);
            }
        } catch (IOException | UncheckedIOException | DirectoryIteratorException e) {
            // no such folder, somebody else's, or read-only
        }
    }
}
