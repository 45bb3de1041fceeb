package universality.model.gpt2;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import universality.data.CheckpointFolder;
import universality.data.ToolException;
import universality.model.CheckpointWeights;
import universality.model.ModelConfig;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * A GPT-2 on a device, in F32. The forward pass is the kernel {@code gpt2}; hooks are named as in TransformerLens. Close it
 * to free the weights.
 */
public final class Gpt2 implements AutoCloseable {
    private final ModelConfig config;
    private final NDManager manager;
    private final Kernel kernel;
    private final List<NDArray> weights;
    private final NDArray shape;

    private Gpt2(ModelConfig config, NDManager manager, Kernel kernel, List<NDArray> weights) {
        this.config = config;
        this.manager = manager;
        this.kernel = kernel;
        this.weights = weights;
        this.shape = settings(manager, config);
    }

    /**
     * Loads a checkpoint's weights.
     *
     * @throws ToolException (bad data) if a weight is absent, of another shape than the config's, or not finite
     */
    public static Gpt2 load(Compute compute, CheckpointFolder checkpoint) {
        try (CheckpointWeights source = CheckpointWeights.open(checkpoint)) {
            ModelConfig config = source.config();
            NDManager manager = compute.manager().newSubManager();
            List<NDArray> weights = new ArrayList<>();
            config.weights()
                    .forEach((name, shape) -> weights.add(manager.create(source.read(name, shape), new Shape(shape))));
            if (config.tied()) {
                weights.add(weights.get(0));
            }
            return new Gpt2(config, manager, compute.kernel("gpt2"), weights);
        }
    }

    /** The kernel's {@code shape} argument; the caller's manager owns it. */
    public static NDArray settings(NDManager manager, ModelConfig config) {
        return manager.create(new long[] {
            config.layers(),
            config.heads(),
            activationCode(config.activation()),
            config.scaleAttention() ? 1 : 0,
            config.inverseLayerScale() ? 1 : 0
        });
    }

    private static int activationCode(String name) {
        return switch (name) {
            case "gelu_new", "gelu_pytorch_tanh" -> 0;
            case "gelu" -> 1;
            case "relu" -> 2;
            default -> throw ToolException.badData(
                    "activation_function '%s' is not supported; supported are gelu_new, gelu_pytorch_tanh, gelu, relu",
                    name);
        };
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
        return kernel.call(scope, "logits", tokens, weights, shape, config.epsilon())
                .singletonOrThrow();
    }

    /**
     * MLP activations of all layers at chosen positions.
     *
     * @param tokens I64 [batch, pos]. Not modified.
     * @param kept I64 [n], flat indices into [batch × pos]. Not modified.
     * @return for each layer {@code blocks.{L}.mlp.hook_pre} then {@code hook_post}, F32 [n, d_mlp], owned by {@code scope}
     */
    public NDList capture(NDManager scope, NDArray tokens, NDArray kept) {
        return kernel.call(scope, "capture", tokens, kept, weights, shape, config.epsilon());
    }

    /**
     * An undisturbed run, kept so that {@link #resume} can start from any of its layers.
     *
     * @param tokens I64 [batch, pos]. Not modified.
     * @return for each layer {@code blocks.{L}.hook_resid_post}, F32 [batch, pos, d_model], then {@code
     *     blocks.{L}.mlp.hook_post}, F32 [batch × pos, d_mlp], owned by {@code scope}
     */
    public NDList trace(NDManager scope, NDArray tokens) {
        return kernel.call(scope, "trace", tokens, weights, shape, config.epsilon());
    }

    /**
     * What the unembedding reads at the end of a {@link #trace}: the last residual stream after the final LayerNorm.
     *
     * @param kept I64 [n], flat indices into [batch × pos]
     * @return F32 [n, d_model], owned by {@code scope}
     */
    public NDArray finish(NDManager scope, NDList trace, NDArray kept) {
        NDArray last = trace.get(trace.size() - 2);
        return kernel.call(scope, "finish", last, kept, weights, config.epsilon())
                .singletonOrThrow();
    }

    /**
     * {@link #finish} of a run in which post-activations are replaced at every position: {@code trace} up to the first layer
     * that has such neurons, computed anew from there on.
     *
     * @param layers the layers with replaced neurons, ascending, at least one
     * @param neurons for each of them the neurons, I64 [s]
     * @param values for each of them the new values, F32 [s]; or F32 [batch × pos, d_mlp], of which the neurons' columns count
     * @return F32 [n, d_model], owned by {@code scope}. Nothing is modified.
     */
    public NDArray resume(
            NDManager scope, NDList trace, NDArray kept, int[] layers, List<NDArray> neurons, List<NDArray> values) {
        try (NDArray order =
                scope.create(java.util.Arrays.stream(layers).asLongStream().toArray())) {
            NDArray h = trace.get(2 * layers[0]);
            NDArray post = trace.get(2 * layers[0] + 1);
            return kernel.call(scope, "resume", h, post, kept, order, neurons, values, weights, shape, config.epsilon())
                    .singletonOrThrow();
        }
    }

    /** The unembedding, F32 [vocabulary, d_model]; shared, not to be closed. */
    public NDArray unembedding() {
        return weights.get(weights.size() - 1);
    }

    /** Weights in kernel order ({@link ModelConfig#weights}, then the unembedding), for kernels that take them; shared, not to be closed. */
    public List<NDArray> weights() {
        return weights;
    }

    @Override
    public void close() {
        kernel.close();
        manager.close();
    }
}
