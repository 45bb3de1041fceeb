package universality.identify;

import java.nio.file.Path;
import java.util.Arrays;
import universality.data.Dtype;
import universality.data.NeuronShape;
import universality.data.SafetensorsFile;
import universality.data.ToolException;
import universality.stats.GroupedCorrelation;

/**
 * The sums of one ordered pair by groups of documents: of every neuron of A with each of its candidates in B. Immutable by
 * agreement.
 *
 * @param partner candidates of each neuron of A, layer × d_mlp + index, −1 where there are no more; [N × each]
 * @param product Σxy of each, [N × each × groups]
 * @param a sums of A's neurons
 * @param b sums of B's neurons
 */
record GroupSums(Path file, double[] count, int each, int[] partner, double[] product, Side a, Side b) {
    /** Σx and Σx² of a checkpoint's neurons, [N × groups]. */
    record Side(double[] count, double[] sum, double[] square) {
        static Side read(Path file, NeuronShape shape) {
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                int groups = (int) tensors.tensor("count", Dtype.F64, -1).shape()[0];
                tensors.tensor("sum", Dtype.F64, shape.neurons(), groups);
                tensors.tensor("square", Dtype.F64, shape.neurons(), groups);
                return new Side(tensors.doubles("count"), tensors.doubles("sum"), tensors.doubles("square"));
            }
        }

        GroupedCorrelation.Sums of(int neuron) {
            int groups = count.length;
            int from = neuron * groups;
            return new GroupedCorrelation.Sums(
                    Arrays.copyOfRange(sum, from, from + groups), Arrays.copyOfRange(square, from, from + groups));
        }
    }

    /**
     * Reads the three files.
     *
     * @throws ToolException (bad data) if they do not fit each other or the models
     */
    static GroupSums read(Path file, Path fileA, NeuronShape shapeA, Path fileB, NeuronShape shapeB) {
        Side a = Side.read(fileA, shapeA);
        Side b = Side.read(fileB, shapeB);
        if (!Arrays.equals(a.count(), b.count())) {
            throw ToolException.badData(
                    "%s and %s are of different groups of positions; rerun the stage 'correlate'", fileA, fileB);
        }
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            int each = (int)
                    tensors.tensor("partner", Dtype.I32, shapeA.neurons(), -1).shape()[1];
            tensors.tensor("product", Dtype.F64, shapeA.neurons(), each, a.count().length);
            int[] partner = tensors.ints("partner");
            for (int p : partner) {
                if (p < -1 || p >= shapeB.neurons()) {
                    throw ToolException.badData(
                            "%s has the candidate %d, but that model has %d neurons", file, p, shapeB.neurons());
                }
            }
            return new GroupSums(file, a.count(), each, partner, tensors.doubles("product"), a, b);
        }
    }

    /** Σxy of candidate {@code c} of a neuron, [groups]. */
    double[] product(int neuron, int c) {
        int from = (neuron * each + c) * count.length;
        return Arrays.copyOfRange(product, from, from + count.length);
    }
}
