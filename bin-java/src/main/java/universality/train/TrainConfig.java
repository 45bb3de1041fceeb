package universality.train;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import universality.data.Json;
import universality.data.ToolException;

/**
 * What {@code --config} holds: {@code model}, a GPT-2's or GPT-NeoX's config as Hugging Face writes it ({@code vocab_size} and special ids come
 * from the tokens), and {@code training}.
 *
 * @param model the {@code model} object, as given
 * @param rows rows of a batch
 * @param learningRate peak learning rate of AdamW
 * @param finalFraction the learning rate falls to this fraction of the peak along a half cosine
 * @param warmup steps of linear warm-up
 * @param beta1 decay of the gradient mean
 * @param beta2 decay of the squared gradient's mean
 * @param adamEpsilon added to the root of the latter
 * @param weightDecay decoupled decay of matrices (embeddings included; biases and LayerNorm are not decayed)
 * @param clip gradients are scaled down to this norm
 * @param initialDeviation standard deviation of the initial weights; of those that write to the residual stream, this over
 *     √(2·layers) (Radford et al. 2019, section 2.3)
 */
public record TrainConfig(
        JsonNode model,
        int rows,
        double learningRate,
        double finalFraction,
        int warmup,
        double beta1,
        double beta2,
        double adamEpsilon,
        double weightDecay,
        double clip,
        double initialDeviation) {

    /**
     * Reads a config file.
     *
     * @throws ToolException if it is missing, not JSON, or a value is absent or out of range
     */
    public static TrainConfig read(Path file) {
        JsonNode json = Json.read(file);
        if (!json.path("model").isObject() || !json.path("training").isObject()) {
            throw ToolException.badData("%s needs the objects 'model' and 'training'", file);
        }
        JsonNode t = json.path("training");
        return new TrainConfig(
                json.path("model"),
                (int) number(file, t, "rows", 1, 1 << 20),
                number(file, t, "learning_rate", 0, 10),
                number(file, t, "final_fraction", 0, 1),
                (int) number(file, t, "warmup", 0, 1e9),
                number(file, t, "beta1", 0, 1),
                number(file, t, "beta2", 0, 1),
                number(file, t, "adam_epsilon", 0, 1),
                number(file, t, "weight_decay", 0, 1000),
                number(file, t, "clip", 1e-9, 1e9),
                number(file, t, "initial_deviation", 0, 10));
    }

    private static double number(Path file, JsonNode node, String name, double least, double most) {
        JsonNode value = node.path(name);
        if (!value.isNumber() || value.doubleValue() < least || value.doubleValue() > most) {
            throw ToolException.badData(
                    "%s: training.%s is '%s', but a number from %s to %s was expected", file, name, value, least, most);
        }
        return value.doubleValue();
    }

    /** Learning rate of step {@code step} (from 1) of {@code steps}: linear warm-up, then a half cosine. */
    public double learningRate(int step, int steps) {
        if (step <= warmup) {
            return learningRate * step / warmup;
        }
        double done = (double) (step - warmup) / Math.max(1, steps - warmup);
        return learningRate * (finalFraction + (1 - finalFraction) * 0.5 * (1 + Math.cos(Math.PI * done)));
    }
}
