package universality.benchmarks.jmh;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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

/** The second pass of {@code correlate}: products of five candidates of each neuron, both directions, of two models of two layers. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class GroupKernels {
    private static final int BLOCK = 1024;
    private static final int LAYERS = 4;
    private static final int CANDIDATES = 5;
    private static final int CHUNK = 256;

    @Param({"demo", "gpt2_small"})
    public String shape;

    private KernelState state;
    private NDArray total;
    private final List<NDArray> blocks = new ArrayList<>();
    private NDArray first;
    private NDArray second;

    @Setup(Level.Trial)
    public void setUp() {
        int d = KernelShape.valueOf(shape).mlp;
        state = new KernelState("groups");
        for (int layer = 0; layer < LAYERS; layer++) {
            blocks.add(state.normal(BLOCK, d));
        }
        int wanted = LAYERS * d * CANDIDATES;
        SplittableRandom random = new SplittableRandom(1);
        first = state.arrays()
                .create(random.ints(wanted, 0, LAYERS * d)
                        .sorted()
                        .asLongStream()
                        .toArray());
        second = state.arrays()
                .create(random.ints(wanted, 0, LAYERS * d).asLongStream().toArray());
        total = state.zeros(wanted);
    }

    @TearDown(Level.Trial)
    public void tearDown() {
        state.close();
    }

    @Benchmark
    public int products() {
        return state.run("products", total, blocks, first, second, CHUNK);
    }
}
