package universality.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import universality.benchmarks.Growth.Point;

/**
 * Seconds against operations, both on logarithmic axes with the same step for a factor of ten, so that a time that grows as the
 * operations do runs parallel to the dashed lines, and none may be steeper.
 */
final class GrowthPlot {
    private static final int DECADE = 130;
    private static final int LEFT = 70;
    private static final int TOP = 20;
    private static final int LEGEND = 190;
    private static final List<String> COLOURS =
            List.of("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"); // Okabe and Ito's

    private final StringBuilder svg = new StringBuilder();
    private final int firstX;
    private final int lastX;
    private final int firstY;
    private final int lastY;

    private GrowthPlot(List<Point> points) {
        firstX = (int) Math.floor(
                Math.log10(points.stream().mapToDouble(Point::flops).min().orElse(1)));
        lastX = (int) Math.ceil(
                Math.log10(points.stream().mapToDouble(Point::flops).max().orElse(10)) + 1e-9);
        firstY = (int) Math.floor(
                Math.log10(points.stream().mapToDouble(Point::seconds).min().orElse(1)));
        lastY = (int) Math.ceil(
                Math.log10(points.stream().mapToDouble(Point::seconds).max().orElse(10)) + 1e-9);
    }

    /** Writes the plot as SVG. */
    static void write(Path file, List<Point> points) throws IOException {
        GrowthPlot plot = new GrowthPlot(points);
        plot.draw(Growth.series(points));
        Files.writeString(file, plot.svg);
    }

    private double x(double flops) {
        return LEFT + DECADE * (Math.log10(flops) - firstX);
    }

    private double y(double seconds) {
        return TOP + DECADE * (lastY - Math.log10(seconds));
    }

    private void draw(Map<String, List<Point>> series) {
        int right = LEFT + DECADE * (lastX - firstX);
        int bottom = TOP + DECADE * (lastY - firstY);
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">%n",
                right + LEGEND, Math.max(bottom, TOP + 20 * series.size()) + 50);
        add("<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n");
        grid(right, bottom);
        slopes(right, bottom);
        int line = 0;
        for (Map.Entry<String, List<Point>> entry : series.entrySet()) {
            series(
                    entry.getKey(),
                    entry.getValue(),
                    COLOURS.get(line % COLOURS.size()),
                    right + 15,
                    TOP + 10 + 20 * line);
            line++;
        }
        add("</svg>%n");
    }

    private void grid(int right, int bottom) {
        for (int e = firstX; e <= lastX; e++) {
            add("<path d=\"M%.1f %d V%d\" stroke=\"#ddd\"/>%n", x(Math.pow(10, e)), TOP, bottom);
            add("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">1e%d</text>%n", x(Math.pow(10, e)), bottom + 18, e);
        }
        for (int e = firstY; e <= lastY; e++) {
            add("<path d=\"M%d %.1f H%d\" stroke=\"#ddd\"/>%n", LEFT, y(Math.pow(10, e)), right);
            add("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n", LEFT - 8, y(Math.pow(10, e)) + 4, tick(e));
        }
        add("<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">operations</text>%n", (LEFT + right) / 2, bottom + 38);
        int middle = (TOP + bottom) / 2;
        add(
                "<text x=\"18\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 18 %d)\">seconds</text>%n",
                middle, middle);
    }

    private static String tick(int exponent) {
        return exponent >= 0 && exponent < 5 ? Long.toString((long) Math.pow(10, exponent)) : "1e" + exponent;
    }

    /** Lines of slope 1, one for each power of ten, cut to the frame. */
    private void slopes(int right, int bottom) {
        add(
                "<clipPath id=\"frame\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>%n",
                LEFT, TOP, right - LEFT, bottom - TOP);
        int reach = DECADE * (lastX - firstX + lastY - firstY);
        for (int e = firstY - (lastX - firstX); e < lastY; e++) {
            double start = y(Math.pow(10, e));
            add(
                    "<path d=\"M%d %.1f l%d %d\" stroke=\"#999\" stroke-dasharray=\"3 4\" clip-path=\"url(#frame)\"/>%n",
                    LEFT, start, reach, -reach);
        }
    }

    private void series(String name, List<Point> points, String colour, int legendX, int legendY) {
        StringBuilder path = new StringBuilder();
        for (Point p : points) {
            path.append(String.format(
                    Locale.ROOT, "%s%.1f %.1f ", path.isEmpty() ? "M" : "L", x(p.flops()), y(p.seconds())));
            add("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>%n", x(p.flops()), y(p.seconds()), colour);
        }
        add(
                "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>%n",
                path.toString().strip(), colour);
        add("<circle cx=\"%d\" cy=\"%d\" r=\"4\" fill=\"%s\"/>%n", legendX, legendY - 4, colour);
        add("<text x=\"%d\" y=\"%d\">%s</text>%n", legendX + 10, legendY, name);
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }
}
