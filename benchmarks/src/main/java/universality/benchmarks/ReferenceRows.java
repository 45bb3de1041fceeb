package universality.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import universality.data.CsvTable;

/**
 * What a user would otherwise write ({@code benchmarks/python/reference_style.py}, PyTorch), beside {@code activate} and {@code
 * correlate}, on the same slice: every neuron of one random model with every neuron of another, and a baseline of one rotation. The
 * script runs both models again for the baseline, as the original study does. Sizes: {@code reference_layers}, {@code
 * reference_width}, {@code reference_rows}; {@code python} are interpreters, of which the first that has torch is taken.
 */
final class ReferenceRows implements Rows {
    private static final int VOCABULARY = 4096;

    private final RandomModel model;
    private final int rows;
    private final List<String> pythons;

    ReferenceRows(Arguments arguments) {
        int width = arguments.number("reference_width", 768);
        int context = arguments.number("reference_context", 512);
        model = new RandomModel(
                arguments.number("reference_layers", 2), Math.max(1, width / 64), width, VOCABULARY, context);
        rows = arguments.number("reference_rows", 4);
        pythons = arguments.list("python", "python3,/usr/bin/python3");
    }

    private static Result line(Double value, String how) {
        return new Result("reference", "one pair, plain PyTorch script", value, "times our time", null, how);
    }

    private static Result agreement(Double value, String how) {
        return new Result(
                "reference-agreement", "the same: largest |Δρ| of max_corr", value, "against the script", null, how);
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public List<Result> measure(Bench bench) throws Exception {
        Path script = Bench.project().resolve("benchmarks/python/reference_style.py");
        String python = withTorch(bench);
        Path tokens = model.tokens(bench.fresh("tokens"), rows);
        List<Path> checkpoints = new ArrayList<>();
        for (int seed = 1; seed <= 2; seed++) {
            checkpoints.add(model.checkpoint(bench.fresh("model"), seed));
        }
        Path result = bench.fresh("reference");
        List<String> command = new ArrayList<>(List.of(python, script.toString()));
        checkpoints.forEach(c -> command.add(c.toString()));
        command.addAll(List.of(tokens.toString(), result.toString(), Integer.toString(bench.threads())));
        if (execute(bench, command) != 0) {
            throw new NotMeasured("reference_style.py fails: "
                    + Files.readString(bench.folder.resolve("python.log"))
                            .strip()
                            .replace('\n', ' '));
        }
        JsonNode told = new ObjectMapper().readTree(result.toFile());
        double[] ours = ours(bench, checkpoints, tokens, told.path("max_corr"));
        double theirs = told.path("seconds").asDouble();
        String how = String.format(
                Locale.ROOT,
                "two models of %s, %d tokens, one rotation; the script %.1f s (PyTorch %s with plain products at %.0f GFLOP/s,"
                        + " %.1f s of it the correlation alone),"
                        + " activate and correlate %.1f s (wall clock; both with %d threads)",
                model,
                rows * model.context(),
                theirs,
                told.path("torch").asText(),
                told.path("gflops").asDouble(),
                told.path("seconds_correlation").asDouble(),
                ours[0],
                bench.threads());
        return List.of(line(theirs / ours[0], how), agreement(ours[1], "all neurons of the slice"));
    }

    private String withTorch(Bench bench) throws Exception {
        for (String python : pythons) {
            if (execute(bench, List.of(python, "-c", "import torch")) == 0) {
                return python;
            }
        }
        throw new NotMeasured("none of " + pythons + " has torch (Debian: python3-torch)");
    }

    /** Seconds on the wall, and the largest difference from the script's correlations. */
    private double[] ours(Bench bench, List<Path> checkpoints, Path tokens, JsonNode expected) throws Exception {
        List<Object> command = new ArrayList<>(List.of("correlate", "--activations"));
        double[] result = new double[2];
        for (Path checkpoint : checkpoints) {
            Path out = bench.fresh("activations");
            result[0] += Clock.WALL.seconds(() -> bench.stage(
                    "activate", "--checkpoint", checkpoint, "--tokens", tokens, "--dtype", "f32", "--out", out));
            command.add(out);
        }
        Path out = bench.fresh("correlations");
        command.addAll(List.of("--baseline-draws", 1, "--candidates", 0, "--memory", "4 GB", "--out", out));
        result[0] += Clock.WALL.seconds(() -> bench.stage(command.toArray()));
        CsvTable table = CsvTable.read(out.resolve("random-s1-t0__random-s2-t0.csv"), "max_corr");
        for (int row = 0; row < table.size(); row++) {
            double difference =
                    table.number(row, "max_corr") - expected.path(row).asDouble();
            result[1] = Math.max(result[1], Double.isNaN(difference) ? 0 : Math.abs(difference));
        }
        return result;
    }

    private static int execute(Bench bench, List<String> command) throws Exception {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(bench.folder.resolve("python.log").toFile())
                    .start();
        } catch (java.io.IOException e) {
            return -1; // no such interpreter
        }
        try {
            return process.waitFor(30, TimeUnit.MINUTES) ? process.exitValue() : -1;
        } finally {
            process.destroy();
        }
    }

    @Override
    public List<Result> unmeasured(String reason) {
        return List.of(line(null, reason), agreement(null, reason));
    }
}
