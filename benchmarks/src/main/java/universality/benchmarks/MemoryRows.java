package universality.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import universality.benchmarks.Result.Target;
import universality.data.Json;

/**
 * Peak resident memory of whole processes ({@code bin/universality}, as a task of the pipeline starts it: a quarter of the task's
 * memory, at most 8 GiB, for the Java heap, 400 MB for the engine, and the rest is {@code --memory}), at two token counts. The process itself reads the
 * largest value that the system saw (VmHWM). Sizes: {@code task_memory} (MB), {@code memory_layers}, {@code memory_width}, {@code
 * memory_vocabulary}, {@code memory_neurons} (of a layer, for correlate), {@code memory_tokens} (two counts), {@code memory_stages} (of
 * activate, correlate, ablate, and live: correlate with two models that are run, of d_mlp 4 {@code memory_width}), {@code
 * memory_minutes} (that a process may take).
 */
final class MemoryRows implements Rows {
    private static final int CONTEXT = 512;

    private static final int ENGINE = 400;

    private final int memory;
    private final int layers;
    private final int width;
    private final int neurons;
    private final int vocabulary;
    private final int[] tokens;
    private final List<String> stages;
    private final int minutes;

    MemoryRows(Arguments arguments) {
        memory = arguments.number("task_memory", 2048);
        layers = arguments.number("memory_layers", 6);
        width = arguments.number("memory_width", 768);
        neurons = arguments.number("memory_neurons", 2048);
        vocabulary = arguments.number("memory_vocabulary", 8192);
        tokens = arguments.numbers("memory_tokens", "4096,16384");
        stages = arguments.list("memory_stages", "activate,correlate,ablate");
        minutes = arguments.number("memory_minutes", 30);
    }

    private Result peak(String stage, Double value, String how) {
        return new Result(
                "memory-" + stage, "peak memory, " + stage, value, "of the task's memory", Target.atMost(1.1), how);
    }

    private Result growth(String stage, Double value, String how) {
        return new Result(
                "memory-growth-" + stage,
                "the same with " + tokens[1] / tokens[0] + " times the tokens",
                value,
                "times the peak",
                Target.atMost(1.1),
                how);
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public List<Result> measure(Bench bench) throws Exception {
        Path launcher = Bench.project().resolve("bin/universality");
        List<Result> results = new ArrayList<>();
        for (String stage : stages) {
            try {
                double small = peakBytes(bench, launcher, stage, tokens[0]);
                double large = peakBytes(bench, launcher, stage, tokens[1]);
                String how = String.format(
                        Locale.ROOT,
                        "%d MB for the task, --memory %d MB: %.0f MB at %d tokens, %.0f MB at %d",
                        memory,
                        blocks(),
                        small / (1 << 20),
                        tokens[0],
                        large / (1 << 20),
                        tokens[1]);
                results.add(peak(stage, large / (1 << 20) / memory, how));
                results.add(growth(stage, large / small, "from the same runs"));
            } catch (NotMeasured e) {
                results.add(peak(stage, null, e.getMessage()));
                results.add(growth(stage, null, e.getMessage()));
            }
        }
        return results;
    }

    /** What the launcher gives to the Java heap, in MB. */
    private int heap() {
        return Math.min(8192, memory / 4);
    }

    /** What the workflow says as {@code --memory}: the engine needs about {@value #ENGINE} MB besides. */
    private int blocks() {
        return Math.max(memory - heap() - ENGINE, memory / 4);
    }

    private double peakBytes(Bench bench, Path launcher, String stage, int count) throws Exception {
        Path out = bench.fresh("memory-" + stage);
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        List<Path> inputs = new ArrayList<>();
        command.addAll(
                switch (stage) {
                    case "activate", "ablate" -> withModel(bench, stage, count, inputs);
                    case "correlate" -> correlate(bench, count, inputs);
                    case "live" -> live(bench, count, inputs);
                    default -> throw new NotMeasured("no memory is measured for '" + stage + "'");
                });
        command.addAll(List.of("--device", "cpu", "--threads", Integer.toString(bench.threads())));
        command.addAll(List.of("--memory", blocks() + " MB", "--out", out.toString()));
        run(bench, command);
        double bytes = Json.read(out.resolveSibling(out.getFileName() + ".resources.json"))
                .path("peak_resident_bytes")
                .asDouble();
        inputs.forEach(bench::discard);
        bench.discard(out);
        if (!(bytes > 0)) {
            throw new NotMeasured("this system does not tell the peak of a process's memory");
        }
        return bytes;
    }

    private List<String> withModel(Bench bench, String stage, int count, List<Path> inputs) throws IOException {
        RandomModel model = model();
        Path checkpoint = model.checkpoint(bench.fresh("model"), 1);
        Path rows = model.tokens(bench.fresh("tokens"), Math.max(1, count / model.context()));
        inputs.addAll(List.of(checkpoint, rows));
        List<String> line = new ArrayList<>(List.of(stage, "--checkpoint", checkpoint.toString()));
        line.addAll(List.of("--tokens", rows.toString()));
        if (stage.equals("ablate")) {
            Path table = model.neurons(bench.fresh("neurons"), 0.02);
            inputs.add(table);
            // of each control one draw: how many there are does not matter for memory
            line.addAll(List.of("--neurons", table.toString(), "--draws", "1"));
        }
        return line;
    }

    private RandomModel model() {
        return new RandomModel(layers, Math.max(1, width / 64), width, vocabulary, Math.min(CONTEXT, tokens[0]));
    }

    private List<String> live(Bench bench, int count, List<Path> inputs) throws IOException {
        RandomModel model = model();
        List<String> line = new ArrayList<>(List.of("correlate"));
        for (int seed = 1; seed <= 2; seed++) {
            Path checkpoint = model.checkpoint(bench.fresh("model"), seed);
            inputs.add(checkpoint);
            line.addAll(List.of("--checkpoint", checkpoint.toString()));
        }
        Path rows = model.tokens(bench.fresh("tokens"), Math.max(1, count / model.context()));
        inputs.add(rows);
        line.addAll(List.of("--tokens", rows.toString(), "--baseline-draws", "1"));
        return line;
    }

    private List<String> correlate(Bench bench, int count, List<Path> inputs) {
        List<String> line = new ArrayList<>(List.of("correlate", "--activations"));
        for (int seed = 1; seed <= 2; seed++) {
            Path model = bench.fresh("planted");
            new PlantedActivations(layers, neurons, count).write(model, seed);
            inputs.add(model);
            line.add(model.toString());
        }
        line.addAll(List.of("--baseline-draws", "1"));
        return line;
    }

    private void run(Bench bench, List<String> command) throws Exception {
        Path log = bench.fresh("log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("UNIVERSALITY_MEMORY", Integer.toString(memory));
        Process process = builder.start();
        try {
            if (!process.waitFor(minutes, TimeUnit.MINUTES)) {
                throw new NotMeasured("'" + command.get(1) + "' takes more than " + minutes + " minutes");
            }
        } finally {
            process.destroy();
        }
        if (process.exitValue() != 0) {
            throw new NotMeasured("'" + command.get(1) + "' ends with " + process.exitValue() + ": "
                    + Files.readString(log).strip().lines().findFirst().orElse("no message"));
        }
    }

    @Override
    public List<Result> unmeasured(String reason) {
        List<Result> results = new ArrayList<>();
        for (String stage : stages) {
            results.add(peak(stage, null, reason));
            results.add(growth(stage, null, reason));
        }
        return results;
    }
}
