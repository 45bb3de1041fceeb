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
    private final long budget;
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
     * @param draw from 0; a name for rotations that are no baseline draw
     * @return F32 [d_mlp, d_mlp]; not to be closed by the caller, who owns {@code scope}, to which it may belong
     */
    NDArray get(NDManager scope, Activations model, int layer, Object draw) {
        String key = baselineSeed + "|" + model.family() + "|" + model.seed() + "|" + layer + "|" + draw;
        NDArray found = kept.get(key);
        if (found != null) {
            return found;
        }
        long bytes = 4L * model.dMlp() * model.dMlp();
        boolean keep = used + bytes <= budget;
        NDArray made = phases.in("rotations", () -> make(keep ? manager : scope, model.dMlp(), Draws.of(key)));
        if (keep) {
            kept.put(key, made);
            used += bytes;
        }
        return made;
    }

    private NDArray make(NDManager owner, int width, Draws random) {
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
