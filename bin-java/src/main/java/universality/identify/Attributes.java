package universality.identify;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import universality.data.ActivationMoments;
import universality.data.CsvTable;
import universality.data.Manifest;
import universality.data.NeuronShape;
import universality.data.ToolException;
import universality.stats.Moments;

/**
 * What is known of one checkpoint's neurons beside their correlations: from {@code describe}, else, as far as they go, from
 * the moments of {@code activate}. Columns without a source are absent.
 */
final class Attributes {
    /** Columns of the neuron table that come from here, in its order. */
    static final List<String> COLUMNS = List.of(
            "w_in_norm",
            "input_bias",
            "w_out_norm",
            "in_out_sim",
            "l2_penalty",
            "mean",
            "var",
            "skew",
            "kurt",
            "sparsity",
            "vocab_mean",
            "vocab_var",
            "vocab_skew",
            "vocab_kurt");

    private final NeuronShape shape;
    private final Map<String, double[]> columns = new HashMap<>();
    private boolean[] inactive;
    private long kept;

    Attributes(NeuronShape shape) {
        this.shape = shape;
    }

    /** By checkpoint id, with the manifest that says so. */
    record Folder(Path path, Manifest manifest) {}

    /**
     * The folders of one stage by checkpoint id.
     *
     * @throws ToolException if one is not of that stage, or two are of one checkpoint
     */
    static Map<String, Folder> folders(List<Path> paths, String stage) {
        Map<String, Folder> folders = new TreeMap<>();
        for (Path path : paths) {
            Folder folder = new Folder(path, Manifest.read(path, stage));
            Folder before = folders.put(folder.manifest().id(), folder);
            if (before != null) {
                throw ToolException.badData(
                        "%s and %s both are of checkpoint '%s': give it once",
                        before.path(), path, folder.manifest().id());
            }
        }
        return folders;
    }

    /** Reads {@code ID.csv} of {@code describe}. */
    void describe(Folder folder) {
        Path file = folder.manifest().verified(folder.path(), folder.manifest().id() + ".csv");
        CsvTable table = CsvTable.read(file, "layer", "neuron");
        checkShape(file, NeuronShape.complete(file, table));
        for (String column : COLUMNS) {
            read(table, column);
        }
        read(table, "post_kurt");
        if (table.has("inactive")) {
            inactive = new boolean[table.size()];
            for (int row = 0; row < inactive.length; row++) {
                inactive[row] = table.flag(row, "inactive");
            }
        }
    }

    private void read(CsvTable table, String column) {
        if (table.has(column)) {
            double[] values = new double[table.size()];
            Arrays.setAll(values, row -> table.number(row, column));
            columns.put(column, values);
        }
    }

    private void checkShape(Path file, NeuronShape found) {
        if (!found.equals(shape)) {
            throw ToolException.badData(
                    "%s is of %d layers of %d neurons, but the correlations are of %d layers of %d: they are of another model",
                    file, found.layers(), found.width(), shape.layers(), shape.width());
        }
    }

    /**
     * Reads the moments of {@code activate}; what {@link #describe} gave already is kept. As there, what does not vary has no
     * skewness and no kurtosis, and a neuron whose activation does not vary is inactive.
     */
    void moments(Folder folder) {
        ActivationMoments moments = ActivationMoments.read(folder.path());
        checkShape(folder.path().resolve(ActivationMoments.FILE), new NeuronShape(moments.layers(), moments.dMlp()));
        kept = folder.manifest().count("kept");
        kept = kept == 0 ? moments.count() : kept;
        double n = moments.count();
        ActivationMoments.Sums pre = moments.pre();
        ActivationMoments.Sums post = moments.post();
        boolean[][] constantBefore = ActivationMoments.inactive(pre.m2(), moments.count());
        boolean[][] constant = moments.inactive();
        fill("mean", (l, i) -> pre.mean()[l][i]);
        fill("var", pre::variance);
        fill("skew", (l, i) -> constantBefore[l][i] ? Double.NaN : Moments.skewness(n, pre.m2()[l][i], pre.m3()[l][i]));
        fill("kurt", (l, i) -> constantBefore[l][i] ? Double.NaN : Moments.kurtosis(n, pre.m2()[l][i], pre.m4()[l][i]));
        fill("sparsity", (l, i) -> moments.prePositive()[l][i] / n);
        fill(
                "post_kurt",
                (l, i) -> constant[l][i] ? Double.NaN : Moments.kurtosis(n, post.m2()[l][i], post.m4()[l][i]));
        if (inactive == null) {
            inactive = new boolean[shape.neurons()];
            for (int i = 0; i < inactive.length; i++) {
                inactive[i] = constant[i / shape.width()][i % shape.width()];
            }
        }
    }

    /** A value by layer and neuron. */
    private interface OfNeuron {
        double value(int layer, int neuron);
    }

    private void fill(String column, OfNeuron value) {
        if (!columns.containsKey(column)) {
            double[] values = new double[shape.neurons()];
            Arrays.setAll(values, i -> value.value(i / shape.width(), i % shape.width()));
            columns.put(column, values);
        }
    }

    /** Number of kept positions, where no activations gave it. */
    void keptOr(long positions) {
        kept = kept == 0 ? positions : kept;
    }

    /** A column's value, NaN where it has no source. */
    double value(String column, int i) {
        double[] values = columns.get(column);
        return values == null ? Double.NaN : values[i];
    }

    /** Effective number of observations n / kurt(post); NaN where either is unknown. */
    double effective(int i) {
        return kept == 0 ? Double.NaN : kept / value("post_kurt", i);
    }

    /** Whether {@link #effective} has what it needs. */
    boolean knowsEffective() {
        return kept > 0 && columns.containsKey("post_kurt");
    }

    /** Whether {@code describe}, or without it the moments of {@code activate}, found that the neuron does not vary. */
    boolean inactive(int i) {
        return inactive != null && inactive[i];
    }
}
