package universality.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import universality.data.CsvTable;
import universality.report.Results.Folder;

/** Several combinations of parameters side by side: a table for each family and step, a row for each combination. */
final class SweepSection implements Section {
    private static final String ALL = "all";

    @Override
    public String id() {
        return "sweep";
    }

    @Override
    public String title() {
        return "Combinations of parameters";
    }

    @Override
    public void write(Page page, Markup out) {
        out.element(
                        "p",
                        "Each combination was a study of its own, with what they have in common computed once; its page lies in the"
                                + " folder of its name. Shares are of the neurons of all seeds together, with the smallest and largest"
                                + " of a seed beside them. Look for what stays the same: a share that depends on a choice which should"
                                + " not matter says more about the choice than about the models.")
                .line();
        for (Folder folder : page.study().results().of("sweep")) {
            CsvTable table = CsvTable.read(folder.verified("sweep.csv"), "combination", "family", "step", "seed");
            List<String> varied = varied(table);
            for (String family : values(table, "family")) {
                out.element("h3", "By combination · " + family);
                Page.Switch views = page.new Switch("Step");
                SortedSet<Long> steps = new TreeSet<>();
                rows(table, family).forEach(row -> steps.add(table.integer(row, "step")));
                // the last ones: a switch has so many views
                steps.stream().skip(Math.max(0, steps.size() - Page.MOST_VIEWS)).forEach(step -> views.view(
                                Format.count(step), view(table, varied, family, step))
                        .choose());
                if (steps.size() > Page.MOST_VIEWS) {
                    page.warn("combinations are compared at the last " + Page.MOST_VIEWS + " of " + steps.size()
                            + " steps");
                }
                out.add(views.end());
            }
        }
    }

    /** Parameters that do not have the same value in all rows. */
    private static List<String> varied(CsvTable table) {
        List<String> parameters = table.header().subList(1, table.header().indexOf("family"));
        return parameters.stream().filter(p -> values(table, p).size() > 1).toList();
    }

    private static LinkedHashSet<String> values(CsvTable table, String column) {
        LinkedHashSet<String> values = new LinkedHashSet<>();
        for (int row = 0; row < table.size(); row++) {
            values.add(table.text(row, column));
        }
        return values;
    }

    private static List<Integer> rows(CsvTable table, String family) {
        List<Integer> rows = new ArrayList<>();
        for (int row = 0; row < table.size(); row++) {
            if (family.equals(table.text(row, "family"))) {
                rows.add(row);
            }
        }
        return rows;
    }

    private static Markup view(CsvTable table, List<String> varied, String family, long step) {
        List<String> heads = new ArrayList<>(varied);
        heads.addAll(List.of(
                "Neurons",
                "Universal",
                "Share",
                "least",
                "most",
                "Mean correlation",
                "Baseline",
                "Excess",
                "Persistence from the step before",
                "by chance",
                "Δloss without them",
                "without as many others"));
        TableView view = new TableView("Combinations at step " + Format.count(step) + ", " + family, heads);
        double least = Double.NaN;
        double most = Double.NaN;
        for (int row : rows(table, family)) {
            if (table.integer(row, "step") != step) {
                continue;
            }
            if (!ALL.equals(table.text(row, "seed"))) {
                // the row of all seeds comes after those of each
                double share = table.number(row, "share");
                least = Double.isNaN(least) ? share : Math.min(least, share);
                most = Double.isNaN(most) ? share : Math.max(most, share);
                continue;
            }
            row(table, varied, row, least, most, view);
            least = Double.NaN;
            most = Double.NaN;
        }
        return view.end();
    }

    private static void row(CsvTable table, List<String> varied, int row, double least, double most, TableView view) {
        view.row();
        for (int i = 0; i < varied.size(); i++) {
            String value = table.text(row, varied.get(i));
            if (i == 0) {
                view.head(value);
            } else {
                view.text(value);
            }
        }
        view.count(table.integer(row, "neurons"))
                .count(table.integer(row, "universal"))
                .percent(table.number(row, "share"))
                .percent(least)
                .percent(most)
                .fixed(table.number(row, "mean_corr"), 3)
                .fixed(table.number(row, "mean_baseline"), 3)
                .fixed(table.number(row, "mean_excess"), 3)
                .percent(table.number(row, "persistence"))
                .percent(table.number(row, "persistence_chance"))
                .significant(table.number(row, "delta_loss"))
                .significant(table.number(row, "delta_loss_control"));
    }
}
