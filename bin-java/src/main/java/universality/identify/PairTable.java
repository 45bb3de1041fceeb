package universality.identify;

import java.nio.file.Path;
import java.util.Arrays;
import universality.data.CsvTable;
import universality.data.NeuronShape;
import universality.data.ToolException;

/**
 * One {@code A__B.csv}: for each neuron of A its best partner in B. Arrays have an entry per row; NaN is undefined. Immutable
 * by agreement.
 *
 * @param maxCorr largest ρ with any neuron of B; NaN for dead neurons
 * @param partnerLayer layer of that neuron, −1 where undefined
 * @param mutual whether the partner's own best match is this neuron
 * @param negCorr most negative ρ
 * @param baseline mean over draws of the largest ρ with any rotated neuron of B
 * @param half largest ρ over each half of the tokens, [2][rows]
 * @param halfBaseline its baseline, [2][rows]
 * @param top the best partners of each row, best first
 * @param upper what no neuron of B can correlate more than (methods: Precision); NaN in tables that do not tell
 * @param corrToken what the current token alone gives of maxCorr; NaN where it was not computed
 * @param corrPosition what the position in the row alone gives of it
 */
record PairTable(
        Path file,
        int[] layer,
        int[] neuron,
        double[] maxCorr,
        int[] partnerLayer,
        int[] partnerNeuron,
        boolean[] mutual,
        double[] negCorr,
        double[] baseline,
        double[] baselineDeviation,
        double[][] half,
        double[][] halfBaseline,
        Partner[][] top,
        double[] upper,
        double[] corrToken,
        double[] corrPosition) {

    /** A partner and its correlation. */
    record Partner(int layer, int neuron, double corr) {}

    /**
     * Reads a table.
     *
     * @throws ToolException (bad data) if a column is missing or a cell is not of its kind
     */
    static PairTable read(Path file) {
        CsvTable table = CsvTable.read(file, "mutual", "top_partners");
        int rows = table.size();
        boolean[] mutual = new boolean[rows];
        Partner[][] top = new Partner[rows][];
        for (int row = 0; row < rows; row++) {
            mutual[row] = table.flag(row, "mutual");
            top[row] = partners(file, row, table.text(row, "top_partners"));
        }
        return new PairTable(
                file,
                integers(table, "layer"),
                integers(table, "neuron"),
                correlations(file, table, "max_corr"),
                indices(table, "partner_layer"),
                indices(table, "partner_neuron"),
                mutual,
                correlations(file, table, "neg_corr"),
                correlations(file, table, "baseline_mean"),
                numbers(table, "baseline_std"),
                new double[][] {correlations(file, table, "max_corr_half1"), correlations(file, table, "max_corr_half2")
                },
                new double[][] {correlations(file, table, "baseline_half1"), correlations(file, table, "baseline_half2")
                },
                top,
                optional(file, table, "max_corr_upper"),
                optional(file, table, "corr_token"),
                optional(file, table, "corr_position"));
    }

    /** Whether the row has both a correlation and a baseline; rows that lack one say nothing about the neuron. */
    boolean defined(int row) {
        return !Double.isNaN(maxCorr[row]) && !Double.isNaN(baseline[row]);
    }

    /**
     * Checks that every partner is a neuron of B.
     *
     * @throws ToolException (bad data) naming the row and the partner that B does not have
     */
    void checkPartners(NeuronShape other) {
        for (int row = 0; row < layer.length; row++) {
            if (!Double.isNaN(maxCorr[row])) {
                checkPartner(other, row, partnerLayer[row], partnerNeuron[row]);
            }
            for (Partner partner : top[row]) {
                checkPartner(other, row, partner.layer(), partner.neuron());
            }
        }
    }

    private void checkPartner(NeuronShape other, int row, int partnerLayer, int partnerNeuron) {
        if (!other.holds(partnerLayer, partnerNeuron)) {
            throw ToolException.badData(
                    "%s, row %d has the partner %d.%d, but that model has %d layers of %d neurons",
                    file, row + 2, partnerLayer, partnerNeuron, other.layers(), other.width());
        }
    }

    private static Partner[] partners(Path file, int row, String cell) {
        if (cell == null) {
            return new Partner[0];
        }
        return Arrays.stream(cell.split(";"))
                .map(text -> partner(file, row, text))
                .toArray(Partner[]::new);
    }

    private static Partner partner(Path file, int row, String text) {
        int point = text.indexOf('.');
        int colon = text.indexOf(':');
        try {
            if (point > 0 && colon > point) {
                return new Partner(
                        Integer.parseInt(text.substring(0, point)),
                        Integer.parseInt(text.substring(point + 1, colon)),
                        Double.parseDouble(text.substring(colon + 1)));
            }
        } catch (NumberFormatException e) {
            // said below, as for every other malformed text
        }
        throw ToolException.badData(
                "%s, row %d: top_partners holds '%s', but LAYER.NEURON:CORRELATION was expected", file, row + 2, text);
    }

    private static int[] integers(CsvTable table, String column) {
        int[] values = new int[table.size()];
        Arrays.setAll(values, row -> (int) Math.max(-1, Math.min(Integer.MAX_VALUE, table.integer(row, column))));
        return values;
    }

    private static int[] indices(CsvTable table, String column) {
        int[] values = new int[table.size()];
        Arrays.setAll(
                values,
                row -> table.text(row, column) == null
                        ? -1
                        : (int) Math.max(-1, Math.min(Integer.MAX_VALUE, table.integer(row, column))));
        return values;
    }

    /** A column that tables of other makers need not have. */
    private static double[] optional(Path file, CsvTable table, String column) {
        if (table.has(column)) {
            return correlations(file, table, column);
        }
        double[] undefined = new double[table.size()];
        Arrays.fill(undefined, Double.NaN);
        return undefined;
    }

    private static double[] numbers(CsvTable table, String column) {
        double[] values = new double[table.size()];
        Arrays.setAll(values, row -> table.number(row, column));
        return values;
    }

    private static double[] correlations(Path file, CsvTable table, String column) {
        double[] values = numbers(table, column);
        for (int row = 0; row < values.length; row++) {
            // a little beyond 1 is rounding in the matrix products
            if (Math.abs(values[row]) > 1 + 1e-3) {
                throw ToolException.badData(
                        "%s, row %d: %s is %s, but a correlation lies between -1 and 1",
                        file, row + 2, column, values[row]);
            }
        }
        return values;
    }
}
