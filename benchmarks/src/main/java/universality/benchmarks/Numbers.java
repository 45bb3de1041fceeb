package universality.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import universality.data.CsvWriter;

/**
 * The numbers that this project wants to reach, measured on this machine in less than half an hour: what, how much, the target, and
 * whether it is reached. Each is a ratio to something measured in the same run, by slices of a study; what was extrapolated from
 * them is said.
 *
 * <p>Arguments (all optional, {@code name=value} or {@code --name value}): {@code csv} (file to write besides), {@code rows} (which:
 * activate, correlate, ablate, memory, reference, gpu), {@code threads}, {@code clock} ({@code wall} or {@code cpu}), {@code folder}
 * (for about 6 GB of temporary files); sizes of the slices: see the classes of the rows.
 */
public final class Numbers {
    private static final List<String> HEADER =
            List.of("row", "what", "value", "unit", "bound", "target", "reached", "how");

    private Numbers() {}

    public static void main(String[] arguments) throws Exception {
        run(System.out, arguments);
    }

    /** Measures, prints the table to {@code out}, and writes it where {@code csv} says. */
    public static List<Object> run(PrintStream out, String... words) throws Exception {
        Arguments arguments = new Arguments(words);
        List<Result> results = new ArrayList<>();
        String csv = arguments.text("csv", "");
        List<String> chosen = arguments.list("rows", "activate,correlate,ablate,memory,reference,gpu");
        try (Bench bench = new Bench(arguments)) {
            List<Rows> all = List.of(
                    new ActivateRows(arguments),
                    new CorrelateRows(arguments),
                    new AblateRows(arguments),
                    new MemoryRows(arguments),
                    new ReferenceRows(arguments),
                    new GpuRows());
            requireNames(chosen, all);
            arguments.requireKnown();
            for (Rows rows : all) {
                if (chosen.contains(rows.name())) {
                    results.addAll(measured(rows, bench));
                }
            }
            print(out, results, bench);
        }
        if (!csv.isEmpty()) {
            write(Path.of(csv), results);
        }
        return List.copyOf(results);
    }

    private static void requireNames(List<String> chosen, List<Rows> all) {
        List<String> names = all.stream().map(Rows::name).toList();
        if (!names.containsAll(chosen)) {
            throw new IllegalArgumentException("rows=" + chosen + " are not all among " + names);
        }
    }

    private static List<Result> measured(Rows rows, Bench bench) throws Exception {
        System.err.println("measuring " + rows.name() + " …");
        List<Result> results;
        try {
            results = rows.measure(bench);
        } catch (NotMeasured e) {
            results = rows.unmeasured(e.getMessage());
        }
        // at once, so that a run that is broken off was not for nothing
        results.forEach(r -> System.err.println(r.what() + ": " + r.shown() + " (" + r.how() + ")"));
        return results;
    }

    private static void print(PrintStream out, List<Result> results, Bench bench) {
        out.printf(
                Locale.ROOT,
                "%s, %d threads, times by the %s clock%n%n",
                processor(),
                bench.threads(),
                bench.clock.name().toLowerCase(Locale.ROOT));
        int what = width(results.stream().map(Result::what).toList());
        int shown = width(results.stream().map(Result::shown).toList());
        int target = width(results.stream().map(r -> text(r.target())).toList());
        String line = "%-" + what + "s  %-" + shown + "s  %-" + target + "s  %-7s%n";
        out.printf(line, "what", "measured", "target", "reached");
        for (Result r : results) {
            out.printf(line, r.what(), r.shown(), text(r.target()), r.reached());
        }
        out.println();
        results.forEach(r -> out.println(r.what() + ": " + r.how()));
    }

    private static int width(List<String> texts) {
        return Math.max(1, texts.stream().mapToInt(String::length).max().orElse(1));
    }

    private static String text(Object value) {
        return value == null ? "" : value.toString();
    }

    private static void write(Path file, List<Result> results) {
        try (CsvWriter table = new CsvWriter(file, HEADER)) {
            for (Result r : results) {
                Result.Target target = r.target();
                table.row(
                        r.row(),
                        r.what(),
                        r.value(),
                        r.unit(),
                        target == null ? null : target.least() ? "at_least" : "at_most",
                        target == null ? null : target.bound(),
                        r.reached(),
                        r.how());
            }
        }
    }

    /** The processor's name, where the system tells. */
    private static String processor() {
        Path file = Path.of("/proc/cpuinfo");
        try {
            if (Files.isReadable(file)) {
                return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
                        .filter(l -> l.startsWith("model name"))
                        .map(l -> l.substring(l.indexOf(':') + 1).strip())
                        .findFirst()
                        .orElse(System.getProperty("os.arch"));
            }
        } catch (IOException e) {
            return System.getProperty("os.arch"); // only for show
        }
        return System.getProperty("os.arch");
    }
}
