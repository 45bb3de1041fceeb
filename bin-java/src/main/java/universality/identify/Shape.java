package universality.identify;

import universality.data.ToolException;

/**
 * Layers and neurons per layer of one model. A neuron's index is layer · width + neuron, its row in a complete table.
 *
 * @param width neurons per layer
 */
record Shape(int layers, int width) {
    int neurons() {
        return layers * width;
    }

    int index(int layer, int neuron) {
        return layer * width + neuron;
    }

    boolean holds(int layer, int neuron) {
        return layer >= 0 && layer < layers && neuron >= 0 && neuron < width;
    }

    /** {@code LAYER.NEURON}. */
    String name(int index) {
        return index / width + "." + index % width;
    }

    /**
     * The shape of a table that lists every neuron once, layer by layer.
     *
     * @throws ToolException (bad data) if a neuron is missing, repeated or out of order
     */
    static Shape complete(Object where, int[] layer, int[] neuron) {
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
        return new Shape(rows / width, width);
    }
}
