package universality.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.data.Dtype;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.stats.Draws;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Trains one model from random weights with AdamW (Loshchilov and Hutter 2019). The seed decides the initial weights and the
 * order of the rows; with one thread, equal arguments give equal bytes. The caller closes it.
 */
final class Trainer implements AutoCloseable {
    /**
     * One step's record.
     *
     * @param loss nats per token of the batch, before the step
     * @param gradientNorm before clipping
     */
    record Step(int step, long tokens, double learningRate, double loss, double gradientNorm) {}

    private final TrainConfig config;
    private final ModelConfig model;
    private final NDManager manager;
    private final Kernel kernel;
    private final List<NDArray> weights = new ArrayList<>();
    private final List<NDArray> firstMoments = new ArrayList<>();
    private final List<NDArray> secondMoments = new ArrayList<>();
    private final RowOrder order;
    private final TokenRows tokens;

    Trainer(Compute compute, TrainConfig config, ModelConfig model, TokenRows tokens, long seed) {
        this.config = config;
        this.model = model;
        this.tokens = tokens;
        this.manager = compute.manager().newSubManager();
        this.kernel = LanguageModel.kernel(compute, model);
        model.weights().forEach((name, lengths) -> {
            Shape size = new Shape(lengths);
            weights.add(manager.create(initial(name, lengths, seed), size));
            firstMoments.add(manager.zeros(size));
            secondMoments.add(manager.zeros(size));
        });
        this.order = new RowOrder(tokens.rows(), Draws.of("train-rows", seed));
    }

    private float[] initial(String name, long[] lengths, long seed) {
        float[] values = new float[Math.toIntExact(Arrays.stream(lengths).reduce(1, Math::multiplyExact))];
        if (lengths.length == 1) {
            Arrays.fill(values, model.names().isScale(name) ? 1 : 0);
            return values;
        }
        double deviation = config.initialDeviation();
        if (model.names().isOutput(name)) {
            deviation /= Math.sqrt(2.0 * model.layers());
        }
        Draws random = Draws.of("train-weights", seed, name);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.gaussian() * deviation);
        }
        return values;
    }

    /**
     * Makes step {@code step} (from 1) of {@code steps}.
     *
     * @throws ToolException (bad data) if the loss is not finite
     */
    Step step(int step, int steps) {
        double rate = config.learningRate(step, steps);
        try (NDManager scope = manager.newSubManager()) {
            double[] hyper = {
                rate,
                config.beta1(),
                config.beta2(),
                config.adamEpsilon(),
                config.weightDecay(),
                config.clip(),
                step,
                model.tied() ? 1 : 0
            };
            double[] result = kernel.call(
                            scope,
                            "adamw",
                            batch(scope),
                            weights,
                            firstMoments,
                            secondMoments,
                            model.shape(),
                            model.real(),
                            hyper)
                    .singletonOrThrow()
                    .toDoubleArray();
            if (!Double.isFinite(result[0]) || !Double.isFinite(result[1])) {
                throw ToolException.badData(
                        "training diverged at step %d (loss %s, gradient norm %s): lower training.learning_rate",
                        step, result[0], result[1]);
            }
            long seen = (long) step * config.rows() * tokens.context();
            return new Step(step, seen, rate, result[0], result[1]);
        }
    }

    private NDArray batch(NDManager scope) {
        int context = tokens.context();
        long[] ids = new long[config.rows() * context];
        for (int i = 0; i < config.rows(); i++) {
            int from = order.next() * context;
            for (int j = 0; j < context; j++) {
                ids[i * context + j] = tokens.tokens()[from + j];
            }
        }
        return scope.create(ids, new Shape(config.rows(), context));
    }

    /** Writes the weights as Hugging Face does. */
    void save(java.nio.file.Path file) {
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.metadata("format", "pt");
            model.weights()
                    .forEach((name, lengths) -> writer.declare(model.names().stored(name), Dtype.F32, lengths));
            for (NDArray weight : weights) {
                // from a GPU this leaves a copy on the host with the array's manager
                try (NDManager scope = manager.newSubManager()) {
                    NDArray copy = weight.duplicate();
                    copy.attach(scope);
                    writer.floats(copy.toFloatArray());
                }
            }
        }
    }

    @Override
    public void close() {
        kernel.close();
        manager.close();
    }
}
