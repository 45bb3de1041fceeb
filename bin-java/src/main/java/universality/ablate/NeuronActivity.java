package universality.ablate;

import ai.djl.ndarray.NDManager;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.data.ActivationMoments;
import universality.data.CheckpointFolder;
import universality.data.Manifest;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.model.capture.MaskedForward;
import universality.stats.ColumnMoments;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * How active each neuron is, [layers][d_mlp], over positions that count.
 *
 * @param mean mean post-activation
 * @param meanSquare E[a²]
 * @param source manifest of the activation folder; {@code null}: a pass over the ablation's own tokens
 */
record NeuronActivity(double[][] mean, double[][] meanSquare, boolean[][] inactive, Manifest source) {
    /**
     * From the moments that {@code activate} wrote.
     *
     * @throws ToolException (bad data) if they are of another checkpoint
     */
    static NeuronActivity read(Path folder, CheckpointFolder checkpoint, ModelConfig config) {
        ActivationMoments moments = ActivationMoments.read(folder);
        String expected = checkpoint.manifest().contentDigest();
        if (!moments.manifest().inputDigest("checkpoint").orElse("").equals(expected)) {
            throw ToolException.badData(
                    "%s holds activations of '%s', which is not the checkpoint '%s' (digest %.12s): give the activations of"
                            + " this checkpoint",
                    folder, moments.manifest().id(), checkpoint.id(), expected);
        }
        if (moments.layers() != config.layers() || moments.dMlp() != config.dMlp()) {
            throw ToolException.badData(
                    "%s holds moments of %d layers of %d neurons, but checkpoint '%s' has %d of %d",
                    folder, moments.layers(), moments.dMlp(), checkpoint.id(), config.layers(), config.dMlp());
        }
        return new NeuronActivity(
                moments.post().mean(), moments.postMeanSquare(), moments.inactive(), moments.manifest());
    }

    /** From an undisturbed pass over {@code tokens}. */
    static NeuronActivity measure(Compute compute, LanguageModel model, TokenRows tokens) {
        ModelConfig config = model.config();
        List<ColumnMoments> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(new ColumnMoments(config.dMlp()));
        }
        try (Kernel kernel = compute.kernel("moments")) {
            MaskedForward.run(compute, model, tokens, (at, kept, hooks) -> {
                for (int layer = 0; layer < config.layers(); layer++) {
                    try (NDManager scope = hooks.get(0).getManager().newSubManager()) {
                        double[] block = kernel.call(scope, "central", hooks.get(2 * layer + 1)).stream()
                                .flatMapToDouble(row -> Arrays.stream(row.toDoubleArray()))
                                .toArray();
                        layers.get(layer).merge(kept.length, block);
                    }
                }
            });
        }
        double[][] mean = layers.stream().map(ColumnMoments::mean).toArray(double[][]::new);
        double[][] m2 = layers.stream().map(ColumnMoments::m2).toArray(double[][]::new);
        long count = tokens.kept();
        double[][] square = new double[mean.length][config.dMlp()];
        for (int layer = 0; layer < mean.length; layer++) {
            for (int i = 0; i < square[layer].length; i++) {
                square[layer][i] = m2[layer][i] / count + mean[layer][i] * mean[layer][i];
            }
        }
        return new NeuronActivity(mean, square, ActivationMoments.inactive(m2, count), null);
    }
}
