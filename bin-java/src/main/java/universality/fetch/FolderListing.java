package universality.fetch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The files of a folder on this machine. */
final class FolderListing {
    private FolderListing() {}

    /** Sizes of the files directly in {@code folder}, by name. */
    static Map<String, Long> of(Path folder) {
        Map<String, Long> sizes = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                sizes.put(file.getFileName().toString(), Files.size(file));
            }
            return sizes;
        } catch (IOException | UncheckedIOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, folder + " cannot be read: " + e, e);
        }
    }
}
