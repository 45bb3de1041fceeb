package universality.activate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import universality.data.ActivationFolder;
import universality.data.ActivationMoments;
import universality.data.CheckpointFolder;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.model.capture.MaskedForward;
import universality.stats.ColumnMoments;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * The stage {@code activate}: runs one checkpoint over the token rows and keeps, of the positions that count, the moments and
 * the largest examples of every neuron and, if asked for, all activations.
 */
public final class ActivateStage {
    /** Examples kept of each neuron. */
    private static final int EXAMPLES = 10;

    private final CheckpointFolder checkpoint;
    private final TokenRows tokens;
    private final Dtype dtype;
    private final Consumer<String> say;

    /** As the other one, telling nobody. */
    public ActivateStage(Path checkpoint, Path tokens, Dtype dtype) {
        this(checkpoint, tokens, dtype, line -> {});
    }

    /**
     * @param dtype of the stored activations, F32 or F16; {@code null}: store none
     * @param say takes lines that the user should see
     */
    public ActivateStage(Path checkpoint, Path tokens, Dtype dtype, Consumer<String> say) {
        this.say = say;
        this.checkpoint = CheckpointFolder.open(checkpoint);
        this.tokens = TokenRows.read(tokens);
        this.dtype = dtype;
    }

    /** Runs the model and writes {@code out}. */
    public void run(Compute compute, Path out, boolean overwrite) {
        try (OutputFolder folder = OutputFolder.create(out, overwrite);
                LanguageModel model = LanguageModel.load(compute, checkpoint);
                Kernel kernel = compute.kernel("moments")) {
            ModelConfig config = model.config();
            MaskedForward.check(checkpoint, config, tokens).ifPresent(line -> {
                folder.warning(line);
                say.accept(line);
            });
            List<LayerStatistics> statistics = new ArrayList<>();
            List<TopExamples> examples = new ArrayList<>();
            for (int layer = 0; layer < config.layers(); layer++) {
                statistics.add(new LayerStatistics(layer, config.dMlp()));
                examples.add(new TopExamples(config.dMlp(), EXAMPLES));
            }
            try (Store store = new Store(folder, config, tokens.kept(), dtype, kernel)) {
                MaskedForward.run(compute, model, tokens, (at, kept, hooks) -> {
                    for (int layer = 0; layer < config.layers(); layer++) {
                        take(kernel, store, statistics.get(layer), examples.get(layer), layer, kept, hooks);
                    }
                });
            }
            writeMoments(folder.file(ActivationMoments.FILE), statistics, config);
            writeExamples(folder.file("examples.safetensors"), examples, config);
            if (dtype != null) {
                writePositions(folder.file(ActivationFolder.POSITIONS));
            }
            finish(folder, config, compute, statistics);
        }
    }

    /** Where each stored row comes from, so that readers need not be given the tokens again. */
    private void writePositions(Path file) {
        int[] kept = tokens.keptPositions();
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            for (String name : List.of("row", "pos", "document", "token")) {
                writer.declare(name, Dtype.I32, kept.length);
            }
            writer.ints(mapped(kept, p -> p / tokens.context()));
            writer.ints(mapped(kept, p -> p % tokens.context()));
            writer.ints(mapped(kept, p -> tokens.document()[p]));
            writer.ints(mapped(kept, p -> tokens.tokens()[p]));
        }
    }

    private static void take(
            Kernel kernel,
            Store store,
            LayerStatistics statistics,
            TopExamples examples,
            int layer,
            int[] kept,
            NDList hooks) {
        NDArray pre = hooks.get(2 * layer);
        NDArray post = hooks.get(2 * layer + 1);
        try (NDManager scope = post.getManager().newSubManager()) {
            statistics.add(kernel, scope, pre, post);
            store.add(scope, layer, post);
            examples.add(post.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer(), kept);
        }
    }

    private static void writeMoments(Path file, List<LayerStatistics> layers, ModelConfig config) {
        record Entry(String name, Function<LayerStatistics, double[]> values) {}
        long count = layers.get(0).post.count();
        List<Entry> entries = List.of(
                new Entry("post.mean", l -> l.post.mean()),
                new Entry("post.m2", l -> l.post.m2()),
                new Entry("post.m3", l -> l.post.m3()),
                new Entry("post.m4", l -> l.post.m4()),
                new Entry("post.min", l -> l.least),
                new Entry("post.max", l -> l.largest),
                new Entry("post.abs_mean", l -> divided(l.magnitudeSum, count)),
                new Entry("post.mean_square", l -> meanSquares(l.post)),
                new Entry("pre.mean", l -> l.pre.mean()),
                new Entry("pre.m2", l -> l.pre.m2()),
                new Entry("pre.m3", l -> l.pre.m3()),
                new Entry("pre.m4", l -> l.pre.m4()),
                new Entry("pre.positive", l -> l.positive));
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            entries.forEach(e -> writer.declare(e.name(), Dtype.F64, config.layers(), config.dMlp()));
            writer.declare("count", Dtype.F64, 1);
            for (Entry entry : entries) {
                layers.forEach(l -> writer.doubles(entry.values().apply(l)));
            }
            writer.doubles(count);
        }
    }

    /** E[x²] = mean² + variance. */
    private static double[] meanSquares(ColumnMoments moments) {
        double[] means = new double[moments.mean().length];
        for (int i = 0; i < means.length; i++) {
            means[i] = moments.mean()[i] * moments.mean()[i] + moments.m2()[i] / moments.count();
        }
        return means;
    }

    private static double[] divided(double[] sums, long count) {
        double[] means = new double[sums.length];
        for (int i = 0; i < means.length; i++) {
            means[i] = sums[i] / count;
        }
        return means;
    }

    private void writeExamples(Path file, List<TopExamples> layers, ModelConfig config) {
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.declare("value", Dtype.F32, config.layers(), config.dMlp(), EXAMPLES);
            writer.declare("row", Dtype.I32, config.layers(), config.dMlp(), EXAMPLES);
            writer.declare("pos", Dtype.I32, config.layers(), config.dMlp(), EXAMPLES);
            layers.forEach(l -> writer.floats(l.values()));
            int context = tokens.context();
            layers.forEach(l -> writer.ints(mapped(l.positions(), p -> p / context)));
            layers.forEach(l -> writer.ints(mapped(l.positions(), p -> p % context)));
        }
    }

    private static int[] mapped(int[] positions, java.util.function.IntUnaryOperator part) {
        int[] result = new int[positions.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = positions[i] < 0 ? -1 : part.applyAsInt(positions[i]);
        }
        return result;
    }

    private static long inactive(List<LayerStatistics> layers) {
        double[][] squares = layers.stream().map(l -> l.post.m2()).toArray(double[][]::new);
        long inactive = 0;
        for (boolean[] layer :
                ActivationMoments.inactive(squares, layers.get(0).post.count())) {
            for (boolean neuron : layer) {
                inactive += neuron ? 1 : 0;
            }
        }
        return inactive;
    }

    private void finish(OutputFolder folder, ModelConfig config, Compute compute, List<LayerStatistics> statistics) {
        folder.parameter("family", checkpoint.family())
                .parameter("seed", checkpoint.seed())
                .parameter("step", checkpoint.step())
                .parameter("layers", config.layers())
                .parameter("d_mlp", config.dMlp())
                .parameter("store", dtype == null ? "none" : "all")
                .parameter("dtype", dtype == null ? "none" : dtype.name().toLowerCase(java.util.Locale.ROOT))
                .parameter("compute", "f32")
                .input("checkpoint", checkpoint.manifest())
                .input("tokens", tokens.manifest().id(), tokens.digest())
                .count("rows", tokens.rows())
                .count("kept", tokens.kept())
                .count("inactive", inactive(statistics))
                .device(compute.device());
        folder.commit("activate", checkpoint.id());
    }
}
