package universality.tokenize;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.ToolException;

/** Finds the files with text in what {@code --text} names. */
final class TextFolder {
    /** Files that describe a data set instead of being part of it. */
    private static final Set<String> DESCRIPTIONS = Set.of(
            Manifest.NAME, "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json");

    private TextFolder() {}

    /**
     * The files in the order given, those of a folder sorted by path.
     *
     * @throws ToolException (missing) if something does not exist, (bad data) if a folder has no file with text, or not those
     *     that its manifest lists
     */
    static List<TextFile> files(List<Path> given) {
        List<TextFile> files = new ArrayList<>();
        for (Path path : given) {
            if (Files.isDirectory(path)) {
                List<TextFile> found = folder(path);
                if (found.isEmpty()) {
                    throw ToolException.badData("%s has no file with text; known are %s", path, TextFile.KNOWN);
                }
                files.addAll(found);
            } else if (Files.isRegularFile(path)) {
                files.add(TextFile.named(path));
            } else {
                throw ToolException.missing("--text %s is not a file or folder", path);
            }
        }
        return files;
    }

    /** The manifest of a data set that the stage fetch put there, {@code null} where the folder has none of these tools. */
    static Manifest manifest(Path folder) {
        Path file = folder.resolve(Manifest.NAME);
        if (!Files.isRegularFile(file)) {
            return null;
        }
        JsonNode root = Json.read(file);
        if (!root.path("stage").isTextual() || !root.path("files").isArray()) {
            return null; // a data set may have a manifest of its own
        }
        if (!root.path("stage").asText().equals("fetch")) {
            throw ToolException.badData(
                    "--text %s was written by the stage '%s': a data set (of 'fetch'), or any folder with text was expected",
                    folder, root.path("stage").asText());
        }
        Manifest manifest = Manifest.readAny(folder);
        if (!manifest.parameterOr("kind", "").equals("dataset")) {
            throw ToolException.badData("--text %s is a fetched model, a data set was expected", folder);
        }
        return manifest;
    }

    private static List<TextFile> folder(Path folder) {
        List<TextFile> files = new ArrayList<>();
        Manifest manifest = manifest(folder);
        if (manifest != null) {
            manifest.files().forEach(entry -> add(files, folder, folder.resolve(entry.path()), entry.sha256()));
        } else {
            walk(folder).forEach(file -> add(files, folder, file, null));
        }
        files.sort(Comparator.comparing(TextFile::id));
        return files;
    }

    private static void add(List<TextFile> files, Path folder, Path file, String sha256) {
        String id = folder.relativize(file).toString().replace('\\', '/');
        boolean hidden = id.startsWith(".") || id.contains("/.");
        if (!hidden && !DESCRIPTIONS.contains(String.valueOf(file.getFileName()))) {
            TextFile.of(file, id, sha256).ifPresent(files::add);
        }
    }

    private static List<Path> walk(Path folder) {
        try (Stream<Path> found = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            return found.filter(Files::isRegularFile).toList();
        } catch (IOException | UncheckedIOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, folder + " cannot be read: " + e.getMessage(), e);
        }
    }
}
