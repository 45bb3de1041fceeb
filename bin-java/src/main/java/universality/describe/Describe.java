package universality.describe;

import java.nio.file.Path;
import java.util.List;
import universality.data.ActivationMoments;
import universality.data.CheckpointFolder;
import universality.data.CsvWriter;
import universality.data.OutputFolder;
import universality.data.ToolException;
import universality.model.CheckpointWeights;
import universality.model.ModelConfig;
import universality.stats.Moments;

/** The stage {@code describe}: what can be said of each neuron of one checkpoint from its weights and moments. */
public final class Describe {
    /** Columns of {@code ID.csv}; docs/output.md says what they mean. */
    public static final List<String> COLUMNS = List.of(
            "layer",
            "neuron",
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
            "vocab_kurt",
            "post_mean",
            "post_var",
            "post_skew",
            "post_kurt",
            "post_abs_mean",
            "post_mean_square",
            "effect",
            "inactive");

    private final CheckpointFolder checkpoint;
    private final ActivationMoments moments;
    private final boolean raw;
    private final boolean[][] inactive;
    private final boolean[][] constantBefore;

    private Describe(CheckpointFolder checkpoint, ActivationMoments moments, boolean raw) {
        this.checkpoint = checkpoint;
        this.moments = moments;
        this.raw = raw;
        this.inactive = moments.inactive();
        this.constantBefore = ActivationMoments.inactive(moments.pre().m2(), moments.count());
    }

    /**
     * Describes the neurons of {@code checkpoint}.
     *
     * @param activations folder of {@code activate}, of the same checkpoint
     * @param raw take the weights as they are stored, neither folded nor centred
     * @throws ToolException if an input is missing, broken, or the two do not belong together
     */
    public static void run(Path checkpoint, Path activations, boolean raw, Path out, boolean overwrite) {
        CheckpointFolder folder = CheckpointFolder.open(checkpoint);
        ActivationMoments moments = ActivationMoments.read(activations);
        String expected = folder.manifest().contentDigest();
        String found = moments.manifest().inputDigest("checkpoint").orElse("none");
        if (!found.equals(expected)) {
            throw ToolException.badData(
                    "%s holds activations of a checkpoint with digest %s, but %s has digest %s: give the activations of"
                            + " this checkpoint",
                    activations, found, checkpoint, expected);
        }
        try (CheckpointWeights weights = CheckpointWeights.open(folder)) {
            checkSize(activations, moments, weights.config());
            new Describe(folder, moments, raw).write(weights, out, overwrite);
        }
    }

    private static void checkSize(Path activations, ActivationMoments moments, ModelConfig config) {
        if (moments.layers() != config.layers() || moments.dMlp() != config.dMlp()) {
            throw ToolException.badData(
                    "%s holds moments of %d layers of %d neurons, but the checkpoint has %d of %d",
                    activations, moments.layers(), moments.dMlp(), config.layers(), config.dMlp());
        }
    }

    private void write(CheckpointWeights weights, Path out, boolean overwrite) {
        long inactiveCount = 0;
        try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
            try (CsvWriter table = new CsvWriter(folder.file(checkpoint.id() + ".csv"), COLUMNS)) {
                for (int layer = 0; layer < moments.layers(); layer++) {
                    WeightStatistics statistics = WeightStatistics.of(weights, layer, raw);
                    for (int neuron = 0; neuron < moments.dMlp(); neuron++) {
                        table.row(row(statistics, layer, neuron));
                        inactiveCount += inactive[layer][neuron] ? 1 : 0;
                    }
                }
            }
            folder.parameter("family", checkpoint.family())
                    .parameter("seed", checkpoint.seed())
                    .parameter("step", checkpoint.step())
                    .parameter("layers", moments.layers())
                    .parameter("d_mlp", moments.dMlp())
                    .parameter("raw_weights", raw)
                    .input("checkpoint", checkpoint.manifest())
                    .input("activations", moments.manifest())
                    .count("neurons", weights.config().neurons())
                    .count("inactive", inactiveCount)
                    .count("kept", moments.count())
                    .commit("describe", checkpoint.id());
        }
    }

    private Object[] row(WeightStatistics w, int layer, int neuron) {
        // the variance of what does not vary is rounding, and its skewness and kurtosis are those of rounding
        boolean shapeless = constantBefore[layer][neuron];
        boolean dead = inactive[layer][neuron];
        ActivationMoments.Sums pre = moments.pre();
        ActivationMoments.Sums post = moments.post();
        return new Object[] {
            layer,
            neuron,
            w.inNorm()[neuron],
            w.bias()[neuron],
            w.outNorm()[neuron],
            w.cosine()[neuron],
            w.penalty()[neuron],
            pre.mean()[layer][neuron],
            pre.variance(layer, neuron),
            shapeless ? null : (Double) skewness(pre, layer, neuron),
            shapeless ? null : (Double) kurtosis(pre, layer, neuron),
            moments.prePositive()[layer][neuron] / moments.count(),
            null,
            null,
            null,
            null,
            post.mean()[layer][neuron],
            post.variance(layer, neuron),
            dead ? null : (Double) skewness(post, layer, neuron),
            dead ? null : (Double) kurtosis(post, layer, neuron),
            moments.postAbsMean()[layer][neuron],
            moments.postMeanSquare()[layer][neuron],
            moments.postAbsMean()[layer][neuron] * w.outNorm()[neuron],
            dead
        };
    }

    private static double skewness(ActivationMoments.Sums of, int layer, int neuron) {
        return Moments.skewness(of.count(), of.m2()[layer][neuron], of.m3()[layer][neuron]);
    }

    private static double kurtosis(ActivationMoments.Sums of, int layer, int neuron) {
        return Moments.kurtosis(of.count(), of.m2()[layer][neuron], of.m4()[layer][neuron]);
    }
}
