package universality.fetch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import universality.data.CsvTable;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.ToolException;

/**
 * What fetching would do, without doing it: every file of several sources with its size and what of it is still to be
 * downloaded. Nothing is written, not even in the cache.
 */
public final class HubPlan {
    /**
     * A file that a source needs.
     *
     * @param commit empty for a folder
     * @param bytes its size
     * @param download bytes that are still to come; 0 where it is in the cache or a folder, or comes with a row
     *     before
     * @param config of a model's config.json what is in it, on one line; else, and offline where it is missing, empty
     */
    public record Row(
            String source, String revision, String commit, String path, long bytes, long download, String config) {}

    private static final String CONFIG = "config.json";

    private final Hub hub;
    private final List<Row> rows = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();
    private final Set<Path> counted = new HashSet<>();

    public HubPlan(HubSettings settings) {
        this.hub = new Hub(settings);
    }

    /**
     * Adds a source.
     *
     * @param source a folder, or {@code ORGANISATION/NAME}
     * @param base what a relative folder counts from
     * @param revision null for the default
     * @param include globs of a dataset's files
     */
    public void add(String source, Path base, String revision, boolean dataset, List<String> include) {
        Path folder = base.resolve(source);
        if (Files.isDirectory(folder)) {
            FolderListing.of(folder)
                    .forEach((name, bytes) -> rows.add(new Row(source, "", "", name, bytes, 0, config(folder, name))));
            return;
        }
        add(Fetch.hubSource(source, folder, revision, dataset, include));
    }

    /**
     * Adds a source as on the command line. What reads like a repository is one, even where there is a folder of that name: the
     * workflow fetches in folders of its own, where there is none.
     *
     * @param source {@code ORGANISATION/NAME}, perhaps with {@code @REVISION}, or a folder
     */
    public void add(String source, boolean dataset, List<String> include) {
        int at = source.indexOf('@');
        String name = at < 0 ? source : source.substring(0, at);
        String revision = at < 0 ? null : source.substring(at + 1);
        if (Repository.isName(name)) {
            add(Fetch.repository(name, revision, dataset, include));
        } else if (Files.isDirectory(Path.of(source))) {
            add(source, Path.of(""), null, dataset, include);
        } else {
            add(name, Path.of(""), revision, dataset, include);
        }
    }

    private void add(HubSource wanted) {
        boolean dataset = wanted.repository().kind() == Repository.Kind.DATASET;
        String source = wanted.repository().name();
        HubSource.Found found = wanted.find(hub, false);
        for (RemoteFile file : found.files()) {
            // content that several sources share comes once
            boolean isFirst = counted.add(found.cache().blob(file));
            long open = isFirst ? file.bytes() - found.cache().present(file) : 0;
            String config = dataset || !file.path().equals(CONFIG)
                    ? ""
                    : wanted.content(hub, found, file).map(HubPlan::compact).orElse("");
            rows.add(new Row(source, wanted.revision(), found.commit(), file.path(), file.bytes(), open, config));
        }
        if (hub.settings().offline() && !found.lacks().isEmpty()) {
            missing.add(found.lacks());
        }
    }

    private static String config(Path folder, String name) {
        try {
            return name.equals(CONFIG) ? compact(Files.readAllBytes(folder.resolve(name))) : "";
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, folder.resolve(name) + " cannot be read: " + e, e);
        }
    }

    /** JSON on one line; empty if it is none, which fetching will say. */
    private static String compact(byte[] json) {
        try {
            return Json.mapper().readTree(json).toString();
        } catch (IOException e) {
            return "";
        }
    }

    /** {@link #add} for every row of a samplesheet with the columns {@code source} and perhaps {@code revision}. */
    public void add(Path samplesheet) {
        CsvTable table = CsvTable.read(samplesheet, "source");
        for (int row = 0; row < table.size(); row++) {
            String source = table.text(row, "source");
            if (source == null) {
                throw ToolException.badData("%s, row %d: the source is empty", samplesheet, row + 2);
            }
            String revision = table.has("revision") ? table.text(row, "revision") : null;
            add(source, samplesheet.toAbsolutePath().getParent(), revision, false, List.of());
        }
    }

    /**
     * The rows, in the order of the sources, then by path.
     *
     * @throws ToolException (missing) if offline and anything is not in the cache; names all of it
     */
    public List<Row> rows() {
        if (!missing.isEmpty()) {
            throw Fetch.absent(hub.settings(), missing);
        }
        return List.copyOf(rows);
    }
}
