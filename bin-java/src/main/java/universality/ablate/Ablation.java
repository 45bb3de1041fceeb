package universality.ablate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.model.capture.MaskedForward;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Measures many neuron sets on one model. Each batch of rows is run once undisturbed; every set then starts from that run at its
 * first layer, where only the difference that its neurons write is added, and only the layers after it are computed anew. Sets
 * with the same first layer run on side by side, where a batch alone is small.
 */
final class Ablation {
    /** What a run gave: the undisturbed model's loss in each document, and the effect of each set. */
    record Measured(double[] cleanLoss, Map<NeuronSet, Effect> effects) {}

    /** A set on the device. {@code values} is empty where they come from donor rows. */
    private record Placed(NeuronSet set, int[] layers, List<NDArray> neurons, List<NDArray> values, Effect effect) {
        int first() {
            return layers[0];
        }
    }

    /** Positions of one forward call, at most: more do not make products faster. */
    private static final int POSITIONS_PER_CALL = 2048;

    private static final int POSITIONS_PER_CALL_ON_GPU = 32768;

    /** Logits made at a time, and positions at least: few enough for the cache, enough for a fast product. */
    private static final int LOGITS_PER_BLOCK = 1 << 18;

    private static final int POSITIONS_PER_BLOCK = 128;

    private final Compute compute;
    private final LanguageModel model;
    private final ModelConfig config;
    private final TokenRows tokens;
    private final Terms terms;
    private final Replacement.Values replacing;
    private final int rowsPerBatch;
    /** Sets that run on side by side, at most. */
    private final int setsPerCall;

    private final int block;

    /** @param memory bytes that arrays may take, weights aside */
    Ablation(
            Compute compute,
            LanguageModel model,
            TokenRows tokens,
            Terms terms,
            Replacement.Values replacing,
            long memory) {
        this.compute = compute;
        this.model = model;
        this.config = model.config();
        this.tokens = tokens;
        this.terms = terms;
        this.replacing = replacing;
        int wanted = compute.device().equals("cpu") ? POSITIONS_PER_CALL : POSITIONS_PER_CALL_ON_GPU;
        // Half of the memory is for the runs: the trace of a batch and of its donors, ...
        long kept = (long) config.layers() * (config.dModel() + config.dMlp()) * (replacing.resamples() ? 2 : 1);
        // ... and for each set that runs on from it what one layer needs
        long running = 4L * config.dMlp() + 10L * config.dModel();
        long fitting = memory / 2 / Float.BYTES / tokens.context();
        // where traces are large, rather few rows and several sets than many rows
        rowsPerBatch =
                fit(Math.max(1, wanted / tokens.context()), Math.min(fitting / 2 / kept, fitting / (kept + running)));
        int rows = Math.min(rowsPerBatch, tokens.rows());
        setsPerCall = fit(wanted / (rows * tokens.context()), (fitting / rows - kept) / running);
        // the logits, their exponentials, and once more as much
        long perPosition = 3L * Float.BYTES * config.vocabulary();
        block = fit(Math.max(POSITIONS_PER_BLOCK, LOGITS_PER_BLOCK / config.vocabulary()), memory / 2 / perPosition);
    }

    /** The wanted number, or as many as fit, but at least one. */
    private static int fit(int wanted, long fitting) {
        return (int) Math.max(1, Math.min(wanted, fitting));
    }

    /**
     * Measures {@code sets}, each once.
     *
     * @throws ToolException (bad data) if the model's losses are not finite
     */
    Measured run(List<NeuronSet> sets) {
        double[] cleanLoss = new double[terms.documents()];
        try (NDManager lasting = compute.manager().newSubManager();
                Kernel kernel = compute.kernel("ablate")) {
            List<Placed> placed = new ArrayList<>();
            sets.stream().distinct().forEach(set -> placed.add(place(lasting, set)));
            List<List<Placed>> together = together(placed);
            for (int row = 0; row < tokens.rows(); row += rowsPerBatch) {
                int rows = Math.min(rowsPerBatch, tokens.rows() - row);
                try (NDManager scope = lasting.newSubManager()) {
                    new Batch(kernel, scope, row, rows).run(together, cleanLoss);
                }
                // else every batch leaves gaps that the next one's arrays do not fit in, and the process grows
                compute.trim();
            }
            Map<NeuronSet, Effect> effects = new LinkedHashMap<>();
            for (Placed p : placed) {
                if (!Double.isFinite(p.effect().lossSum() + p.effect().klSum())) {
                    throw ToolException.badData(
                            "the loss with %d neurons replaced is not finite: single precision overflows",
                            p.set().size());
                }
                effects.put(p.set(), p.effect());
            }
            return new Measured(cleanLoss, effects);
        }
    }

    /** Sets that are to run on side by side: of the same first layer, {@link #setsPerCall} at most. */
    private List<List<Placed>> together(List<Placed> sets) {
        Map<Integer, List<Placed>> byLayer = new TreeMap<>();
        sets.forEach(set ->
                byLayer.computeIfAbsent(set.first(), layer -> new ArrayList<>()).add(set));
        List<List<Placed>> calls = new ArrayList<>();
        for (List<Placed> same : byLayer.values()) {
            for (int from = 0; from < same.size(); from += setsPerCall) {
                calls.add(same.subList(from, Math.min(same.size(), from + setsPerCall)));
            }
        }
        return calls;
    }

    private Placed place(NDManager manager, NeuronSet set) {
        List<NDArray> neurons = new ArrayList<>();
        List<NDArray> values = new ArrayList<>();
        for (int layer : set.occupied()) {
            int[] of = set.of(layer);
            neurons.add(manager.create(Arrays.stream(of).asLongStream().toArray()));
            if (!replacing.resamples()) {
                float[] value = new float[of.length];
                for (int i = 0; i < of.length; i++) {
                    value[i] = replacing.constant(layer, of[i]);
                }
                values.add(manager.create(value));
            }
        }
        return new Placed(set, set.occupied(), neurons, values, new Effect(terms.documents()));
    }

    /** Some rows: their undisturbed run, and every set compared with it. */
    private final class Batch {
        private final Kernel kernel;
        private final NDManager scope;
        private final int row;
        private final int rows;
        private final int[] at;

        Batch(Kernel kernel, NDManager scope, int row, int rows) {
            this.kernel = kernel;
            this.scope = scope;
            this.row = row;
            this.rows = rows;
            int context = tokens.context();
            at = IntStream.range(row * context, (row + rows) * context)
                    .filter(p -> terms.counts(p) || terms.countsLoss(p))
                    .toArray();
        }

        void run(List<List<Placed>> calls, double[] cleanLoss) {
            if (at.length == 0) {
                return;
            }
            NDList trace = model.trace(scope, MaskedForward.ids(scope, tokens, row, rows));
            NDArray kept = scope.create(Arrays.stream(at)
                    .mapToLong(p -> p - (long) row * tokens.context())
                    .toArray());
            NDArray undisturbed = model.finish(scope, trace, kept);
            NDArray target = scope.create(Arrays.stream(at)
                    .mapToLong(p -> terms.countsLoss(p) ? tokens.tokens()[p + 1] : 0)
                    .toArray());
            NDList clean = kernel.call(scope, "clean", undisturbed, target, model.unembedding(), block);
            addLoss(clean.get(0).get(0).toDoubleArray(), cleanLoss);
            List<NDArray> donated = replacing.resamples() ? donated() : null;
            for (List<Placed> sets : calls) {
                try (NDManager inner = scope.newSubManager()) {
                    NDArray x = resume(inner, trace, kept, sets, donated);
                    for (int run = 0; run < sets.size(); run++) {
                        compare(inner, sets.get(run), x, run, undisturbed, clean);
                    }
                }
            }
        }

        /** What the unembedding reads with each of {@code sets} replaced, one below the other. */
        private NDArray resume(NDManager inner, NDList trace, NDArray kept, List<Placed> sets, List<NDArray> donated) {
            List<Integer> layers = new ArrayList<>();
            List<Integer> runs = new ArrayList<>();
            List<NDArray> neurons = new ArrayList<>();
            List<NDArray> values = new ArrayList<>();
            for (int layer = sets.get(0).first(); layer < config.layers(); layer++) {
                for (int run = 0; run < sets.size(); run++) {
                    Placed set = sets.get(run);
                    int at = Arrays.binarySearch(set.layers(), layer);
                    if (at >= 0) {
                        layers.add(layer);
                        runs.add(run);
                        neurons.add(set.neurons().get(at));
                        values.add(donated == null ? set.values().get(at) : donated.get(layer));
                    }
                }
            }
            return model.resume(inner, trace, kept, numbers(layers), numbers(runs), neurons, values);
        }

        private void compare(NDManager inner, Placed set, NDArray x, int run, NDArray undisturbed, NDList clean) {
            NDArray reads = x.get(new NDIndex().addSliceDim((long) run * at.length, (run + 1L) * at.length));
            NDArray measured = kernel.call(
                            inner,
                            "compare",
                            reads,
                            undisturbed,
                            clean.get(0),
                            clean.get(1),
                            clean.get(2),
                            model.unembedding(),
                            block)
                    .singletonOrThrow();
            set.effect().add(terms, at, measured.toDoubleArray());
        }

        private void addLoss(double[] losses, double[] sums) {
            for (int i = 0; i < at.length; i++) {
                if (!Double.isFinite(losses[i])) {
                    throw ToolException.badData(
                            "the loss of row %d, position %d is not finite: the weights overflow in single precision or are"
                                    + " corrupt",
                            at[i] / tokens.context(), at[i] % tokens.context());
                }
                if (terms.countsLoss(at[i])) {
                    sums[terms.document(at[i] + 1)] += losses[i];
                }
            }
        }

        /** hook_post of each layer in the donor rows of this batch. */
        private List<NDArray> donated() {
            NDList trace = model.trace(
                    scope, MaskedForward.ids(scope, tokens, Arrays.copyOfRange(replacing.donors(), row, row + rows)));
            return IntStream.range(0, config.layers())
                    .mapToObj(layer -> trace.get(2 * layer + 1))
                    .toList();
        }
    }

    private static int[] numbers(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }
}
