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
     * @throws ToolException (missing, bad data) if a folder is absent, of another stage, or a combination has two names or
     *     lacks results
     */
    public static void run(Path combinations, OutputFolder out) throws IOException {
        CsvTable table = CsvTable.read(combinations, COMBINATION, FOLDER);
        List<String> parameters = table.header().stream()
                .filter(c -> !c.equals(COMBINATION) && !c.equals(FOLDER))
                .toList();
        Map<String, Found> found =
                read(table, parameters, combinations.toAbsolutePath().getParent(), out);
        List<String> header = new ArrayList<>(List.of(COMBINATION));
        header.addAll(parameters);
        header.addAll(Found.HEADER);
        long rows = 0;
        try (CsvWriter writer = new CsvWriter(out.file("sweep.csv"), header)) {
            for (Map.Entry<String, Found> combination : found.entrySet()) {
                for (List<Object> cells : combination.getValue().rows()) {
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

    /** By name of the combination, in the order of the table. */
    private static Map<String, Found> read(CsvTable table, List<String> parameters, Path base, OutputFolder out) {
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
        return found;
    }

    private static Manifest input(Path folder, OutputFolder out) {
        Manifest manifest = Manifest.readAny(folder);
        out.input(manifest.stage(), manifest);
        return manifest;
    }
}
