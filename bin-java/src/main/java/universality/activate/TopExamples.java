package universality.activate;

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

    private boolean empty = true;

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

    /** Whether nothing was taken in yet. */
    boolean isEmpty() {
        return empty;
    }

    /** The value that a newcomer has to exceed, for each neuron; shared, not copied. */
    float[] least() {
        return least;
    }

    /**
     * Takes whole rows in.
     *
     * @param block activations [rows, neurons], row-major
     * @param at position of each row, ascending from call to call
     */
    void add(float[] block, int[] at) {
        for (int r = 0; r < at.length; r++) {
            for (int i = 0; i < neurons; i++) {
                take(i, block[r * neurons + i], at[r]);
            }
        }
        empty = false;
    }

    /**
     * Takes single values in; of those left out none may exceed {@link #least}.
     *
     * @param rows index into {@code at} of each value; no value may come before one of its neuron at an earlier position
     * @param columns neuron of each
     * @param at positions, ascending from call to call
     */
    void add(long[] rows, long[] columns, float[] some, int[] at) {
        for (int i = 0; i < some.length; i++) {
            take((int) columns[i], some[i], at[(int) rows[i]]);
        }
    }

    private void take(int neuron, float value, int position) {
        if (value > least[neuron]) {
            insert(neuron, value, position);
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
