package universality.report;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import universality.data.Dtype;
import universality.data.SafetensorsFile;
import universality.data.ToolException;
import universality.report.Results.Folder;

/** The strongest activations of each neuron of one checkpoint, as {@code activate} kept them. The caller closes it. */
final class Examples implements AutoCloseable {
    static final String FILE = "examples.safetensors";

    /** One activation: its value and where in the tokens it is. */
    record Example(double value, int row, int position) {
        /** Whether {@code other} is at the same token. */
        boolean samePlace(Example other) {
            return row == other.row && position == other.position;
        }
    }

    private final SafetensorsFile file;
    private final long[] shape;

    private Examples(SafetensorsFile file) {
        this.file = file;
        this.shape = file.tensor("value", Dtype.F32, -1, -1, -1).shape();
        file.tensor("row", Dtype.I32, shape);
        file.tensor("pos", Dtype.I32, shape);
    }

    /** Opens the examples of a folder of {@code activate}. */
    static Examples open(Folder folder) {
        return new Examples(SafetensorsFile.open(folder.verified(FILE)));
    }

    /**
     * Examples of one neuron, strongest first.
     *
     * @throws ToolException (bad data) if the checkpoint has no such neuron
     */
    List<Example> of(int layer, int neuron) {
        if (layer < 0 || layer >= shape[0] || neuron < 0 || neuron >= shape[1]) {
            throw ToolException.badData(
                    "neuron %d.%d is named in a table, but %s has %d layers of %d neurons: the results do not belong together",
                    layer, neuron, file.path(), shape[0], shape[1]);
        }
        long at = 4 * shape[2] * (layer * shape[1] + neuron);
        ByteBuffer values = file.map(file.tensor("value"), at, 4 * shape[2]);
        ByteBuffer rows = file.map(file.tensor("row"), at, 4 * shape[2]);
        ByteBuffer positions = file.map(file.tensor("pos"), at, 4 * shape[2]);
        List<Example> examples = new ArrayList<>();
        for (int i = 0; i < shape[2]; i++) {
            if (rows.getInt(4 * i) >= 0) {
                examples.add(new Example(values.getFloat(4 * i), rows.getInt(4 * i), positions.getInt(4 * i)));
            }
        }
        return examples;
    }

    @Override
    public void close() {
        file.close();
    }
}
