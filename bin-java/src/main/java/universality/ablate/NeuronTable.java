package universality.ablate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import universality.data.CsvTable;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.ToolException;
import universality.model.ModelConfig;

/**
 * The neurons to ablate, from a table with the columns {@code layer} and {@code neuron}: the rows whose {@code universal} is
 * true, or all rows of a table without that column.
 *
 * @param id the file's name without its extension
 * @param digest sha256 of the file
 */
record NeuronTable(String id, String digest, NeuronSet set) {
    /**
     * Reads a table.
     *
     * @throws ToolException (bad data) if a column is missing, a neuron comes twice or is not in the model; (missing) if there is
     *     no such file
     */
    static NeuronTable read(Path file, ModelConfig config, String checkpoint) {
        if (!Files.isRegularFile(file)) {
            throw ToolException.missing(
                    "%s is not a file: give a table of neurons, such as 'identify' writes for this checkpoint", file);
        }
        CsvTable table = CsvTable.read(file, "layer", "neuron");
        boolean[][] seen = new boolean[config.layers()][config.dMlp()];
        boolean[][] chosen = new boolean[config.layers()][config.dMlp()];
        for (int row = 0; row < table.size(); row++) {
            long layer = table.integer(row, "layer");
            long neuron = table.integer(row, "neuron");
            if (layer < 0 || layer >= config.layers() || neuron < 0 || neuron >= config.dMlp()) {
                throw ToolException.badData(
                        "%s, row %d: neuron %d.%d is not in checkpoint '%s', which has %d layers of %d neurons: give the table"
                                + " of this checkpoint",
                        file, row + 2, layer, neuron, checkpoint, config.layers(), config.dMlp());
            }
            if (seen[(int) layer][(int) neuron]) {
                throw ToolException.badData("%s, row %d: neuron %d.%d comes twice", file, row + 2, layer, neuron);
            }
            seen[(int) layer][(int) neuron] = true;
            chosen[(int) layer][(int) neuron] = !table.has("universal") || table.flag(row, "universal");
        }
        return new NeuronTable(
                file.getFileName().toString().replaceFirst("\\.csv$", ""), digest(file), NeuronSet.of(chosen));
    }

    /** The file's digest, checked against the manifest beside it, if that lists the file. */
    private static String digest(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        String name = file.getFileName().toString();
        try {
            if (Files.isRegularFile(folder.resolve(Manifest.NAME))) {
                Manifest manifest = Manifest.readAny(folder);
                if (manifest.files().stream().anyMatch(f -> f.path().equals(name))) {
                    manifest.verified(folder, name);
                }
            }
            return Digests.ofFile(file);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
