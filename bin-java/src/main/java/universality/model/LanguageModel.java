package universality.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.data.CheckpointFolder;
import universality.data.Dtype;
import universality.data.ToolException;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * A model on a device, of any family that {@link ModelConfig} knows. The forward pass is one call of the kernel {@code
 * gpt2} or {@code neox}, each with what they share, {@code transformer}. Close it to free the weights.
 */
public final class LanguageModel implements AutoCloseable {
    private final ModelConfig config;
    private final NDManager manager;
    private final Kernel kernel;
    private final List<NDArray> weights;
    private final long[] shape;
    private final double[] real;

    private LanguageModel(ModelConfig config, NDManager manager, Kernel kernel, List<NDArray> weights) {
        this.config = config;
        this.manager = manager;
        this.kernel = kernel;
        this.weights = weights;
        this.shape = config.shape();
        this.real = config.real();
    }

    /** Loads a checkpoint's weights to compute in F32; otherwise as the other one. */
    public static LanguageModel load(Compute compute, CheckpointFolder checkpoint) {
        return load(compute, checkpoint, Arithmetic.F32);
    }

    /**
     * Loads a checkpoint's weights.
     *
     * @throws ToolException (bad data) if a weight is absent, of another shape than the config's, or not finite
     */
    public static LanguageModel load(Compute compute, CheckpointFolder checkpoint, Arithmetic arithmetic) {
        try (CheckpointWeights source = CheckpointWeights.open(checkpoint)) {
            ModelConfig config = source.config();
            NDManager manager = compute.manager().newSubManager();
            Kernel kernel = kernel(compute, config);
            try {
                return new LanguageModel(config, manager, kernel, weights(manager, kernel, source, arithmetic));
            } catch (RuntimeException e) {
                kernel.close();
                manager.close();
                throw e;
            }
        }
    }

    private static List<NDArray> weights(
            NDManager manager, Kernel kernel, CheckpointWeights source, Arithmetic arithmetic) {
        ModelConfig config = source.config();
        WeightLoader loader = new WeightLoader(manager, kernel, source);
        List<NDArray> weights = new ArrayList<>();
        config.operands().forEach((name, shape) -> {
            boolean narrow = arithmetic == Arithmetic.BF16 && config.names().ofProjection(name);
            weights.add(loader.load(name, narrow ? Dtype.BF16 : Dtype.F32, shape));
        });
        if (config.tied()) {
            weights.add(weights.get(0));
        }
        return weights;
    }

    /** Compiles the kernel of a model's family; the caller closes it. */
    public static Kernel kernel(Compute compute, ModelConfig config) {
        return compute.kernel(config.kernel());
    }

    public ModelConfig config() {
        return config;
    }

    /**
     * Logits of every position.
     *
     * @param tokens I64 [batch, pos], pos at most the model's context. Not modified.
     * @return F32 [batch, pos, vocabulary], owned by {@code scope}
     */
    public NDArray logits(NDManager scope, NDArray tokens) {
        return kernel.call(scope, "logits", tokens, weights, shape, real).singletonOrThrow();
    }

    /**
     * MLP activations of all layers at chosen positions.
     *
     * @param tokens I64 [batch, pos]. Not modified.
     * @param kept I64 [n], flat indices into [batch × pos]. Not modified.
     * @return for each layer {@code blocks.{L}.mlp.hook_pre} then {@code hook_post}, F32 [n, d_mlp], owned by {@code scope}
     */
    public NDList capture(NDManager scope, NDArray tokens, NDArray kept) {
        return kernel.call(scope, "capture", tokens, kept, new long[] {0, config.layers(), 1}, weights, shape, real);
    }

    /**
     * MLP activations of one layer at all positions; layer after layer gives the same bits as {@link #capture}.
     *
     * @param start tokens I64 [batch, pos] for layer 0, else {@code blocks.{layer}.hook_resid_pre} F32 [batch, pos, d_model]. Not
     *     modified.
     * @return {@code blocks.{layer}.mlp.hook_pre} and {@code hook_post}, F32 [batch × pos, d_mlp]; unless it is the last layer, then
     *     {@code blocks.{layer}.hook_resid_post}, the start of the next one. All are owned by {@code scope}.
     */
    public NDList layer(NDManager scope, NDArray start, int layer) {
        return kernel.call(scope, "layer", start, layer, weights, shape, real);
    }

    /**
     * Post-activations of layers {@code from} to {@code to − 1} at chosen positions. The pass ends with layer {@code to − 1},
     * of which the output projection is not computed.
     *
     * @param tokens I64 [batch, pos]. Not modified.
     * @param kept I64 [n], flat indices into [batch × pos]. Not modified.
     * @return {@code blocks.{L}.mlp.hook_post} of each, F32 [n, d_mlp], the same bits as of {@link #capture}, owned by {@code
     *     scope}
     */
    public NDList posts(NDManager scope, NDArray tokens, NDArray kept, int from, int to) {
        if (from < 0 || from >= to || to > config.layers()) {
            throw new IllegalArgumentException(
                    "there are no layers " + from + " to " + to + " in a model of " + config.layers());
        }
        return kernel.call(scope, "capture", tokens, kept, new long[] {from, to, 0}, weights, shape, real);
    }

    /**
     * An undisturbed run, kept so that {@link #resume} can start from any of its layers.
     *
     * @param tokens I64 [batch, pos]. Not modified.
     * @return for each layer {@code blocks.{L}.hook_resid_post}, F32 [batch, pos, d_model], then {@code
     *     blocks.{L}.mlp.hook_post}, F32 [batch × pos, d_mlp], owned by {@code scope}
     */
    public NDList trace(NDManager scope, NDArray tokens) {
        return kernel.call(scope, "trace", tokens, weights, shape, real);
    }

    /**
     * What the unembedding reads at the end of a {@link #trace}: the last residual stream after the final LayerNorm.
     *
     * @param kept I64 [n], flat indices into [batch × pos]
     * @return F32 [n, d_model], owned by {@code scope}
     */
    public NDArray finish(NDManager scope, NDList trace, NDArray kept) {
        NDArray last = trace.get(trace.size() - 2);
        return kernel.call(scope, "finish", last, kept, weights, real).singletonOrThrow();
    }

    /**
     * {@link #finish} of runs in which post-activations are replaced at every position, computed side by side: {@code trace} up to
     * the first layer that has such neurons, the same in all runs, and anew from there on.
     *
     * @param layers for each replacement its layer, ascending, at least one
     * @param runs for each replacement the run that it belongs to; those of the first layer are 0, 1, 2 …, one of each run
     * @param neurons for each replacement the neurons, I64 [s]
     * @param values for each replacement the new values, F32 [s]; or F32 [batch × pos, d_mlp], of which the neurons' columns count
     * @return F32 [runs × n, d_model], run by run, owned by {@code scope}. Nothing is modified.
     */
    public NDArray resume(
            NDManager scope,
            NDList trace,
            NDArray kept,
            int[] layers,
            int[] runs,
            List<NDArray> neurons,
            List<NDArray> values) {
        long[] order = Arrays.stream(layers).asLongStream().toArray();
        long[] owner = Arrays.stream(runs).asLongStream().toArray();
        NDArray h = trace.get(2 * layers[0]);
        NDArray post = trace.get(2 * layers[0] + 1);
        return kernel.call(scope, "resume", h, post, kept, order, owner, neurons, values, weights, shape, real)
                .singletonOrThrow();
    }

    /**
     * A forward pass from the embedding, to be told what to capture and to change.
     *
     * @param tokens I64 [batch, pos], pos at most the model's context. Not modified.
     */
    public Forward forward(NDArray tokens) {
        return new Forward(this, tokens, 0);
    }

    /**
     * A forward pass from a layer on, to be told what to capture and to change.
     *
     * @param residual {@code blocks.{layer}.hook_resid_pre} F32 [batch, pos, d_model]. Not modified.
     */
    public Forward forward(NDArray residual, int layer) {
        return new Forward(this, residual, layer);
    }

    /** The kernel's method {@code run}. */
    NDList run(NDManager scope, NDArray start, long[] span, long[] table, List<NDArray> values) {
        // a call takes no empty list
        List<NDArray> some = values.isEmpty() ? List.of(weights.get(0)) : values;
        return kernel.call(scope, "run", start, span, table, some, weights, shape, real);
    }

    /** The unembedding, F32 [vocabulary, d_model]; shared, not to be closed. */
    public NDArray unembedding() {
        return weights.get(weights.size() - 1);
    }

    /** Weights in kernel order ({@link ModelConfig#operands}, then the unembedding), for kernels that take them; shared, not to be closed. */
    public List<NDArray> weights() {
        return weights;
    }

    @Override
    public void close() {
        kernel.close();
        manager.close();
    }
}
