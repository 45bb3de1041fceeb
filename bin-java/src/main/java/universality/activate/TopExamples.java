package universality.activate;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The k largest activations of each neuron of one layer and where they occurred, exact. Of equal values the earlier position
 * is kept, so the result does not depend on how the rows were cut into batches.
 */
final class TopExamples {
    private final int neurons;
    private final int k;
    private final float[] values;
    private final int[] positions;
    /** The value that a newcomer has to exceed, for each neuron. */
    private final float[] least;

    TopExamples(int neurons, int k) {
        this.neurons = neurons;
        this.k = k;
        values = new float[neurons * k];
        positions = new int[neurons * k];
        least = new float[neurons];
        Arrays.fill(values, Float.NEGATIVE_INFINITY);
        Arrays.fill(positions, -1);
        Arrays.fill(least, Float.NEGATIVE_INFINITY);
    }

    /**
     * Takes a block in.
     *
     * @param block activations [rows, neurons], row-major. Position not modified.
     * @param kept position of each row
     */
    void add(FloatBuffer block, int[] kept) {
        float[] row = new float[neurons];
        for (int r = 0; r < kept.length; r++) {
            block.get(r * neurons, row);
            for (int i = 0; i < neurons; i++) {
                if (row[i] > least[i]) {
                    insert(i, row[i], kept[r]);
                }
            }
        }
    }

    private void insert(int neuron, float value, int position) {
        int at = neuron * k + k - 1;
        int first = neuron * k;
        while (at > first && values[at - 1] < value) {
            values[at] = values[at - 1];
            positions[at] = positions[at - 1];
            at--;
        }
        values[at] = value;
        positions[at] = position;
        least[neuron] = values[first + k - 1];
    }

    /** Values, largest first, [neurons, k]; −1 where there are fewer than k positions. */
    float[] values() {
        float[] result = values.clone();
        for (int i = 0; i < result.length; i++) {
            if (positions[i] < 0) {
                result[i] = -1;
            }
        }
        return result;
    }

    /** Flat positions, −1 where there are fewer. */
    int[] positions() {
        return positions.clone();
    }
}
