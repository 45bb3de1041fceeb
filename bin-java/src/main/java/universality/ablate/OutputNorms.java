package universality.ablate;

import java.nio.file.Path;
import universality.data.CheckpointFolder;
import universality.data.CsvTable;
import universality.data.Manifest;
import universality.data.ToolException;
import universality.model.CheckpointWeights;
import universality.model.ModelConfig;

/**
 * ‖w_out‖ of every neuron, [layers][d_mlp].
 *
 * @param source manifest of the description that they come from; {@code null}: the checkpoint's own weights
 */
record OutputNorms(double[][] norm, Manifest source) {
    /**
     * The column {@code w_out_norm} of what {@code describe} wrote.
     *
     * @throws ToolException (bad data) if it describes another checkpoint, or not every neuron
     */
    static OutputNorms read(Path folder, CheckpointFolder checkpoint, ModelConfig config) {
        Manifest manifest = Manifest.read(folder, "describe");
        String expected = checkpoint.manifest().contentDigest();
        if (!manifest.inputDigest("checkpoint").orElse("").equals(expected)) {
            throw ToolException.badData(
                    "%s describes '%s', which is not the checkpoint '%s' (digest %.12s): give the description of this"
                            + " checkpoint",
                    folder, manifest.id(), checkpoint.id(), expected);
        }
        Path file = manifest.verified(folder, manifest.id() + ".csv");
        CsvTable table = CsvTable.read(file, "layer", "neuron", "w_out_norm");
        if (table.size() != config.neurons()) {
            throw ToolException.badData(
                    "%s has %d rows, but checkpoint '%s' has %d neurons",
                    file, table.size(), checkpoint.id(), config.neurons());
        }
        double[][] norm = new double[config.layers()][config.dMlp()];
        for (int row = 0; row < table.size(); row++) {
            int layer = row / config.dMlp();
            int neuron = row % config.dMlp();
            if (table.integer(row, "layer") != layer || table.integer(row, "neuron") != neuron) {
                throw ToolException.badData("%s, row %d: neuron %d.%d was expected", file, row + 2, layer, neuron);
            }
            norm[layer][neuron] = table.number(row, "w_out_norm");
        }
        return new OutputNorms(norm, manifest);
    }

    /**
     * ‖w_out − mean(w_out)‖ from the weights: every reader of the residual stream starts with a LayerNorm, which takes the mean
     * away (as {@code describe} does).
     */
    static OutputNorms measure(CheckpointFolder checkpoint) {
        try (CheckpointWeights weights = CheckpointWeights.open(checkpoint)) {
            ModelConfig config = weights.config();
            double[][] norm = new double[config.layers()][];
            for (int layer = 0; layer < norm.length; layer++) {
                float[] out = weights.mlpOut(layer);
                norm[layer] = centredNorms(out, config.dMlp(), config.dModel());
            }
            return new OutputNorms(norm, null);
        }
    }

    private static double[] centredNorms(float[] matrix, int rows, int columns) {
        double[] norms = new double[rows];
        for (int row = 0; row < rows; row++) {
            double mean = 0;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                mean += matrix[i] / (double) columns;
            }
            double square = 0;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                square += (matrix[i] - mean) * (matrix[i] - mean);
            }
            norms[row] = Math.sqrt(square);
        }
        return norms;
    }
}
