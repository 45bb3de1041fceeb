package universality.report;

import java.util.List;
import java.util.function.DoubleFunction;

/**
 * A matrix of coloured cells with its numbers written inside. An undefined cell (NaN) is grey; one without a tip is left out.
 *
 * @param rows row labels, top to bottom
 * @param columns column labels, left to right
 * @param values [row][column]
 * @param top the value of the strongest colour
 * @param label how a value is written in its cell
 * @param tip text of a cell's tip, by row and column
 */
record Heatmap(
        List<String> rows, List<String> columns, double[][] values, double top, DoubleFunction<String> label, Tip tip) {

    interface Tip {
        String of(int row, int column);
    }

    private static final int ROW = 26;

    /** Pixels of a cell so that {@code columns} fit into {@code width}. */
    static int cell(int columns, int width) {
        return Math.max(30, Math.min(78, width / Math.max(1, columns)));
    }

    static int height(int rows) {
        return rows * ROW;
    }

    /** Draws it with the upper left cell's corner at (x, y). */
    void draw(Chart chart, double x, double y, int cell) {
        for (int r = 0; r < rows.size(); r++) {
            chart.text(x - 8, y + r * ROW + 17, rows.get(r), "tick end");
            for (int c = 0; c < columns.size(); c++) {
                cell(chart, r, c, x + c * cell, y + r * ROW, cell);
            }
        }
        double free = Double.POSITIVE_INFINITY;
        for (int c = columns.size() - 1; c >= 0; c--) {
            double at = x + (c + 0.5) * cell;
            double need = 7.0 * columns.get(c).length() + 6;
            if (free - at >= need) {
                chart.text(at, y + rows.size() * ROW + 16, columns.get(c), "tick mid");
                free = at;
            }
        }
    }

    private void cell(Chart chart, int r, int c, double x, double y, int cell) {
        double value = values[r][c];
        String words = tip.of(r, c);
        if (words == null) {
            return;
        }
        if (!Double.isFinite(value)) {
            chart.rect(x + 1, y + 1, cell - 2, ROW - 2, "cell-empty", 1, words);
            return;
        }
        double strength = top > 0 ? Math.max(0, Math.min(1, value / top)) : 0;
        chart.rect(x + 1, y + 1, cell - 2, ROW - 2, "cell", 0.04 + 0.96 * strength, words);
        chart.text(x + cell / 2.0, y + 17, label.apply(value), strength > 0.55 ? "cell-text on" : "cell-text");
    }
}
