package universality.benchmarks.jmh;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
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

    private KernelState forward;
    private KernelState moments;
    private NDArray tokens;
    private NDArray kept;
    private List<NDArray> weights;
    private long[] sizes;
    private final double[] real = {1e-5, 10000};
    private NDArray block;
    private NDArray counted;
    private NDArray state;
    private NDArray shift;
    private NDArray least;

    @Setup(Level.Trial)
    public void setUp() {
        KernelShape s = KernelShape.valueOf(shape);
        forward = new KernelState("gpt2", "transformer");
        moments = new KernelState("moments");
        int rows = KernelShape.POSITIONS / s.context;
        long[] ids = new SplittableRandom(1)
                .ints(KernelShape.POSITIONS, 0, s.vocabulary)
                .asLongStream()
                .toArray();
        tokens = forward.arrays().create(ids, new Shape(rows, s.context));
        kept = forward.arrays()
                .create(LongStream.range(0, KernelShape.POSITIONS).toArray());
        // layers, heads, GELU by tanh, scaled scores, not by layer, MLP after the attention, nothing rotated
        sizes = new long[] {s.layers, s.heads, 0, 1, 0, 0, 0};
        weights = weights(s);
        block = moments.normal(KernelShape.POSITIONS, s.mlp);
        counted = moments.arrays()
                .create(LongStream.range(0, KernelShape.POSITIONS).toArray());
        state = moments.zeros(7, s.mlp);
        shift = moments.zeros(s.mlp);
        least = moments.arrays().ones(new Shape(s.mlp)).mul(4f); // that few exceed, as is usual
    }

    private List<NDArray> weights(KernelShape s) {
        List<NDArray> all = new ArrayList<>(List.of(small(s.vocabulary, s.width), small(s.context, s.width)));
        for (int layer = 0; layer < s.layers; layer++) {
            all.addAll(List.of(ones(s.width), small(s.width)));
            all.addAll(List.of(small(s.width, 3L * s.width), small(3L * s.width)));
            all.addAll(List.of(small(s.width, s.width), small(s.width)));
            all.addAll(List.of(ones(s.width), small(s.width)));
            all.addAll(List.of(small(s.width, s.mlp), small(s.mlp)));
            all.addAll(List.of(small(s.mlp, s.width), small(s.width)));
        }
        all.addAll(List.of(ones(s.width), small(s.width), all.get(0)));
        return all;
    }

    private NDArray small(long... size) {
        return forward.normal(size).muli(0.02);
    }

    private NDArray ones(long size) {
        return forward.arrays().ones(new Shape(size));
    }

    @TearDown(Level.Trial)
    public void tearDown() {
        forward.close();
        moments.close();
    }

    /** The whole batch through all layers. */
    @Benchmark
    public int capture() {
        return forward.run("capture", tokens, kept, new long[] {0, sizes[0], 1}, weights, sizes, real);
    }

    /** One layer. */
    @Benchmark
    public int post() {
        return moments.run("post", state, shift, block, counted, ends(), least, 5);
    }

    /** One layer. */
    @Benchmark
    public int pre() {
        return moments.run("pre", state, shift, block, counted, ends());
    }

    private static long[] ends() {
        return LongStream.rangeClosed(1, KernelShape.POSITIONS / 512)
                .map(unit -> 512 * unit)
                .toArray();
    }
}
