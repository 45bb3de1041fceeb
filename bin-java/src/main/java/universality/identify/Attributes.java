package universality.identify;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import universality.data.CsvTable;
import universality.data.Dtype;
import universality.data.Manifest;
import universality.data.NeuronShape;
import universality.data.SafetensorsFile;
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

    /** Reads the moments of {@code activate}; columns that {@link #describe} gave already are kept. */
    void moments(Folder folder) {
        kept = folder.manifest().count("kept");
        Path path = folder.manifest().verified(folder.path(), "moments.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            long[] sizes = file.tensor("post.m2", Dtype.F64, -1, -1).shape();
            checkShape(path, new NeuronShape((int) sizes[0], (int) sizes[1]));
            long count = (long) file.doubles("count")[0];
            kept = kept == 0 ? count : kept;
            Moments[] pre = moments(file, "pre", sizes, count);
            Moments[] post = moments(file, "post", sizes, count);
            double[] positive = doubles(file, "pre.positive", sizes);
            fill("mean", i -> pre[i].n() == 0 ? Double.NaN : pre[i].mean());
            fill("var", i -> pre[i].variance());
            fill("skew", i -> pre[i].skewness());
            fill("kurt", i -> pre[i].kurtosis());
            fill("sparsity", i -> positive[i] / count);
            fill("post_kurt", i -> post[i].kurtosis());
        }
    }

    private static Moments[] moments(SafetensorsFile file, String name, long[] sizes, long count) {
        double[] mean = doubles(file, name + ".mean", sizes);
        double[] m2 = doubles(file, name + ".m2", sizes);
        double[] m3 = doubles(file, name + ".m3", sizes);
        double[] m4 = doubles(file, name + ".m4", sizes);
        Moments[] moments = new Moments[mean.length];
        Arrays.setAll(moments, i -> new Moments(count, mean[i], m2[i], m3[i], m4[i]));
        return moments;
    }

    private static double[] doubles(SafetensorsFile file, String name, long[] sizes) {
        file.tensor(name, Dtype.F64, sizes);
        return file.doubles(name);
    }

    private void fill(String column, java.util.function.IntToDoubleFunction value) {
        if (!columns.containsKey(column)) {
            double[] values = new double[shape.neurons()];
            Arrays.setAll(values, value);
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

    /** Whether {@code describe} found that the neuron does not vary. */
    boolean inactive(int i) {
        return inactive != null && inactive[i];
    }
}
