package universality.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import universality.data.ToolException;

/**
 * A place in the forward pass, with TransformerLens' names ({@code blocks.3.mlp.hook_post}) and meanings; weights are as stored,
 * so that {@code hook_normalized} has the LayerNorm's scale and shift in it.
 *
 * @param layer from 0; −1 for a place outside of all layers
 */
public record HookPoint(Kind kind, int layer) {
    /** Axes of the array at a hook. */
    private enum Axes {
        /** [batch, pos, d_model] */
        STREAM,
        /** [batch, pos, 1] */
        SCALE,
        /** [batch, pos, head, d_head] */
        HEADS,
        /** [batch, head, query, key] */
        PATTERN,
        /** [batch, pos, d_mlp] */
        NEURONS
    }

    /** Kinds of hooks, in the order of the forward pass. */
    public enum Kind {
        /** Token embedding. */
        EMBED("hook_embed", Axes.STREAM),
        /** Position embedding, the same for each row. */
        POS_EMBED("hook_pos_embed", Axes.STREAM),
        /** Residual stream before the layer. */
        RESID_PRE("blocks.{L}.hook_resid_pre", Axes.STREAM),
        /** √(variance + ε) that the LayerNorm before the attention divides by. */
        LN1_SCALE("blocks.{L}.ln1.hook_scale", Axes.SCALE),
        /** What the attention reads. */
        LN1_NORMALIZED("blocks.{L}.ln1.hook_normalized", Axes.STREAM),
        /** Queries, before any rotation. */
        Q("blocks.{L}.attn.hook_q", Axes.HEADS),
        /** Keys, before any rotation. */
        K("blocks.{L}.attn.hook_k", Axes.HEADS),
        /** Values. */
        V("blocks.{L}.attn.hook_v", Axes.HEADS),
        /** Rotated queries. */
        ROT_Q("blocks.{L}.attn.hook_rot_q", Axes.HEADS),
        /** Rotated keys. */
        ROT_K("blocks.{L}.attn.hook_rot_k", Axes.HEADS),
        /** Scaled scores, −∞ for later keys. */
        ATTN_SCORES("blocks.{L}.attn.hook_attn_scores", Axes.PATTERN),
        /** Softmax of the scores. */
        PATTERN("blocks.{L}.attn.hook_pattern", Axes.PATTERN),
        /** Values weighted by the pattern. */
        Z("blocks.{L}.attn.hook_z", Axes.HEADS),
        /** What the attention writes. */
        ATTN_OUT("blocks.{L}.hook_attn_out", Axes.STREAM),
        /** Residual stream between attention and MLP, where one follows the other. */
        RESID_MID("blocks.{L}.hook_resid_mid", Axes.STREAM),
        /** As {@link #LN1_SCALE}, before the MLP. */
        LN2_SCALE("blocks.{L}.ln2.hook_scale", Axes.SCALE),
        /** What the MLP reads. */
        LN2_NORMALIZED("blocks.{L}.ln2.hook_normalized", Axes.STREAM),
        /** Pre-activations of the neurons. */
        MLP_PRE("blocks.{L}.mlp.hook_pre", Axes.NEURONS),
        /** Activations of the neurons. */
        MLP_POST("blocks.{L}.mlp.hook_post", Axes.NEURONS),
        /** What the MLP writes. */
        MLP_OUT("blocks.{L}.hook_mlp_out", Axes.STREAM),
        /** Residual stream after the layer. */
        RESID_POST("blocks.{L}.hook_resid_post", Axes.STREAM),
        /** As {@link #LN1_SCALE}, before the unembedding. */
        LN_FINAL_SCALE("ln_final.hook_scale", Axes.SCALE),
        /** What the unembedding reads. */
        LN_FINAL_NORMALIZED("ln_final.hook_normalized", Axes.STREAM);

        private final String pattern;
        private final Axes axes;

        Kind(String pattern, Axes axes) {
            this.pattern = pattern;
            this.axes = axes;
        }

        /** Whether each layer has one. */
        public boolean ofLayer() {
            return pattern.startsWith(BLOCKS);
        }
    }

    private static final String BLOCKS = "blocks.";
    private static final String LAYER = "{L}";
    private static final Pattern OF_LAYER = Pattern.compile("blocks\\.(\\d+)\\.(.+)");

    /** Kinds before, in and after the layers. */
    private static final int BEFORE = Kind.RESID_PRE.ordinal();

    private static final int PER_LAYER = Kind.LN_FINAL_SCALE.ordinal() - BEFORE;
    private static final int AFTER = Kind.values().length - BEFORE - PER_LAYER;

    /** @throws IllegalArgumentException if a layer is given for a place outside of layers, or none for one inside */
    public HookPoint {
        if (kind.ofLayer() != layer >= 0) {
            throw new IllegalArgumentException(kind + " in layer " + layer);
        }
    }

    /** The hook of a kind that is outside of all layers. */
    public static HookPoint of(Kind kind) {
        return new HookPoint(kind, -1);
    }

    /** The hook of a kind in a layer. */
    public static HookPoint of(Kind kind, int layer) {
        return new HookPoint(kind, layer);
    }

    /**
     * The hook that a name stands for.
     *
     * @throws ToolException (usage) if there is none of this name in a model of {@code config}
     */
    public static HookPoint parse(String name, ModelConfig config) {
        Matcher inLayer = OF_LAYER.matcher(name);
        boolean ofLayer = inLayer.matches();
        String pattern = ofLayer ? BLOCKS + LAYER + "." + inLayer.group(2) : name;
        Kind kind = Arrays.stream(Kind.values())
                .filter(k -> k.pattern.equals(pattern))
                .filter(k -> !name.contains(LAYER))
                .findFirst()
                .orElseThrow(() -> ToolException.usage(
                        "'%s' is not a hook; hooks are: %s (%s is a layer, such as 0)",
                        name,
                        Arrays.stream(Kind.values()).map(k -> k.pattern).collect(Collectors.joining(", ")),
                        LAYER));
        String digits = ofLayer ? inLayer.group(1) : "0";
        if (digits.length() > 9 || Integer.parseInt(digits) >= config.layers()) {
            throw ToolException.usage(
                    "hook '%s' is of layer %s, but the model has %d layers, counted from 0",
                    name, digits, config.layers());
        }
        return new HookPoint(kind, ofLayer ? Integer.parseInt(digits) : -1).in(config);
    }

    /**
     * This hook.
     *
     * @throws ToolException (usage) if a model of {@code config} does not have it
     */
    HookPoint in(ModelConfig config) {
        config.absence(kind).ifPresent(reason -> {
            throw ToolException.usage("there is no hook '%s' in this %s: %s", this, config.type(), reason);
        });
        if (layer >= config.layers()) {
            throw ToolException.usage(
                    "hook '%s' is of layer %d, but the model has %d layers, counted from 0",
                    this, layer, config.layers());
        }
        return this;
    }

    /** All hooks of a model, in the order of the forward pass. */
    public static List<HookPoint> all(ModelConfig config) {
        List<HookPoint> all = new ArrayList<>();
        int layers = config.layers();
        for (int i = 0; i < count(layers); i++) {
            boolean after = i >= BEFORE + layers * PER_LAYER;
            boolean inside = i >= BEFORE && !after;
            int ordinal = inside ? BEFORE + (i - BEFORE) % PER_LAYER : after ? i - (layers - 1) * PER_LAYER : i;
            Kind kind = Kind.values()[ordinal];
            if (config.absence(kind).isEmpty()) {
                all.add(new HookPoint(kind, inside ? (i - BEFORE) / PER_LAYER : -1));
            }
        }
        return all;
    }

    /** Hooks that the kernel counts in a model of so many layers, those that a family lacks included. */
    static int count(int layers) {
        return BEFORE + layers * PER_LAYER + AFTER;
    }

    /** The kernel's number of this hook in a model of so many layers. */
    int index(int layers) {
        if (kind.ofLayer()) {
            return kind.ordinal() + layer * PER_LAYER;
        }
        return kind.ordinal() < BEFORE ? kind.ordinal() : kind.ordinal() + (layers - 1) * PER_LAYER;
    }

    /** Shape of the array here, for so many rows of so many positions. */
    public long[] shape(ModelConfig config, long batch, long pos) {
        return switch (kind.axes) {
            case STREAM -> new long[] {batch, pos, config.dModel()};
            case SCALE -> new long[] {batch, pos, 1};
            case HEADS -> new long[] {batch, pos, config.heads(), config.dHead()};
            case PATTERN -> new long[] {batch, config.heads(), pos, pos};
            case NEURONS -> new long[] {batch, pos, config.dMlp()};
        };
    }

    /** The name, such as {@code blocks.3.mlp.hook_post}. */
    @Override
    public String toString() {
        return kind.pattern.replace(LAYER, Integer.toString(layer));
    }
}
