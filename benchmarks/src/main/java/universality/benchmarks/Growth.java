package universality.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import universality.data.CsvWriter;

/**
 * How the time of {@code activate} and {@code correlate} grows with tokens, neurons (layers) and pairs, one at a time with the
 * others fixed, beside the number of operations: it must grow no faster than they do. Writes a table and a plot.
 *
 * <p>Arguments (all optional, {@code name=value} or {@code --name value}): {@code csv}, {@code svg} (files to write), {@code
 * stages}, {@code tokens}, {@code layers}, {@code seeds} (lists; of each the first is what the others are measured at), {@code
 * neurons} (of a layer, for correlate), {@code width}, {@code context}, {@code vocabulary} (of the model, for activate), {@code
 * draws}, {@code memory}, {@code repeats} (the least time counts), {@code threads}, {@code clock}, {@code folder}.
 */
public final class Growth {
    /**
     * One run.
     *
     * @param axis what grows: tokens, layers or seeds
     */
    record Point(String stage, String axis, long size, double flops, double seconds) {}

    private final Bench bench;
    private final int[] tokens;
    private final int[] layers;
    private final int[] seeds;
    private final int neurons;
    private final RandomModel model;
    private final int draws;
    private final String memory;
    private final int repeats;
    private final Map<String, Path> made = new LinkedHashMap<>();

    private Growth(Bench bench, Arguments arguments) {
        this.bench = bench;
        tokens = arguments.numbers("tokens", "8192,16384,32768,65536");
        layers = arguments.numbers("layers", "2,4,8");
        seeds = arguments.numbers("seeds", "2,3,4,5");
        neurons = arguments.number("neurons", 1024);
        int width = arguments.number("width", 256);
        model = new RandomModel(
                layers[0],
                Math.max(1, width / 64),
                width,
                arguments.number("vocabulary", 1024),
                arguments.number("context", 256));
        draws = arguments.number("draws", 1);
        memory = arguments.text("memory", "4 GB");
        repeats = arguments.number("repeats", 2);
    }

    public static void main(String[] words) throws Exception {
        run(System.out, words);
    }

    /** Measures, prints to {@code out} and writes the files that were asked for. */
    public static List<Point> run(PrintStream out, String... words) throws Exception {
        Arguments arguments = new Arguments(words);
        String csv = arguments.text("csv", "");
        String svg = arguments.text("svg", "");
        List<String> stages = arguments.list("stages", "activate,correlate");
        List<Point> points = new ArrayList<>();
        try (Bench bench = new Bench(arguments)) {
            Growth growth = new Growth(bench, arguments);
            arguments.requireKnown();
            if (stages.contains("activate")) {
                points.addAll(growth.activate());
            }
            if (stages.contains("correlate")) {
                points.addAll(growth.correlate());
            }
        }
        print(out, points);
        if (!csv.isEmpty()) {
            write(Path.of(csv), points);
        }
        if (!svg.isEmpty()) {
            GrowthPlot.write(Path.of(svg), points);
        }
        return points;
    }

    private List<Point> activate() throws Exception {
        List<Point> points = new ArrayList<>();
        for (int count : tokens) {
            points.add(activate("tokens", count, layers[0]));
        }
        for (int more : layers) {
            points.add(activate("layers", tokens[0], more));
        }
        return points;
    }

    private Point activate(String axis, int count, int depth) throws Exception {
        RandomModel deep = new RandomModel(depth, model.heads(), model.width(), model.vocabulary(), model.context());
        Path checkpoint = make("model-" + depth, path -> deep.checkpoint(path, 1));
        int rows = Math.max(1, count / model.context());
        Path rowsFolder = make("tokens-" + rows, path -> deep.tokens(path, rows));
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < repeats; i++) {
            Path out = bench.fresh("activations");
            double seconds = bench.stage(
                    "activate", "--checkpoint", checkpoint, "--tokens", rowsFolder, "--dtype", "f16", "--out", out);
            best = Math.min(best, seconds);
            bench.discard(out);
        }
        double flops = deep.activationFlops() * rows * model.context();
        return new Point("activate", axis, axis.equals("tokens") ? count : depth, flops, best);
    }

    private List<Point> correlate() throws Exception {
        List<Point> points = new ArrayList<>();
        for (int count : tokens) {
            points.add(correlate("tokens", count, layers[0], seeds[0]));
        }
        for (int more : layers) {
            points.add(correlate("layers", tokens[0], more, seeds[0]));
        }
        for (int more : seeds) {
            points.add(correlate("seeds", tokens[0], layers[0], more));
        }
        return points;
    }

    private Point correlate(String axis, int count, int depth, int models) throws Exception {
        PlantedActivations planted = new PlantedActivations(depth, neurons, count);
        List<Object> command = new ArrayList<>(List.of("correlate", "--activations"));
        for (int seed = 1; seed <= models; seed++) {
            int s = seed;
            command.add(make("planted-" + depth + "-" + count + "-" + seed, path -> planted.write(path, s)));
        }
        command.addAll(List.of("--baseline-draws", draws, "--candidates", 0, "--memory", memory, "--out"));
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < repeats; i++) {
            Path out = bench.fresh("correlations");
            List<Object> line = new ArrayList<>(command);
            line.add(out);
            best = Math.min(best, bench.stage(line.toArray()));
            bench.discard(out);
        }
        long size = axis.equals("tokens") ? count : axis.equals("layers") ? depth : models;
        return new Point("correlate", axis, size, correlationFlops(count, depth, models), best);
    }

    /**
     * Products of pairs and of layers with themselves; a rotation of each layer (QR 8/3 d³); a product with it for each pair, direction
     * and half, and for the variances of each set; and what turns these products into those of the draws after the first.
     */
    private double correlationFlops(double count, double depth, double models) {
        double d = neurons;
        double products = models * (models - 1) / 2 * depth * depth;
        double own = models * depth;
        return 2 * count * d * d * (products + own)
                + own * 8 / 3 * d * d * d
                + 2 * d * d * d * (4 * products + 3 * own)
                + 2 * d * d * small() * 2 * products * (draws + 2 * halved() - 3);
    }

    /** Draws that are of the halves too, as {@code correlate} has them. */
    private int halved() {
        return Math.min(draws, Math.max(2, (draws + 4) / 5));
    }

    /** p + q, the widths of the rotations that draws after the first are made by (docs/methods.md, "Draws share a product"). */
    private int small() {
        int p = neurons < 256 ? 1 : (int) Math.sqrt(neurons);
        while (neurons % p > 0) {
            p--;
        }
        return p + neurons / p;
    }

    private interface Maker {
        void write(Path path) throws IOException;
    }

    /** An input, written when it is first needed. */
    private Path make(String name, Maker maker) throws IOException {
        Path path = made.get(name);
        if (path == null) {
            path = bench.fresh(name);
            maker.write(path);
            made.put(name, path);
        }
        return path;
    }

    /**
     * d log(time) / d log(operations) between two runs; 1: the time grows as the operations do. NaN where they are the same.
     */
    static double exponent(Point from, Point to) {
        return Math.log(to.seconds() / from.seconds()) / Math.log(to.flops() / from.flops());
    }

    /** The points of one stage and axis, in order of size. */
    static Map<String, List<Point>> series(List<Point> points) {
        Map<String, List<Point>> series = new LinkedHashMap<>();
        points.forEach(p -> series.computeIfAbsent(p.stage() + " by " + p.axis(), k -> new ArrayList<>())
                .add(p));
        return series;
    }

    private static void print(PrintStream out, List<Point> points) {
        out.printf("%-20s %10s %12s %10s %10s %9s%n", "", "size", "operations", "seconds", "GFLOP/s", "exponent");
        series(points).forEach((name, line) -> {
            for (Point p : line) {
                double exponent = exponent(line.get(0), p);
                out.printf(
                        Locale.ROOT,
                        "%-20s %10d %12.3g %10.3f %10.1f %9s%n",
                        name,
                        p.size(),
                        p.flops(),
                        p.seconds(),
                        p.flops() / p.seconds() / 1e9,
                        Double.isFinite(exponent) ? String.format(Locale.ROOT, "%.2f", exponent) : "");
            }
        });
        out.println(
                "exponent: d log(seconds) / d log(operations) from the first of each; at most 1 if time grows no faster");
    }

    private static void write(Path file, List<Point> points) {
        try (CsvWriter table = new CsvWriter(file, List.of("stage", "axis", "size", "flops", "seconds", "exponent"))) {
            series(points)
                    .forEach((name, line) -> line.forEach(p -> table.row(
                            p.stage(), p.axis(), p.size(), p.flops(), p.seconds(), exponent(line.get(0), p))));
        }
    }
}
