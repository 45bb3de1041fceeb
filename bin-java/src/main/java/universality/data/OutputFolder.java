package universality.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * A result folder in the making. Files are written into a temporary sibling; {@link #commit} hashes them, writes the manifest
 * last and renames the folder into place. Closing without a commit removes everything, so nothing half-written is ever
 * found under the final name. Not thread-safe but for {@link #file}.
 */
public final class OutputFolder implements AutoCloseable {
    /** Temporary folders of this process, for the day it is asked to end (Ctrl-C, a scheduler's SIGTERM). */
    private static final Set<Path> UNFINISHED = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> UNFINISHED.forEach(OutputFolder::deleteQuietly)));
    }

    private final Path target;
    private final Path temporary;
    private final boolean overwrite;
    private final SortedMap<String, Object> parameters = new TreeMap<>();
    private final List<Manifest.Input> inputs = new ArrayList<>();
    private final SortedMap<String, Long> counts = new TreeMap<>();
    private final List<String> warnings = new ArrayList<>();
    private final Map<String, String> digests = new HashMap<>();
    private String device;
    private boolean committed;

    private OutputFolder(Path target, Path temporary, boolean overwrite) {
        this.target = target;
        this.temporary = temporary;
        this.overwrite = overwrite;
    }

    /**
     * Starts a folder that will be called {@code target}.
     *
     * @throws ToolException (cannot write) if it exists and {@code overwrite} is false, or the parent cannot be written
     */
    public static OutputFolder create(Path target, boolean overwrite) {
        Path absolute = target.toAbsolutePath().normalize();
        if (Files.exists(absolute) && !overwrite) {
            throw new ToolException(
                    ExitCode.CANNOT_WRITE, target + " exists already: choose another --out, or pass --overwrite");
        }
        try {
            Files.createDirectories(absolute.getParent());
            Path temporary = Files.createTempDirectory(absolute.getParent(), "." + absolute.getFileName() + ".tmp-");
            // createTempDirectory gives 0700; results should be as readable as any other folder
            Path probe = Files.createDirectory(temporary.resolve("mode"));
            Files.setPosixFilePermissions(temporary, Files.getPosixFilePermissions(probe));
            Files.delete(probe);
            UNFINISHED.add(temporary);
            return new OutputFolder(absolute, temporary, overwrite);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, target + " cannot be written: " + reason(e), e);
        }
    }

    /**
     * A folder inside this one with a manifest of its own, such as one split or one checkpoint. It must be committed before
     * this folder; nothing is renamed, since the whole appears at once.
     */
    public OutputFolder nested(String name) {
        Path inside = file(name);
        try {
            Files.createDirectory(inside);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, inside + " cannot be written: " + reason(e), e);
        }
        return new OutputFolder(inside, inside, false);
    }

    /**
     * The path to write the file {@code name} to; parents are created. Valid until {@link #commit}.
     *
     * @throws ToolException (bad data) if it would lie outside of this folder: names come from manifests and indices, which
     *     may be anybody's; (cannot write) if its parents cannot be made
     */
    public Path file(String name) {
        Path file = temporary.resolve(name).normalize();
        if (!file.startsWith(temporary) || file.equals(temporary)) {
            throw ToolException.badData("'%s' is no name of a file in %s: it leads out of the folder", name, target);
        }
        try {
            Files.createDirectories(file.getParent());
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + reason(e), e);
        }
        return file;
    }

    /** Tells the sha256 of a large file, taken while it was written, so that {@link #commit} need not read it again. */
    public OutputFolder digest(String name, String sha256) {
        digests.put(name, sha256);
        return this;
    }

    public OutputFolder parameter(String name, Object value) {
        parameters.put(name, value);
        return this;
    }

    /** Records an input by the content digest of its manifest. */
    public OutputFolder input(String role, Manifest manifest) {
        return input(role, manifest.id(), manifest.contentDigest());
    }

    public OutputFolder input(String role, String id, String digest) {
        inputs.add(new Manifest.Input(role, id, digest));
        return this;
    }

    public OutputFolder device(String name) {
        this.device = name;
        return this;
    }

    public OutputFolder count(String name, long value) {
        counts.put(name, value);
        return this;
    }

    public OutputFolder warning(String line) {
        warnings.add(line);
        return this;
    }

    /**
     * Writes the manifest and renames the folder into place.
     *
     * @return the manifest as written
     * @throws ToolException (cannot write) on any I/O failure; the temporary folder is then removed by {@link #close}
     */
    public Manifest commit(String stage, String id) {
        try {
            Manifest manifest = new Manifest(
                    stage,
                    id,
                    Build.version(),
                    Build.stageDigest(stage),
                    parameters,
                    inputs,
                    device,
                    counts,
                    warnings,
                    listFiles());
            Path file = temporary.resolve(Manifest.NAME);
            Json.write(file, manifest);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            moveIntoPlace();
            committed = true;
            UNFINISHED.remove(temporary);
            return manifest;
        } catch (IOException | UncheckedIOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, target + " cannot be written: " + reason(e), e);
        }
    }

    private List<Manifest.FileEntry> listFiles() throws IOException {
        List<Manifest.FileEntry> entries = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(temporary)) {
            for (Path file : (Iterable<Path>) walk.filter(Files::isRegularFile)::iterator) {
                String path = temporary.relativize(file).toString().replace('\\', '/');
                String known = digests.get(path);
                entries.add(
                        new Manifest.FileEntry(path, Files.size(file), known == null ? Digests.ofFile(file) : known));
            }
        }
        entries.sort(Comparator.comparing(Manifest.FileEntry::path));
        return entries;
    }

    private void moveIntoPlace() throws IOException {
        if (temporary.equals(target)) {
            return; // nested
        }
        Path old = null;
        if (overwrite && Files.exists(target)) {
            old = target.resolveSibling("." + target.getFileName() + ".old-"
                    + ProcessHandle.current().pid());
            Files.move(target, old);
        }
        try {
            rename(temporary, target);
        } catch (IOException e) {
            if (old != null) {
                rename(old, target); // what was there is better than nothing
            }
            throw e;
        }
        if (old != null) {
            deleteTree(old);
        }
    }

    private static void rename(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to);
        }
    }

    /** Removes the temporary folder unless {@link #commit} succeeded. */
    @Override
    public void close() {
        if (!committed) {
            try {
                deleteTree(temporary);
            } catch (IOException | UncheckedIOException e) {
                throw new ToolException(ExitCode.CANNOT_WRITE, temporary + " cannot be removed: " + reason(e), e);
            }
            UNFINISHED.remove(temporary);
        }
    }

    /** Deletes a folder and all below it, not following links; no error if it is absent. */
    public static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> walk = Files.walk(root)) {
            for (Path path : (Iterable<Path>) walk.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static void deleteQuietly(Path root) {
        try {
            deleteTree(root);
        } catch (IOException | UncheckedIOException e) {
            // the process is ending and has nobody left to tell; the name says that the folder is temporary
        }
    }

    private static String reason(Exception e) {
        String message = e.getMessage();
        return e.getClass().getSimpleName() + (message == null ? "" : " (" + message + ")");
    }
}
