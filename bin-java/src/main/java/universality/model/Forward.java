package universality.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import universality.data.ToolException;

/**
 * One forward pass in which any hooks are captured or replaced, from the embedding or from a layer on, to the logits or to a
 * layer. It is one native call. Made by {@link LanguageModel#forward}.
 */
public final class Forward {
    /**
     * What a pass gave; not to be modified, since arrays may share memory. The scope owns them.
     *
     * @param output logits F32 [batch, pos, vocabulary]; or, where the pass was stopped, the residual stream F32 [batch, pos,
     *     d_model]
     * @param hooks the captured arrays, F32, shaped as {@link HookPoint#shape} says, in the order of the pass
     */
    public record Result(NDArray output, Map<HookPoint, NDArray> hooks) {}

    private final LanguageModel model;
    private final ModelConfig config;
    private final NDArray start;
    private final int first;
    private final Map<HookPoint, NDArray> replaced;
    private final Map<HookPoint, NDArray> captured;
    private final Comparator<HookPoint> order;
    private int end;

    Forward(LanguageModel model, NDArray start, int first) {
        this.model = model;
        this.config = model.config();
        this.start = start;
        this.first = first;
        this.end = config.layers() + 1;
        this.order = Comparator.comparingInt(hook -> hook.index(config.layers()));
        this.replaced = new TreeMap<>(order);
        this.captured = new TreeMap<>(order);
        checkStart();
    }

    private void checkStart() {
        Shape shape = start.getShape();
        boolean tokens = shape.dimension() == 2 && first == 0;
        boolean residual = shape.dimension() == 3 && shape.get(2) == config.dModel();
        if (!tokens && !residual || first < 0 || first >= config.layers() || shape.get(1) > config.context()) {
            throw new IllegalArgumentException(String.format(
                    "a pass cannot begin at layer %d with %s: tokens [batch, pos], or for a layer below %d a residual stream"
                            + " [batch, pos, %d], of at most %d positions was expected",
                    first, shape, config.layers(), config.dModel(), config.context()));
        }
    }

    /** Captures {@code hooks}: what flows on there, so the new values where they are replaced too. */
    public Forward capture(HookPoint... hooks) {
        return capture(Arrays.asList(hooks));
    }

    /**
     * {@link #capture(HookPoint...)}.
     *
     * @throws ToolException (usage) if the model has no such hook
     */
    public Forward capture(Iterable<HookPoint> hooks) {
        hooks.forEach(hook -> captured.put(hook.in(config), start));
        return this;
    }

    /**
     * Puts {@code value} in the place of what is computed at {@code hook}.
     *
     * @param value F32 of the shape of {@link HookPoint#shape}; dimensions may be 1, and leading ones absent, where all are to be
     *     the same. Not modified.
     * @throws ToolException (usage) if the model has no such hook
     */
    public Forward replace(HookPoint hook, NDArray value) {
        long[] expected = hook.in(config)
                .shape(config, start.getShape().get(0), start.getShape().get(1));
        long[] found = value.getShape().getShape();
        boolean fits = found.length <= expected.length;
        for (int i = 1; fits && i <= found.length; i++) {
            long size = found[found.length - i];
            fits = size == 1 || size == expected[expected.length - i];
        }
        if (!fits) {
            throw new IllegalArgumentException(String.format(
                    "%s has the shape %s, which cannot be taken from %s",
                    hook, Arrays.toString(expected), Arrays.toString(found)));
        }
        replaced.put(hook, value);
        return this;
    }

    /** Puts 0 in the place of what is computed at {@code hook}. The zero lives as long as the manager of the pass's start. */
    public Forward zero(HookPoint hook) {
        return replace(hook, start.getManager().create(0f));
    }

    /** Stops before {@code layer}; its {@code hook_resid_pre} is the output. The number of layers: after the last one. */
    public Forward stopBefore(int layer) {
        if (layer < first || layer > config.layers()) {
            throw new IllegalArgumentException(String.format(
                    "a pass from layer %d cannot stop before layer %d of %d", first, layer, config.layers()));
        }
        end = layer;
        return this;
    }

    /**
     * Runs the pass.
     *
     * @throws IllegalArgumentException if it does not come by a hook that is captured or replaced
     */
    public Result run(NDManager scope) {
        long[] table = new long[captured.isEmpty() && replaced.isEmpty() ? 0 : HookPoint.count(config.layers())];
        List<NDArray> values = new ArrayList<>();
        replaced.forEach((hook, value) -> {
            values.add(value);
            table[reached(hook).index(config.layers())] = 2L * values.size();
        });
        captured.keySet().forEach(hook -> table[reached(hook).index(config.layers())]++);
        NDList results = model.run(scope, start, new long[] {first, end}, table, values);
        Map<HookPoint, NDArray> hooks = new LinkedHashMap<>();
        int at = 1;
        for (HookPoint hook : captured.keySet()) {
            hooks.put(hook, results.get(at++));
        }
        return new Result(results.get(0), hooks);
    }

    private HookPoint reached(HookPoint hook) {
        boolean embedded = start.getShape().dimension() == 2;
        boolean reached =
                switch (hook.kind()) {
                    case EMBED, POS_EMBED -> embedded;
                    case LN_FINAL_SCALE, LN_FINAL_NORMALIZED -> end > config.layers();
                    default -> hook.layer() >= first && hook.layer() < end;
                };
        if (!reached) {
            throw new IllegalArgumentException(String.format(
                    "a pass from %s to %s does not come by %s",
                    embedded ? "the embedding" : "layer " + first,
                    end > config.layers() ? "the logits" : "layer " + end,
                    hook));
        }
        return hook;
    }
}
