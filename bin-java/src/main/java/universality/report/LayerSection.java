package universality.report;

import java.util.ArrayList;
import java.util.List;
import universality.report.IdentifySummary.Checkpoint;
import universality.report.IdentifySummary.Layer;
import universality.report.Study.Family;

/** Shares of universal neurons by layer and step. */
final class LayerSection implements Section {
    @Override
    public String id() {
        return "layers";
    }

    @Override
    public String title() {
        return "Layers";
    }

    @Override
    public void write(Page page, Markup out) {
        if (page.study().identified().isEmpty()) {
            Section.absent(out, "No results of the stage identify, so there are no shares by layer.");
            return;
        }
        for (Family family : page.study().identified()) {
            out.element(
                    "h3", "Share of universal neurons by layer" + page.study().ofFamily(family));
            List<Long> steps = List.copyOf(family.steps().keySet());
            int layers = layers(family);
            List<Long> seeds = family.steps().values().stream()
                    .flatMap(s -> s.checkpoints().stream().map(Checkpoint::seed))
                    .distinct()
                    .sorted()
                    .toList();
            List<double[][]> matrices = new ArrayList<>();
            seeds.forEach(seed -> matrices.add(matrix(family, seed, layers)));
            double top = 0;
            for (double[][] matrix : matrices) {
                for (double[] row : matrix) {
                    for (double value : row) {
                        top = Double.isFinite(value) ? Math.max(top, value) : top;
                    }
                }
            }
            Page.Switch views = page.new Switch("Model");
            views.view("Mean of seeds", view(page, family, "mean", mean(matrices, layers, steps.size()), steps, top));
            for (int i = 0; i < seeds.size() && views.room(); i++) {
                views.view("Seed " + seeds.get(i), view(page, family, "s" + seeds.get(i), matrices.get(i), steps, top));
            }
            out.add(views.end());
        }
    }

    private static int layers(Family family) {
        return family.steps().values().stream()
                .flatMap(s -> s.checkpoints().stream())
                .flatMap(c -> c.layers().stream())
                .mapToInt(l -> l.layer() + 1)
                .max()
                .orElse(0);
    }

    /** [layer][step] of one seed. */
    private static double[][] matrix(Family family, long seed, int layers) {
        double[][] values = new double[layers][];
        for (int l = 0; l < layers; l++) {
            values[l] = EmergenceSection.undefined(family.steps().size());
        }
        int step = 0;
        for (IdentifySummary summary : family.steps().values()) {
            for (Checkpoint checkpoint : summary.checkpoints()) {
                if (checkpoint.seed() == seed) {
                    for (Layer layer : checkpoint.layers()) {
                        values[layer.layer()][step] = layer.share();
                    }
                }
            }
            step++;
        }
        return values;
    }

    private static double[][] mean(List<double[][]> matrices, int layers, int steps) {
        double[][] values = new double[layers][steps];
        for (int l = 0; l < layers; l++) {
            for (int s = 0; s < steps; s++) {
                List<Double> all = new ArrayList<>();
                for (double[][] matrix : matrices) {
                    all.add(matrix[l][s]);
                }
                values[l][s] = EmergenceSection.average(all);
            }
        }
        return values;
    }

    private static Markup view(Page page, Family family, String name, double[][] values, List<Long> steps, double top) {
        int cell = Heatmap.cell(steps.size(), 680);
        int width = 90 + cell * steps.size() + 20;
        int height = Heatmap.height(values.length) + 74;
        Chart chart = new Chart(
                page.figureName("layers", family.name(), name),
                "Share of universal neurons by layer and training step, " + family.name() + ", " + name,
                Math.max(width, 360),
                height);
        List<String> rows = new ArrayList<>();
        for (int l = values.length - 1; l >= 0; l--) {
            rows.add("Layer " + l);
        }
        double[][] upwards = new double[values.length][];
        for (int l = 0; l < values.length; l++) {
            upwards[values.length - 1 - l] = values[l];
        }
        new Heatmap(
                        rows,
                        steps.stream().map(Format::count).toList(),
                        upwards,
                        top,
                        v -> cell >= 44 ? Format.percent(v) : Format.fixed(100 * v, 0),
                        (r, c) -> rows.get(r) + ", step " + Format.count(steps.get(c)) + ": "
                                + Format.percent(upwards[r][c]))
                .draw(chart, 78, 10, cell);
        chart.text(78 + cell * steps.size() / 2.0, height - 18, "Training step", "axis-title mid");
        return page.figure(
                chart,
                "Universal neurons as % of all neurons of the layer, at the study's threshold. The strongest colour is "
                        + Format.percent(top) + ", in every view. The last layer is on top.");
    }
}
