package universality.data;

/**
 * Layers and neurons per layer of one model. A neuron's index is layer · width + neuron, its row in a complete table.
 *
 * @param width neurons per layer
 */
public record NeuronShape(int layers, int width) {
    /** Neurons of the whole model. */
    public int neurons() {
        return layers * width;
    }

    /** Index of a neuron. */
    public int index(int layer, int neuron) {
        return layer * width + neuron;
    }

    /** Whether there is such a neuron. */
    public boolean holds(int layer, int neuron) {
        return layer >= 0 && layer < layers && neuron >= 0 && neuron < width;
    }

    /** {@code LAYER.NEURON}. */
    public String name(int index) {
        return index / width + "." + index % width;
    }

    /** {@link #complete} for the columns {@code layer} and {@code neuron} of a table. */
    public static NeuronShape complete(Object where, CsvTable table) {
        int[] layer = new int[table.size()];
        int[] neuron = new int[table.size()];
        for (int row = 0; row < layer.length; row++) {
            layer[row] = clamp(table.integer(row, "layer"));
            neuron[row] = clamp(table.integer(row, "neuron"));
        }
        return complete(where, layer, neuron);
    }

    private static int clamp(long value) {
        return (int) Math.max(-1, Math.min(Integer.MAX_VALUE, value));
    }

    /**
     * The shape of a table that lists every neuron once, layer by layer.
     *
     * @throws ToolException (bad data) if a neuron is missing, repeated or out of order
     */
    public static NeuronShape complete(Object where, int[] layer, int[] neuron) {
        int rows = layer.length;
        int width = 0;
        while (width < rows && layer[width] == 0) {
            width++;
        }
        if (width == 0 || rows % width != 0) {
            throw ToolException.badData(
                    "%s has %d rows, %d of them of layer 0: a row for every neuron of every layer was expected",
                    where, rows, width);
        }
        for (int row = 0; row < rows; row++) {
            if (layer[row] != row / width || neuron[row] != row % width) {
                throw ToolException.badData(
                        "%s, row %d is neuron %d.%d, but %d.%d was expected: every neuron once, layer by layer",
                        where, row + 2, layer[row], neuron[row], row / width, row % width);
            }
        }
        return new NeuronShape(rows / width, width);
    }
}
