package universality.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import universality.benchmarks.Result.Target;

/**
 * The stage {@code ablate} beside running every condition in full ({@link AblateBenchmark}), for the demo's model and a slice of
 * GPT-2 small. Sizes: {@code layers}, {@code width}, {@code vocabulary}, {@code context} (of both), {@code ablate_shapes}, {@code
 * ablate_replace}, {@code ablate_rows} and {@code ablate_draws} (one for each shape).
 */
final class AblateRows implements Rows {
    private final Arguments arguments;
    private final List<String> shapes;
    private final List<String> replacements;
    private final int[] rows;
    private final int[] draws;

    AblateRows(Arguments arguments) {
        this.arguments = arguments;
        shapes = arguments.list("ablate_shapes", "demo,gpt2-small");
        replacements = arguments.list("ablate_replace", "zero,resample");
        rows = arguments.numbers("ablate_rows", "96,2");
        draws = arguments.numbers("ablate_draws", "20,1");
    }

    private static Result line(String shape, String replacement, Double value, String how) {
        return new Result(
                "ablate-" + shape + "-" + replacement,
                "ablation study, " + shape + ", " + replacement,
                value,
                "of running every condition in full",
                Target.atMost(0.6),
                how);
    }

    @Override
    public String name() {
        return "ablate";
    }

    @Override
    public List<Result> measure(Bench bench) throws Exception {
        List<Result> results = new ArrayList<>();
        for (int s = 0; s < shapes.size(); s++) {
            RandomModel model = RandomModel.named(shapes.get(s)).with(arguments);
            Path checkpoint = model.checkpoint(bench.fresh("model"), 1);
            Path tokens = model.tokens(bench.fresh("tokens"), rows[s]);
            AblateBenchmark benchmark = new AblateBenchmark(bench, model, checkpoint, tokens);
            for (String replacement : replacements) {
                AblateBenchmark.Times times = benchmark.measure(replacement, draws[s], 0.05, 3);
                String how = String.format(
                        Locale.ROOT,
                        "%s; %d positions, %d draws of each control, %d distinct sets: %.1f s, %.0f ms each; in full %.0f ms each,"
                                + " extrapolated from 3; more draws or positions do not change the ratio",
                        model,
                        rows[s] * model.context(),
                        draws[s],
                        times.sets(),
                        times.shared(),
                        1e3 * times.shared() / times.sets(),
                        1e3 * times.full());
                results.add(line(shapes.get(s), replacement, times.shared() / (times.full() * times.sets()), how));
            }
            bench.discard(checkpoint, tokens);
        }
        return results;
    }

    @Override
    public List<Result> unmeasured(String reason) {
        List<Result> results = new ArrayList<>();
        for (String shape : shapes) {
            for (String replacement : replacements) {
                results.add(line(shape, replacement, null, reason));
            }
        }
        return results;
    }
}
