package universality.sweep;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.data.CsvTable;
import universality.data.CsvWriter;
import universality.data.Manifest;
import universality.data.OutputFolder;
import universality.data.ToolException;

/**
 * What several combinations of parameters found, in one table: for each combination, family and step a row for each seed and one
 * for all seeds together, with the share of universal neurons, the baseline, persistence from the step before, and what ablation
 * does. Nothing is computed again; it is copied from the results of {@code identify}, {@code persist} and {@code ablate}.
 */
public final class Sweep {
    private static final String COMBINATION = "combination";
    private static final String FOLDER = "folder";

    private Sweep() {}

    /**
     * Reads the results, writes {@code sweep.csv} into {@code out} and commits it.
     *
     * @param combinations CSV: {@code combination}, a column for each parameter, {@code folder}
     * @throws ToolException (missing, bad data) if a folder is absent or of another stage, a name has two combinations, there is
     *     none, or one lacks results of identify; those of persist and ablate may be absent, and their cells are empty then
     */
    public static void run(Path combinations, OutputFolder out) throws IOException {
        CsvTable table = CsvTable.read(combinations, COMBINATION, FOLDER);
        List<String> parameters = table.header().stream()
                .filter(c -> !c.equals(COMBINATION) && !c.equals(FOLDER))
                .toList();
        Map<String, Found> found = read(table, parameters, combinations, out);
        List<String> header = new ArrayList<>(List.of(COMBINATION));
        header.addAll(parameters);
        header.addAll(Found.HEADER);
        long rows = 0;
        try (CsvWriter writer = new CsvWriter(out.file("sweep.csv"), header)) {
            for (Map.Entry<String, Found> combination : found.entrySet()) {
                for (List<Object> cells : rows(combination.getKey(), combination.getValue())) {
                    List<Object> row = new ArrayList<>(List.of(combination.getKey()));
                    row.addAll(combination.getValue().settings());
                    row.addAll(cells);
                    writer.row(row);
                    rows++;
                }
            }
        }
        out.parameter("parameters", parameters);
        out.count("combinations", found.size()).count("rows", rows);
        out.commit("sweep", "sweep");
    }

    private static List<List<Object>> rows(String name, Found found) {
        List<List<Object>> rows = found.rows();
        if (rows.isEmpty()) {
            throw ToolException.badData(
                    "the combination '%s' has no results of identify: a row with such a folder, of at least one checkpoint, was expected",
                    name);
        }
        return rows;
    }

    /** By name of the combination, in the order of the table. */
    private static Map<String, Found> read(CsvTable table, List<String> parameters, Path file, OutputFolder out) {
        Path base = file.toAbsolutePath().getParent();
        Map<String, Found> found = new LinkedHashMap<>();
        Map<Path, Manifest> manifests = new LinkedHashMap<>();
        for (int i = 0; i < table.size(); i++) {
            List<String> settings = new ArrayList<>();
            for (String parameter : parameters) {
                settings.add(table.text(i, parameter));
            }
            String name = table.text(i, COMBINATION);
            String place = table.text(i, FOLDER);
            if (name == null || place == null) {
                throw ToolException.badData("--combinations, row %d: a name and a folder were expected", i + 1);
            }
            Found one = found.computeIfAbsent(name, n -> new Found(settings));
            if (!one.settings().equals(settings)) {
                throw ToolException.badData(
                        "the combination '%s' has the parameters %s and %s: give each combination its own name",
                        name, one.settings(), settings);
            }
            Path folder = base.resolve(place);
            Manifest manifest = manifests.computeIfAbsent(folder, f -> input(f, out));
            one.add(folder, manifest);
        }
        if (found.isEmpty()) {
            throw ToolException.badData(
                    "--combinations %s has no row: one for each folder of each combination was expected", file);
        }
        return found;
    }

    private static Manifest input(Path folder, OutputFolder out) {
        Manifest manifest = Manifest.readAny(folder);
        out.input(manifest.stage(), manifest);
        return manifest;
    }
}
