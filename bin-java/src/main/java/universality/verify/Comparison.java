package universality.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import universality.data.Digests;
import universality.data.ToolException;

/**
 * Two results folders file by file: tables cell by cell, JSON by path, safetensors by tensor, everything else by its bytes.
 * What their manifests say of digests is not looked at; see {@link Verification}. Files are read as streams, JSON of up to 64
 * MiB whole. Nothing is written.
 */
public final class Comparison {
    private static final long MOST_JSON_BYTES = 64L << 20;

    private final Tree first;
    private final Tree second;
    private final Tolerance tolerance;
    private final Consumer<String> progress;
    private final List<Finding> findings = new ArrayList<>();
    private final List<Finding> within = new ArrayList<>();
    private long bytes;

    private Comparison(Tree first, Tree second, Tolerance tolerance, Consumer<String> progress) {
        this.first = first;
        this.second = second;
        this.tolerance = tolerance;
        this.progress = progress;
    }

    /**
     * Compares two folders.
     *
     * @param tolerance how far numbers may be apart in tables, JSON and tensors
     * @param exclude globs of paths to leave out
     * @param progress is told how far it is
     * @throws ToolException (missing) if one is no folder, or neither holds a file that is not left out
     */
    public static Report of(Path a, Path b, Tolerance tolerance, List<String> exclude, Consumer<String> progress) {
        Comparison comparison = new Comparison(Tree.of(a, exclude), Tree.of(b, exclude), tolerance, progress);
        Report report = comparison.run();
        if (report.files() == 0 && report.sound()) {
            throw ToolException.missing(
                    "there is nothing to compare: neither %s nor %s holds a file, but for %d left out (times, hosts, --exclude)",
                    a, b, report.leftOut());
        }
        return report;
    }

    private Report run() {
        findings.addAll(first.troubles());
        findings.addAll(second.troubles());
        Set<String> paths = new TreeSet<>(first.files().keySet());
        paths.addAll(second.files().keySet());
        int done = 0;
        for (String path : paths) {
            progress.accept("compared " + done++ + " of " + paths.size() + " files, at " + path);
            compare(path);
        }
        findings.sort(Comparator.comparing(Finding::path).thenComparing(Finding::kind));
        int leftOut = Math.max(first.leftOut(), second.leftOut());
        return new Report("compare", paths.size(), bytes, leftOut, tolerance, findings, within);
    }

    private void compare(String path) {
        Path a = first.files().get(path);
        Path b = second.files().get(path);
        if (a == null || b == null) {
            findings.add(new Finding(a == null ? Finding.Kind.ONLY_SECOND : Finding.Kind.ONLY_FIRST, path, null));
            return;
        }
        try {
            long size = Files.size(a);
            bytes += size;
            long mismatch = size == 0 && Files.size(b) == 0 ? -1 : Files.mismatch(a, b);
            if (mismatch >= 0) {
                differ(path, a, b, mismatch);
            }
        } catch (IOException | UncheckedIOException e) {
            findings.add(new Finding(Finding.Kind.UNREADABLE, path, "cannot be read: " + e));
        }
    }

    private void differ(String path, Path a, Path b, long mismatch) throws IOException {
        FileComparison found;
        try {
            found = byContent(path, a, b);
        } catch (IOException e) {
            found = null; // not what its name says: its bytes are compared
        }
        if (found == null) {
            found = new FileComparison();
            found.add(Difference.of(
                    "",
                    "from byte %d on; %d bytes, sha256 %s, and %d bytes, sha256 %s",
                    mismatch,
                    Files.size(a),
                    Digests.ofFile(a),
                    Files.size(b),
                    Digests.ofFile(b)));
        }
        if (!found.beyond().isEmpty()) {
            List<Difference> all = new ArrayList<>(found.beyond());
            all.addAll(found.within());
            findings.add(new Finding(Finding.Kind.DIFFERS, path, null, all));
        } else if (!found.within().isEmpty()) {
            within.add(new Finding(Finding.Kind.DIFFERS, path, null, found.within()));
        }
    }

    /** By what the name says the file is; null for other files. */
    private FileComparison byContent(String path, Path a, Path b) throws IOException {
        if (path.endsWith(".csv")) {
            return TableComparison.of(a, b, tolerance);
        }
        if (path.endsWith(".safetensors")) {
            return TensorComparison.of(a, b, tolerance);
        }
        if (path.endsWith(".json") && Math.max(Files.size(a), Files.size(b)) <= MOST_JSON_BYTES) {
            return JsonComparison.of(a, b, tolerance);
        }
        return null;
    }
}
