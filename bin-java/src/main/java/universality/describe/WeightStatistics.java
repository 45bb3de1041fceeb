package universality.describe;

import universality.model.CheckpointWeights;
import universality.model.ModelConfig;

/**
 * What the weights of one layer's neurons say. In a GPT-2, neuron j of layer ℓ reads {@code c_fc.weight[:, j]} (w_in, with
 * bias {@code c_fc.bias[j]}) and writes {@code c_proj.weight[j, :]} (w_out); in a GPT-NeoX {@code dense_h_to_4h.weight[j, :]}
 * and {@code dense_4h_to_h.weight[:, j]}. Everything is float64.
 *
 * <p>Unless raw, weights are taken as TransformerLens does, so that what the model cannot tell apart is the same number: the
 * scale g and shift s of the LayerNorm before them are folded in and, since a LayerNorm's output has mean 0, w_in is centred,
 * w_in′ = g ∘ w_in − mean(g ∘ w_in), b′ = b + s·w_in; and since every reader of the residual stream starts with a LayerNorm,
 * w_out is centred, w_out′ = w_out − mean(w_out). Means are over d_model.
 *
 * @param inNorm ‖w_in′‖, [d_mlp] as the others
 * @param bias b′
 * @param outNorm ‖w_out′‖
 * @param cosine cos(w_in′, w_out′), NaN where one of them is 0
 * @param penalty ‖w_in′‖² + ‖w_out′‖²
 */
record WeightStatistics(double[] inNorm, double[] bias, double[] outNorm, double[] cosine, double[] penalty) {

    /** Reads and describes the neurons of {@code layer}. */
    static WeightStatistics of(CheckpointWeights weights, int layer, boolean raw) {
        ModelConfig config = weights.config();
        int dModel = config.dModel();
        int dMlp = config.dMlp();
        double[] in = doubles(weights.mlpIn(layer)); // [dModel, dMlp]
        double[] bias = doubles(weights.mlpBias(layer));
        double[] out = doubles(weights.mlpOut(layer)); // [dMlp, dModel]
        if (!raw) {
            float[][] norm = weights.mlpNorm(layer);
            fold(in, bias, norm[0], norm[1]);
            centreColumns(in, dModel, dMlp);
            centreRows(out, dMlp, dModel);
        }
        return measure(in, bias, out, dModel, dMlp);
    }

    /** in ← diag(scale) in; bias ← bias + shift · in, with {@code in} as it was. Both modified. */
    private static void fold(double[] in, double[] bias, float[] scale, float[] shift) {
        int dMlp = bias.length;
        for (int d = 0; d < scale.length; d++) {
            for (int j = 0; j < dMlp; j++) {
                bias[j] += shift[d] * in[d * dMlp + j];
                in[d * dMlp + j] *= scale[d];
            }
        }
    }

    private static void centreColumns(double[] matrix, int rows, int columns) {
        double[] means = new double[columns];
        for (int i = 0; i < matrix.length; i++) {
            means[i % columns] += matrix[i] / rows;
        }
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] -= means[i % columns];
        }
    }

    private static void centreRows(double[] matrix, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            double mean = 0;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                mean += matrix[i] / columns;
            }
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                matrix[i] -= mean;
            }
        }
    }

    private static WeightStatistics measure(double[] in, double[] bias, double[] out, int dModel, int dMlp) {
        double[] inSquare = new double[dMlp];
        double[] outSquare = new double[dMlp];
        double[] product = new double[dMlp];
        for (int d = 0; d < dModel; d++) {
            for (int j = 0; j < dMlp; j++) {
                double a = in[d * dMlp + j];
                double b = out[j * dModel + d];
                inSquare[j] += a * a;
                outSquare[j] += b * b;
                product[j] += a * b;
            }
        }
        double[] inNorm = new double[dMlp];
        double[] outNorm = new double[dMlp];
        double[] cosine = new double[dMlp];
        double[] penalty = new double[dMlp];
        for (int j = 0; j < dMlp; j++) {
            inNorm[j] = Math.sqrt(inSquare[j]);
            outNorm[j] = Math.sqrt(outSquare[j]);
            cosine[j] = product[j] / (inNorm[j] * outNorm[j]);
            penalty[j] = inSquare[j] + outSquare[j];
        }
        return new WeightStatistics(inNorm, bias, outNorm, cosine, penalty);
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }
}
