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

    /** Number of places when {@code across} × {@code up} cells of the grid are one place. */
    int places(int across, int up) {
        return (int)
                Arrays.stream(cells).map(c -> coarse(c, across, up)).distinct().count();
    }

    private static int coarse(int cell, int across, int up) {
        return cell / SIDE / up * SIDE + cell % SIDE / across;
    }

    /** The occupied places, row by row; a place of several cells lies in their middle. */
    List<Place> at(int across, int up) {
        int[] order = new int[SIDE * SIDE];
        for (int i = 0; i < cells.length; i++) {
            order[coarse(cells[i], across, up)] += cellCounts[i];
        }
        List<Place> places = new ArrayList<>();
        for (int cell = 0; cell < order.length; cell++) {
            if (order[cell] > 0) {
                double x = LOW + (cell % SIDE * across + (across - 1) / 2.0) * FINEST;
                double y = LOW + (cell / SIDE * up + (up - 1) / 2.0) * FINEST;
                places.add(new Place(x, y, order[cell]));
            }
        }
        return places;
    }

    /** The largest x of a place, 0 where there is none. */
    double right() {
        return Arrays.stream(cells)
                .mapToDouble(c -> LOW + c % SIDE * FINEST)
                .max()
                .orElse(0);
    }
}
