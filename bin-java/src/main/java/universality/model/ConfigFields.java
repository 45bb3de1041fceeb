package universality.model;

import com.fasterxml.jackson.databind.JsonNode;
import universality.data.ToolException;

/** Fields of a {@code config.json}, checked. */
final class ConfigFields {
    private final JsonNode json;
    private final String where;

    /** @param where names the config in messages */
    ConfigFields(JsonNode json, String where) {
        this.json = json;
        this.where = where;
    }

    /** What both families have besides: anything that makes the computation another one is refused. */
    void refuseVariants() {
        for (String field : new String[] {"add_cross_attention", "is_encoder_decoder"}) {
            if (flag(field, false)) {
                throw refused(field, "only decoders are supported");
            }
        }
        if (json.hasNonNull("quantization_config")) {
            throw refused(
                    "quantization_config",
                    "quantized weights are not supported: give a checkpoint in F32, F16 or BF16");
        }
        if (!json.path("pruned_heads").isEmpty()) {
            throw refused("pruned_heads", "models without some of their heads are not supported");
        }
        for (String name : (Iterable<String>) json.path("auto_map")::fieldNames) {
            if (name.startsWith("AutoModel")) {
                throw refused("auto_map", "models that bring code of their own are not supported");
            }
        }
    }

    boolean has(String field) {
        return json.has(field);
    }

    JsonNode get(String field) {
        return json.path(field);
    }

    /** A message about a field's value. */
    ToolException refused(String field, String expected) {
        JsonNode value = json.path(field);
        return ToolException.badData(
                "%s: %s is '%s'; %s", where, field, value.isValueNode() ? value.asText() : value.toString(), expected);
    }

    /** A positive integer that must be there. */
    int size(String field) {
        JsonNode node = json.path(field);
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() <= 0) {
            throw ToolException.badData(
                    "%s: %s is '%s', but a positive integer was expected", where, field, node.asText());
        }
        return node.intValue();
    }

    boolean flag(String field, boolean fallback) {
        JsonNode node = json.path(field);
        if (!node.isMissingNode() && !node.isBoolean()) {
            throw ToolException.badData("%s: %s is '%s', but true or false was expected", where, field, node.asText());
        }
        return node.asBoolean(fallback);
    }

    /** The epsilon of LayerNorms. */
    double epsilon(String field) {
        JsonNode node = json.path(field);
        double epsilon = node.isMissingNode() ? 1e-5 : node.doubleValue();
        if (!(epsilon > 0 && epsilon < 1)) {
            throw ToolException.badData(
                    "%s: %s is '%s', but a number between 0 and 1 was expected", where, field, node.asText());
        }
        return epsilon;
    }

    Activation activation(String field, Activation fallback) {
        if (!json.has(field)) {
            return fallback;
        }
        String name = json.path(field).asText();
        return Activation.named(name)
                .orElseThrow(() -> ToolException.badData(
                        "%s has %s '%s'; supported are: %s", where, field, name, Activation.supported()));
    }

    /**
     * The sizes that these fields have, checked together.
     *
     * @param dMlp field or, where that is absent or null, four times d_model
     */
    Sizes sizes(String layers, String heads, String dModel, String dMlp, String context) {
        int width = size(dModel);
        Sizes sizes = new Sizes(
                size(layers),
                size(heads),
                width,
                json.hasNonNull(dMlp) ? size(dMlp) : (int) Math.min(4L * width, Integer.MAX_VALUE),
                size("vocab_size"),
                size(context));
        if (width % sizes.heads() != 0) {
            throw ToolException.badData(
                    "%s: %s %d is not a multiple of %s %d", where, dModel, width, heads, sizes.heads());
        }
        // an array of Java's holds a whole tensor, and neurons are numbered by an int
        long largest = Math.max(
                Math.max((long) sizes.vocabulary(), sizes.context()) * width,
                Math.max(3L * width, sizes.dMlp()) * Math.max(width, sizes.layers()));
        if (largest > Integer.MAX_VALUE - 8) {
            throw ToolException.badData(
                    "%s: %s %d, %s %d, vocab_size %d, %s %d and %s %d make a tensor of more than 2^31 elements, which is not"
                            + " supported",
                    where,
                    dModel,
                    width,
                    dMlp,
                    sizes.dMlp(),
                    sizes.vocabulary(),
                    context,
                    sizes.context(),
                    layers,
                    sizes.layers());
        }
        return sizes;
    }
}
