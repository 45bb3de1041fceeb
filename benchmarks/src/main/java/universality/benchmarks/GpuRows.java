package universality.benchmarks;

import java.util.List;
import universality.benchmarks.Result.Target;

/** What is asked of a GPU. The kernels are timed there by benchmarks/check_kernels.py, on any machine that has one. */
final class GpuRows implements Rows {
    private static final String REASON =
            "not on this machine: 'universality kernels --out DIR' and benchmarks/check_kernels.py on one with a GPU";

    @Override
    public String name() {
        return "gpu";
    }

    @Override
    public List<Result> measure(Bench bench) {
        return unmeasured(REASON);
    }

    @Override
    public List<Result> unmeasured(String reason) {
        return List.of(
                new Result(
                        "gpu-correlate",
                        "H100: live correlate",
                        null,
                        "of the BF16 product's rate",
                        Target.atLeast(0.6),
                        reason),
                new Result(
                        "gpu-forward", "H100: forward, BF16", null, "of the flop limit", Target.atLeast(0.5), reason));
    }
}
