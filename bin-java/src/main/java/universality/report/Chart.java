package universality.report;

/**
 * An SVG figure in the making. Colours come from classes ({@code figure.css}), so the same figure serves the light and the
 * dark page and, with the style sheet inside, a file of its own. Tips are {@code <title>} elements: any viewer shows them,
 * the page's script shows them faster.
 */
final class Chart {
    /** Shapes of marks, so that nothing is told apart by colour alone. */
    enum Shape {
        CIRCLE,
        SQUARE,
        TRIANGLE,
        DIAMOND,
        CROSS;

        static Shape of(int index) {
            return values()[Math.floorMod(index, values().length)];
        }
    }

    private final String name;
    private final Markup svg = new Markup();

    /**
     * Starts a figure.
     *
     * @param name unique in the page, safe in a file name
     * @param title what it shows; for readers who cannot see it
     * @param width pixels
     * @param height pixels
     */
    Chart(String name, String title, int width, int height) {
        this.name = name;
        svg.open(
                "svg",
                "xmlns",
                "http://www.w3.org/2000/svg",
                "class",
                "fig",
                "role",
                "img",
                "aria-labelledby",
                name + "-title",
                "width",
                Integer.toString(width),
                "height",
                Integer.toString(height),
                "viewBox",
                "0 0 " + width + " " + height);
        svg.element("title", title, "id", name + "-title");
        svg.empty("rect", "class", "paper", "width", Integer.toString(width), "height", Integer.toString(height));
    }

    String name() {
        return name;
    }

    /** Draws grid, ticks and axis titles of a panel; the axes hold its pixel ranges. */
    Chart axes(Axis x, String xTitle, Axis y, String yTitle) {
        double bottom = y.start();
        for (Axis.Tick tick : y.ticks()) {
            double at = y.at(tick.value());
            segment(x.start(), at, x.end(), at, "grid");
            if (tick.label() != null) {
                text(x.start() - 7, at + 4, tick.label(), "tick end");
            }
        }
        segment(x.start(), bottom, x.end(), bottom, "axis");
        for (Axis.Tick tick : x.ticks()) {
            double at = x.at(tick.value());
            segment(at, bottom, at, bottom + (tick.label() == null ? 3 : 5), "axis");
            if (tick.label() != null) {
                text(at, bottom + 18, tick.label(), "tick mid");
            }
        }
        if (xTitle != null) {
            text((x.start() + x.end()) / 2, bottom + 38, xTitle, "axis-title mid");
        }
        if (yTitle != null) {
            text(x.start() - 40, y.end() - 14, yTitle, "axis-title");
        }
        return this;
    }

    Chart segment(double x1, double y1, double x2, double y2, String classes) {
        svg.empty("line", "class", classes, "x1", c(x1), "y1", c(y1), "x2", c(x2), "y2", c(y2));
        return this;
    }

    /** A line through the points; a gap where a value is not finite. */
    Chart line(Axis x, Axis y, double[] xs, double[] ys, String classes) {
        StringBuilder path = new StringBuilder();
        boolean pen = false;
        for (int i = 0; i < xs.length; i++) {
            if (!Double.isFinite(ys[i])) {
                pen = false;
                continue;
            }
            path.append(pen ? 'L' : 'M').append(c(x.at(xs[i]))).append(' ').append(c(y.at(ys[i])));
            pen = true;
        }
        return path.isEmpty() ? this : path(path.toString(), classes);
    }

    Chart path(String data, String classes) {
        svg.empty("path", "class", classes, "d", data);
        return this;
    }

    Chart rect(double x, double y, double width, double height, String classes, double opacity, String tip) {
        svg.open(
                "rect",
                "class",
                classes,
                "x",
                c(x),
                "y",
                c(y),
                "width",
                c(Math.max(0, width)),
                "height",
                c(Math.max(0, height)),
                "fill-opacity",
                opacity >= 1 ? null : c(opacity));
        return tip(tip);
    }

    /** A mark around (x, y). */
    Chart mark(Shape shape, double x, double y, double radius, String classes, String tip) {
        double r = radius;
        if (shape == Shape.CIRCLE) {
            svg.open("circle", "class", classes, "cx", c(x), "cy", c(y), "r", c(r));
        } else {
            String data =
                    switch (shape) {
                        case SQUARE -> "M" + p(x - r, y - r) + "h" + c(2 * r) + "v" + c(2 * r) + "h" + c(-2 * r) + "z";
                        case TRIANGLE -> "M" + p(x, y - 1.2 * r) + "L" + p(x + 1.1 * r, y + 0.8 * r) + "L"
                                + p(x - 1.1 * r, y + 0.8 * r) + "z";
                        case DIAMOND -> "M" + p(x, y - 1.3 * r) + "L" + p(x + 1.3 * r, y) + "L" + p(x, y + 1.3 * r)
                                + "L" + p(x - 1.3 * r, y) + "z";
                        default -> "M" + p(x - r, y - r) + "L" + p(x + r, y + r) + "M" + p(x - r, y + r) + "L"
                                + p(x + r, y - r);
                    };
            svg.open("path", "class", classes, "d", data);
        }
        return tip(tip);
    }

    private Chart tip(String tip) {
        if (tip != null) {
            svg.element("title", tip);
        }
        svg.close();
        return this;
    }

    Chart text(double x, double y, String text, String classes) {
        svg.element("text", text, "class", classes, "x", c(x), "y", c(y));
        return this;
    }

    private static String p(double x, double y) {
        return c(x) + " " + c(y);
    }

    private static String c(double value) {
        return Format.coordinate(value);
    }

    /** Ends the figure. */
    Markup end() {
        return svg.close("svg");
    }
}
