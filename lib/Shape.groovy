import groovy.json.JsonException
import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path

/** The size of a model, as its config.json tells it. */
class Shape {
    final long layers
    /** Width of the residual stream. */
    final long residual
    /** Neurons in a layer. */
    final long hidden
    /** Positions of the longest row that it reads; 0 where that is not told. */
    final long context
    private final long vocabulary
    private final long positions
    private final boolean tied

    private Shape(Map config, long layers, long residual, Long hidden) {
        this.layers = layers
        this.residual = residual
        this.hidden = hidden ?: 4 * residual
        boolean rotary = config.model_type == 'gpt_neox'
        vocabulary = whole(config.vocab_size) ?: 0
        context = whole(config.n_positions) ?: whole(config.n_ctx) ?: whole(config.max_position_embeddings) ?: 0
        positions = rotary ? 0 : whole(config.n_positions) ?: 0
        tied = config.tie_word_embeddings instanceof Boolean ? config.tie_word_embeddings : !rotary
    }

    /** The shape, or null where {@code config} (what its JSON holds) does not tell. */
    static Shape of(Object config) {
        if (!(config instanceof Map)) {
            return null
        }
        Long layers = whole(config.n_layer) ?: whole(config.num_hidden_layers)
        Long residual = whole(config.n_embd) ?: whole(config.hidden_size)
        return layers && residual ? new Shape(config, layers, residual, whole(config.n_inner) ?: whole(config.intermediate_size)) : null
    }

    /** The shape of a checkpoint's folder, or null where its config.json does not tell. */
    static Shape read(Path checkpoint) {
        Path config = checkpoint.resolve('config.json')
        return Files.isRegularFile(config) ? parse(config.getText('UTF-8')) : null
    }

    /** The shape that the text of a config.json tells, or null; what is wrong with it is said by the tool that reads it. */
    static Shape parse(String config) {
        try {
            return of(new JsonSlurper().parseText(config))
        } catch (JsonException ignored) {
            return null
        }
    }

    private static Long whole(Object value) {
        return value instanceof Integer || value instanceof Long ? (value > 0 ? (Long) value : null) : null
    }

    long neurons() {
        return layers * hidden
    }

    /** Bytes of the weights in F32, but for biases and gains. */
    long weights() {
        long embedding = (vocabulary * (tied ? 1 : 2) + positions) * residual
        return 4 * (layers * (4 * residual * residual + 2 * residual * hidden) + embedding)
    }
}
