package universality.report;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.report.IdentifySummary.Checkpoint;
import universality.report.PointCloud.Place;
import universality.report.Study.Family;

/** Every neuron's correlation with the other seeds against its rotation baseline, a panel for each layer. */
final class ScatterSection implements Section {
    private static final int WIDTH = 820;
    private static final int PLACES_OF_STUDY = 120_000;
    private static final int FEWEST_PLACES = 2_500;
    private static final int MOST_PLACES = 15_000;
    private static final int FEW_POINTS = 1_000;
    private static final int REMARK_WIDTH = 58;

    /** One layer at one step, all seeds together. */
    private static final class Panel {
        final PointCloud others = new PointCloud();
        final PointCloud universal = new PointCloud();
    }

    @Override
    public String id() {
        return "excess";
    }

    @Override
    public String title() {
        return "Excess correlation";
    }

    @Override
    public void write(Page page, Markup out) {
        if (page.study().identified().isEmpty()) {
            Section.absent(out, "No results of the stage identify, so there are no correlations to draw.");
            return;
        }
        for (Family family : page.study().identified()) {
            out.element("h3", "Correlation against baseline" + page.study().ofFamily(family));
            List<Long> steps = spread(List.copyOf(family.steps().keySet()), Page.MOST_VIEWS);
            if (steps.size() < family.steps().size()) {
                page.warn("the scatter of family " + family.name() + " shows " + steps.size() + " of "
                        + family.steps().size() + " steps");
                out.element(
                        "p",
                        "Shown are " + steps.size() + " of " + family.steps().size() + " steps, evenly chosen.",
                        "class",
                        "note");
            }
            Page.Switch views = page.new Switch("Step");
            int budget = Math.max(FEWEST_PLACES, Math.min(MOST_PLACES, PLACES_OF_STUDY / steps.size()));
            for (long step : steps) {
                views.view(Format.count(step), view(page, family.steps().get(step), budget))
                        .choose();
            }
            out.add(views.end());
        }
    }

    /** At most {@code most} of {@code steps}, evenly chosen, the first and last among them. */
    static List<Long> spread(List<Long> steps, int most) {
        if (steps.size() <= most) {
            return steps;
        }
        List<Long> chosen = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            chosen.add(steps.get((int) ((long) i * (steps.size() - 1) / (most - 1))));
        }
        return chosen;
    }

    private static Markup view(Page page, IdentifySummary summary, int budget) {
        SortedMap<Integer, Panel> panels = read(summary);
        if (panels.isEmpty()) {
            Markup out = new Markup();
            Section.absent(out, "No neuron of this step has a defined correlation.");
            return out;
        }
        int factor = 1;
        while (places(panels, factor) > budget && factor < 64) {
            factor *= 2;
        }
        long points = panels.values().stream()
                .mapToLong(p -> p.others.points() + p.universal.points())
                .sum();
        String drawn = factor == 1 ? "" : " Points closer than " + factor * PointCloud.FINEST + " are drawn as one.";
        return page.figure(
                chart(page, summary, panels, factor),
                Format.plural(points, "neuron", "neurons") + " of "
                        + Format.plural(summary.checkpoints().size(), "seed", "seeds") + " at step "
                        + Format.count(summary.step())
                        + ", stronger where several coincide. Neurons above the upper line (baseline + "
                        + summary.threshold()
                        + ") have enough excess to be universal; the lower line is where a real model"
                        + " correlates no better than a rotated one." + drawn);
    }

    private static SortedMap<Integer, Panel> read(IdentifySummary summary) {
        SortedMap<Integer, Panel> panels = new TreeMap<>();
        for (Checkpoint checkpoint : summary.checkpoints()) {
            TableRows.read(summary.folder().verified(checkpoint.id() + ".csv"), row -> {
                double baseline = row.number("mean_baseline");
                double correlation = row.number("mean_corr");
                if (Double.isFinite(baseline) && Double.isFinite(correlation)) {
                    Panel panel = panels.computeIfAbsent((int) row.integer("layer"), l -> new Panel());
                    (row.flag("universal") ? panel.universal : panel.others).add(baseline, correlation);
                }
            });
        }
        panels.values().forEach(panel -> {
            panel.others.seal();
            panel.universal.seal();
        });
        return panels;
    }

    private static int places(SortedMap<Integer, Panel> panels, int factor) {
        return panels.values().stream()
                .mapToInt(p -> p.others.places(factor) + p.universal.places(factor))
                .sum();
    }

    private static Chart chart(Page page, IdentifySummary summary, SortedMap<Integer, Panel> panels, int factor) {
        int columns = panels.size() <= 2 ? 2 : panels.size() == 3 ? 3 : 4;
        int rows = (panels.size() + columns - 1) / columns;
        int width = WIDTH / columns;
        int height = columns == 2 ? 360 : columns == 3 ? 290 : 230;
        Chart chart = new Chart(
                page.figureName("excess", summary.family(), "t" + summary.step()),
                "Mean best correlation with other seeds against rotation baseline for every neuron, step "
                        + summary.step(),
                WIDTH,
                rows * height + 46);
        double right = Math.max(0.2, domain(panels));
        int index = 0;
        for (var entry : panels.entrySet()) {
            double left = index % columns * width + (index % columns == 0 ? 48 : 40);
            double top = index / columns * height + 46;
            Axis x = Axis.linear(0, right, left, (index % columns + 1) * width - 10, columns == 2 ? 5 : 3, tenths());
            Axis y = Axis.linear(0, 1, top + height - 62, top, columns == 2 ? 5 : 3, tenths());
            panel(chart, entry.getKey(), entry.getValue(), x, y, summary.threshold(), factor);
            index++;
        }
        chart.text(WIDTH / 2.0, rows * height + 32, "Rotation baseline (correlation ρ)", "axis-title mid");
        chart.text(2, 13, "Best correlation, mean over the other seeds (ρ)", "axis-title");
        return chart;
    }

    private static java.util.function.DoubleFunction<String> tenths() {
        return v -> Format.fixed(v, 2).replaceAll("0$", "");
    }

    private static double domain(SortedMap<Integer, Panel> panels) {
        double right = 0;
        for (Panel panel : panels.values()) {
            for (PointCloud cloud : List.of(panel.others, panel.universal)) {
                for (Place place : cloud.at(1)) {
                    right = Math.max(right, place.x());
                }
            }
        }
        return Math.min(1, Math.ceil(right * 10 + 0.2) / 10);
    }

    private static void panel(Chart chart, int layer, Panel panel, Axis x, Axis y, double threshold, int factor) {
        chart.axes(x, null, y, null);
        int all = panel.others.points() + panel.universal.points();
        chart.text(
                x.start(),
                y.end() - 6,
                "Layer " + layer + ": " + Format.count(panel.universal.points()) + " of " + Format.count(all)
                        + " universal",
                "panel-title");
        diagonal(chart, x, y, 0, "guide");
        diagonal(chart, x, y, threshold, "guide strong");
        String few = all <= FEW_POINTS ? " few" : "";
        cloud(chart, x, y, panel.others.at(factor), "points other" + few);
        cloud(chart, x, y, panel.universal.at(factor), "points universal" + few);
    }

    /** The line correlation = baseline + {@code offset}, cut to the panel. */
    private static void diagonal(Chart chart, Axis x, Axis y, double offset, String classes) {
        double end = Math.min(x.to(), y.to() - offset);
        if (end > x.from()) {
            chart.segment(x.at(0), y.at(offset), x.at(end), y.at(end + offset), classes);
            double slope = (y.at(offset) - y.at(end + offset)) / (x.at(end) - x.at(0));
            chart.text(
                    x.at(end),
                    y.at(end + offset) + 8 + REMARK_WIDTH * slope,
                    "excess " + Format.fixed(offset, 2).replaceAll("\\.?0+$", ""),
                    "remark end");
        }
    }

    /** One path for each of three densities: round caps of empty segments are dots, at a few bytes each. */
    private static void cloud(Chart chart, Axis x, Axis y, List<Place> places, String classes) {
        StringBuilder[] paths = {new StringBuilder(), new StringBuilder(), new StringBuilder()};
        for (Place place : places) {
            StringBuilder path = paths[place.points() >= 10 ? 2 : place.points() >= 2 ? 1 : 0];
            double px = Math.max(x.start(), Math.min(x.end(), x.at(place.x())));
            double py = Math.max(y.end(), Math.min(y.start(), y.at(place.y())));
            path.append('M').append(tenth(px)).append(' ').append(tenth(py)).append("h0");
        }
        for (int i = 0; i < paths.length; i++) {
            if (!paths[i].isEmpty()) {
                chart.path(paths[i].toString(), classes + " d" + i);
            }
        }
    }

    private static String tenth(double value) {
        return Format.coordinate(Math.round(value * 10) / 10.0);
    }
}
