package universality.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the stage {@code correlate} costs, taken apart by runs of slices: two models at two token counts and three models at one,
 * with one baseline draw and with several. The time of a run of P products of layers, of S·L layers in all, over n tokens is
 *
 * <p>(P + S·L) perToken·n + P·perProduct + w (P·perDraw + S·L·perRotation),
 *
 * <p>with w = draws + 2 ⌈draws / 3⌉ (the halves of the tokens have a third of the draws each). A layer's covariance, which the
 * baseline needs, is a product of the same size as one of two layers, and is taken to cost the same. Reading is part of perToken:
 * in a slice each layer that is read meets fewer others than in a study, so studies are not made too cheap.
 */
final class CorrelateSlice {
    /**
     * Seconds.
     *
     * @param perToken of one product of two layers, with reading and standardising
     * @param perProduct reductions of one product, and a share of what the stage does once
     * @param perDraw of one product of two layers, both directions
     * @param perRotation of one layer: making a rotation, and the variances under it
     */
    record Costs(double perToken, double perProduct, double perDraw, double perRotation) {
        /** Of all products of a study, without reductions and baseline. */
        double products(Study study) {
            return study.products() * perToken * study.tokens();
        }

        double reductions(Study study) {
            return study.products() * perProduct;
        }

        double baseline(Study study) {
            return weight(study.draws()) * (study.products() * perDraw + study.layersOfAll() * perRotation)
                    + study.layersOfAll() * perToken * study.tokens();
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
        return draws + 2 * Math.ceil(draws / 3.0);
    }

    /** Measures the costs with {@code options}, such as a precision. */
    Costs measure(Object... options) throws Exception {
        double small = run(2, tokens[0], 1, options);
        double large = run(2, tokens[1], 1, options);
        double drawn = run(2, tokens[0], draws, options);
        double more = run(3, tokens[0], 1, options);
        double moreDrawn = run(3, tokens[0], draws, options);
        Study two = new Study(2, layers, tokens[0], draws);
        Study three = new Study(3, layers, tokens[0], draws);
        double summed = two.products() + two.layersOfAll();
        double perToken = positive((large - small) / (tokens[1] - tokens[0]) / summed);
        // two equations: P·perDraw + S·L·perRotation = the time of one draw more
        double ofTwo = positive((drawn - small) / (weight(draws) - weight(1)));
        double ofThree = positive((moreDrawn - more) / (weight(draws) - weight(1)));
        double determinant = two.products() * three.layersOfAll() - three.products() * two.layersOfAll();
        double perRotation = positive((two.products() * ofThree - three.products() * ofTwo) / determinant);
        double perDraw = positive((ofTwo - two.layersOfAll() * perRotation) / two.products());
        double rest = small - summed * perToken * tokens[0] - weight(1) * ofTwo;
        return new Costs(perToken, positive(rest / two.products()), perDraw, perRotation);
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
