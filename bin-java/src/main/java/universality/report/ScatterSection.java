package universality.report;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.report.IdentifySummary.Checkpoint;
import universality.report.Study.Family;

/** Every neuron's correlation with the other seeds against its rotation baseline, a panel for each layer. */
final class ScatterSection implements Section {
    private static final int PLACES_OF_STUDY = 240_000;
    private static final int FEWEST_PLACES = 6_000;
    private static final int MOST_PLACES = 15_000;

    /** One layer at one step, all seeds together. */
    static final class Panel {
        final PointCloud others = new PointCloud();
        final PointCloud universal = new PointCloud();

        int points() {
            return others.points() + universal.points();
        }
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
        ScatterChart chart = new ScatterChart(summary, panels, budget);
        long points = panels.values().stream().mapToLong(Panel::points).sum();
        String drawn = chart.tiled()
                ? " Orange: universal neurons. Grey: the others, in shades that start at 1, 2, 10 and 100 of them."
                : " Orange: universal neurons; stronger where several coincide.";
        return page.figure(
                chart.draw(page),
                Format.plural(points, "neuron", "neurons") + " of "
                        + Format.plural(summary.checkpoints().size(), "seed", "seeds") + " at step "
                        + Format.count(summary.step()) + "." + drawn + " Neurons above the upper line (baseline + "
                        + summary.threshold()
                        + ") have enough excess to be universal; the lower line is where a real model"
                        + " correlates no better than a rotated one.");
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
}
