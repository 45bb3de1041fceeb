package universality.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import universality.benchmarks.Result.Target;

/**
 * The stage {@code activate} on a random model of GPT-2 small's shape, storing F16, beside the F32 product of its widest layer.
 * Sizes: {@code layers}, {@code width}, {@code vocabulary}, {@code context}, {@code activate_rows}.
 */
final class ActivateRows implements Rows {
    private static final Result F32 =
            line("activate-f32", "activate, F32, stored F16", "of the F32 product's rate", Target.atLeast(0.85));
    private static final Result BF16 =
            line("activate-bf16", "activate, BF16, stored F16", "times the rate in F32", Target.atLeast(2));

    private final RandomModel model;
    private final int rows;

    ActivateRows(Arguments arguments) {
        model = RandomModel.GPT2_SMALL.with(arguments);
        rows = arguments.number("activate_rows", 48);
    }

    private static Result line(String row, String what, String unit, Target target) {
        return new Result(row, what, null, unit, target, "");
    }

    @Override
    public String name() {
        return "activate";
    }

    @Override
    public List<Result> measure(Bench bench) throws Exception {
        Path checkpoint = model.checkpoint(bench.fresh("model"), 1);
        Path tokens = model.tokens(bench.fresh("tokens"), rows);
        List<Result> results = new ArrayList<>();
        double count = (double) rows * model.context();
        double[] time = new double[1];
        Ceiling ceiling =
                bench.around(2048, model.width(), model.dMlp(), () -> time[0] = time(bench, checkpoint, tokens, "f32"));
        double rate = count / time[0];
        String slice = String.format(
                java.util.Locale.ROOT,
                "%s; %.0f tokens, all layers stored; nothing extrapolated; %.0f tokens/s; %s; %s",
                model,
                count,
                rate,
                ceiling.say(rate * model.activationFlops()),
                afterTheStart(bench, checkpoint, time[0], ceiling));
        results.add(value(F32, rate * model.activationFlops() / ceiling.best(), slice));
        try {
            double narrow = count / time(bench, checkpoint, tokens, "bf16");
            results.add(value(BF16, narrow / rate, String.format(java.util.Locale.ROOT, "%.0f tokens/s", narrow)));
        } catch (NotMeasured e) {
            results.add(value(BF16, null, e.getMessage()));
        }
        bench.discard(checkpoint, tokens);
        return results;
    }

    /** What a third of the tokens says about more of them: the start, which does not grow, is not a share of a study's time. */
    private String afterTheStart(Bench bench, Path checkpoint, double whole, Ceiling ceiling) throws Exception {
        int few = Math.max(1, rows / 3);
        if (few == rows) {
            return "too few tokens to tell the start from the rest";
        }
        Path tokens = model.tokens(bench.fresh("fewer-tokens"), few);
        double part = time(bench, checkpoint, tokens, "f32");
        bench.discard(tokens);
        if (part >= whole) {
            return "a third of them took as long: too few tokens, or a busy machine";
        }
        double rate = (rows - few) * model.context() / (whole - part);
        return String.format(
                java.util.Locale.ROOT,
                "with a third of them %.1f s instead of %.1f: what comes after the start is %.3f of the best",
                part,
                whole,
                rate * model.activationFlops() / ceiling.best());
    }

    private double time(Bench bench, Path checkpoint, Path tokens, String precision) throws Exception {
        List<Object> command = new ArrayList<>(List.of("activate", "--checkpoint", checkpoint, "--tokens", tokens));
        command.addAll(List.of("--store", "all", "--dtype", "f16", "--memory", "2 GB"));
        if (!precision.equals("f32")) {
            command.addAll(List.of("--compute", precision));
        }
        Path out = bench.fresh("activations");
        command.addAll(List.of("--out", out));
        double time = bench.stage(command.toArray());
        bench.discard(out);
        return time;
    }

    private static Result value(Result line, Double value, String how) {
        return new Result(line.row(), line.what(), value, line.unit(), line.target(), how);
    }

    @Override
    public List<Result> unmeasured(String reason) {
        return List.of(value(F32, null, reason), value(BF16, null, reason));
    }
}
