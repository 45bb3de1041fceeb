package universality.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import universality.data.Build;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.ToolException;

/**
 * The finished folders of a results folder, found by their manifests; the names of folders decide nothing.
 *
 * @param root the results folder
 * @param folders every folder with a manifest but those of {@code report}, sorted by their path below the root
 * @param incomplete paths below the root that look like a stage's folder but have no manifest
 */
record Results(Path root, List<Folder> folders, List<String> incomplete) {
    /** Stages whose folders are shown, in the order in which they run, which is the order of every list in the report. */
    static final List<String> STAGES =
            Build.STAGES.stream().filter(stage -> !stage.equals("report")).toList();

    private static final int DEEPEST = 4;

    /**
     * A finished folder.
     *
     * @param name path below the results folder, with {@code /}
     */
    record Folder(Path path, String name, Manifest manifest) {
        boolean lists(String file) {
            return manifest.files().stream().anyMatch(f -> f.path().equals(file));
        }

        /** The file, its sha256 checked against the manifest. */
        Path verified(String file) {
            return manifest.verified(path, file);
        }
    }

    /**
     * Finds all finished folders below {@code root}, following links.
     *
     * @throws ToolException (missing) if there is none, (bad data) if one of them is damaged
     */
    static Results scan(Path root) {
        if (!Files.isDirectory(root)) {
            throw ToolException.missing("%s is not a folder: --results takes the folder that holds identify/, …", root);
        }
        List<Folder> folders = new ArrayList<>();
        List<String> incomplete = new ArrayList<>();
        collect(root, root, 0, folders, incomplete);
        if (folders.isEmpty()) {
            throw ToolException.missing(
                    "%s holds no results: expected folders such as identify/GROUP with a manifest.json", root);
        }
        folders.sort(Comparator.comparing(Folder::name));
        return new Results(root, List.copyOf(folders), List.copyOf(incomplete));
    }

    private static void collect(Path root, Path folder, int depth, List<Folder> found, List<String> incomplete) {
        String name = root.relativize(folder).toString().replace('\\', '/');
        boolean complete = Files.isRegularFile(folder.resolve(Manifest.NAME));
        if (complete) {
            Manifest manifest = Manifest.readAny(folder);
            if (manifest.stage().equals("report")) {
                return;
            }
            found.add(new Folder(folder, name, manifest));
        }
        int before = found.size();
        if (depth < DEEPEST) {
            for (Path child : children(folder)) {
                collect(root, child, depth + 1, found, incomplete);
            }
        }
        boolean named = name.indexOf('/') > 0 && STAGES.contains(name.substring(0, name.indexOf('/')));
        if (!complete && depth == 2 && named && found.size() == before) {
            incomplete.add(name);
        }
    }

    private static List<Path> children(Path folder) {
        try (Stream<Path> list = Files.list(folder)) {
            return list.filter(Files::isDirectory)
                    .filter(p -> !p.getFileName().toString().startsWith("."))
                    .sorted(Comparator.comparing(p -> p.getFileName().toString()))
                    .toList();
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Folders of one stage. */
    List<Folder> of(String stage) {
        return folders.stream().filter(f -> f.manifest().stage().equals(stage)).toList();
    }
}
