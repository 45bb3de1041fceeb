package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import universality.data.Phases;
import universality.stats.Draws;
import universality.tensor.Kernel;

/**
 * Haar-distributed rotations of a layer's neurons, one for each draw. A rotation depends on {@code
 * baseline_seed|family|seed|layer|draw} only: not on the step, so that baseline noise cancels between checkpoints, and not on
 * the order in which pairs are computed. Rotations are kept while they fit the budget and made again otherwise.
 */
final class Rotations implements AutoCloseable {
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
     * The rotation of one layer in one draw.
     *
     * @param draw from 0
     * @return F32 [d_mlp, d_mlp]; not to be closed by the caller, who owns {@code scope}, to which it may belong
     */
    NDArray get(NDManager scope, Activations model, int layer, int draw) {
        // models of one family and seed may still be of different widths
        String name = key(model, layer, draw) + "|" + model.dMlp();
        NDArray found = kept.get(name);
        if (found != null) {
            return found;
        }
        long bytes = 4L * model.dMlp() * model.dMlp();
        boolean keep = used + bytes <= budget;
        NDArray made =
                phases.in("rotations", () -> make(keep ? manager : scope, model.dMlp(), key(model, layer, draw)));
        if (keep) {
            kept.put(name, made);
            used += bytes;
        }
        return made;
    }

    /** {@link #get} of a rotation that {@code owner} keeps, by a name that is no draw's. */
    NDArray apart(NDManager owner, Activations model, int layer, String name) {
        return phases.in("rotations", () -> make(owner, model.dMlp(), key(model, layer, name)));
    }

    private String key(Activations model, int layer, Object draw) {
        return baselineSeed + "|" + model.family() + "|" + model.seed() + "|" + layer + "|" + draw;
    }

    private NDArray make(NDManager owner, int width, String key) {
        Draws random = Draws.of(key);
        float[] values = new float[width * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.gaussian();
        }
        try (NDManager scope = owner.newSubManager()) {
            NDArray gaussian = scope.create(values, new Shape(width, width));
            NDArray rotation = kernel.call(scope, "haar", gaussian).singletonOrThrow();
            rotation.attach(owner);
            return rotation;
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
