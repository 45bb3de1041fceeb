package universality.benchmarks.jmh;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import universality.benchmarks.RandomModel;
import universality.data.CheckpointFolder;
import universality.data.OutputFolder;
import universality.model.LanguageModel;

/** The forward pass that captures activations, and the moments of one layer's block, over 2048 positions. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class ModelKernels {
    @Param({"demo", "gpt2_small"})
    public String shape;

    private Path folder;
    private LanguageModel model;
    private KernelState moments;
    private NDArray tokens;
    private NDArray kept;
    private NDArray block;
    private NDArray state;
    private NDArray shift;
    private NDArray least;

    @Setup(Level.Trial)
    public void setUp() throws IOException {
        RandomModel random = RandomModel.named(shape.replace('_', '-'));
        folder = Files.createTempDirectory("kernels");
        moments = new KernelState("moments");
        model = LanguageModel.load(
                moments.compute(), CheckpointFolder.open(random.checkpoint(folder.resolve("model"), 1)));
        long[] ids = new SplittableRandom(1)
                .ints(KernelShape.POSITIONS, 0, random.vocabulary())
                .asLongStream()
                .toArray();
        tokens = moments.arrays().create(ids, new Shape(KernelShape.POSITIONS / random.context(), random.context()));
        kept = moments.arrays()
                .create(LongStream.range(0, KernelShape.POSITIONS).toArray());
        long width = model.config().dMlp();
        block = moments.normal(KernelShape.POSITIONS, width);
        state = moments.arrays().zeros(new Shape(7, width), DataType.FLOAT64);
        shift = moments.arrays().zeros(new Shape(width), DataType.FLOAT64);
        least = moments.arrays().ones(new Shape(width)).mul(4f); // that few exceed, as is usual
    }

    @TearDown(Level.Trial)
    public void tearDown() throws IOException {
        model.close();
        moments.close();
        OutputFolder.deleteTree(folder);
    }

    /** The whole batch through all layers. */
    @Benchmark
    public int capture() {
        try (NDManager scope = moments.arrays().newSubManager()) {
            return model.capture(scope, tokens, kept).size();
        }
    }

    /** One layer. */
    @Benchmark
    public int post() {
        return moments.run("post", state, shift, block, kept, ends(), least, 5);
    }

    /** One layer. */
    @Benchmark
    public int pre() {
        return moments.run("pre", state, shift, block, kept, ends());
    }

    /** Units of 512 rows. */
    private static long[] ends() {
        return LongStream.rangeClosed(1, KernelShape.POSITIONS / 512)
                .map(unit -> 512 * unit)
                .toArray();
    }
}
