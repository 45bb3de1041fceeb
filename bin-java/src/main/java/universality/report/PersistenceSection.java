package universality.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import universality.data.CsvTable;
import universality.report.Results.Folder;

/** Whether universal neurons stay universal: persistence, chance, noise floor, self-correlation, births and lifetimes. */
final class PersistenceSection implements Section {
    private static final String ALL = "all";

    @Override
    public String id() {
        return "persistence";
    }

    @Override
    public String title() {
        return "Persistence";
    }

    @Override
    public void write(Page page, Markup out) {
        List<Folder> folders = page.study().results().of("persist");
        if (folders.isEmpty()) {
            boolean one =
                    page.study().identified().stream().allMatch(f -> f.steps().size() < 2);
            Section.absent(
                    out,
                    one
                            ? "No results of the stage persist: it compares checkpoints, and fewer than two steps were"
                                    + " identified."
                            : "No results of the stage persist are in this folder.");
            return;
        }
        for (Folder folder : folders) {
            persistence(page, folder, out);
            lifetimes(page, folder, out);
        }
    }

    /** A row of persistence.csv for whole models. */
    private record Pair(
            long from,
            long to,
            boolean consecutive,
            double persistence,
            double chance,
            double jaccard,
            double hysteresis,
            double clear,
            double partnerKept,
            double noise,
            double selfUniversal,
            double selfKept,
            double selfOther,
            double universalFrom,
            double universalTo,
            double both,
            double deviation) {}

    private static Map<String, SortedMap<String, List<Pair>>> read(Folder folder) {
        CsvTable table = CsvTable.read(folder.verified("persistence.csv"), "family", "seed", "layer", "step_from");
        Map<String, SortedMap<String, List<Pair>>> families = new TreeMap<>();
        for (int i = 0; i < table.size(); i++) {
            if (ALL.equals(table.text(i, "layer"))) {
                families.computeIfAbsent(text(table, i, "family"), f -> new TreeMap<>(PersistenceSection::bySeed))
                        .computeIfAbsent(text(table, i, "seed"), s -> new ArrayList<>())
                        .add(new Pair(
                                table.integer(i, "step_from"),
                                table.integer(i, "step_to"),
                                table.flag(i, "consecutive"),
                                number(table, i, "persistence"),
                                number(table, i, "chance"),
                                number(table, i, "jaccard"),
                                number(table, i, "persistence_hysteresis"),
                                number(table, i, "persistence_clear"),
                                number(table, i, "partner_kept"),
                                number(table, i, "half_noise"),
                                number(table, i, "self_corr_universal"),
                                number(table, i, "self_corr_kept"),
                                number(table, i, "self_corr_other"),
                                number(table, i, "universal_from"),
                                number(table, i, "universal_to"),
                                number(table, i, "both"),
                                number(table, i, "persistence_sd")));
            }
        }
        return families;
    }

    private static String text(CsvTable table, int row, String column) {
        String text = table.text(row, column);
        return text == null ? "" : text;
    }

    private static double number(CsvTable table, int row, String column) {
        return table.has(column) ? table.number(row, column) : Double.NaN;
    }

    /** Pooled first, then seeds by number. */
    private static int bySeed(String a, String b) {
        boolean pooledA = a.equals(ALL);
        boolean pooledB = b.equals(ALL);
        if (pooledA || pooledB) {
            return Boolean.compare(pooledB, pooledA);
        }
        int byLength = Integer.compare(a.length(), b.length());
        return byLength != 0 ? byLength : a.compareTo(b);
    }

    private static void persistence(Page page, Folder folder, Markup out) {
        for (var family : read(folder).entrySet()) {
            out.element(
                    "h3",
                    "Of the universal neurons of one step, the share that still is at another · " + family.getKey());
            Page.Switch views = page.new Switch("Model");
            for (var seed : family.getValue().entrySet()) {
                if (views.room()) {
                    String name = seed.getKey().equals(ALL) ? "All seeds pooled" : "Seed " + seed.getKey();
                    views.view(name, view(page, family.getKey(), seed.getKey(), seed.getValue()));
                }
            }
            out.add(views.end());
        }
    }

    private static Markup view(Page page, String family, String seed, List<Pair> pairs) {
        Markup out = new Markup();
        SortedSet<Long> from = new TreeSet<>();
        SortedSet<Long> to = new TreeSet<>();
        pairs.forEach(p -> {
            from.add(p.from());
            to.add(p.to());
        });
        out.add(
                page.figure(
                        matrices(page, family, seed, pairs, List.copyOf(from), List.copyOf(to)),
                        "Row: the earlier step; column: the later. Left: P(t₁→t₂), the share of the neurons universal at t₁ that are"
                                + " universal at t₂ as well. Right: what chance would give if those of t₂ were drawn at random in each layer. Grey: no neuron was universal at t₁, so the share is undefined."));
        List<Pair> consecutive = pairs.stream()
                .filter(Pair::consecutive)
                .sorted(java.util.Comparator.comparingLong(Pair::to))
                .toList();
        if (!consecutive.isEmpty()) {
            out.add(page.figure(
                    lines(page, family, seed, consecutive),
                    "Between consecutive checkpoints, drawn at the later one. “Halves of the tokens” is the agreement of the"
                            + " universal sets that the two halves of the tokens give at the earlier step, where nothing was"
                            + " trained in between: losses down to it may be noise near the threshold (a half is noisier than"
                            + " the whole). Self-correlation asks whether a neuron still does the same, not only whether it"
                            + " still is universal."));
        }
        out.open("details")
                .element("summary", "Numbers of every pair of steps")
                .add(table(pairs))
                .close();
        return out;
    }

    private static Chart matrices(
            Page page, String family, String seed, List<Pair> pairs, List<Long> from, List<Long> to) {
        boolean beside = to.size() <= 7;
        int cell = beside ? Math.min(64, 330 / to.size()) : Heatmap.cell(to.size(), 700);
        int block = Heatmap.height(from.size()) + 62;
        int width = beside ? 2 * Math.max(300, 80 + cell * to.size() + 16) : 80 + cell * to.size() + 16;
        Chart chart = new Chart(
                page.figureName("persistence", family, seed),
                "Persistence of universal neurons between steps and its chance level, " + family + ", seed " + seed,
                Math.max(width, 420),
                beside ? block + 20 : 2 * block + 40);
        double[][] shares = matrix(pairs, from, to, false);
        double[][] chances = matrix(pairs, from, to, true);
        heatmap(shares, "Persistence", from, to).draw(chart, 76, 30, cell);
        chart.text(76, 18, "Persistence (%)", "panel-title");
        double x = beside ? width / 2.0 + 76 : 76;
        double y = beside ? 30 : block + 48;
        heatmap(chances, "Chance", from, to).draw(chart, x, y, cell);
        chart.text(x, y - 12, "Chance (%)", "panel-title");
        chart.text(
                76 + cell * to.size() / 2.0, 30 + Heatmap.height(from.size()) + 36, "Later step t₂", "axis-title mid");
        chart.text(x + cell * to.size() / 2.0, y + Heatmap.height(from.size()) + 36, "Later step t₂", "axis-title mid");
        return chart;
    }

    private static Heatmap heatmap(double[][] values, String name, List<Long> from, List<Long> to) {
        return new Heatmap(
                from.stream().map(Format::count).toList(),
                to.stream().map(Format::count).toList(),
                values,
                1,
                v -> Format.fixed(100 * v, v != 0 && v < 0.1 ? 1 : 0),
                (r, c) -> from.get(r) >= to.get(c)
                        ? null
                        : name + ", step " + Format.count(from.get(r)) + " to " + Format.count(to.get(c)) + ": "
                                + Format.percent(values[r][c]));
    }

    private static double[][] matrix(List<Pair> pairs, List<Long> from, List<Long> to, boolean chance) {
        double[][] values = new double[from.size()][];
        for (int i = 0; i < values.length; i++) {
            values[i] = EmergenceSection.undefined(to.size());
        }
        for (Pair pair : pairs) {
            values[from.indexOf(pair.from())][to.indexOf(pair.to())] = chance ? pair.chance() : pair.persistence();
        }
        return values;
    }

    private static Chart lines(Page page, String family, String seed, List<Pair> pairs) {
        Chart chart = new Chart(
                page.figureName("persistence-consecutive", family, seed),
                "Persistence, chance, noise floor and self-correlation between consecutive steps, " + family + ", seed "
                        + seed,
                800,
                330);
        Axis x = Axis.steps(pairs.stream().map(Pair::to).toList(), 70, 590);
        Axis y = Axis.linear(0, 1, 280, 36, 5, v -> Format.fixed(v, 1));
        chart.axes(x, "Later step of the pair", y, "Share, or correlation ρ");
        LineLabels labels = new LineLabels();
        series(chart, x, y, pairs, Pair::persistence, "Persistence", "mean", Chart.Shape.CIRCLE, labels);
        series(chart, x, y, pairs, Pair::noise, "Halves of the tokens", "control k2", Chart.Shape.SQUARE, labels);
        series(chart, x, y, pairs, Pair::chance, "Chance", "control k1", Chart.Shape.TRIANGLE, labels);
        series(
                chart,
                x,
                y,
                pairs,
                Pair::selfUniversal,
                "Self-corr., universal",
                "control k3",
                Chart.Shape.DIAMOND,
                labels);
        series(chart, x, y, pairs, Pair::selfOther, "Self-corr., others", "control k4", Chart.Shape.CROSS, labels);
        labels.draw(chart, x.end() + 12, y.end(), y.start());
        return chart;
    }

    private static void series(
            Chart chart,
            Axis x,
            Axis y,
            List<Pair> pairs,
            java.util.function.ToDoubleFunction<Pair> field,
            String name,
            String classes,
            Chart.Shape shape,
            LineLabels labels) {
        double[] xs = pairs.stream().mapToDouble(Pair::to).toArray();
        double[] ys = pairs.stream().mapToDouble(field).toArray();
        double last = Double.NaN;
        chart.line(x, y, xs, ys, "line " + classes);
        for (int i = 0; i < xs.length; i++) {
            if (Double.isFinite(ys[i])) {
                String tip = name + ", step " + Format.count(pairs.get(i).from()) + " to "
                        + Format.count(pairs.get(i).to()) + ": " + Format.fixed(ys[i], 3);
                chart.mark(shape, x.at(xs[i]), y.at(ys[i]), 4, "mark " + classes, tip);
                last = y.at(ys[i]);
            }
        }
        if (Double.isFinite(last)) {
            labels.add(name, last, "label " + classes);
        }
    }

    private static Markup table(Collection<Pair> pairs) {
        TableView table = new TableView(
                "Persistence between steps, all layers",
                List.of(
                        "From",
                        "To",
                        "Universal then",
                        "Universal later",
                        "Both",
                        "Persistence",
                        "SD over seeds",
                        "Chance",
                        "Jaccard",
                        "With hysteresis",
                        "Clear cases",
                        "Partner kept",
                        "Halves of tokens",
                        "Self-corr. universal",
                        "Self-corr. kept",
                        "Self-corr. others"));
        for (Pair p : pairs) {
            table.row()
                    .head(p.from())
                    .count(p.to())
                    .value(p.universalFrom(), whole(p.universalFrom()))
                    .value(p.universalTo(), whole(p.universalTo()))
                    .value(p.both(), whole(p.both()))
                    .percent(p.persistence())
                    .percent(p.deviation())
                    .percent(p.chance())
                    .fixed(p.jaccard(), 3)
                    .percent(p.hysteresis())
                    .percent(p.clear())
                    .percent(p.partnerKept())
                    .percent(p.noise())
                    .fixed(p.selfUniversal(), 3)
                    .fixed(p.selfKept(), 3)
                    .fixed(p.selfOther(), 3);
        }
        return table.end();
    }

    private static String whole(double value) {
        return Double.isFinite(value) ? Format.count(Math.round(value)) : Format.UNDEFINED;
    }

    /** Neurons by birth step: [0] universal at the end, [1] lost again; and by number of checkpoints. */
    private record Lives(SortedMap<Long, long[]> births, SortedMap<Long, long[]> lengths) {}

    private static void lifetimes(Page page, Folder folder, Markup out) {
        if (!folder.lists("lifetimes.csv")) {
            Section.absent(out, "The results of persist hold no lifetimes.csv.");
            return;
        }
        Map<String, Lives> families = new TreeMap<>();
        Map<String, Long> censored = new HashMap<>();
        TableRows.read(folder.verified("lifetimes.csv"), row -> {
            String family = row.text("family");
            Lives lives = families.computeIfAbsent(
                    family == null ? "" : family, f -> new Lives(new TreeMap<>(), new TreeMap<>()));
            int column = row.flag("universal_at_end") ? 0 : 1;
            lives.births().computeIfAbsent(row.integer("birth_step"), s -> new long[2])[column]++;
            lives.lengths().computeIfAbsent(row.integer("checkpoints_universal"), s -> new long[2])[column]++;
            censored.merge(family == null ? "" : family, row.flag("censored_left") ? 1L : 0L, Long::sum);
        });
        if (families.isEmpty()) {
            Section.absent(out, "No neuron was ever universal, so there are no births and lifetimes.");
            return;
        }
        families.forEach((family, lives) -> {
            out.element("h3", "Births and lifetimes · " + family);
            long early = censored.get(family);
            out.add(page.figure(
                    bars(page, family, lives),
                    "Every neuron that was ever universal. Left: the first step at which it is; it came to be somewhere"
                            + " between the checkpoint before and that one. Right: at how many checkpoints it is universal;"
                            + " those universal at the end may last longer."
                            + (early > 0
                                    ? " " + Format.plural(early, "neuron was", "neurons were")
                                            + " universal at the first checkpoint already."
                                    : "")));
        });
    }

    private static Chart bars(Page page, String family, Lives lives) {
        Chart chart = new Chart(
                page.figureName("lifetimes", family),
                "Neurons by birth step and by number of checkpoints at which they are universal, " + family,
                820,
                320);
        histogram(chart, lives.births(), 56, 400, "First universal at step");
        histogram(chart, lives.lengths(), 470, 810, "Checkpoints at which it is universal");
        chart.rect(470, 4, 10, 10, "bar kept", 1, null).text(486, 13, "universal at the end", "tick");
        chart.rect(620, 4, 10, 10, "bar lost", 1, null).text(636, 13, "not universal at the end", "tick");
        return chart;
    }

    private static void histogram(Chart chart, SortedMap<Long, long[]> bins, double left, double right, String title) {
        long most = bins.values().stream().mapToLong(b -> b[0] + b[1]).max().orElse(1);
        Axis y =
                Axis.linear(0, Axis.above(most, 4), 262, 46, 4, v -> v == Math.rint(v) ? Format.count((long) v) : null);
        Axis x = Axis.linear(0, bins.size(), left, right, 1, v -> null);
        chart.axes(x, null, y, "Neurons");
        chart.text((left + right) / 2, 302, title, "axis-title mid");
        double width = (right - left) / bins.size();
        int i = 0;
        double free = Double.NEGATIVE_INFINITY;
        for (var bin : bins.entrySet()) {
            double at = left + i++ * width;
            double kept = y.at(bin.getValue()[0]);
            double all = y.at(bin.getValue()[0] + bin.getValue()[1]);
            double gap = Math.min(6, width * 0.15);
            String label = Format.count(bin.getKey());
            chart.rect(
                    at + gap,
                    kept,
                    width - 2 * gap,
                    y.start() - kept,
                    "bar kept",
                    1,
                    title + " " + label + ": " + Format.count(bin.getValue()[0]) + " universal at the end");
            chart.rect(
                    at + gap,
                    all,
                    width - 2 * gap,
                    kept - all,
                    "bar lost",
                    1,
                    title + " " + label + ": " + Format.count(bin.getValue()[1]) + " not universal at the end");
            if (at + width / 2 - free > 3.5 * label.length() + 4) {
                chart.text(at + width / 2, y.start() + 18, label, "tick mid");
                free = at + width / 2 + 3.5 * label.length();
            }
        }
    }
}
