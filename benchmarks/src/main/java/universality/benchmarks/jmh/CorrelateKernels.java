package universality.benchmarks.jmh;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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

/** The kernel {@code correlate}: one block of positions and one product of two layers. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class CorrelateKernels {
    private static final int BLOCK = 4096;
    private static final int BINS = 101;
    private static final int DRAWS = 10;

    @Param({"demo", "gpt2_small"})
    public String shape;

    private KernelState state;
    private NDArray raw;
    private NDArray shift;
    private NDArray scale;
    private NDArray x;
    private NDArray y;
    private NDArray total;
    private NDArray block;
    private NDArray room;
    private NDArray sums;
    private NDArray rho;
    private NDArray columns;
    private NDArray edges;
    private NDArray scaled;
    private NDArray gaussian;
    private NDArray rotation;
    private NDArray outer;
    private NDArray inner;
    private NDArray variances;
    private NDArray ofHalves;
    private NDArray weights;
    private NDArray between;
    private NDArray none;

    @Setup(Level.Trial)
    public void setUp() {
        int d = KernelShape.valueOf(shape).mlp;
        state = new KernelState("correlate");
        raw = state.normal(BLOCK, d);
        shift = state.zeros(d);
        scale = state.zeros(d).add(1);
        x = state.normal(BLOCK, d);
        y = state.normal(BLOCK, d);
        total = state.zeros(d, d);
        block = state.normal(BLOCK, d);
        room = state.normal(2, d, d);
        sums = state.keep("sums", x).singletonOrThrow();
        columns = state.arrays().create(IntStream.range(0, d).asLongStream().toArray());
        double[] bounds = IntStream.range(0, BINS - 1)
                .mapToDouble(i -> -1 + 2.0 * i / (BINS - 2))
                .toArray();
        edges = state.arrays().create(bounds);
        gaussian = state.normal(d, d);
        rotation = state.keep("haar", gaussian).singletonOrThrow();
        int p = (int) Math.sqrt(d);
        while (d % p > 0) {
            p--;
        }
        outer = state.keep("haar", state.normal(DRAWS - 1, d / p, d / p)).singletonOrThrow();
        inner = state.keep("haar", state.normal(DRAWS - 1, p, p)).singletonOrThrow();
        variances = state.zeros(DRAWS, d).add(1);
        ofHalves = state.zeros(2, 2, d).add(1);
        weights = state.zeros(3, d).add(0.5);
        between = state.zeros(d);
        scaled = state.normal(d, d);
        NDArray products =
                state.keep("accumulate", state.zeros(d, d), x, y, BLOCK, room).singletonOrThrow();
        none = state.zeros(0);
        rho = state.keep("correlation", List.of(products), 0, 0, none, none, (double) BLOCK, sums, sums)
                .singletonOrThrow();
    }

    @TearDown(Level.Trial)
    public void tearDown() {
        state.close();
    }

    @Benchmark
    public int standard() {
        return state.run("standard", raw, shift, scale);
    }

    /** The same into memory that is there, and sums. */
    @Benchmark
    public int fill() {
        return state.run("fill", block, 0, raw, shift, scale, 1);
    }

    @Benchmark
    public int sums() {
        return state.run("sums", x);
    }

    /** 2 · 4096 · d² operations, and adding in F64. */
    @Benchmark
    public int accumulate() {
        return state.run("accumulate", total, x, y, 1024, room);
    }

    /** Of x with itself; of wide layers on and above the diagonal of blocks only. */
    @Benchmark
    public int accumulateWithin() {
        return state.run("accumulate_within", total, x, 1024, room);
    }

    @Benchmark
    public int correlation() {
        return state.run("correlation", List.of(total), 0, 0, none, none, (double) BLOCK, sums, sums);
    }

    @Benchmark
    public int extremes() {
        return state.run("extremes", rho, columns);
    }

    @Benchmark
    public int distribution() {
        return state.run("distribution", rho, columns, edges);
    }

    @Benchmark
    public int top() {
        return state.run("top", rho, columns, 10);
    }

    /** Of ten draws: 2 d³ + 18 d² (p + q) operations, d = q p. */
    @Benchmark
    public int baseline() {
        return state.run("baseline", List.of(scaled), rotation, outer, inner, variances, room);
    }

    /** Of ten draws, two of which are of the halves as well: 4 d³ + 22 d² (p + q) operations. */
    @Benchmark
    public int baselines() {
        return state.run(
                "baselines",
                List.of(scaled),
                List.of(scaled),
                rotation,
                outer,
                inner,
                variances,
                ofHalves,
                weights,
                between,
                room);
    }

    @Benchmark
    public int haar() {
        return state.run("haar", gaussian);
    }
}
