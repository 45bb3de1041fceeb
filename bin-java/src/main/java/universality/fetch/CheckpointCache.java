package universality.fetch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.OutputFolder;
import universality.data.ToolException;

/**
 * Verified folders at {@code FOLDER/ID@DIGEST}. An entry that is whole is left untouched, so that it keeps its path and times
 * and whatever was computed from it stays valid; a damaged one is made anew.
 */
final class CheckpointCache {
    private final Path folder;
    private final HubSettings.Patience patience;

    CheckpointCache(Path folder, HubSettings.Patience patience) {
        this.folder = folder;
        this.patience = patience;
    }

    private Path path(String id, String identity) {
        return folder.resolve(id + "@" + identity.substring(0, 32));
    }

    /**
     * The entry, if it is whole.
     *
     * @param identity digest of all that decides its content
     * @param tell is told of damage
     */
    Optional<Path> whole(String id, String identity, Consumer<String> tell) {
        Path entry = path(id, identity);
        return isWhole(entry, tell) ? Optional.of(real(entry)) : Optional.empty();
    }

    /**
     * The entry, made if it is not there. One process at a time makes an entry; others wait for it.
     *
     * @param make writes the folder that it is given, replacing what is there
     * @param tell is told when a damaged entry is replaced
     */
    Path entry(String id, String identity, Consumer<Path> make, Consumer<String> tell) {
        Path entry = path(id, identity);
        Path lock = folder.resolve("." + entry.getFileName() + ".lock");
        try (FileMutex mutex = FileMutex.acquire(lock, patience.lock(), () -> "")) {
            assert mutex != null;
            if (!isWhole(entry, tell)) {
                Leftovers.remove(folder, Pattern.compile("\\." + Pattern.quote(id) + "@[0-9a-f]{32}\\.tmp-\\d+"));
                make.accept(entry);
            }
            return real(entry);
        }
    }

    private static Path real(Path entry) {
        try {
            return entry.toRealPath();
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, entry + " cannot be read: " + e, e);
        }
    }

    private static boolean isWhole(Path entry, Consumer<String> tell) {
        if (!Files.isDirectory(entry)) {
            return false;
        }
        try {
            Manifest.read(entry, "fetch").verify(entry);
            return true;
        } catch (ToolException e) {
            tell.accept("the cached folder is damaged and made anew: " + e.getMessage());
            return false;
        }
    }

    /**
     * Makes {@code out} a symbolic link to {@code entry}, by its absolute path: whoever resolves it finds the entry.
     *
     * @param overwrite replace what is there
     */
    static void link(Path entry, Path out, boolean overwrite) {
        Path absolute = out.toAbsolutePath().normalize();
        Path temporary = absolute.resolveSibling(
                "." + absolute.getFileName() + ".tmp-" + ProcessHandle.current().pid());
        try {
            Files.createDirectories(absolute.getParent());
            if (overwrite && Files.isDirectory(absolute, LinkOption.NOFOLLOW_LINKS)) {
                OutputFolder.deleteTree(absolute);
            } else if (!overwrite && Files.exists(absolute, LinkOption.NOFOLLOW_LINKS)) {
                throw new ToolException(
                        ExitCode.CANNOT_WRITE, out + " exists already: choose another --out, or pass --overwrite");
            }
            Files.deleteIfExists(temporary);
            Files.createSymbolicLink(temporary, entry);
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException | UnsupportedOperationException e) {
            throw new ToolException(
                    ExitCode.CANNOT_WRITE,
                    out + " cannot be made a link to the cache (" + e + "): without --cache it becomes a plain folder",
                    e);
        }
    }
}
