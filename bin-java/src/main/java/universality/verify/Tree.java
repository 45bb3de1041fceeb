package universality.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import universality.data.ToolException;

/** The files below a results folder, links followed (published results may be links), by their path with {@code /}. */
final class Tree {
    /** What holds times and hosts: Nextflow's trace and reports, run times and memory of each task. */
    private static final String TIMES_FOLDER = "pipeline";

    private static final String TIMES_FILE = ".resources.json";

    /** The run as a crate, which the plugin of Nextflow writes into the folder itself: of the last run, with its times. */
    private static final String CRATE_FILE = "ro-crate-metadata.json";

    private final List<PathMatcher> excluded;
    private final SortedMap<String, Path> files = new TreeMap<>();
    private final List<Finding> troubles = new ArrayList<>();
    private final Set<Path> above = new LinkedHashSet<>();
    private int leftOut;

    private Tree(List<PathMatcher> excluded) {
        this.excluded = excluded;
    }

    /**
     * Lists {@code root}.
     *
     * @param exclude globs of paths to leave out, such as {@code activate/**}
     * @throws ToolException (missing) if it is no folder; (usage) if a glob is malformed
     */
    static Tree of(Path root, List<String> exclude) {
        if (!Files.isDirectory(root)) {
            throw ToolException.missing("%s is not a folder: give the results of a study (--outdir)", root);
        }
        Tree tree = new Tree(exclude.stream().map(Tree::matcher).toList());
        tree.walk(root, "");
        return tree;
    }

    private static PathMatcher matcher(String glob) {
        try {
            return FileSystems.getDefault().getPathMatcher("glob:" + glob);
        } catch (PatternSyntaxException e) {
            throw ToolException.usage("--exclude '%s' is no pattern of paths: %s", glob, e.getMessage());
        }
    }

    /** Files by path, sorted. */
    SortedMap<String, Path> files() {
        return files;
    }

    /** What could not be looked at. */
    List<Finding> troubles() {
        return troubles;
    }

    int leftOut() {
        return leftOut;
    }

    /** Whether a path is one that is left out. */
    boolean leavesOut(String path) {
        return path.startsWith(TIMES_FOLDER + "/")
                || path.endsWith(TIMES_FILE)
                || path.equals(CRATE_FILE)
                || excluded.stream().anyMatch(glob -> glob.matches(Path.of(path)));
    }

    private void walk(Path folder, String prefix) {
        try (Stream<Path> entries = Files.list(folder)) {
            Path real = folder.toRealPath();
            if (!above.add(real)) {
                troubles.add(new Finding(Finding.Kind.UNREADABLE, prefix, "a link to a folder above it"));
                return;
            }
            for (Iterator<Path> sorted = entries.sorted().iterator(); sorted.hasNext(); ) {
                take(sorted.next(), prefix);
            }
            above.remove(real);
        } catch (IOException | UncheckedIOException e) {
            troubles.add(new Finding(Finding.Kind.UNREADABLE, prefix, "cannot be listed: " + e));
        }
    }

    private void take(Path entry, String prefix) {
        String path = prefix + entry.getFileName();
        if (Files.isDirectory(entry)) {
            walk(entry, path + "/");
        } else if (leavesOut(path)) {
            leftOut++;
        } else if (Files.isRegularFile(entry)) {
            files.put(path, entry);
        } else {
            String what = Files.isSymbolicLink(entry) ? "a link to nothing: the work folder may be gone" : "not a file";
            troubles.add(new Finding(Finding.Kind.UNREADABLE, path, what));
        }
    }
}
