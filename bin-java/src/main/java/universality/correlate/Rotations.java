package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import universality.data.Phases;
import universality.stats.Draws;
import universality.tensor.Kernel;

/**
 * Haar-distributed rotations of a layer's neurons, one for each draw: R in the first, and S R in every other one with S = V ⊗ U, the
 * Kronecker product of two small Haar rotations. R is uniform over all rotations and independent of S, so S R is uniform as well, but it
 * costs d² (p + q) operations to apply instead of d³, with d = q p neurons. Two draws share R; their largest coordinates are as good as
 * uncorrelated (docs/methods.md, "Correlation and baseline").
 *
 * <p>A rotation depends on {@code baseline_seed|family|seed|layer|draw} only: not on the step, so that baseline noise cancels between
 * checkpoints, and not on the order in which pairs are computed. Rotations are kept while they fit the budget and made again otherwise.
 */
final class Rotations implements AutoCloseable {
    /** Narrower layers have draws that share nothing, for there two that share R would be correlated by a hundredth. */
    private static final int SHARING = 256;

    /** Bytes that factors of draws which are used at once may take, where R takes less. */
    private static final long FACTORS = 4L << 20;

    private final NDManager manager;
    private final Kernel kernel;
    private final long baselineSeed;
    private long budget;
    private final Phases phases;
    private final Map<String, NDArray> kept = new LinkedHashMap<>();
    private long used;

    Rotations(NDManager parent, Kernel kernel, long baselineSeed, long budgetBytes, Phases phases) {
        this.manager = parent.newSubManager();
        this.kernel = kernel;
        this.baselineSeed = baselineSeed;
        this.budget = budgetBytes;
        this.phases = phases;
    }

    /**
     * p, the width of U: the greatest divisor of a layer's width up to its root, or 1 where the layer is narrow. Then, and where the width
     * is prime, V is all of S and draws share nothing.
     */
    static int inner(int width) {
        int p = width < SHARING ? 1 : (int) Math.sqrt(width);
        while (width % p > 0) {
            p--;
        }
        return p;
    }

    /** Draws whose factors are used at once: as many as take no more memory than R, or than {@link #FACTORS}; one at least. */
    static int together(int width, int draws) {
        long inner = inner(width);
        long outer = width / inner;
        return (int)
                Math.max(1, Math.min(draws, Math.max(FACTORS, bytes(width)) / 4 / (inner * inner + outer * outer)));
    }

    private static long bytes(long width) {
        return 4 * width * width;
    }

    /**
     * The rotation R of one layer, its first draw.
     *
     * @return F32 [d_mlp, d_mlp]; not to be closed by the caller, who owns {@code scope}, to which it may belong
     */
    NDArray first(NDManager scope, Activations model, int layer) {
        int width = model.dMlp();
        String key = key(model, layer, 0);
        return kept(
                scope, key, width, bytes(width), owner -> haar(owner, gaussians(key, width), new Shape(width, width)));
    }

    /**
     * What turns {@link #first} into the rotations of draws; the first of all has none.
     *
     * @param outer V of each, F32 [draws, q, q]
     * @param inner U of each, F32 [draws, p, p]
     */
    record Factors(NDArray outer, NDArray inner) {}

    /** The factors of draws {@code from} (from 0) to before {@code to}, to be used like {@link #first}. */
    Factors factors(NDManager scope, Activations model, int layer, int from, int to) {
        int inner = inner(model.dMlp());
        int outer = model.dMlp() / inner;
        return new Factors(
                factors(scope, model, layer, "outer", outer, from, to),
                factors(scope, model, layer, "inner", inner, from, to));
    }

    private NDArray factors(NDManager scope, Activations model, int layer, String which, int width, int from, int to) {
        int begin = Math.max(1, from);
        Shape shape = new Shape(to - begin, width, width);
        if (to == begin) {
            return scope.create(new float[0], shape);
        }
        String draws = key(model, layer, begin + "-" + to + "|" + which);
        return kept(scope, draws, model.dMlp(), 4 * shape.size(), owner -> {
            float[] values = new float[(int) shape.size()];
            for (int draw = begin; draw < to; draw++) {
                float[] factor = gaussians(key(model, layer, draw + "|" + which), width);
                System.arraycopy(factor, 0, values, (draw - begin) * factor.length, factor.length);
            }
            return haar(owner, values, shape);
        });
    }

    private NDArray kept(NDManager scope, String key, int width, long bytes, Function<NDManager, NDArray> maker) {
        String name = key + "|" + width; // models of one family and seed may still be of different widths
        NDArray found = kept.get(name);
        if (found != null) {
            return found;
        }
        boolean keep = used + bytes <= budget;
        NDArray made = phases.in("rotations", () -> maker.apply(keep ? manager : scope));
        if (keep) {
            kept.put(name, made);
            used += bytes;
        }
        return made;
    }

    /** A rotation that {@code owner} keeps, by a name that is no draw's. */
    NDArray apart(NDManager owner, Activations model, int layer, String name) {
        int width = model.dMlp();
        return phases.in(
                "rotations", () -> haar(owner, gaussians(key(model, layer, name), width), new Shape(width, width)));
    }

    private String key(Activations model, int layer, Object draw) {
        return baselineSeed + "|" + model.family() + "|" + model.seed() + "|" + layer + "|" + draw;
    }

    private static float[] gaussians(String key, int width) {
        Draws random = Draws.of(key);
        float[] values = new float[width * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.gaussian();
        }
        return values;
    }

    private NDArray haar(NDManager owner, float[] gaussians, Shape shape) {
        try (NDManager scope = owner.newSubManager()) {
            NDArray rotations =
                    kernel.call(scope, "haar", scope.create(gaussians, shape)).singletonOrThrow();
            rotations.attach(owner);
            return rotations;
        }
    }

    /** Keeps as much less. */
    void leave(long bytes) {
        budget -= bytes;
    }

    /** Frees what is kept; a rotation that is asked for afterwards is made again. */
    void release() {
        kept.values().forEach(NDArray::close);
        kept.clear();
        used = 0;
    }

    @Override
    public void close() {
        manager.close();
    }
}
