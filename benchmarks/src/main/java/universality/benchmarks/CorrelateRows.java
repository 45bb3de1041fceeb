package universality.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import universality.benchmarks.CorrelateSlice.Costs;
import universality.benchmarks.CorrelateSlice.Study;
import universality.benchmarks.Result.Target;
import universality.data.CsvTable;
import universality.data.Json;

/**
 * The stage {@code correlate} on stored activations that were made up ({@link PlantedActivations}), by a slice of a study of five
 * GPT-2 small: {@link CorrelateSlice}. Sizes: {@code neurons} (of a layer), {@code slice_layers}, {@code slice_tokens},
 * {@code baseline_draws}, {@code slice_memory}, {@code sketch_size}, {@code precisions} (of exact, filter, sketch), {@code
 * filter} (bf16 or int8).
 */
final class CorrelateRows implements Rows {
    private static final Result EXACT = line(
            "correlate-exact",
            "correlate exact, reductions and baseline included, 1M tokens",
            "of the F32 product's rate",
            Target.atLeast(0.85));
    private static final Result EXACT_LONGER =
            line("correlate-exact-5m", "the same, 5M tokens", "of the F32 product's rate", Target.atLeast(0.85));
    private static final Result BASELINE = line(
            "baseline", "baseline, five seeds, 12 layers, 1M tokens", "of the products' time", Target.atMost(0.05));
    private static final Result BASELINE_LONGER =
            line("baseline-5m", "the same, 5M tokens", "of the products' time", Target.atMost(0.05));
    private static final Result NARROW = line(
            "correlate-filter",
            "correlate, BF16 or INT8 filter and exact refinement",
            "times the F32 product's rate",
            Target.atLeast(2.5));
    private static final Result NARROW_SAME = line(
            "correlate-filter-answers", "the same: largest |Δρ| of max_corr", "against exact", Target.atMost(1e-5));
    private static final Result SKETCH = line(
            "sketch", "sketch, 5M tokens: all-pairs products", "times cheaper than exact ones", Target.atLeast(50));
    private static final Result SKETCH_FOUND =
            line("sketch-found", "the same: partners above 0.4 found", "of those of exact", Target.atLeast(1));
    private static final Study GPT2_SMALL = new Study(5, 12, 1e6);
    private static final Study LONGER = new Study(5, 12, 5e6);
    private static final double STRONG = 0.4;

    private final int neurons;
    private final int layers;
    private final int tokens;
    private final int draws;
    private final String memory;
    private final int sketchSize;
    private final List<String> precisions;
    private final String filter;

    CorrelateRows(Arguments arguments) {
        neurons = arguments.number("neurons", 3072);
        layers = arguments.number("slice_layers", 2);
        tokens = arguments.number("slice_tokens", 65536);
        draws = arguments.number("baseline_draws", 10);
        memory = arguments.text("slice_memory", "4 GB");
        sketchSize = arguments.number("sketch_size", 16384);
        filter = arguments.text("filter", "");
        precisions = arguments.list("precisions", "exact,filter,sketch");
    }

    private static Result line(String row, String what, String unit, Target target) {
        return new Result(row, what, null, unit, target, "");
    }

    @Override
    public String name() {
        return "correlate";
    }

    @Override
    public List<Result> measure(Bench bench) throws Exception {
        CorrelateSlice slice = new CorrelateSlice(bench, neurons, layers, tokens, draws, memory);
        try {
            slice.prepare();
            Beside exact = measure(bench, slice);
            List<Result> results = new ArrayList<>(exact(slice, exact));
            results.addAll(narrow(bench, slice, exact.ceiling()));
            results.addAll(sketch(slice, exact.costs()));
            return results;
        } finally {
            slice.discard();
        }
    }

    /** What a slice costs, and what plain products reach beside it. */
    private record Beside(Costs costs, Ceiling ceiling) {}

    private Beside measure(Bench bench, CorrelateSlice slice, Object... options) throws Exception {
        Costs[] costs = new Costs[1];
        Ceiling ceiling = bench.around(neurons, 4096, neurons, () -> costs[0] = slice.measure(options));
        return new Beside(costs[0], ceiling);
    }

    /** Operations of a study's products. */
    private double flops(Study study) {
        return 2 * study.products() * neurons * neurons * study.tokens();
    }

    private List<Result> exact(CorrelateSlice slice, Beside measured) {
        Costs costs = measured.costs();
        double best = measured.ceiling().best();
        return List.of(
                value(EXACT, rate(costs, GPT2_SMALL) / best, how(slice, costs, measured.ceiling())),
                value(EXACT_LONGER, rate(costs, LONGER) / best, "from the same slice"),
                value(BASELINE, costs.baseline(GPT2_SMALL) / costs.products(GPT2_SMALL), "from the same slice"),
                value(BASELINE_LONGER, costs.baseline(LONGER) / costs.products(LONGER), "from the same slice"));
    }

    /** Operations of a study's products per second of all that it takes. */
    private double rate(Costs costs, Study study) {
        return flops(study) / costs.all(study);
    }

    private String how(CorrelateSlice slice, Costs costs, Ceiling ceiling) {
        Study study = GPT2_SMALL;
        return String.format(
                Locale.ROOT,
                "%s (%s), phase by phase extrapolated to %d models × %d layers, 1M tokens, %d draws (all rotations kept in memory):"
                        + " products %.0f s, reading %.0f s, reductions %.0f s, refinement %.0f s, baseline %.0f s; %.3f at 5M tokens;"
                        + " products alone %.3f; %s",
                slice,
                costs,
                study.seeds(),
                study.layers(),
                draws,
                costs.products(study),
                costs.reading(study),
                costs.reductions(study),
                costs.refinement(study),
                costs.baseline(study),
                rate(costs, LONGER) / ceiling.best(),
                flops(study) / costs.products(study) / ceiling.best(),
                ceiling.say(rate(costs, study)));
    }

    private List<Result> narrow(Bench bench, CorrelateSlice slice, Ceiling before) throws Exception {
        if (!precisions.contains("filter")) {
            return unmeasured(List.of(NARROW, NARROW_SAME), "not asked for");
        }
        try {
            String name = filter(bench);
            System.setProperty("universality.fast", name); // a slice is shorter than texts that filters are used for
            Object[] option = {"--precision", name};
            Beside measured = measure(bench, slice, option);
            Costs costs = measured.costs();
            Ceiling ceiling = measured.ceiling().atLeast(before.best());
            double most = 0;
            for (Compared c : compare(slice.output(), slice.output(option))) {
                most = Math.max(most, Math.abs(c.exact() - c.other()));
            }
            return List.of(
                    value(
                            NARROW,
                            rate(costs, GPT2_SMALL) / ceiling.best(),
                            name + ": " + how(slice, costs, ceiling) + "; " + inFull(slice.output(option))),
                    value(NARROW_SAME, most, "all neurons of the slice"));
        } catch (NotMeasured e) {
            return unmeasured(List.of(NARROW, NARROW_SAME), e.getMessage());
        } finally {
            System.clearProperty("universality.fast");
        }
    }

    /** What is asked for, or of what is fast here int8: its bound is the narrower one, so fewer rows are computed in full. */
    private String filter(Bench bench) throws NotMeasured {
        if (!filter.isEmpty()) {
            return filter;
        }
        if (bench.compute().fastInt8()) {
            return "int8";
        }
        if (bench.compute().fastBf16()) {
            return "bf16";
        }
        throw new NotMeasured("this processor multiplies neither bf16 nor int8 matrices faster than F32 ones");
    }

    /** How many rows the refinement computed in full; it is taken to be the same share in a study, though more tokens leave fewer. */
    private static String inFull(Path out) throws IOException {
        int full = 0;
        int rows = 0;
        for (JsonNode pair : Json.read(out.resolve("summary.json")).path("pairs")) {
            full += pair.path("refinement").path("full").asInt();
            rows += pair.path("refinement").path("rows").asInt();
        }
        return full + " of " + rows + " rows in full";
    }

    private List<Result> sketch(CorrelateSlice slice, Costs exact) throws Exception {
        if (!precisions.contains("sketch")) {
            return unmeasured(List.of(SKETCH, SKETCH_FOUND), "not asked for");
        }
        try {
            Object[] option = {"--precision", "sketch", "--sketch-size", sketchSize};
            Costs costs = slice.measure(option);
            int strong = 0;
            int found = 0;
            for (Compared c : compare(slice.output(), slice.output(option))) {
                if (c.exact() > STRONG) {
                    strong++;
                    found += c.exact() - c.other() < 1e-5 ? 1 : 0;
                }
            }
            double ratio = exact.products(LONGER) / costs.productsOfSketches(LONGER);
            String how = String.format(
                    Locale.ROOT,
                    "%s with sketches of %d (%s); the exact products extrapolated to 5M tokens: %.0f s, of sketches %.0f s",
                    slice,
                    sketchSize,
                    costs,
                    exact.products(LONGER),
                    costs.productsOfSketches(LONGER));
            return List.of(
                    value(SKETCH, ratio, how),
                    value(
                            SKETCH_FOUND,
                            strong == 0 ? null : (double) found / strong,
                            strong + " neurons of the slice"));
        } catch (NotMeasured e) {
            return unmeasured(List.of(SKETCH, SKETCH_FOUND), e.getMessage());
        }
    }

    /** max_corr of one neuron by two precisions. */
    private record Compared(double exact, double other) {}

    /** Neurons that have a correlation in either table, over all ordered pairs; 0 where there is none. */
    private static List<Compared> compare(Path exact, Path other) throws NotMeasured {
        List<Compared> all = new ArrayList<>();
        for (int[] pair : new int[][] {{1, 2}, {2, 1}}) {
            String name = "planted-s" + pair[0] + "-t0__planted-s" + pair[1] + "-t0.csv";
            CsvTable a = CsvTable.read(exact.resolve(name), "max_corr");
            CsvTable b = CsvTable.read(other.resolve(name), "max_corr");
            if (a.size() != b.size()) {
                throw new NotMeasured(
                        name + " has " + a.size() + " neurons in one run and " + b.size() + " in another");
            }
            for (int row = 0; row < a.size(); row++) {
                all.add(new Compared(number(a, row), number(b, row)));
            }
        }
        return all;
    }

    private static double number(CsvTable table, int row) {
        double value = table.number(row, "max_corr");
        return Double.isNaN(value) ? 0 : value;
    }

    private static Result value(Result line, Double value, String how) {
        return new Result(line.row(), line.what(), value, line.unit(), line.target(), how);
    }

    private static List<Result> unmeasured(List<Result> lines, String reason) {
        return lines.stream().map(line -> value(line, null, reason)).toList();
    }

    @Override
    public List<Result> unmeasured(String reason) {
        return unmeasured(
                List.of(EXACT, EXACT_LONGER, BASELINE, BASELINE_LONGER, NARROW, NARROW_SAME, SKETCH, SKETCH_FOUND),
                reason);
    }
}
