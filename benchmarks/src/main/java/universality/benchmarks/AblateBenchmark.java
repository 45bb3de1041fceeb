package universality.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.nio.file.Path;
import java.util.Locale;
import universality.data.CheckpointFolder;
import universality.data.Json;
import universality.data.TokenRows;
import universality.model.LanguageModel;
import universality.model.capture.MaskedForward;
import universality.tensor.Compute;

/**
 * Time of the stage {@code ablate} on a random model, beside that of running every condition in full: the whole forward pass,
 * log-softmax, loss, KL, entropy and likeliest token for each. Arguments (all optional, {@code name=value}): {@code shape}
 * (demo or gpt2-small), {@code layers}, {@code width}, {@code vocabulary}, {@code context}, {@code rows}, {@code draws}, {@code
 * share} (of neurons in the set), {@code replace}, {@code threads}, {@code clock}, {@code full} (conditions run in full, from
 * which the rest is extrapolated).
 */
public final class AblateBenchmark {
    /**
     * Seconds.
     *
     * @param shared of the whole stage
     * @param sets distinct sets that it measured
     * @param full of one set in full
     */
    record Times(double shared, long sets, double full) {}

    private final Bench bench;
    private final RandomModel model;
    private final Path checkpoint;
    private final Path tokens;

    AblateBenchmark(Bench bench, RandomModel model, Path checkpoint, Path tokens) {
        this.bench = bench;
        this.model = model;
        this.checkpoint = checkpoint;
        this.tokens = tokens;
    }

    public static void main(String[] words) throws Exception {
        Arguments arguments = new Arguments(words);
        RandomModel model = RandomModel.named(arguments.text("shape", "demo")).with(arguments);
        int rows = arguments.number("rows", 480);
        String replacement = arguments.text("replace", "zero");
        int draws = arguments.number("draws", 20);
        double share = arguments.real("share", 0.05);
        int repeats = arguments.number("full", 5);
        try (Bench bench = new Bench(arguments)) {
            arguments.requireKnown();
            Path checkpoint = model.checkpoint(bench.fresh("model"), 1);
            Path tokens = model.tokens(bench.fresh("tokens"), rows);
            Times times =
                    new AblateBenchmark(bench, model, checkpoint, tokens).measure(replacement, draws, share, repeats);
            double full = times.full() * times.sets();
            System.out.printf(
                    Locale.ROOT,
                    "%s, %s: %d distinct sets, %d positions: %.2f s, %.1f ms per set; in full %.1f ms per set, %.2f s: %.3f of it%n",
                    model,
                    arguments,
                    times.sets(),
                    rows * model.context(),
                    times.shared(),
                    1e3 * times.shared() / times.sets(),
                    1e3 * times.full(),
                    full,
                    times.shared() / full);
        }
    }

    Times measure(String replacement, int draws, double share, int repeats) throws Exception {
        Path neurons = model.neurons(bench.fresh("neurons"), share);
        Path out = bench.fresh("ablation");
        double shared = bench.stage(
                "ablate",
                "--checkpoint",
                checkpoint,
                "--tokens",
                tokens,
                "--neurons",
                neurons,
                "--replace",
                replacement,
                "--draws",
                draws,
                "--out",
                out);
        long sets = Json.read(out.resolve("manifest.json"))
                .path("counts")
                .path("distinct_sets")
                .asLong();
        return new Times(shared, sets, full(repeats));
    }

    /** Seconds of one condition in full. */
    private double full(int repeats) throws Exception {
        Compute compute = bench.compute();
        TokenRows rows = TokenRows.read(tokens);
        try (LanguageModel loaded = LanguageModel.load(compute, CheckpointFolder.open(checkpoint))) {
            fullCondition(compute, loaded, rows);
            return bench.clock.seconds(() -> {
                        for (int i = 0; i < repeats; i++) {
                            fullCondition(compute, loaded, rows);
                        }
                    })
                    / repeats;
        }
    }

    /** Whole forward pass and plain metrics; the undisturbed model's log-probabilities are taken as kept (not timed apart). */
    private static void fullCondition(Compute compute, LanguageModel model, TokenRows rows) {
        int context = rows.context();
        long vocabulary = model.config().vocabulary();
        int batch = (int) Math.max(1, Math.min(4096 / context, (1 << 26) / (context * vocabulary)));
        for (int row = 0; row < rows.rows(); row += batch) {
            int count = Math.min(batch, rows.rows() - row);
            try (NDManager scope = compute.manager().newSubManager()) {
                NDArray ids = MaskedForward.ids(scope, rows, row, count);
                NDArray log = model.logits(scope, ids).reshape(-1, vocabulary).logSoftmax(1);
                NDArray clean = log; // stands for the undisturbed model's, so that its cost is not counted
                NDArray kl = clean.exp().mul(clean.sub(log)).sum(new int[] {1});
                NDArray entropy = log.exp().mul(log).sum(new int[] {1}).neg();
                NDArray loss = log.gather(ids.reshape(-1, 1), 1).neg();
                NDArray top = log.argMax(1);
                kl.toType(DataType.FLOAT64, true).sum().getDouble();
                entropy.toType(DataType.FLOAT64, true).sum().getDouble();
                loss.toType(DataType.FLOAT64, true).sum().getDouble();
                top.sum().getLong();
            }
        }
    }
}
