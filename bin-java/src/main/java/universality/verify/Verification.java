package universality.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import universality.data.Digests;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.ToolException;

/**
 * Recomputes every digest that the manifests of a results folder state: the sha256 of each file that they list, and the content
 * digest of each input that is itself among the results. Files are read as streams. Nothing is written.
 */
public final class Verification {
    private final Tree tree;
    private final Consumer<String> progress;
    /** By folder, {@code ""} or ending in {@code /}; empty for a manifest that cannot be read. */
    private final SortedMap<String, Optional<Manifest>> manifests = new TreeMap<>();

    private final Map<Path, String> digests = new HashMap<>();
    private final Set<Finding> findings = new LinkedHashSet<>();
    private long bytes;

    private Verification(Tree tree, Consumer<String> progress) {
        this.tree = tree;
        this.progress = progress;
    }

    /**
     * Verifies a folder of results, or of one stage.
     *
     * @param exclude globs of paths to leave out
     * @param progress is told how far it is
     * @throws ToolException (missing) if it is no folder or has no manifest anywhere
     */
    public static Report of(Path results, List<String> exclude, Consumer<String> progress) {
        Verification verification = new Verification(Tree.of(results, exclude), progress);
        verification.findings.addAll(verification.tree.troubles());
        verification.readManifests(results);
        verification.checkFiles();
        verification.checkListed();
        verification.checkInputs();
        List<Finding> sorted = new ArrayList<>(verification.findings);
        sorted.sort(Comparator.comparing(Finding::path).thenComparing(Finding::kind));
        return new Report(
                "verify",
                verification.tree.files().size(),
                verification.bytes,
                verification.tree.leftOut(),
                null,
                sorted,
                List.of());
    }

    private void readManifests(Path results) {
        tree.files().forEach((path, file) -> {
            if (file.getFileName().toString().equals(Manifest.NAME)) {
                String folder = path.substring(0, path.length() - Manifest.NAME.length());
                manifests.put(folder, manifest(path, file));
            }
        });
        if (manifests.isEmpty()) {
            throw ToolException.missing(
                    "%s holds no %s, neither itself nor below: give the results of a study (--outdir)",
                    results, Manifest.NAME);
        }
    }

    private Optional<Manifest> manifest(String path, Path file) {
        try {
            Manifest manifest = Json.read(file, Manifest.class);
            if (manifest != null && manifest.stage() != null && manifest.id() != null) {
                return Optional.of(manifest);
            }
            findings.add(
                    new Finding(Finding.Kind.UNREADABLE, path, "names no stage or id: no manifest of these tools"));
        } catch (ToolException e) {
            findings.add(new Finding(
                    Finding.Kind.UNREADABLE,
                    path,
                    "is no manifest: " + e.getMessage().replace(file.toString(), Manifest.NAME)));
        }
        return Optional.empty();
    }

    private void checkFiles() {
        manifests.forEach(
                (folder, manifest) -> manifest.ifPresent(m -> m.files().forEach(entry -> check(folder, entry))));
    }

    private void check(String folder, Manifest.FileEntry entry) {
        if (entry.path() == null || entry.sha256() == null || !Manifest.isInside(entry.path())) {
            found(
                    Finding.Kind.UNREADABLE,
                    folder + Manifest.NAME,
                    "lists '" + entry.path() + "': a path inside the folder and its sha256 were expected");
            return;
        }
        String path = folder + entry.path();
        if (tree.leavesOut(path)) {
            return;
        }
        Path file = tree.files().get(path);
        if (file == null) {
            found(Finding.Kind.MISSING, path, "its manifest lists it with " + entry.bytes() + " bytes");
            return;
        }
        try {
            long size = Files.size(file);
            if (size != entry.bytes()) {
                found(Finding.Kind.CHANGED, path, "it has " + size + " bytes, but its manifest says " + entry.bytes());
            } else if (!digest(path, file).equals(entry.sha256())) {
                found(
                        Finding.Kind.CHANGED,
                        path,
                        "its sha256 is " + digest(path, file) + ", but its manifest says " + entry.sha256());
            }
        } catch (IOException | UncheckedIOException e) {
            found(Finding.Kind.UNREADABLE, path, "cannot be read: " + e);
        }
    }

    /** Of a file that two manifests list, the inner one's and that of the folder around it, computed once. */
    private String digest(String path, Path file) throws IOException {
        Path real = file.toRealPath();
        String known = digests.get(real);
        if (known == null) {
            known = Digests.ofFile(file, read -> {
                bytes += read;
                progress.accept("verified " + (bytes >> 20) + " MiB, at " + path);
            });
            digests.put(real, known);
        }
        return known;
    }

    private void found(Finding.Kind kind, String path, String text) {
        findings.add(new Finding(kind, path, text));
    }

    /** Every file belongs to the innermost folder around it that has a manifest, which has to list it. */
    private void checkListed() {
        Map<String, Set<String>> listed = new HashMap<>();
        manifests.forEach((folder, manifest) -> manifest.ifPresent(m -> {
            Set<String> paths = listed.computeIfAbsent(folder, f -> new LinkedHashSet<>());
            m.files().forEach(entry -> paths.add(folder + entry.path()));
        }));
        for (String path : tree.files().keySet()) {
            String folder = folderOf(path);
            while (!folder.isEmpty() && !manifests.containsKey(folder)) {
                folder = folderOf(folder.substring(0, folder.length() - 1));
            }
            if (path.equals(folder + Manifest.NAME)) {
                continue;
            }
            if (!manifests.containsKey(folder)) {
                found(Finding.Kind.UNLISTED, path, "no folder around it has a " + Manifest.NAME);
            } else if (listed.containsKey(folder) && !listed.get(folder).contains(path)) {
                found(Finding.Kind.UNLISTED, path, folder + Manifest.NAME + " does not list it");
            }
        }
    }

    private static String folderOf(String path) {
        return path.substring(0, path.lastIndexOf('/') + 1);
    }

    /** What a result says it was made from, against what is here under that name. */
    private void checkInputs() {
        Lineage lineage = new Lineage();
        manifests.values().forEach(manifest -> manifest.ifPresent(lineage::add));
        manifests.forEach((folder, manifest) -> manifest.ifPresent(m -> {
            for (Manifest.Input input : m.inputs()) {
                Set<String> here = lineage.digests(input);
                if (!here.isEmpty() && !here.contains(input.digest())) {
                    found(
                            Finding.Kind.STALE,
                            folder + Manifest.NAME,
                            "its input " + input.role() + " '" + input.id()
                                    + "' had the digest " + input.digest() + ", but the one that is here has "
                                    + String.join(" or ", here));
                }
            }
        }));
    }
}
