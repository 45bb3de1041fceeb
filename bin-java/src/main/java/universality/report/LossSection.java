package universality.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.data.CsvTable;
import universality.data.Manifest;
import universality.report.Results.Folder;

/** Training loss of every seed. */
final class LossSection implements Section {
    static final String FILE = "losses.csv";
    private static final int POINTS = 240;

    /** One seed's curve: mean loss over stretches of steps that are a point wide. */
    record Curve(
            String family,
            String seed,
            double[] steps,
            double[] losses,
            long lastStep,
            double lastLoss,
            double tokens) {}

    @Override
    public String id() {
        return "losses";
    }

    @Override
    public String title() {
        return "Training loss";
    }

    @Override
    public void write(Page page, Markup out) {
        SortedMap<String, List<Curve>> families = new TreeMap<>();
        for (Folder folder : page.study().results().of("train")) {
            if (folder.lists(FILE)) {
                Curve curve = read(folder);
                if (curve != null) {
                    families.computeIfAbsent(curve.family(), f -> new ArrayList<>())
                            .add(curve);
                }
            }
        }
        if (families.isEmpty()) {
            boolean trained = !page.study().results().of("train").isEmpty();
            Section.absent(
                    out,
                    trained
                            ? "The results of the stage train hold no losses."
                            : "The models were not trained by this pipeline, so there are no loss curves.");
            return;
        }
        families.forEach((family, curves) -> {
            curves.sort(Comparator.comparing(Curve::seed, LossSection::numbersFirst));
            out.add(page.figure(
                    chart(page, family, curves),
                    "Cross-entropy of the training batches, a line for each seed, averaged over neighbouring steps where they"
                            + " are denser than the drawing. Dotted: the steps whose checkpoints are studied here."));
            TableView table = new TableView(
                    "Last training loss · " + family, List.of("Seed", "Steps", "Tokens", "Loss (nats per token)"));
            curves.forEach(c -> table.row()
                    .text(c.seed())
                    .count(c.lastStep())
                    .value(c.tokens(), Double.isFinite(c.tokens()) ? Format.count((long) c.tokens()) : Format.UNDEFINED)
                    .fixed(c.lastLoss(), 3));
            out.add(table.end());
        });
    }

    private static int numbersFirst(String a, String b) {
        int byLength = Integer.compare(a.length(), b.length());
        return byLength != 0 ? byLength : a.compareTo(b);
    }

    /** The curve of a folder, {@code null} where its table has no row with a loss. */
    private static Curve read(Folder folder) {
        CsvTable table = CsvTable.read(folder.verified(FILE), "step", "tokens", "loss");
        double[] sums = new double[POINTS + 1];
        double[] steps = new double[POINTS + 1];
        int[] counts = new int[POINTS + 1];
        int last = -1;
        double longest = table.size() == 0 ? 1 : Math.max(1, table.integer(table.size() - 1, "step"));
        for (int i = 0; i < table.size(); i++) {
            double loss = table.number(i, "loss");
            if (Double.isFinite(loss)) {
                double step = table.integer(i, "step");
                int bin =
                        (int) Math.min(POINTS, Math.max(0, POINTS * Math.log1p(step / 10) / Math.log1p(longest / 10)));
                sums[bin] += loss;
                steps[bin] += step;
                counts[bin]++;
                last = i;
            }
        }
        if (last < 0) {
            return null;
        }
        int filled = 0;
        for (int bin = 0; bin <= POINTS; bin++) {
            if (counts[bin] > 0) {
                steps[filled] = steps[bin] / counts[bin];
                sums[filled++] = sums[bin] / counts[bin];
            }
        }
        Manifest manifest = folder.manifest();
        return new Curve(
                manifest.parameterOr("family", manifest.id()),
                manifest.parameterOr("seed", manifest.id()),
                java.util.Arrays.copyOf(steps, filled),
                java.util.Arrays.copyOf(sums, filled),
                table.integer(last, "step"),
                table.number(last, "loss"),
                table.number(last, "tokens"));
    }

    private static Chart chart(Page page, String family, List<Curve> curves) {
        Chart chart = new Chart(page.figureName("losses", family), "Training loss against step, " + family, 800, 360);
        double longest = curves.stream().mapToLong(Curve::lastStep).max().orElse(1);
        double low = Double.POSITIVE_INFINITY;
        double high = 0;
        for (Curve curve : curves) {
            for (double loss : curve.losses()) {
                low = Math.min(low, loss);
                high = Math.max(high, loss);
            }
        }
        double unit = Axis.roundStep((high - low) / 5 + 1e-6);
        Axis x = Axis.logSteps(longest, 56, 700);
        Axis y = Axis.linear(
                Math.max(0, Math.floor(low / unit) * unit),
                Math.ceil(high / unit) * unit,
                306,
                40,
                5,
                v -> Format.fixed(v, unit < 0.1 ? 2 : unit < 1 ? 1 : 0));
        for (var f : page.study().families()) {
            if (f.name().equals(family)) {
                f.modelSteps().stream()
                        .filter(s -> s <= longest)
                        .forEach(s -> chart.segment(x.at(s), y.start(), x.at(s), y.end(), "guide dotted"));
            }
        }
        chart.axes(x, "Training step (logarithmic, with 0)", y, "Loss (nats per token)");
        LineLabels labels = new LineLabels();
        for (int i = 0; i < curves.size(); i++) {
            Curve curve = curves.get(i);
            String colour = "c" + i % 6;
            chart.line(x, y, curve.steps(), curve.losses(), "line thin " + colour);
            int end = curve.losses().length - 1;
            chart.mark(
                    Chart.Shape.of(i),
                    x.at(curve.steps()[end]),
                    y.at(curve.losses()[end]),
                    3.5,
                    "mark " + colour,
                    "Seed " + curve.seed() + ", step " + Format.count(curve.lastStep()) + ": "
                            + Format.fixed(curve.lastLoss(), 3));
            labels.add("Seed " + curve.seed(), y.at(curve.losses()[end]), "label " + colour);
        }
        labels.draw(chart, x.end() + 12, y.end(), y.start());
        return chart;
    }
}
