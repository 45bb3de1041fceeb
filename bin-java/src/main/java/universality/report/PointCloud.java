package universality.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Points in the plane counted on a fine grid, so that a panel of 10⁵ neurons costs as much to draw as its distinct places.
 * Values outside [−0.2, 1] are counted at the border.
 */
final class PointCloud {
    /** Distance of grid places. */
    static final double FINEST = 1.0 / 500;

    private static final double LOW = -0.2;
    private static final int SIDE = 601;

    /** A place and the number of points there. */
    record Place(double x, double y, int points) {}

    private int[] counts = new int[SIDE * SIDE];
    private int[] cells;
    private int[] cellCounts;
    private int points;

    /** Counts a point. */
    void add(double x, double y) {
        counts[index(y) * SIDE + index(x)]++;
        points++;
    }

    private static int index(double value) {
        return (int) Math.max(0, Math.min(SIDE - 1, Math.round((value - LOW) / FINEST)));
    }

    int points() {
        return points;
    }

    /** Gives up the grid for a list of its occupied places; no point may be added afterwards. */
    PointCloud seal() {
        int occupied = 0;
        for (int count : counts) {
            occupied += count > 0 ? 1 : 0;
        }
        cells = new int[occupied];
        cellCounts = new int[occupied];
        for (int cell = 0, next = 0; cell < counts.length; cell++) {
            if (counts[cell] > 0) {
                cells[next] = cell;
                cellCounts[next++] = counts[cell];
            }
        }
        counts = null;
        return this;
    }

    /** Number of places when {@code factor} × {@code factor} grid cells are one place. */
    int places(int factor) {
        return (int) Arrays.stream(cells).map(c -> coarse(c, factor)).distinct().count();
    }

    private static int coarse(int cell, int factor) {
        return cell / SIDE / factor * SIDE + cell % SIDE / factor;
    }

    /** The occupied places, row by row; a place of several cells lies in their middle. */
    List<Place> at(int factor) {
        int[] order = new int[SIDE * SIDE];
        for (int i = 0; i < cells.length; i++) {
            order[coarse(cells[i], factor)] += cellCounts[i];
        }
        List<Place> places = new ArrayList<>();
        double middle = (factor - 1) / 2.0;
        for (int cell = 0; cell < order.length; cell++) {
            if (order[cell] > 0) {
                double x = LOW + (cell % SIDE * factor + middle) * FINEST;
                double y = LOW + (cell / SIDE * factor + middle) * FINEST;
                places.add(new Place(x, y, order[cell]));
            }
        }
        return places;
    }
}
