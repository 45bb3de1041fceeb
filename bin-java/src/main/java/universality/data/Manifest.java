package universality.data;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@code manifest.json}: what a folder holds and how it came about. Written last, so a folder that has one is complete. It
 * names no time, host or absolute path: equal inputs give equal bytes.
 *
 * @param stage the stage that wrote the folder
 * @param version version of the tools
 * @param stageDigest digest of the code that this stage runs (see {@code StageDigest})
 * @param id checkpoint id, or the group's name
 * @param parameters everything that decides the content; values are strings, numbers, booleans, lists or maps of these
 * @param inputs the folders and files read, in reading order
 * @param device {@code cpu} or {@code cuda}; absent where nothing was computed on a device
 * @param counts sizes found (rows, tokens, neurons, dead neurons …)
 * @param warnings one line each
 * @param files every other file of the folder, sorted by path
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({
    "stage",
    "id",
    "version",
    "stageDigest",
    "parameters",
    "inputs",
    "device",
    "counts",
    "warnings",
    "files"
})
public record Manifest(
        String stage,
        String id,
        String version,
        String stageDigest,
        SortedMap<String, Object> parameters,
        List<Input> inputs,
        String device,
        SortedMap<String, Long> counts,
        List<String> warnings,
        List<FileEntry> files) {

    public static final String NAME = "manifest.json";

    /** An input by name (checkpoint id, file name) and {@linkplain Manifest#contentDigest() content digest}. */
    @JsonPropertyOrder({"role", "id", "digest"})
    public record Input(String role, String id, String digest) {}

    /** A file of the folder; {@code path} is relative, with {@code /}. */
    @JsonPropertyOrder({"path", "bytes", "sha256"})
    public record FileEntry(String path, long bytes, String sha256) {}

    public Manifest {
        parameters = parameters == null ? new TreeMap<>() : parameters;
        inputs = inputs == null ? List.of() : List.copyOf(inputs);
        counts = counts == null ? new TreeMap<>() : counts;
        warnings = warnings == null ? List.of() : List.copyOf(warnings);
        files = files == null ? List.of() : List.copyOf(files);
    }

    /**
     * Identity of the content: sha256 over path, size and sha256 of every file. Which tool wrote it, and from what, does
     * not enter, so a rebuilt tool that writes the same bytes changes no identity.
     */
    public String contentDigest() {
        StringBuilder lines = new StringBuilder();
        for (FileEntry file : files) {
            lines.append(file.path())
                    .append(' ')
                    .append(file.bytes())
                    .append(' ')
                    .append(file.sha256())
                    .append('\n');
        }
        return Digests.ofText(lines.toString());
    }

    /** The digest recorded for the first input with this role, if any. */
    public Optional<String> inputDigest(String role) {
        return inputs.stream()
                .filter(i -> i.role().equals(role))
                .map(Input::digest)
                .findFirst();
    }

    /**
     * A parameter as text.
     *
     * @throws ToolException (bad data) if the manifest has no such parameter
     */
    public String parameter(String name) {
        Object value = parameters.get(name);
        if (value == null) {
            throw ToolException.badData(
                    "the manifest of '%s' has no parameter '%s': rerun its stage '%s'", id, name, stage);
        }
        return value.toString();
    }

    /** {@link #parameter} as an integer. */
    public long integer(String name) {
        try {
            return Long.parseLong(parameter(name));
        } catch (NumberFormatException e) {
            throw ToolException.badData(
                    "parameter '%s' of the manifest of '%s' is '%s', not an integer", name, id, parameter(name));
        }
    }

    /** {@link #parameter} as a string, or {@code fallback} where the manifest has none. */
    public String parameterOr(String name, String fallback) {
        Object value = parameters.get(name);
        return value == null ? fallback : value.toString();
    }

    /** A count, 0 where absent. */
    public long count(String name) {
        return counts.getOrDefault(name, 0L);
    }

    /**
     * Reads the manifest of {@code folder} and checks that every file it lists is there with its size. Contents are not
     * read; see {@link #verify}.
     *
     * @throws ToolException if the folder is missing, has no manifest, was written by another stage, or lacks a file
     */
    public static Manifest read(Path folder, String stage) {
        Manifest manifest = readAny(folder);
        if (!manifest.stage().equals(stage)) {
            throw ToolException.badData(
                    "%s was written by the stage '%s', but a folder of '%s' was expected",
                    folder, manifest.stage(), stage);
        }
        return manifest;
    }

    /** {@link #read} for a folder of whatever stage. */
    public static Manifest readAny(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw ToolException.missing("%s is not a folder", folder);
        }
        Path file = folder.resolve(NAME);
        if (!Files.isRegularFile(file)) {
            String advice = Files.isRegularFile(folder.resolve("config.json"))
                    ? "it looks like a raw checkpoint: pass it through 'universality fetch --source "
                            + folder.getFileName() + "' first"
                    : "its stage did not finish: rerun it";
            throw ToolException.missing("%s has no %s; %s", folder, NAME, advice);
        }
        Manifest manifest = Json.read(file, Manifest.class);
        if (manifest == null || manifest.stage() == null || manifest.id() == null) {
            throw ToolException.badData("%s names no stage or id: it is not a manifest of these tools", file);
        }
        for (FileEntry entry : manifest.files()) {
            manifest.checkSize(folder, entry);
        }
        return manifest;
    }

    private void checkSize(Path folder, FileEntry entry) {
        if (entry.path() == null || entry.sha256() == null || !isInside(entry.path())) {
            throw ToolException.badData(
                    "%s lists the file '%s': a path inside the folder and its sha256 were expected",
                    folder.resolve(NAME), entry.path());
        }
        Path file = folder.resolve(entry.path());
        try {
            long bytes = Files.size(file);
            if (bytes != entry.bytes()) {
                throw ToolException.badData(
                        "%s has %d bytes, but its manifest says %d: it was changed or cut short; rerun the stage '%s'",
                        file, bytes, entry.bytes(), stage);
            }
        } catch (IOException e) {
            throw ToolException.missing(
                    "%s is listed in %s but cannot be read; rerun the stage '%s'", file, NAME, stage);
        }
    }

    /** Whether {@code path} is that of a file inside the folder, as every listed file has to be. */
    public static boolean isInside(String path) {
        try {
            Path relative = Path.of(path);
            return !relative.isAbsolute() && !relative.normalize().startsWith("..");
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /**
     * Recomputes the sha256 of one listed file; used on tables, which are small and read whole anyway.
     *
     * @throws ToolException (bad data) if it differs, (missing) if the manifest does not list it
     */
    public Path verified(Path folder, String path) {
        FileEntry entry = files.stream()
                .filter(f -> f.path().equals(path))
                .findFirst()
                .orElseThrow(() -> ToolException.missing("%s has no %s; rerun the stage '%s'", folder, path, stage));
        Path file = folder.resolve(path);
        try {
            String found = Digests.ofFile(file);
            if (!found.equals(entry.sha256())) {
                throw ToolException.badData(
                        "%s has sha256 %s, but its manifest says %s: it was changed; rerun the stage '%s'",
                        file, found, entry.sha256(), stage);
            }
            return file;
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** {@link #verified} for every file. */
    public void verify(Path folder) {
        files.forEach(file -> verified(folder, file.path()));
    }
}
