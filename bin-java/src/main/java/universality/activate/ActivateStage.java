package universality.activate;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import universality.data.ActivationFolder;
import universality.data.ActivationMoments;
import universality.data.CheckpointFolder;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.Arithmetic;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.model.capture.LayerwiseForward;
import universality.model.capture.MaskedForward;
import universality.stats.ColumnMoments;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * The stage {@code activate}: runs one checkpoint over the token rows and keeps, of the positions that count, the moments and
 * the largest examples of every neuron and, if asked for, all activations.
 */
public final class ActivateStage {
    /**
     * What to do.
     *
     * @param checkpoint a folder of {@code fetch} or {@code train}
     * @param tokens token rows of one split
     * @param dtype of the stored activations, F32, F16 or BF16; {@code null}: store none
     * @param arithmetic of the model
     * @param memory bytes that weights and blocks may take
     */
    public record Settings(Path checkpoint, Path tokens, Dtype dtype, Arithmetic arithmetic, long memory) {}

    private final Settings settings;
    private final CheckpointFolder checkpoint;
    private final TokenRows tokens;
    private final Dtype dtype;
    private final Consumer<String> say;

    /** As the last one in F32 and 2 GiB, telling nobody. */
    public ActivateStage(Path checkpoint, Path tokens, Dtype dtype) {
        this(checkpoint, tokens, dtype, line -> {});
    }

    /** As the last one in F32 and 2 GiB. */
    public ActivateStage(Path checkpoint, Path tokens, Dtype dtype, Consumer<String> say) {
        this(new Settings(checkpoint, tokens, dtype, Arithmetic.F32, 2L << 30), say);
    }

    /** @param say takes lines that the user should see */
    public ActivateStage(Settings settings, Consumer<String> say) {
        this.settings = settings;
        this.say = say;
        this.checkpoint = CheckpointFolder.open(settings.checkpoint());
        this.tokens = TokenRows.read(settings.tokens());
        this.dtype = settings.dtype();
    }

    /**
     * Runs the model and writes {@code out}.
     *
     * @throws ToolException (bad data) if an activation is not finite or does not fit the type to store it in, (device memory) if
     *     that does not suffice for the smallest batch, (cannot write) if a file cannot be written
     */
    public void run(Compute compute, Path out, boolean overwrite) {
        try (OutputFolder folder = OutputFolder.create(out, overwrite);
                LanguageModel model = LanguageModel.load(compute, checkpoint, settings.arithmetic());
                Kernel kernel = compute.kernel("moments")) {
            ModelConfig config = model.config();
            MaskedForward.check(checkpoint, config, tokens).ifPresent(line -> {
                folder.warning(line);
                say.accept(line);
            });
            Batching batching = batching(compute, config);
            LayerwiseForward forward =
                    new LayerwiseForward(compute, model, tokens, batching.unit(), batching.batch(), batching.lanes());
            try (Store store = new Store(folder, compute.manager(), config, tokens.kept(), dtype);
                    Reduction reduction = new Reduction(
                            compute.manager(), kernel, config, tokens, forward.rows(), batching, store, dtype)) {
                forward.run(reduction);
                store.finish();
                finish(folder, config, compute, reduction.layers());
            }
        }
    }

    private Batching batching(Compute compute, ModelConfig config) {
        Batching batching = Batching.choose(
                config,
                tokens.context(),
                settings.arithmetic(),
                dtype,
                compute.device().equals("cuda"),
                compute.lanes(),
                settings.memory());
        if (batching.bytes() > settings.memory()) {
            say.accept(String.format(
                    Locale.ROOT,
                    "--memory of %d MiB is less than the %d MiB that the model and its smallest batch take",
                    settings.memory() >> 20,
                    batching.bytes() >> 20));
        }
        return batching;
    }

    /** Where each stored row comes from, so that readers need not be given the tokens again. */
    private void writePositions(Path file) {
        int context = tokens.context();
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            for (String name : List.of("row", "pos", "document", "token")) {
                writer.declare(name, Dtype.I32, tokens.kept());
            }
            writePositions(writer, p -> p / context);
            writePositions(writer, p -> p % context);
            writePositions(writer, p -> tokens.document()[p]);
            writePositions(writer, p -> tokens.tokens()[p]);
        }
    }

    private void writePositions(SafetensorsWriter writer, IntUnaryOperator part) {
        int[] piece = new int[1 << 14];
        int n = 0;
        for (int position = 0; position < tokens.mask().length; position++) {
            if (tokens.mask()[position] != 0) {
                piece[n++] = part.applyAsInt(position);
            }
            if (n == piece.length || position == tokens.mask().length - 1) {
                writer.ints(Arrays.copyOf(piece, n));
                n = 0;
            }
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

    private void writeExamples(Path file, List<LayerStatistics> layers, ModelConfig config) {
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.declare("value", Dtype.F32, config.layers(), config.dMlp(), Reduction.EXAMPLES);
            writer.declare("row", Dtype.I32, config.layers(), config.dMlp(), Reduction.EXAMPLES);
            writer.declare("pos", Dtype.I32, config.layers(), config.dMlp(), Reduction.EXAMPLES);
            layers.forEach(l -> writer.floats(l.examples.values()));
            int context = tokens.context();
            layers.forEach(l -> writer.ints(mapped(l.examples.positions(), p -> p / context)));
            layers.forEach(l -> writer.ints(mapped(l.examples.positions(), p -> p % context)));
        }
    }

    private static int[] mapped(int[] positions, IntUnaryOperator part) {
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
        writeMoments(folder.file(ActivationMoments.FILE), statistics, config);
        writeExamples(folder.file("examples.safetensors"), statistics, config);
        if (dtype != null) {
            writePositions(folder.file(ActivationFolder.POSITIONS));
        }
        folder.parameter("family", checkpoint.family())
                .parameter("seed", checkpoint.seed())
                .parameter("step", checkpoint.step())
                .parameter("layers", config.layers())
                .parameter("d_mlp", config.dMlp())
                .parameter("store", dtype == null ? "none" : "all")
                .parameter("dtype", dtype == null ? "none" : dtype.name().toLowerCase(Locale.ROOT))
                .parameter("compute", settings.arithmetic().toString())
                .input("checkpoint", checkpoint.manifest())
                .input("tokens", tokens.manifest().id(), tokens.digest())
                .count("rows", tokens.rows())
                .count("kept", tokens.kept())
                .count("inactive", inactive(statistics))
                .device(compute.device());
        folder.commit("activate", checkpoint.id());
    }
}
