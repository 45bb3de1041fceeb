package universality.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.data.CsvTable;
import universality.data.Manifest;
import universality.report.Results.Folder;
import universality.report.Study.Family;
import universality.report.Study.Model;
import universality.stats.Samples;

/** What breaks without the universal neurons, beside what breaks without as many others. */
final class AblationSection implements Section {
    private static final int WIDTH = 900;
    private static final int LEFT = 262;
    private static final int ROW = 16;
    private static final List<String> METRICS = List.of("delta_loss", "kl");
    private static final Map<String, String> CONDITIONS = new LinkedHashMap<>();

    static {
        CONDITIONS.put("control_layer", "same number per layer");
        CONDITIONS.put("control_matched", "matched in effect");
        CONDITIONS.put("control_any", "any neurons");
    }

    /** An ablated checkpoint; {@code model} is {@code null} where the study does not know it. */
    private record Ablated(Folder folder, Model model, String label) {}

    @Override
    public String id() {
        return "ablation";
    }

    @Override
    public String title() {
        return "Ablation";
    }

    @Override
    public void write(Page page, Markup out) {
        List<Ablated> all = new ArrayList<>();
        for (Folder folder : page.study().results().of("ablate")) {
            if (folder.lists("ablation.csv")) {
                all.add(ablated(page.study(), folder));
            }
        }
        if (all.isEmpty()) {
            Section.absent(
                    out,
                    "No results of the stage ablate: nothing was ablated, or no checkpoint had a universal neuron.");
            return;
        }
        all.sort(Comparator.comparing(
                        (Ablated a) -> a.model() == null ? "" : a.model().family())
                .thenComparingLong(a -> a.model() == null ? 0 : a.model().step())
                .thenComparingLong(a -> a.model() == null ? 0 : a.model().seed())
                .thenComparing(a -> a.folder().name()));
        List<Ablated> shown = all.subList(Math.max(0, all.size() - Page.MOST_VIEWS), all.size());
        if (shown.size() < all.size()) {
            page.warn("ablations of " + shown.size() + " of " + all.size() + " checkpoints are shown");
            out.element(
                    "p",
                    "Shown are the last " + shown.size() + " of " + all.size()
                            + " ablated checkpoints; the tables of all are among the downloads.",
                    "class",
                    "note");
        }
        out.element(
                "p",
                "Δloss is the change of cross-entropy on held-out tokens, KL the divergence of the next-token distribution"
                        + " from the clean model's, both in nats per token. p is one-sided: how often a control's draw does at"
                        + " least as much. It cannot be smaller than 1 / (distinct control sets + 1); with fewer than 5 of"
                        + " them there is none.");
        overview(all, out);
        Page.Switch views = page.new Switch("Checkpoint");
        shown.forEach(a -> views.view(a.label(), view(page, a)).choose());
        out.add(views.end());
    }

    /** The universal neurons of all layers together, a row for each checkpoint and control: seeds are the units of a claim. */
    private static void overview(List<Ablated> all, Markup out) {
        TableView table = new TableView(
                "All universal neurons together, by checkpoint",
                List.of(
                        "Checkpoint",
                        "Replaced by",
                        "Control",
                        "Neurons",
                        "Δloss universal",
                        "Δloss control",
                        "Difference",
                        "95% from",
                        "to",
                        "z",
                        "p",
                        "p adjusted"));
        boolean any = false;
        for (Ablated ablated : all) {
            if (ablated.folder().lists("summary.csv")) {
                CsvTable csv = CsvTable.read(ablated.folder().verified("summary.csv"), "layers", "control", "metric");
                for (int i = 0; i < csv.size(); i++) {
                    if ("all".equals(csv.text(i, "layers")) && METRICS.get(0).equals(csv.text(i, "metric"))) {
                        any = true;
                        overviewRow(ablated, csv, i, table);
                    }
                }
            }
        }
        Markup rows = table.end();
        if (any) {
            out.add(rows);
        }
    }

    private static void overviewRow(Ablated ablated, CsvTable csv, int i, TableView table) {
        double neurons = csv.number(i, "neurons");
        table.row()
                .head(ablated.label())
                .text(csv.text(i, "replace"))
                .text(name(String.valueOf(csv.text(i, "control"))))
                .value(neurons, Double.isFinite(neurons) ? Format.count(Math.round(neurons)) : Format.UNDEFINED);
        for (String column : List.of("universal", "control_mean", "difference", "ci_low", "ci_high")) {
            table.significant(csv.number(i, column));
        }
        table.fixed(csv.number(i, "z"), 2).significant(csv.number(i, "p")).significant(csv.number(i, "p_adjusted"));
    }

    private static Ablated ablated(Study study, Folder folder) {
        Manifest manifest = folder.manifest();
        List<String> ids = new ArrayList<>(List.of(manifest.id()));
        manifest.inputs().stream().filter(i -> i.role().equals("checkpoint")).forEach(i -> ids.add(i.id()));
        for (Family family : study.families()) {
            for (String id : ids) {
                Model model = family.model(id);
                if (model != null) {
                    String label = "Seed " + model.seed() + ", step " + Format.count(model.step());
                    return new Ablated(
                            folder, model, study.families().size() > 1 ? family.name() + ": " + label : label);
                }
            }
        }
        return new Ablated(folder, null, manifest.id());
    }

    /** Values of one set of layers and one replacement: the universal set's, and each control's draws. */
    private static final class Group {
        final String layers;
        final String replace;
        double neurons = Double.NaN;
        final double[] universal = {Double.NaN, Double.NaN};
        final Map<String, List<double[]>> draws = new LinkedHashMap<>();

        Group(String layers, String replace) {
            this.layers = layers;
            this.replace = replace;
        }

        String label() {
            return switch (layers) {
                case "all" -> "All layers";
                case "all_but_0" -> "All but layer 0";
                default -> "Layer " + layers;
            };
        }

        /** Together first, then layer by layer. */
        int order() {
            return switch (layers) {
                case "all" -> -2;
                case "all_but_0" -> -1;
                default -> layers.matches("\\d{1,9}") ? Integer.parseInt(layers) : Integer.MAX_VALUE;
            };
        }
    }

    private static Markup view(Page page, Ablated ablated) {
        Map<String, Map<String, Group>> byReplacement = groups(ablated.folder());
        Markup out = new Markup();
        byReplacement.forEach((replace, groups) -> {
            List<Group> sorted = groups.values().stream()
                    .sorted(Comparator.comparingInt(Group::order))
                    .toList();
            int draws = sorted.stream()
                    .flatMap(g -> g.draws.values().stream())
                    .mapToInt(List::size)
                    .max()
                    .orElse(0);
            out.add(page.figure(
                    chart(page, ablated, replace, sorted),
                    "Effect of replacing post-activations by " + replacement(replace)
                            + ", at every position. Diamond: the universal neurons. Dots: draws of a control, up to "
                            + Format.count(draws)
                            + " each; bar: their mean ± SD. Control sets hold as many neurons, none of"
                            + " them universal."));
        });
        if (ablated.folder().lists("summary.csv")) {
            out.open("details").element("summary", "Numbers of every set of layers, control and metric");
            out.add(table(ablated)).close();
        }
        return out;
    }

    private static String replacement(String replace) {
        return switch (replace) {
            case "zero" -> "zero";
            case "mean" -> "their mean";
            case "resample" -> "those of another row";
            default -> replace;
        };
    }

    private static Map<String, Map<String, Group>> groups(Folder folder) {
        CsvTable table =
                CsvTable.read(folder.verified("ablation.csv"), "condition", "layers", "replace", "delta_loss", "kl");
        Map<String, Map<String, Group>> groups = new LinkedHashMap<>();
        for (int i = 0; i < table.size(); i++) {
            String replace = String.valueOf(table.text(i, "replace"));
            String layers = String.valueOf(table.text(i, "layers"));
            String condition = String.valueOf(table.text(i, "condition"));
            Group group = groups.computeIfAbsent(replace, r -> new LinkedHashMap<>())
                    .computeIfAbsent(layers, l -> new Group(l, replace));
            double[] values = {table.number(i, "delta_loss"), table.number(i, "kl")};
            if (condition.equals("universal")) {
                System.arraycopy(values, 0, group.universal, 0, 2);
                group.neurons = table.number(i, "neurons");
            } else {
                group.draws.computeIfAbsent(condition, c -> new ArrayList<>()).add(values);
            }
        }
        return groups;
    }

    private static Chart chart(Page page, Ablated ablated, String replace, List<Group> groups) {
        int height = 74;
        for (Group group : groups) {
            height += Math.max(1, group.draws.size()) * ROW + 14;
        }
        Chart chart = new Chart(
                page.figureName("ablation", ablated.folder().manifest().id(), replace),
                "Effect of ablating universal neurons and controls (" + replace + "), " + ablated.label(),
                WIDTH,
                height);
        int panel = (WIDTH - LEFT - 40) / 2;
        for (int metric = 0; metric < 2; metric++) {
            double[] range = range(groups, metric);
            double left = LEFT + metric * (panel + 30);
            Axis x = Axis.linear(range[0], range[1], left, left + panel, 4, v -> Format.fixed(v, decimals(range)));
            Axis y = Axis.linear(0, 1, height - 46, 18, 1, v -> null);
            for (Axis.Tick tick : x.ticks()) {
                chart.segment(x.at(tick.value()), y.start(), x.at(tick.value()), y.end(), "grid");
            }
            chart.axes(x, metric == 0 ? "Δloss (nats per token)" : "KL (nats per token)", y, null);
            if (range[0] < 0) {
                chart.segment(x.at(0), y.start(), x.at(0), y.end(), "guide");
            }
            rows(chart, groups, metric, x, metric == 0);
        }
        return chart;
    }

    private static int decimals(double[] range) {
        double step = Axis.roundStep((range[1] - range[0]) / 4);
        return (int) Math.max(0, Math.min(8, Math.ceil(-Math.log10(step) - 1e-9)));
    }

    /** The interval that holds every value and 0, with a little air. */
    private static double[] range(List<Group> groups, int metric) {
        double low = 0;
        double high = 0;
        for (Group group : groups) {
            List<double[]> all = new ArrayList<>();
            all.add(group.universal);
            group.draws.values().forEach(all::addAll);
            for (double[] values : all) {
                if (Double.isFinite(values[metric])) {
                    low = Math.min(low, values[metric]);
                    high = Math.max(high, values[metric]);
                }
            }
        }
        double air = high > low ? 0.05 * (high - low) : 1e-6;
        return new double[] {low < 0 ? low - air : 0, high + air};
    }

    private static void rows(Chart chart, List<Group> groups, int metric, Axis x, boolean labels) {
        double y = 30;
        for (Group group : groups) {
            double top = y;
            int index = 0;
            for (Map.Entry<String, List<double[]>> control : group.draws.entrySet()) {
                draws(chart, group, control.getKey(), control.getValue(), metric, x, y, index++);
                if (labels) {
                    chart.text(LEFT - 10, y + 4, name(control.getKey()), "tick end");
                }
                y += ROW;
            }
            y = Math.max(y, top + ROW);
            if (labels) {
                chart.text(4, top + 4, group.label(), "row-title");
                if (Double.isFinite(group.neurons)) {
                    chart.text(4, top + 18, "n = " + Format.count(Math.round(group.neurons)), "tick");
                }
            }
            if (Double.isFinite(group.universal[metric])) {
                double at = x.at(group.universal[metric]);
                chart.segment(at, top - 7, at, y - 9, "line universal-line");
                chart.mark(
                        Chart.Shape.DIAMOND,
                        at,
                        (top + y - ROW) / 2,
                        5,
                        "mark universal-mark",
                        group.label() + ", universal neurons: " + METRICS.get(metric) + " "
                                + Format.significant(group.universal[metric]) + " nats per token");
            }
            y += 14;
        }
    }

    private static String name(String condition) {
        return CONDITIONS.getOrDefault(condition, condition);
    }

    private static void draws(
            Chart chart, Group group, String condition, List<double[]> draws, int metric, Axis x, double y, int index) {
        double[] values = draws.stream()
                .mapToDouble(d -> d[metric])
                .filter(Double::isFinite)
                .toArray();
        if (values.length == 0) {
            return;
        }
        double mean = Samples.mean(values);
        double sd = Samples.standardDeviation(values);
        StringBuilder dots = new StringBuilder();
        for (double value : values) {
            dots.append('M')
                    .append(Format.coordinate(x.at(value)))
                    .append(' ')
                    .append(Format.coordinate(y))
                    .append("h0");
        }
        String numbers = group.label() + ", " + name(condition) + ": mean " + Format.significant(mean) + ", SD "
                + Format.significant(sd) + ", " + Format.plural(values.length, "draw", "draws");
        if (Double.isNaN(sd)) {
            chart.mark(Chart.Shape.CIRCLE, x.at(mean), y, 3, "mark a" + index % 3, numbers);
        } else {
            double low = Math.max(x.from(), mean - sd);
            double high = Math.min(x.to(), mean + sd);
            chart.rect(
                    x.at(low), y - 4, Math.max(1.5, x.at(high) - x.at(low)), 8, "interval a" + index % 3, 1, numbers);
        }
        chart.path(dots.toString(), "draws a" + index % 3);
        chart.segment(x.at(mean), y - 6, x.at(mean), y + 6, "line a" + index % 3);
    }

    private static Markup table(Ablated ablated) {
        CsvTable csv = CsvTable.read(ablated.folder().verified("summary.csv"), "layers", "control", "metric");
        TableView table = new TableView(
                "Universal neurons against controls · " + ablated.label(),
                List.of(
                        "Layers",
                        "Replaced by",
                        "Control",
                        "Metric",
                        "Neurons",
                        "Draws",
                        "Distinct",
                        "Universal",
                        "Control mean",
                        "Control SD",
                        "z",
                        "p",
                        "p adjusted",
                        "Difference",
                        "95% from",
                        "to",
                        "Std. difference"));
        for (int i = 0; i < csv.size(); i++) {
            table.row()
                    .head(String.valueOf(csv.text(i, "layers")))
                    .text(csv.text(i, "replace"))
                    .text(name(String.valueOf(csv.text(i, "control"))))
                    .text(METRICS.get(0).equals(csv.text(i, "metric")) ? "Δloss" : csv.text(i, "metric"));
            for (String column : List.of("neurons", "draws", "distinct")) {
                double value = csv.has(column) ? csv.number(i, column) : Double.NaN;
                table.value(value, Double.isFinite(value) ? Format.count(Math.round(value)) : Format.UNDEFINED);
            }
            for (String column : List.of("universal", "control_mean", "control_sd")) {
                table.significant(csv.number(i, column));
            }
            table.fixed(csv.number(i, "z"), 2);
            for (String column :
                    List.of("p", "p_adjusted", "difference", "ci_low", "ci_high", "standardised_difference")) {
                table.significant(csv.number(i, column));
            }
        }
        return table.end();
    }
}
