package universality.correlate;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import universality.data.CsvWriter;
import universality.data.Dtype;
import universality.data.SafetensorsWriter;

/** Writes the table and the histogram of one ordered pair. */
final class PairWriter {
    private static final List<String> HEADER = List.of(
            "layer",
            "neuron",
            "max_corr",
            "partner_layer",
            "partner_neuron",
            "mutual",
            "neg_corr",
            "neg_partner_layer",
            "neg_partner_neuron",
            "baseline_mean",
            "baseline_std",
            "max_corr_half1",
            "max_corr_half2",
            "baseline_half1",
            "baseline_half2",
            "corr_mean",
            "corr_var",
            "corr_skew",
            "corr_kurt",
            "top_partners",
            "max_corr_upper",
            "corr_token",
            "corr_position");

    private final PairTable table;
    private final PairTable back;
    private final Source a;
    private final Source b;
    private final SecondPass.Shares shares;

    /**
     * @param back the other direction, {@code null} where it was not computed: then {@code mutual} is undefined
     * @param shares {@code null} where there was no second pass
     */
    PairWriter(PairTable table, PairTable back, Source a, Source b, SecondPass.Shares shares) {
        this.shares = shares;
        this.table = table;
        this.back = back;
        this.a = a;
        this.b = b;
    }

    /** Summary figures of the pair: dead neurons of a and means over its other neurons. */
    record Summary(long dead, double meanMaxCorr, double meanBaseline) {}

    Summary write(Path csv) {
        boolean[][] alive = new boolean[Source.SETS][];
        for (int set = 0; set < Source.SETS; set++) {
            alive[set] = alive(a, set);
        }
        long dead = 0;
        double corr = 0;
        double base = 0;
        try (CsvWriter writer = new CsvWriter(csv, HEADER)) {
            for (int row = 0; row < table.rows; row++) {
                boolean defined = alive[0][row] && Double.isFinite(table.largest[row]);
                Double baseline = defined ? mean(table.baseline[0], row) : null;
                writer.row(cells(row, defined, baseline, alive));
                if (defined) {
                    corr += table.largest[row];
                    base += baseline == null ? 0 : baseline;
                } else {
                    dead++;
                }
            }
        }
        long n = table.rows - dead;
        boolean drawn = table.baseline[0].length > 0;
        return new Summary(dead, n == 0 ? Double.NaN : corr / n, n == 0 || !drawn ? Double.NaN : base / n);
    }

    private List<Object> cells(int row, boolean defined, Double baseline, boolean[][] alive) {
        List<Object> cells = new ArrayList<>();
        cells.add(row / a.width());
        cells.add(row % a.width());
        if (!defined) {
            while (cells.size() < HEADER.size()) {
                cells.add(null);
            }
            return cells;
        }
        int partner = table.largestAt[row];
        cells.add(table.largest[row]);
        cells.add(partner / b.width());
        cells.add(partner % b.width());
        cells.add(back == null ? null : back.largestAt[partner] == row);
        cells.add(table.least[row]);
        cells.add(table.leastAt[row] / b.width());
        cells.add(table.leastAt[row] % b.width());
        cells.add(baseline);
        cells.add(deviation(table.baseline[0], row));
        for (int half = 0; half < 2; half++) {
            cells.add(alive[half + 1][row] ? table.halfLargest[half][row] : null);
        }
        for (int half = 0; half < 2; half++) {
            cells.add(alive[half + 1][row] ? mean(table.baseline[half + 1], row) : null);
        }
        for (double value : table.shape(row)) {
            cells.add(value);
        }
        cells.add(partners(row));
        cells.add(Math.max(table.largest[row], table.upper[row]));
        cells.add(shares == null ? null : shares.token()[row]);
        cells.add(shares == null ? null : shares.position()[row]);
        return cells;
    }

    private String partners(int row) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < table.topCount(row); i++) {
            int at = table.topAt(row, i);
            text.append(i == 0 ? "" : ";")
                    .append(at / b.width())
                    .append('.')
                    .append(at % b.width())
                    .append(':')
                    .append(table.topValue(row, i));
        }
        return text.toString();
    }

    private static Double mean(double[][] draws, int row) {
        if (draws.length == 0) {
            return null;
        }
        double sum = 0;
        for (double[] draw : draws) {
            sum += draw[row];
        }
        return sum / draws.length;
    }

    /** Sample standard deviation over draws; undefined for fewer than two. */
    private static Double deviation(double[][] draws, int row) {
        if (draws.length < 2) {
            return null;
        }
        double mean = mean(draws, row);
        double sum = 0;
        for (double[] draw : draws) {
            sum += (draw[row] - mean) * (draw[row] - mean);
        }
        return Math.sqrt(sum / (draws.length - 1));
    }

    /** For each neuron of the model whether it varies in a set of positions. */
    static boolean[] alive(Source source, int set) {
        boolean[] alive = new boolean[source.model.neurons()];
        for (int layer = 0; layer < source.layers(); layer++) {
            for (long i : source.alive(layer, set)) {
                alive[layer * source.width() + (int) i] = true;
            }
        }
        return alive;
    }

    void writeHistogram(Path file) {
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.declare("counts", Dtype.I64, table.rows, PairTable.BINS);
            boolean[] alive = alive(a, 0);
            ByteBuffer row = ByteBuffer.allocate(8 * PairTable.BINS).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < table.rows; i++) {
                row.clear();
                for (int count : table.counts[i]) {
                    row.putLong(alive[i] ? count : 0);
                }
                writer.bytes(row.flip());
            }
        }
    }
}
