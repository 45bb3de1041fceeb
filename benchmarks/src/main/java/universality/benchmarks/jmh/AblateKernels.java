package universality.benchmarks.jmh;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
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

/** The kernel {@code ablate}: what the unembedding reads compared with the undisturbed run, over 512 positions. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class AblateKernels {
    private static final int POSITIONS = 512;

    @Param({"demo", "gpt2_small"})
    public String shape;

    /** Positions whose logits are made at a time. */
    @Param({"128", "256"})
    public int block;

    private KernelState state;
    private NDArray undisturbed;
    private NDArray changed;
    private NDArray unembedding;
    private NDArray target;
    private NDList clean;

    @Setup(Level.Trial)
    public void setUp() {
        KernelShape s = KernelShape.valueOf(shape);
        state = new KernelState("ablate");
        undisturbed = state.normal(POSITIONS, s.width);
        changed = undisturbed.add(state.normal(POSITIONS, s.width).muli(0.1));
        unembedding = state.normal(s.vocabulary, s.width).muli(0.1);
        target = state.arrays()
                .create(new SplittableRandom(1)
                        .ints(POSITIONS, 0, s.vocabulary)
                        .asLongStream()
                        .toArray());
        clean = state.keep("clean", undisturbed, target, unembedding, block);
    }

    @TearDown(Level.Trial)
    public void tearDown() {
        state.close();
    }

    /** 2 · 512 · width · vocabulary operations, and the metrics. */
    @Benchmark
    public int compare() {
        return state.run("compare", changed, undisturbed, clean.get(0), clean.get(1), clean.get(2), unembedding, block);
    }

    /** The same product twice: logits, and the unembedding's mean. */
    @Benchmark
    public int clean() {
        return state.run("clean", undisturbed, target, unembedding, block);
    }
}
