package universality.correlate;

import java.util.Arrays;

/** The largest values of each row of something that comes block by block, best first; of equal values the lowest index first. */
final class TopList {
    final int size;
    private final double[] values;
    private final int[] at;

    TopList(int rows, int size) {
        this.size = size;
        values = new double[rows * size];
        at = new int[rows * size];
        Arrays.fill(values, Double.NEGATIVE_INFINITY);
        Arrays.fill(at, -1);
    }

    /** Offers a value, in any order. */
    void add(int row, double value, int index) {
        int from = row * size;
        int place = from + size;
        while (place > from && before(value, index, place - 1)) {
            place--;
        }
        int end = from + size;
        if (place == end) {
            return;
        }
        System.arraycopy(values, place, values, place + 1, end - place - 1);
        System.arraycopy(at, place, at, place + 1, end - place - 1);
        values[place] = value;
        at[place] = index;
    }

    private boolean before(double value, int index, int place) {
        return at[place] < 0 || value > values[place] || value == values[place] && index < at[place];
    }

    /** Entries of a row. */
    int count(int row) {
        int count = 0;
        while (count < size && at[row * size + count] >= 0) {
            count++;
        }
        return count;
    }

    /** The value of a row's entry, best first. */
    double value(int row, int entry) {
        return values[row * size + entry];
    }

    /** The index of a row's entry, −1 where there is none. */
    int at(int row, int entry) {
        return at[row * size + entry];
    }
}
