package universality.identify;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import universality.data.CsvWriter;

/** Writes {@code ID.csv}; docs/output.md says what each column holds. */
final class NeuronTable {
    private static final List<String> HEADER = header();

    private NeuronTable() {}

    private static List<String> header() {
        List<String> header = new ArrayList<>(List.of(
                "layer",
                "neuron",
                "max_corr",
                "mean_corr",
                "min_corr",
                "max_baseline",
                "min_baseline",
                "mean_baseline",
                "excess_corr"));
        header.addAll(Attributes.COLUMNS);
        header.addAll(List.of(
                "excess_half1",
                "excess_half2",
                "universal",
                "excess_strict",
                "universal_strict",
                "baseline_std",
                "neg_corr",
                "mutual",
                "partners",
                "n_eff",
                "state",
                "excess_one_to_one",
                "excess_se",
                "p_universal",
                "excess_heldout",
                "corr_token",
                "corr_position",
                "excess_upper"));
        return List.copyOf(header);
    }

    static void write(Path file, Model model, double threshold) {
        try (CsvWriter writer = new CsvWriter(file, HEADER)) {
            for (int i = 0; i < model.shape.neurons(); i++) {
                writer.row(row(model, i, threshold));
            }
        }
    }

    private static List<Object> row(Model model, int i, double threshold) {
        Scores scores = model.scores;
        Model.State state = model.state(i);
        boolean known = state != Model.State.INACTIVE;
        List<Object> row = new ArrayList<>(HEADER.size());
        row.add(i / model.shape.width());
        row.add(i % model.shape.width());
        for (double value : new double[] {
            scores.maxCorr(i),
            scores.meanCorr(i),
            scores.minCorr(i),
            scores.maxBaseline(i),
            scores.minBaseline(i),
            scores.meanBaseline(i),
            scores.excess(i)
        }) {
            row.add(known ? value : null);
        }
        for (String column : Attributes.COLUMNS) {
            row.add(model.attributes.value(column, i));
        }
        row.add(known ? scores.halfExcess(0, i) : null);
        row.add(known ? scores.halfExcess(1, i) : null);
        row.add(model.universal(i, threshold));
        row.add(known ? scores.strictExcess(i) : null);
        row.add(model.universalStrict(i, threshold));
        row.add(known ? scores.baselineDeviation(i) : null);
        row.add(known ? scores.negCorr(i) : null);
        row.add(known ? scores.mutual(i) : null);
        row.add(known ? scores.partnerText(i) : null);
        row.add(model.attributes.effective(i));
        row.add(state);
        row.add(known ? scores.matchedExcess(i) : null);
        row.add(model.excessError(i));
        row.add(model.probability(i, threshold));
        row.add(model.heldOutExcess(i));
        row.add(known ? scores.tokenCorr(i) : null);
        row.add(known ? scores.positionCorr(i) : null);
        row.add(known ? scores.excessUpper(i) : null);
        return row;
    }
}
