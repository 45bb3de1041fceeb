package universality.stats;

import java.util.Arrays;
import java.util.PriorityQueue;

/**
 * One-to-one matching of rows and columns with the largest total weight, over given edges only; a row or column may stay
 * alone, at weight 0. Shortest augmenting paths with potentials (Jonker and Volgenant 1987), each found by Dijkstra's method
 * over the edges, so n rows with k edges each cost at most n · nk log(nk), and in practice far less: a path ends at the
 * first free column.
 */
public final class Assignment {
    private record Reached(double distance, int column) implements Comparable<Reached> {
        @Override
        public int compareTo(Reached other) {
            int byDistance = Double.compare(distance, other.distance);
            return byDistance != 0 ? byDistance : Integer.compare(column, other.column);
        }
    }

    private final int[] start;
    private final int[] columns;
    private final double[] weights;

    private final double[] rowPotential;
    private final double[] columnPotential;
    private final int[] columnOfRow;
    private final int[] rowOfColumn;

    // of the path being searched
    private final double[] distance;
    private final int[] from;
    private final boolean[] closed;
    private final int[] touched;
    private int touchedCount;
    private final int[] scanned;
    private int scannedCount;

    private Assignment(int rows, int columnCount, int[] start, int[] columns, double[] weights) {
        this.start = start;
        this.columns = columns;
        this.weights = weights;
        rowPotential = new double[rows];
        columnPotential = new double[columnCount];
        columnOfRow = new int[rows];
        rowOfColumn = new int[columnCount];
        Arrays.fill(columnOfRow, -1);
        Arrays.fill(rowOfColumn, -1);
        distance = new double[columnCount];
        Arrays.fill(distance, Double.POSITIVE_INFINITY);
        from = new int[columnCount];
        closed = new boolean[columnCount];
        touched = new int[columnCount];
        scanned = new int[rows];
    }

    /**
     * The best matching. Edges that are not positive are never used.
     *
     * @param columnCount number of columns
     * @param start edges of row i are those from {@code start[i]} to {@code start[i + 1]}; rows + 1 entries
     * @param columns column of each edge
     * @param weights weight of each edge; NaN is no edge
     * @return the column of each row, −1 where it stays alone
     */
    public static int[] maximise(int columnCount, int[] start, int[] columns, double[] weights) {
        int rows = start.length - 1;
        Assignment assignment = new Assignment(rows, columnCount, start, columns, weights);
        for (int row = 0; row < rows; row++) {
            assignment.assign(row);
        }
        return assignment.columnOfRow;
    }

    /**
     * Matches one more row along the shortest augmenting path. Costs are −weight; every row also has a column of its own at
     * cost 0 that stands for staying alone.
     */
    private void assign(int first) {
        PriorityQueue<Reached> queue = new PriorityQueue<>();
        double reached = 0;
        double aloneAt = Double.POSITIVE_INFINITY;
        int alone = -1;
        int end = -1;
        int row = first;
        while (true) {
            scanned[scannedCount++] = row;
            if (reached - rowPotential[row] < aloneAt) {
                aloneAt = reached - rowPotential[row];
                alone = row;
            }
            scan(row, reached, queue);
            while (!queue.isEmpty() && closed[queue.peek().column()]) {
                queue.poll();
            }
            if (queue.isEmpty() || aloneAt <= queue.peek().distance()) {
                reached = aloneAt;
                break;
            }
            Reached next = queue.poll();
            reached = next.distance();
            closed[next.column()] = true;
            if (rowOfColumn[next.column()] < 0) {
                end = next.column();
                break;
            }
            row = rowOfColumn[next.column()];
        }
        updatePotentials(first, reached);
        augment(first, end, alone);
        forgetPath();
    }

    private void scan(int row, double reached, PriorityQueue<Reached> queue) {
        for (int e = start[row]; e < start[row + 1]; e++) {
            int column = columns[e];
            if (!(weights[e] > 0) || closed[column]) {
                continue;
            }
            double candidate = reached - weights[e] - rowPotential[row] - columnPotential[column];
            if (candidate < distance[column]) {
                if (distance[column] == Double.POSITIVE_INFINITY) {
                    touched[touchedCount++] = column;
                }
                distance[column] = candidate;
                from[column] = row;
                queue.add(new Reached(candidate, column));
            }
        }
    }

    private void updatePotentials(int first, double reached) {
        for (int i = 0; i < scannedCount; i++) {
            int row = scanned[i];
            rowPotential[row] += row == first ? reached : reached - distance[columnOfRow[row]];
        }
        for (int i = 0; i < touchedCount; i++) {
            int column = touched[i];
            if (closed[column]) {
                columnPotential[column] -= reached - distance[column];
            }
        }
    }

    /** Flips the path that ends at the free column {@code end}, or (−1) with {@code alone} giving its column up. */
    private void augment(int first, int end, int alone) {
        int column = end;
        if (column < 0) {
            column = columnOfRow[alone];
            columnOfRow[alone] = -1;
            if (alone == first) {
                return;
            }
        }
        while (true) {
            int row = from[column];
            rowOfColumn[column] = row;
            int previous = columnOfRow[row];
            columnOfRow[row] = column;
            if (row == first) {
                return;
            }
            column = previous;
        }
    }

    private void forgetPath() {
        for (int i = 0; i < touchedCount; i++) {
            distance[touched[i]] = Double.POSITIVE_INFINITY;
            closed[touched[i]] = false;
        }
        touchedCount = 0;
        scannedCount = 0;
    }
}
