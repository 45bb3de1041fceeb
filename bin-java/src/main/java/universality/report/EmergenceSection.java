package universality.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import universality.report.IdentifySummary.Checkpoint;
import universality.report.Study.Family;

/** The share of universal neurons against the training step, beside the controls. */
final class EmergenceSection implements Section {
    private static final int WIDTH = 800;
    private static final int HEIGHT = 400;

    @Override
    public String id() {
        return "emergence";
    }

    @Override
    public String title() {
        return "Emergence";
    }

    @Override
    public void write(Page page, Markup out) {
        if (page.study().identified().isEmpty()) {
            Section.absent(
                    out,
                    "No results of the stage identify: it takes at least two seeds at the same step to correlate neurons.");
            return;
        }
        for (Family family : page.study().identified()) {
            out.element("h3", "Share of universal neurons" + page.study().ofFamily(family));
            Page.Switch views = page.new Switch("Excess above");
            double usual = family.steps().values().iterator().next().threshold();
            for (String threshold : thresholds(family)) {
                Shares shares = Shares.of(family, threshold);
                Markup view = new Markup();
                view.add(page.figure(chart(page, family, threshold, shares), caption(family)));
                view.add(table(threshold, shares));
                views.view(threshold, view);
                if (Double.parseDouble(threshold) == usual) {
                    views.choose();
                }
            }
            out.add(views.end());
            certainty(family, out);
            precision(family, out);
            meanings(family, out);
            cliques(family, out);
            counts(family, out);
        }
    }

    /** Thresholds that the summaries counted, such as 0.3, 0.4 and 0.5. */
    private static SortedSet<String> thresholds(Family family) {
        SortedSet<String> all = new TreeSet<>();
        family.steps().values().forEach(s -> s.checkpoints()
                .forEach(c -> all.addAll(c.shares().keySet())));
        return all;
    }

    /** Shares at one threshold: [step] of the mean, of each seed and of each control (mean over its models). */
    record Shares(
            List<Long> steps,
            double[] mean,
            Map<Long, double[]> seeds,
            Map<String, double[]> controls,
            double largest) {

        static Shares of(Family family, String threshold) {
            List<Long> steps = List.copyOf(family.steps().keySet());
            Map<Long, double[]> seeds = new TreeMap<>();
            Map<String, double[]> controls = new TreeMap<>(Comparator.comparing(Controls::label));
            double[] mean = new double[steps.size()];
            for (int i = 0; i < mean.length; i++) {
                IdentifySummary summary = family.steps().get(steps.get(i));
                List<Double> found = new ArrayList<>();
                for (Checkpoint checkpoint : summary.checkpoints()) {
                    double share = checkpoint.shares().getOrDefault(threshold, Double.NaN);
                    seeds.computeIfAbsent(checkpoint.seed(), s -> undefined(steps.size()))[i] = share;
                    found.add(share);
                }
                mean[i] = average(found);
                int step = i;
                summary.controls()
                        .forEach((name, models) -> controls.computeIfAbsent(name, n -> undefined(steps.size()))[step] =
                                average(models.stream()
                                        .map(m -> m.shares().getOrDefault(threshold, Double.NaN))
                                        .toList()));
            }
            return new Shares(steps, mean, seeds, controls, largest(seeds, controls));
        }

        private static double largest(Map<Long, double[]> seeds, Map<String, double[]> controls) {
            double largest = 0;
            List<double[]> all = new ArrayList<>(seeds.values());
            all.addAll(controls.values());
            for (double[] series : all) {
                for (double value : series) {
                    largest = Double.isFinite(value) ? Math.max(largest, value) : largest;
                }
            }
            return largest;
        }
    }

    static double[] undefined(int length) {
        double[] values = new double[length];
        java.util.Arrays.fill(values, Double.NaN);
        return values;
    }

    /** Mean of the defined values, NaN where there is none. */
    static double average(List<Double> values) {
        return values.stream()
                .mapToDouble(Double::doubleValue)
                .filter(Double::isFinite)
                .average()
                .orElse(Double.NaN);
    }

    private static Chart chart(Page page, Family family, String threshold, Shares shares) {
        Chart chart = new Chart(
                page.figureName("emergence", family.name(), threshold),
                "Share of neurons with excess correlation above " + threshold + " against training step, "
                        + family.name(),
                WIDTH,
                HEIGHT);
        Axis x = Axis.steps(shares.steps(), 56, WIDTH - 170);
        Axis y = Axis.linear(
                0,
                Axis.above(shares.largest(), 5),
                HEIGHT - 52,
                40,
                5,
                v -> Format.fixed(100 * v, 3).replaceAll("\\.?0+$", "") + "%");
        chart.axes(x, "Training step (logarithmic, with 0)", y, "Neurons with excess > " + threshold + " (% of all)");
        double[] xs = shares.steps().stream().mapToDouble(Long::doubleValue).toArray();
        LineLabels labels = new LineLabels();
        int shape = 1;
        for (Map.Entry<String, double[]> control : shares.controls().entrySet()) {
            String series = "control k" + shape;
            chart.line(x, y, xs, control.getValue(), "line " + series);
            marks(
                    chart,
                    x,
                    y,
                    shares,
                    control.getValue(),
                    Chart.Shape.of(shape),
                    series,
                    Controls.label(control.getKey()));
            labels.add(Controls.label(control.getKey()), last(control.getValue(), y), "label " + series);
            shape++;
        }
        shares.seeds().forEach((seed, values) -> {
            chart.line(x, y, xs, values, "line seed");
            marks(chart, x, y, shares, values, Chart.Shape.CIRCLE, "seed", "Seed " + seed);
        });
        chart.line(x, y, xs, shares.mean(), "line mean");
        marks(chart, x, y, shares, shares.mean(), Chart.Shape.CIRCLE, "mean", "Mean of seeds");
        labels.add("Mean of seeds", last(shares.mean(), y), "label mean");
        labels.draw(chart, x.end() + 12, y.end(), y.start());
        return chart;
    }

    private static double last(double[] values, Axis y) {
        for (int i = values.length - 1; i >= 0; i--) {
            if (Double.isFinite(values[i])) {
                return y.at(values[i]);
            }
        }
        return y.start();
    }

    private static void marks(
            Chart chart,
            Axis x,
            Axis y,
            Shares shares,
            double[] values,
            Chart.Shape shape,
            String series,
            String name) {
        for (int i = 0; i < values.length; i++) {
            if (Double.isFinite(values[i])) {
                long step = shares.steps().get(i);
                String tip = name + ", step " + Format.count(step) + ": " + Format.percent(values[i]);
                double radius = series.equals("mean") ? 4.5 : series.equals("seed") ? 3 : 4;
                chart.mark(shape, x.at(step), y.at(values[i]), radius, "mark " + series, tip);
            }
        }
    }

    private static String caption(Family family) {
        boolean controls =
                family.steps().values().stream().anyMatch(s -> !s.controls().isEmpty());
        return "Thin lines are seeds, the thick line is their mean. "
                + (controls
                        ? "Dashed lines and unconnected marks are controls, counted by the same code; step 0 is the untrained model."
                        : "These results hold no controls (correlate --control), so a share can only be judged against step 0"
                                + " and the rotation baseline.");
    }

    private static Markup table(String threshold, Shares shares) {
        List<String> heads = new ArrayList<>(List.of("Step"));
        shares.seeds().keySet().forEach(seed -> heads.add("Seed " + seed));
        heads.add("Mean");
        shares.controls().keySet().forEach(name -> heads.add(Controls.label(name)));
        TableView table = new TableView("Share of all neurons with excess above " + threshold, heads);
        for (int i = 0; i < shares.steps().size(); i++) {
            table.row().head(shares.steps().get(i));
            for (double[] seed : shares.seeds().values()) {
                table.percent(seed[i]);
            }
            table.percent(shares.mean()[i]);
            for (double[] control : shares.controls().values()) {
                table.percent(control[i]);
            }
        }
        return table.end();
    }

    /** How far the counts would change with other texts, step by step over all seeds; nothing without standard errors. */
    private static void certainty(Family family, Markup out) {
        if (family.steps().values().stream()
                .flatMap(s -> s.checkpoints().stream())
                .noneMatch(c -> Double.isFinite(c.certainty().expected()))) {
            return;
        }
        TableView table = new TableView(
                "Universal neurons of all seeds, and how sure they are",
                List.of("Step", "Universal", "Clearly so", "Expected", "Share", "Share held out"));
        family.steps().forEach((step, summary) -> {
            List<Checkpoint> models = summary.checkpoints();
            table.row()
                    .head(step)
                    .count(models.stream().mapToLong(Checkpoint::universal).sum())
                    .fixed(total(models, c -> c.certainty().clear()), 0)
                    .fixed(total(models, c -> c.certainty().expected()), 1)
                    .percent(average(models.stream().map(Checkpoint::share).toList()))
                    .percent(average(
                            models.stream().map(c -> c.certainty().heldOut()).toList()));
        });
        out.add(table.end());
        out.element(
                "p",
                "Clearly so: the excess is more than two standard errors above the threshold, so other texts would hardly change"
                        + " it. Expected: the sum over all neurons of the probability that the true excess is above the threshold;"
                        + " many neurons just below it can make this larger than the count. Held out: with partners chosen on"
                        + " other documents than those they are judged by. Errors are over groups of documents (jackknife), the"
                        + " models and the baseline held fixed.",
                "class",
                "note");
    }

    private static double total(List<Checkpoint> models, ToDoubleFunction<Checkpoint> value) {
        return models.stream().mapToDouble(value).sum();
    }

    /** How the correlations were computed, what that leaves open, and what could not be computed so. */
    private static void precision(Family family, Markup out) {
        SortedSet<String> precisions = new TreeSet<>();
        boolean live = false;
        for (IdentifySummary summary : family.steps().values()) {
            if (summary.precision() != null) {
                precisions.add(summary.precision());
            }
            live |= summary.live();
        }
        if (precisions.isEmpty()) {
            return;
        }
        String line = "Precision of the correlations: " + String.join(", ", precisions)
                + (live ? "; the models were run again where activations were not stored." : ".");
        if (precisions.stream().anyMatch(p -> p.contains("sketch"))) {
            line += " " + open(family);
        }
        out.element("p", line);
        boolean permuted =
                family.steps().values().stream().anyMatch(s -> s.controls().containsKey("token_permuted"));
        if (live && !permuted) {
            out.element(
                    "p",
                    "There is no control “" + Controls.label("token_permuted") + "”: it needs stored activations.",
                    "class",
                    "note");
        }
    }

    private static String open(Family family) {
        List<Checkpoint> models = family.steps().values().stream()
                .flatMap(s -> s.checkpoints().stream())
                .toList();
        if (models.stream().anyMatch(c -> c.open() < 0)) {
            return "How many neurons that leaves open is not known.";
        }
        long open = models.stream().mapToLong(Checkpoint::open).sum();
        long alive = models.stream().mapToLong(Checkpoint::alive).sum();
        return Format.count(open) + " of the " + Format.count(alive) + " alive neurons of all checkpoints "
                + (open == 1 ? "is" : "are")
                + " open: not universal by the partners found, but sketches cannot rule out a better one.";
    }

    private static void meanings(Family family, Markup out) {
        SortedSet<String> names = new TreeSet<>(Comparator.comparing(Controls::label));
        family.steps().values().forEach(s -> names.addAll(s.controls().keySet()));
        if (names.isEmpty()) {
            return;
        }
        out.open("dl", "class", "meanings");
        for (String name : names) {
            out.element("dt", Controls.label(name)).element("dd", Controls.meaning(name) + ".");
        }
        out.close().line();
    }

    private static void cliques(Family family, Markup out) {
        IdentifySummary last = family.steps().get(family.steps().lastKey());
        if (last.cliques() >= 0) {
            out.element(
                    "p",
                    "At step " + Format.count(last.step()) + ", "
                            + Format.plural(last.cliques(), "group", "groups")
                            + " of one neuron from every seed are each other's best match throughout; in "
                            + Format.count(Math.max(0, last.universalCliques()))
                            + " of them every neuron is universal.");
        }
    }

    private static void counts(Family family, Markup out) {
        TableView table = new TableView(
                "Counts of every checkpoint at the study's threshold",
                List.of(
                        "Checkpoint",
                        "Seed",
                        "Step",
                        "Neurons",
                        "Alive",
                        "Inactive",
                        "Undetermined",
                        "Universal",
                        "Strict",
                        "Mutual",
                        "Share",
                        "Share of alive",
                        "Share one-to-one",
                        "Mean correlation",
                        "Mean baseline",
                        "Mean excess"));
        for (IdentifySummary summary : family.steps().values()) {
            for (Checkpoint c : summary.checkpoints()) {
                table.row()
                        .head(c.id())
                        .count(c.seed())
                        .count(summary.step())
                        .count(c.neurons())
                        .count(c.alive())
                        .count(c.inactive())
                        .count(c.undetermined())
                        .count(c.universal())
                        .count(c.strict())
                        .count(c.mutual())
                        .percent(c.share())
                        .percent(c.shareAlive())
                        .percent(c.shareOneToOne())
                        .fixed(c.meanCorr(), 3)
                        .fixed(c.meanBaseline(), 3)
                        .fixed(c.meanExcess(), 3);
            }
        }
        out.open("details").element("summary", "Counts of every checkpoint").add(table.end());
        out.element(
                "p",
                "Strict: the lowest best correlation over the seeds minus the highest baseline is above the threshold. Mutual:"
                        + " universal, and the best match of its own partner in every other seed. One-to-one: when a neuron"
                        + " may be the partner of one other only. Undetermined: it fires too"
                        + " rarely for a correlation to be trusted, and is never counted as universal.",
                "class",
                "note");
        out.close().line();
    }
}
