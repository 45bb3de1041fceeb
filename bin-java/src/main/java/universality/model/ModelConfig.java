package universality.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;
import universality.data.ToolException;

/**
 * Architecture of a model, from Hugging Face's {@code config.json}: what the families share, and the facts in which they differ.
 * Everything else works for any of them through this interface.
 */
public sealed interface ModelConfig permits Gpt2Config, NeoxConfig {
    /** The values of {@code model_type} that are supported. */
    String SUPPORTED = Gpt2Config.TYPE + ", " + NeoxConfig.TYPE;

    /**
     * Reads a config.
     *
     * @param where names the config in messages
     * @throws ToolException (bad data) if the architecture or a setting is not supported, or a size is missing or impossible
     */
    static ModelConfig read(JsonNode json, String where) {
        String type = json.path("model_type").asText("");
        ConfigFields fields = new ConfigFields(json, where);
        return switch (type) {
            case Gpt2Config.TYPE -> Gpt2Config.read(fields);
            case NeoxConfig.TYPE -> NeoxConfig.read(fields);
            default -> throw ToolException.badData("%s has model_type '%s'; supported are: %s", where, type, SUPPORTED);
        };
    }

    /** {@code model_type}. */
    String type();

    Sizes sizes();

    Activation activation();

    /** Added to the variance in LayerNorms. */
    double epsilon();

    /** Whether the unembedding is the token embedding. */
    boolean tied();

    /** How its checkpoints name tensors. */
    TensorNames names();

    /** The field of {@code config.json} with the largest number of positions. */
    String contextField();

    /** Why this model has no hook of a kind; empty if it has. */
    Optional<String> absence(HookPoint.Kind kind);

    /** The kernel that has the family's own part of the forward pass. */
    String kernel();

    /** The kernel's argument {@code shape} (kernels/transformer.py). */
    long[] shape();

    /** The kernel's argument {@code real}. */
    double[] real();

    /**
     * Shapes of everything that the forward pass reads by name, in its order; the unembedding only where it is not tied. A bias
     * that the checkpoint lacks is 0.
     */
    Map<String, long[]> operands();

    /** Shapes of all weights that a checkpoint must have, by name without prefix, in the order of the forward pass. */
    default Map<String, long[]> weights() {
        return operands();
    }

    default int layers() {
        return sizes().layers();
    }

    default int heads() {
        return sizes().heads();
    }

    /** Width of the residual stream. */
    default int dModel() {
        return sizes().dModel();
    }

    /** Width of a head. */
    default int dHead() {
        return dModel() / heads();
    }

    /** Neurons per layer. */
    default int dMlp() {
        return sizes().dMlp();
    }

    default int vocabulary() {
        return sizes().vocabulary();
    }

    /** Most positions. */
    default int context() {
        return sizes().context();
    }

    /** Neurons of the whole model, layers × dMlp. */
    default int neurons() {
        return layers() * dMlp();
    }
}
