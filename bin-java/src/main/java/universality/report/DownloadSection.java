package universality.report;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.GZIPOutputStream;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.ToolException;
import universality.report.Results.Folder;

/**
 * Every CSV of the results: inside the page, compressed, as long as it stays light; beyond that by its path in the results
 * folder. The summaries go first, then the newest neuron tables, the pair tables last.
 */
final class DownloadSection implements Section {
    private static final long MOST_RAW_BYTES = 24L << 20;
    private static final List<String> ORDER = List.of(
            "sweep", "persist", "ablate", "train", "identify", "describe", "probe", "explain", "graph", "correlate");

    private final long budget;

    /** @param budget most bytes that the downloads may add to the page */
    DownloadSection(long budget) {
        this.budget = budget;
    }

    private record Table(String stage, long step, String name, Path path, Folder folder, String file, long bytes) {}

    @Override
    public String id() {
        return "downloads";
    }

    @Override
    public String title() {
        return "Downloads";
    }

    @Override
    public void write(Page page, Markup out) {
        List<Table> tables = tables(page.study().results());
        if (tables.isEmpty()) {
            Section.absent(out, "The results hold no tables.");
            return;
        }
        out.element(
                "p",
                "The tables behind this page, as the stages wrote them. Those too large for the page are listed with their"
                        + " place in the results folder; what a sweep has several of lies there in a folder named by the parameters"
                        + " that decide it (docs/usage.md). The columns are described in docs/output.md.");
        long left = budget;
        int outside = 0;
        String stage = null;
        for (Table table : tables) {
            if (!table.stage().equals(stage)) {
                if (stage != null) {
                    out.close().close().line();
                }
                stage = table.stage();
                head(out, tables, stage);
            }
            String data = table.bytes() <= MOST_RAW_BYTES && left > 0 ? encode(table) : null;
            boolean inside = data != null && data.length() <= left;
            left -= inside ? data.length() : 0;
            outside += inside ? 0 : 1;
            item(out, table, inside ? data : null);
        }
        out.close().close().line();
        if (outside > 0) {
            page.warn(Format.plural(outside, "table is", "tables are") + " too large for the page and listed by path");
        }
    }

    private static void head(Markup out, List<Table> tables, String stage) {
        long number = tables.stream().filter(t -> t.stage().equals(stage)).count();
        out.open("details", "class", "downloads", "open", number <= 12 ? "" : null);
        out.open("summary").text(stage).element("span", Format.plural(number, "table", "tables"), "class", "where");
        out.close().open("ul");
    }

    private static void item(Markup out, Table table, String data) {
        out.open("li");
        if (data == null) {
            out.element("code", table.name());
            out.element("span", "in the results folder, " + Format.bytes(table.bytes()), "class", "where");
        } else {
            String name = Format.slug(table.name().replace('/', '_'));
            out.element(
                    "a",
                    table.name(),
                    "class",
                    "table-download",
                    "download",
                    name + ".gz",
                    "href",
                    "data:application/gzip;base64," + data);
            out.element("span", Format.bytes(table.bytes()), "class", "where");
        }
        out.close().line();
    }

    private static List<Table> tables(Results results) {
        List<Table> tables = new ArrayList<>();
        Set<String> seen = new TreeSet<>();
        for (Folder folder : results.folders()) {
            Manifest manifest = folder.manifest();
            for (Manifest.FileEntry file : manifest.files()) {
                String name = folder.name() + "/" + file.path();
                if (file.path().endsWith(".csv") && seen.add(name)) {
                    tables.add(new Table(
                            manifest.stage(),
                            step(manifest),
                            name,
                            folder.path().resolve(file.path()),
                            folder,
                            file.path(),
                            file.bytes()));
                }
            }
        }
        tables.sort(Comparator.comparingInt((Table t) -> ORDER.indexOf(t.stage()) & 0xff)
                .thenComparing(Table::stage)
                .thenComparing(Comparator.comparingLong(Table::step).reversed())
                .thenComparing(Table::name));
        return tables;
    }

    private static long step(Manifest manifest) {
        String step = manifest.parameterOr("step", "");
        return step.matches("\\d{1,18}") ? Long.parseLong(step) : 0;
    }

    /** The verified file, compressed and in base64. */
    private static String encode(Table table) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream zip = new GZIPOutputStream(bytes)) {
            Files.copy(table.folder().verified(table.file()), zip);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, table.path() + " cannot be read: " + e.getMessage(), e);
        }
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}
