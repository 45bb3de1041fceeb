package universality.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the stage {@code correlate} costs, taken apart by runs of slices: two and three models, two token
 * counts, one baseline draw and several. The time of a run of P products of layers, of S·L layers in all, over n tokens is
 *
 * <p>P (perToken·n + perProduct) + S·L·within·n + w (P·perDraw + S·L·perRotation),
 *
 * <p>with w = draws + 2 min(draws, max(2, ⌈draws / 5⌉)) (the halves of the tokens have a fifth of the draws each). Reading is part of perToken and
 * within: in a slice each layer that is read meets fewer others than in a study, so studies are not made too cheap.
 */
final class CorrelateSlice {
    /**
     * Seconds.
     *
     * @param perToken of one product of two layers, with reading and standardising
     * @param perProduct reductions of one product, and a share of what the stage does once
     * @param perDraw of one product of two layers, both directions
     * @param perRotation of one layer: making a rotation, and the variances under it
     * @param within of one layer and token: its covariance
     */
    record Costs(double perToken, double perProduct, double perDraw, double perRotation, double within) {
        /** Of all products of a study, without reductions and baseline. */
        double products(Study study) {
            return study.products() * perToken * study.tokens();
        }

        double reductions(Study study) {
            return study.products() * perProduct;
        }

        double baseline(Study study) {
            return weight(study.draws()) * (study.products() * perDraw + study.layersOfAll() * perRotation)
                    + study.layersOfAll() * within * study.tokens();
        }

        double all(Study study) {
            return products(study) + reductions(study) + baseline(study);
        }
    }

    /** A study at one step: {@code seeds} models, every pair of them. */
    record Study(int seeds, int layers, double tokens, int draws) {
        double products() {
            return seeds * (seeds - 1) / 2.0 * layers * layers;
        }

        double layersOfAll() {
            return (double) seeds * layers;
        }
    }

    private final Bench bench;
    private final int width;
    private final int layers;
    private final int[] tokens;
    private final int draws;
    private final String memory;
    private final Map<String, Path> models = new LinkedHashMap<>();
    private final Map<String, Path> outputs = new LinkedHashMap<>();

    /** @param tokens two counts, ascending */
    CorrelateSlice(Bench bench, int width, int layers, int[] tokens, int draws, String memory) {
        this.bench = bench;
        this.width = width;
        this.layers = layers;
        this.tokens = tokens;
        this.draws = draws;
        this.memory = memory;
    }

    static double weight(int draws) {
        return draws + 2 * Math.min(draws, Math.max(2, Math.ceil(draws / 5.0)));
    }

    /** Measures the costs with {@code options}, such as a precision. */
    Costs measure(Object... options) throws Exception {
        double[] one = new double[2];
        double[] tokenCost = new double[2];
        double[] drawCost = new double[2];
        for (int more = 0; more < 2; more++) {
            int seeds = 2 + more;
            one[more] = run(seeds, tokens[0], 1, options);
            tokenCost[more] = (run(seeds, tokens[1], 1, options) - one[more]) / (tokens[1] - tokens[0]);
            drawCost[more] = (run(seeds, tokens[0], draws, options) - one[more]) / (weight(draws) - weight(1));
        }
        double[] ofTokens = solve(tokenCost);
        double[] ofDraws = solve(drawCost);
        double products = products(2);
        double rest = one[0] - tokenCost[0] * tokens[0] - weight(1) * drawCost[0];
        return new Costs(ofTokens[0], positive(rest / products), ofDraws[0], ofDraws[1], ofTokens[1]);
    }

    private double products(int seeds) {
        return new Study(seeds, layers, 0, 0).products();
    }

    /** a, b ≥ 0 with P·a + S·L·b = the times of two and of three models; the same for both where noise makes one negative. */
    private double[] solve(double[] times) {
        double determinant = products(2) * 3 * layers - products(3) * 2 * layers;
        double a = (times[0] * 3 * layers - times[1] * 2 * layers) / determinant;
        double b = (products(2) * times[1] - products(3) * times[0]) / determinant;
        if (a < 0 || b < 0) {
            double both = positive(times[1]) / (products(3) + 3 * layers);
            return new double[] {both, both};
        }
        return new double[] {a, b};
    }

    /** Seconds of a run over the larger count of tokens with several draws; its results are {@link #output}. */
    double whole(Object... options) throws Exception {
        return run(2, tokens[1], draws, options);
    }

    private static double positive(double value) {
        return Math.max(0, value);
    }

    /** What {@link #whole} wrote. */
    Path output(Object... options) {
        return outputs.get(key(2, tokens[1], draws, options));
    }

    private static String key(int seeds, int kept, int drawn, Object... options) {
        return seeds + " " + kept + " " + drawn + " " + List.of(options);
    }

    private double run(int seeds, int kept, int drawn, Object... options) throws Exception {
        List<Object> command = new ArrayList<>();
        command.add("correlate");
        command.add("--activations");
        for (int seed = 1; seed <= seeds; seed++) {
            command.add(model(seed, kept));
        }
        Path out = bench.fresh("correlations");
        outputs.put(key(seeds, kept, drawn, options), out);
        command.addAll(List.of("--baseline-draws", drawn, "--candidates", 0, "--memory", memory, "--out", out));
        command.addAll(List.of(options));
        return bench.stage(command.toArray());
    }

    private Path model(int seed, int kept) {
        return models.computeIfAbsent(seed + "-" + kept, key -> {
            Path out = bench.fresh("planted");
            return new PlantedActivations(layers, width, kept).write(out, seed);
        });
    }

    /** Deletes activations and results. */
    void discard() {
        models.values().forEach(bench::discard);
        outputs.values().forEach(bench::discard);
    }
}
