package universality.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.data.Json;

/**
 * What the stage {@code correlate} costs, by phase: a slice of a study (two models, few layers) is run, and each phase, as the stage
 * itself tells it, is taken to grow as what it does: products with pairs of layers and tokens, covariances and reading with layers
 * and tokens, reductions with pairs of layers, and so on. Phases of a slice are measured with fewer tokens than a study has, so its sums
 * in F32 are shorter and products cost a little more: studies are not made too cheap.
 */
final class CorrelateSlice {
    /** Memory for sums in a study, of which follows how often layers are read. */
    private static final double SUMS = 16e9;

    private static final int SLICE_MODELS = 2;

    /** Tokens whose products of whole numbers 32 bits hold, where a standard deviation is at most 126 / 4 steps. */
    private static final double MOST_WHOLE = 4e6;

    /** A study at one step: {@code seeds} models, every pair of them, with as many baseline draws as the slice has. */
    record Study(int seeds, int layers, double tokens) {
        double pairs() {
            return seeds * (seeds - 1) / 2.0;
        }

        double products() {
            return pairs() * layers * layers;
        }

        double layersOfAll() {
            return (double) seeds * layers;
        }

        /** How often a layer is read, where tiles of products are as large as memory allows; {@code bytes} of a product's sums. */
        double readings(int width, int bytes) {
            double side = Math.max(1, Math.min(layers, Math.floor(Math.sqrt(SUMS / bytes / width / width))));
            return Math.max(1, 2 * products() / side / layersOfAll());
        }
    }

    /** Seconds that a slice took, by phase, and what it was a slice of. */
    record Costs(Study slice, int width, boolean bf16, boolean int8, Map<String, Double> seconds) {
        private double of(String phase) {
            return seconds.getOrDefault(phase, 0.0);
        }

        /** Of all products of a study, without reading, reductions and baseline. */
        double products(Study study) {
            return of("products") * study.products() / slice.products() * study.tokens() / slice.tokens();
        }

        /** Seconds of all products, however many tokens there are: where they are of sketches. */
        double productsOfSketches(Study study) {
            return of("products") * study.products() / slice.products();
        }

        double reading(Study study) {
            double once = study.layersOfAll() / slice.layersOfAll() * study.tokens() / slice.tokens();
            return of("opening") * once + of("reading") * once * study.readings(width, sumBytes(study));
        }

        /** For both halves. With more tokens sums of whole numbers may leave 32 bits. */
        private int sumBytes(Study study) {
            return bf16 || int8 && study.tokens() < MOST_WHOLE ? 8 : 16;
        }

        double reductions(Study study) {
            return of("reductions") * study.products() / slice.products();
        }

        /**
         * Candidates are as many for each neuron and pair, and so are rows in full, each of which is multiplied with all neurons. What
         * is read again is so as often as in the slice.
         */
        double refinement(Study study) {
            double tokens = study.tokens() / slice.tokens();
            return of("refinement") * study.pairs() * study.layers() / slice.pairs() / slice.layers() * tokens
                    + of("rows") * study.products() / slice.products() * tokens
                    + of("rereading") * study.layersOfAll() / slice.layersOfAll() * tokens;
        }

        /** Covariances, rotations, variances under them, and what is rotated and its maxima, of all draws. */
        double baseline(Study study) {
            double layers = study.layersOfAll() / slice.layersOfAll();
            return of("covariances") * layers * study.tokens() / slice.tokens()
                    + (of("rotations") + of("variances")) * layers
                    + (of("scaling") + of("baseline")) * study.products() / slice.products();
        }

        double all(Study study) {
            return products(study) + reading(study) + reductions(study) + refinement(study) + baseline(study);
        }

        /** The phases of the slice itself. */
        @Override
        public String toString() {
            StringBuilder text = new StringBuilder();
            seconds.forEach((phase, s) -> text.append(text.length() == 0 ? "" : ", ")
                    .append(String.format(java.util.Locale.ROOT, "%s %.1f s", phase, s)));
            return text.toString();
        }
    }

    private final Bench bench;
    private final int width;
    private final Study slice;
    private final int draws;
    private final String memory;
    private final List<Path> models = new ArrayList<>();
    private final Map<List<Object>, Path> outputs = new LinkedHashMap<>();

    CorrelateSlice(Bench bench, int width, int layers, int tokens, int draws, String memory) {
        this.bench = bench;
        this.width = width;
        this.memory = memory;
        this.draws = draws;
        slice = new Study(SLICE_MODELS, layers, tokens);
    }

    /** Writes the models' activations. */
    void prepare() throws IOException {
        for (int seed = 1; seed <= SLICE_MODELS; seed++) {
            Path model = bench.fresh("planted");
            models.add(new PlantedActivations(slice.layers(), width, (int) slice.tokens()).write(model, seed));
        }
    }

    /** Runs the slice with {@code options}, such as a precision; its results are {@link #output}. */
    Costs measure(Object... options) throws Exception {
        List<Object> command = new ArrayList<>(List.of("correlate", "--activations"));
        command.addAll(models);
        Path out = bench.fresh("correlations");
        outputs.put(List.of(options), out);
        command.addAll(List.of("--baseline-draws", draws, "--candidates", 0, "--memory", memory, "--out", out));
        command.addAll(List.of(options));
        bench.stage(command.toArray());
        List<Object> given = List.of(options);
        return new Costs(slice, width, given.contains("bf16"), given.contains("int8"), phases(out));
    }

    private static Map<String, Double> phases(Path out) throws IOException {
        JsonNode told = Json.read(out.resolveSibling(out.getFileName() + ".resources.json"))
                .path("phase_seconds");
        Map<String, Double> seconds = new LinkedHashMap<>();
        told.properties()
                .forEach(phase -> seconds.put(phase.getKey(), phase.getValue().asDouble()));
        return seconds;
    }

    /** What {@link #measure} wrote. */
    Path output(Object... options) {
        return outputs.get(List.of(options));
    }

    @Override
    public String toString() {
        return String.format(
                java.util.Locale.ROOT,
                "a slice of %d models × %d layers × %d neurons, %.0f tokens, %d draws",
                slice.seeds(),
                slice.layers(),
                width,
                slice.tokens(),
                draws);
    }

    /** Deletes activations and results. */
    void discard() {
        models.forEach(bench::discard);
        outputs.values().forEach(bench::discard);
    }
}
