package universality.report;

import java.util.List;
import java.util.SortedMap;
import java.util.function.DoubleFunction;
import universality.report.PointCloud.Place;
import universality.report.ScatterSection.Panel;

/**
 * Small multiples, a panel for each layer. Few neurons are dots; where they are more than the budget of places, those that are
 * not universal become a map of densities, with the smallest tiles that fit the budget.
 */
final class ScatterChart {
    private static final int WIDTH = 860;
    private static final int LEFT = 46;
    private static final int RIGHT = 10;
    private static final int TOP = 46;
    private static final int FEW_POINTS = 1_000;
    private static final int REMARK_WIDTH = 58;
    private static final int[] TILES = {3, 4, 5, 6, 8, 10, 14};

    private final IdentifySummary summary;
    private final SortedMap<Integer, Panel> panels;
    private final int columns;
    private final int width;
    private final int height;
    private final double domain;
    private final int across;
    private final int up;

    /** Lays out {@code panels}, sealed, by layer; {@code budget} is the most places to draw. */
    ScatterChart(IdentifySummary summary, SortedMap<Integer, Panel> panels, int budget) {
        this.summary = summary;
        this.panels = panels;
        columns = panels.size() <= 2 ? 2 : panels.size() == 3 ? 3 : 4;
        width = WIDTH / columns;
        height = columns == 2 ? 360 : columns == 3 ? 290 : 220;
        double right = panels.values().stream()
                .mapToDouble(p -> Math.max(p.others.right(), p.universal.right()))
                .max()
                .orElse(0);
        domain = Math.max(0.2, Math.min(1, Math.ceil(right * 10 + 0.2) / 10));
        int tile = tile(budget);
        across = cells(tile, x(0));
        up = cells(tile, y(0));
    }

    /** Pixels of a tile, 0 for dots. */
    private int tile(int budget) {
        if (places(1, 1) <= budget) {
            return 0;
        }
        for (int tile : TILES) {
            if (places(cells(tile, x(0)), cells(tile, y(0))) <= budget) {
                return tile;
            }
        }
        return TILES[TILES.length - 1];
    }

    /** Cells of the grid that are {@code tile} pixels long on {@code axis}. */
    private static int cells(int tile, Axis axis) {
        return Math.max(1, (int) Math.round(tile / unit(axis) / PointCloud.FINEST));
    }

    /** Pixels per unit. */
    private static double unit(Axis axis) {
        return Math.abs(axis.at(1) - axis.at(0));
    }

    private int places(int cellsAcross, int cellsUp) {
        return panels.values().stream()
                .mapToInt(p -> p.others.places(cellsAcross, cellsUp))
                .sum();
    }

    boolean tiled() {
        return across > 1 || up > 1;
    }

    private Axis x(int panel) {
        double left = panel % columns * width + LEFT;
        return Axis.linear(0, domain, left, left + width - LEFT - RIGHT, columns == 2 ? 5 : 3, tenths());
    }

    private Axis y(int panel) {
        double top = panel / columns * height + TOP;
        return Axis.linear(0, 1, top + height - 62, top, columns == 2 ? 5 : 3, tenths());
    }

    private static DoubleFunction<String> tenths() {
        return v -> Format.fixed(v, 2).replaceAll("0$", "");
    }

    /** Draws all panels. */
    Chart draw(Page page) {
        int rows = (panels.size() + columns - 1) / columns;
        Chart chart = new Chart(
                page.figureName("excess", summary.family(), "t" + summary.step()),
                "Mean best correlation with other seeds against rotation baseline for every neuron, step "
                        + summary.step(),
                WIDTH,
                rows * height + TOP);
        int index = 0;
        for (var entry : panels.entrySet()) {
            panel(chart, index, entry.getKey(), entry.getValue());
            index++;
        }
        chart.text(WIDTH / 2.0, rows * height + 32, "Rotation baseline (correlation ρ)", "axis-title mid");
        chart.text(2, 13, "Best correlation, mean over the other seeds (ρ)", "axis-title");
        return chart;
    }

    private void panel(Chart chart, int index, int layer, Panel panel) {
        Axis x = x(index);
        Axis y = y(index);
        chart.axes(x, null, y, null);
        String title = "Layer " + layer + ": " + Format.count(panel.universal.points()) + " of "
                + Format.count(panel.points());
        chart.text(x.start(), y.end() - 6, title + (columns == 2 ? " universal" : ""), "panel-title");
        String few = panel.points() <= FEW_POINTS ? " few" : "";
        if (tiled()) {
            tiles(chart, x, y, panel.others.at(across, up));
        } else {
            dots(chart, x, y, panel.others.at(1, 1), "points other" + few);
        }
        boolean many = panel.universal.places(1, 1) > FEW_POINTS;
        dots(chart, x, y, panel.universal.at(many ? across : 1, many ? up : 1), "points universal" + few);
        diagonal(chart, x, y, 0, "guide", index == 0);
        diagonal(chart, x, y, summary.threshold(), "guide strong", index == 0);
    }

    /** The line correlation = baseline + {@code offset}, cut to the panel. */
    private static void diagonal(Chart chart, Axis x, Axis y, double offset, String classes, boolean named) {
        double end = Math.min(x.to(), y.to() - offset);
        if (!(end > x.from())) {
            return;
        }
        chart.segment(x.at(0), y.at(offset), x.at(end), y.at(end + offset), classes);
        if (named) {
            double slope = (y.at(offset) - y.at(end + offset)) / (x.at(end) - x.at(0));
            String name = "excess " + Format.fixed(offset, 2).replaceAll("\\.?0+$", "");
            chart.text(x.at(end), y.at(end + offset) + 8 + REMARK_WIDTH * slope, name, "remark end");
        }
    }

    /** One path for each of three densities: round caps of empty segments are dots, at a few bytes each. */
    private static void dots(Chart chart, Axis x, Axis y, List<Place> places, String classes) {
        StringBuilder[] paths = {new StringBuilder(), new StringBuilder(), new StringBuilder()};
        for (Place place : places) {
            StringBuilder path = paths[place.points() >= 10 ? 2 : place.points() >= 2 ? 1 : 0];
            path.append('M').append(inside(x, place.x())).append(' ');
            path.append(inside(y, place.y())).append("h0");
        }
        for (int i = 0; i < paths.length; i++) {
            if (!paths[i].isEmpty()) {
                chart.path(paths[i].toString(), classes + " d" + i);
            }
        }
    }

    /** One path of squares for each of four densities: 1, 2, 10, and 100 or more neurons. */
    private void tiles(Chart chart, Axis x, Axis y, List<Place> places) {
        StringBuilder[] paths = {new StringBuilder(), new StringBuilder(), new StringBuilder(), new StringBuilder()};
        double wide = across * PointCloud.FINEST * unit(x);
        double high = up * PointCloud.FINEST * unit(y);
        String square = "h" + tenth(wide) + "v" + tenth(high) + "h-" + tenth(wide) + "z";
        for (Place place : places) {
            int density = place.points() >= 100 ? 3 : place.points() >= 10 ? 2 : place.points() >= 2 ? 1 : 0;
            if (place.x() >= x.from() && place.x() <= x.to() && place.y() >= y.from()) {
                paths[density]
                        .append('M')
                        .append(tenth(x.at(place.x()) - wide / 2))
                        .append(' ');
                paths[density].append(tenth(y.at(place.y()) - high / 2)).append(square);
            }
        }
        for (int i = 0; i < paths.length; i++) {
            if (!paths[i].isEmpty()) {
                chart.path(paths[i].toString(), "tile t" + i);
            }
        }
    }

    /** Pixel of {@code value}, moved to the border where it lies outside. */
    private static String inside(Axis axis, double value) {
        return tenth(axis.at(Math.max(axis.from(), Math.min(axis.to(), value))));
    }

    private static String tenth(double value) {
        return Format.coordinate(Math.round(value * 10) / 10.0);
    }
}
