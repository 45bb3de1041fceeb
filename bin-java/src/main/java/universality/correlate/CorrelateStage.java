package universality.correlate;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import universality.data.ExitCode;
import universality.data.Ids;
import universality.data.Json;
import universality.data.OutputFolder;
import universality.data.Phases;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.Arithmetic;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * The stage {@code correlate}: every neuron of every checkpoint with every neuron of every other one of the same step, and the
 * rotation baseline; or ({@link #diagonal}) each neuron with itself between checkpoints of one seed.
 */
public final class CorrelateStage implements AutoCloseable {
    /**
     * Settings.
     *
     * @param pairs {@code A:B} each; empty: all (in a control: the first checkpoint with each other one)
     * @param draws rotations for the baseline
     * @param top partners listed of each neuron
     * @param candidates partners of each neuron whose sums by groups of documents are kept, at most {@code top}; 0: none
     * @param control {@code none} or a control's name (docs/methods.md)
     * @param precision of the products of all pairs; {@link Precision#BF16} and {@link Precision#INT8} become {@link
     *     Precision#EXACT} on a device that is not fast at them and for few positions, and {@link Precision#SKETCH} where sketches would not be much shorter than the text
     * @param sketchSize rows of a sketch
     * @param memoryBytes for everything that is not on Java's heap
     */
    public record Settings(
            List<String> pairs,
            int draws,
            long baselineSeed,
            int top,
            int candidates,
            String control,
            String group,
            Precision precision,
            int sketchSize,
            long memoryBytes) {}

    /** Neurons of a layer; CUDA multiplies integers in no fewer than 17 rows. */
    private static final int LEAST_WHOLE_ON_GPU = 24;

    /** With fewer positions than so many times the size of a sketch, sketches are not used. */
    private static final int LEAST_COMPRESSION = 4;

    /**
     * Positions from which on rounding moves no baseline by more than 10⁻⁴: with 65,536 it moved those of 3,072 neurons by 5·10⁻⁵ on
     * the average and 2.4·10⁻⁴ at most, and it falls with the root of the positions.
     */
    private static final long LEAST_ROUNDED = 128L * Source.BLOCK;

    private final List<Activations> models = new ArrayList<>();
    private final List<LiveActivations> live = new ArrayList<>();
    private final Settings settings;
    private final Phases phases = new Phases();
    private final Arithmetic arithmetic;
    private final Consumer<String> say;

    /**
     * Opens activation folders.
     *
     * @param say takes lines that the user should see
     * @throws ToolException if there are fewer than two, one twice, or their tokens differ
     */
    public CorrelateStage(List<Path> activations, Settings settings, Consumer<String> say) {
        this.settings = settings;
        this.arithmetic = null;
        this.say = say;
        activations.forEach(folder -> models.add(new StoredActivations(folder)));
        check();
    }

    /** As the other one, telling nobody. */
    public CorrelateStage(List<Path> activations, Settings settings) {
        this(activations, settings, line -> {});
    }

    /**
     * Opens checkpoints, whose activations are going to be computed and not stored.
     *
     * @param tokens token rows of one split
     * @param arithmetic of the forward pass
     * @param say takes lines that the user should see
     * @throws ToolException if there are fewer than two checkpoints, or one twice
     */
    public CorrelateStage(
            List<Path> checkpoints, Path tokens, Arithmetic arithmetic, Settings settings, Consumer<String> say) {
        this.settings = settings;
        this.arithmetic = arithmetic;
        this.say = say;
        TokenRows rows = TokenRows.read(tokens);
        int[] kept = rows.keptPositions();
        checkpoints.forEach(checkpoint -> live.add(new LiveActivations(checkpoint, rows, kept, arithmetic)));
        models.addAll(live);
        check();
        if (settings.control().equals("token_permuted")) {
            throw ToolException.usage(
                    "--control token_permuted sets every position against another one, anywhere in the text, and so needs"
                            + " stored activations: give --activations");
        }
    }

    private void check() {
        if (models.size() < 2) {
            throw ToolException.usage(
                    "only %d checkpoint was given: correlation needs at least two (several seeds of one step)",
                    models.size());
        }
        Set<String> ids = new HashSet<>();
        Activations first = models.get(0);
        for (Activations model : models) {
            if (!ids.add(model.id())) {
                throw ToolException.usage("checkpoint '%s' was given twice", model.id());
            }
            if (!model.tokensDigest().equals(first.tokensDigest())) {
                throw ToolException.badData(
                        "activations of '%s' and '%s' are of different tokens (sha256 %.12s and %.12s): run activate on the same"
                                + " tokens",
                        first.id(), model.id(), first.tokensDigest(), model.tokensDigest());
            }
        }
    }

    /** Seconds by phase, of the last {@link #run}. */
    public Map<String, Double> seconds() {
        return phases.seconds();
    }

    /** Correlates and writes {@code out}. */
    public void run(Compute compute, Path out, boolean overwrite) throws IOException {
        requireOneStep();
        try (OutputFolder folder = OutputFolder.create(out, overwrite);
                Kernel kernel = compute.kernel("correlate")) {
            long memory = start(folder, compute, kernel);
            try (Rotations rotations =
                    new Rotations(compute.manager(), kernel, settings.baselineSeed(), memory / 4, phases)) {
                run(compute, folder, kernel, rotations, memory);
            }
            finish(folder, compute);
        }
    }

    /**
     * Loads models that are to be run.
     *
     * @return bytes that are left for correlating
     */
    private long start(OutputFolder folder, Compute compute, Kernel kernel) {
        long memory = settings.memoryBytes();
        LiveActivations.Share share = new LiveActivations.Share(memory / 4);
        for (LiveActivations model : live) {
            model.start(compute, kernel, share, line -> {
                folder.warning(line);
                say.accept(line);
            });
            memory -= model.weightBytes();
        }
        if (memory < settings.memoryBytes() / 2) {
            throw new ToolException(
                    ExitCode.HOST_MEMORY,
                    String.format(
                            "the weights of %d checkpoints take %d MB, more than half of --memory (%d MB): raise it, or correlate"
                                    + " fewer checkpoints at a time (--pairs, or store their activations)",
                            live.size(), (settings.memoryBytes() - memory) >> 20, settings.memoryBytes() >> 20));
        }
        return live.isEmpty() ? memory : memory - settings.memoryBytes() / 4;
    }

    private void run(Compute compute, OutputFolder folder, Kernel kernel, Rotations rotations, long total)
            throws IOException {
        boolean control = !settings.control().equals("none");
        RowPlan.Positions kept = models.get(0).positions();
        RowPlan plan = RowPlan.of(settings.control(), kept, settings.baselineSeed());
        Precision precision = precision(folder, compute, kept.row().length);
        Function<String, Source> first = sources(compute, kernel, precision, plan.first(), null);
        Rotations turned = settings.control().equals("rotated") ? rotations : null;
        Function<String, Source> second = control ? sources(compute, kernel, precision, plan.second(), turned) : first;
        List<Named> ids = pairs(!control);
        long memory = turned == null ? total : withoutRotations(ids, turned, total);
        List<Correlator.Pair> pairs = ids.stream()
                .map(pair -> new Correlator.Pair(first.apply(pair.a()), second.apply(pair.b()), !control))
                .toList();
        Sketcher sketcher = precision == Precision.SKETCH ? sketcher(folder, plan) : null;
        try (Correlator correlator = new Correlator(
                compute, kernel, rotations, precision, sketcher, settings.draws(), memory / 4 * 3, phases)) {
            correlator.run(
                    pairs,
                    settings.top(),
                    (done, all) ->
                            say.accept(String.format(Locale.ROOT, "%d of %d products of layers are done", done, all)));
            if (correlator.passes() > 1) {
                say.accept(String.format(
                        Locale.ROOT,
                        "activations were gone through %d times%s, since %d MB do not hold all sums: a larger --memory saves time",
                        correlator.passes(),
                        live.isEmpty()
                                ? ""
                                : String.format(Locale.ROOT, " (models run over the text %.1f times)", runs()),
                        memory >> 20));
            }
            rotations.release();
            compute.trim();
            Refinement refinement = phases.in(
                    "refinement", () -> refine(compute, kernel, precision, sketcher, correlator, pairs, memory));
            if (control || settings.candidates() == 0) {
                write(folder, correlator, pairs, refinement, null);
                return;
            }
            Groups groups = Groups.of(kept);
            compute.trim();
            try (SecondPass again = secondPass(compute, kept, groups, correlator, pairs, memory)) {
                phases.in("candidates", again::run);
                write(folder, correlator, pairs, refinement, again);
            }
            note(folder, groups);
        }
    }

    /**
     * Counts what a control's rotations are going to take, which are held to the end.
     *
     * @return bytes that are left
     * @throws ToolException (host memory) if they take more than half
     */
    private long withoutRotations(List<Named> pairs, Rotations rotations, long memory) {
        Set<String> turned = pairs.stream().map(Named::b).collect(Collectors.toSet());
        long bytes = models.stream()
                .filter(model -> turned.contains(model.id()))
                .mapToLong(model -> 4L * model.layers() * model.dMlp() * model.dMlp())
                .sum();
        if (bytes > memory / 2) {
            throw new ToolException(
                    ExitCode.HOST_MEMORY,
                    String.format(
                            Locale.ROOT,
                            "the rotations of the control take %d MB, more than half of what --memory leaves (%d MB): raise it, or"
                                    + " control fewer pairs at a time (--pairs)",
                            bytes >> 20,
                            memory >> 20));
        }
        rotations.leave(bytes / 4);
        return memory - bytes;
    }

    /** How often a model was run over the text, on average. */
    private double runs() {
        return live.stream().mapToDouble(LiveActivations::runs).average().orElse(0);
    }

    /** The precision that was asked for, or what the device does as fast. */
    private Precision precision(OutputFolder folder, Compute compute, long positions) {
        Precision precision = settings.precision();
        if (precision != Precision.EXACT && settings.top() > Shortlist.SIZE) {
            throw ToolException.usage(
                    "--top %d: with --precision %s at most %d partners are kept; use --precision exact",
                    settings.top(), precision.name().toLowerCase(Locale.ROOT), Shortlist.SIZE);
        }
        boolean slow = precision == Precision.BF16 && !compute.fastBf16()
                || precision == Precision.INT8 && !compute.fastInt8();
        if (slow) {
            String name = precision.name().toLowerCase(Locale.ROOT);
            folder.warning(
                    "this device multiplies no " + name + " matrices faster than f32 ones: precision exact was used");
            precision = Precision.EXACT;
        }
        boolean rounds = precision == Precision.BF16 || precision == Precision.INT8;
        if (rounds
                && positions < LEAST_ROUNDED
                && !Compute.tries(precision.name().toLowerCase(Locale.ROOT))) {
            folder.warning(String.format(
                    "with %d positions, fewer than %d, rounding would move baselines by more than 1e-4, and save little:"
                            + " precision exact was used",
                    positions, LEAST_ROUNDED));
            precision = Precision.EXACT;
        }
        int least = compute.device().equals("cuda") ? LEAST_WHOLE_ON_GPU : 8;
        if (precision == Precision.INT8
                && models.stream().anyMatch(model -> model.dMlp() % 8 != 0 || model.dMlp() < least)) {
            folder.warning("layers of a number of neurons that is no multiple of 8"
                    + (least > 8 ? ", or below " + least + "," : "")
                    + " have no int8 products: precision exact was used");
            precision = Precision.EXACT;
        }
        if (precision == Precision.SKETCH && positions < LEAST_COMPRESSION * (long) settings.sketchSize()) {
            folder.warning(String.format(
                    "%d positions are fewer than %d times the sketch size %d, so that sketches save nothing: precision exact was"
                            + " used",
                    positions, LEAST_COMPRESSION, settings.sketchSize()));
            precision = Precision.EXACT;
        }
        folder.parameter("precision", precision.name().toLowerCase(Locale.ROOT));
        return precision;
    }

    private Sketcher sketcher(OutputFolder folder, RowPlan plan) {
        long[] halves = {plan.first()[0].length, plan.first()[1].length};
        Sketcher sketcher = new Sketcher(settings.sketchSize(), halves, settings.baselineSeed());
        folder.parameter("sketch_size", settings.sketchSize()).parameter("sketch_error", sketcher.error(0));
        return sketcher;
    }

    /** @return {@code null} where the first pass was exact */
    private Refinement refine(
            Compute compute,
            Kernel kernel,
            Precision precision,
            Sketcher sketcher,
            Correlator correlator,
            List<Correlator.Pair> pairs,
            long memory) {
        if (precision == Precision.EXACT) {
            return null;
        }
        List<Candidates.Direction> directions = new ArrayList<>();
        pairs.forEach(pair -> directions.addAll(directions(correlator, pair)));
        Refinement refinement = new Refinement(compute, kernel, sketcher, settings.top(), memory / 2, phases);
        refinement.run(directions);
        return refinement;
    }

    private SecondPass secondPass(
            Compute compute,
            RowPlan.Positions kept,
            Groups groups,
            Correlator correlator,
            List<Correlator.Pair> pairs,
            long memory) {
        int each = Math.min(settings.candidates(), settings.top());
        Map<Candidates.Direction, int[]> partners = new LinkedHashMap<>();
        for (Correlator.Pair pair : pairs) {
            for (Candidates.Direction direction : directions(correlator, pair)) {
                partners.put(direction, Candidates.best(direction, each));
            }
        }
        return new SecondPass(compute, kept, groups, new Candidates(partners, each), memory / 2);
    }

    private static List<Candidates.Direction> directions(Correlator correlator, Correlator.Pair pair) {
        List<Candidates.Direction> directions = new ArrayList<>();
        directions.add(new Candidates.Direction(pair.a(), pair.b(), correlator.table(pair)));
        if (correlator.reverse(pair) != null) {
            directions.add(new Candidates.Direction(pair.b(), pair.a(), correlator.reverse(pair)));
        }
        return directions;
    }

    /** Says how the positions were cut into groups. */
    private void note(OutputFolder folder, Groups groups) {
        folder.parameter("candidates", Math.min(settings.candidates(), settings.top()))
                .parameter("groups", groups.count())
                .parameter("group_unit", groups.unit());
        if (groups.unit().equals("row")) {
            folder.warning("there are fewer than " + Groups.WANTED
                    + " documents, so standard errors are over groups of rows: they"
                    + " may be far too small, since rows of one document are not independent");
        }
    }

    /** Sources by checkpoint id, each made when it is first asked for. */
    private Function<String, Source> sources(
            Compute compute, Kernel kernel, Precision precision, int[][] rows, Rotations rotations) {
        Map<String, Source> made = new HashMap<>();
        return id -> made.computeIfAbsent(id, i -> {
            Activations model =
                    models.stream().filter(m -> m.id().equals(i)).findFirst().orElseThrow();
            return phases.in("opening", () -> {
                Source source = new Source(compute.manager(), kernel, model, rows, rotations);
                if (precision == Precision.INT8) {
                    source.quantise(compute.manager());
                }
                return source;
            });
        });
    }

    private void requireOneStep() {
        Activations first = models.get(0);
        for (Activations model : models) {
            if (model.step() != first.step()) {
                throw ToolException.usage(
                        "checkpoints '%s' (step %d) and '%s' (step %d) are of different steps: correlate one step at a time, or"
                                + " use --diagonal",
                        first.id(), first.step(), model.id(), model.step());
            }
        }
    }

    /** Ids of two models. */
    private record Named(String a, String b) {}

    /** @param every all pairs, if none are named; else those of the first model */
    private List<Named> pairs(boolean every) {
        List<Named> pairs = new ArrayList<>();
        List<String> ids = models.stream().map(Activations::id).toList();
        if (!settings.pairs().isEmpty()) {
            Set<Set<String>> named = new HashSet<>();
            for (String pair : settings.pairs()) {
                String[] pairIds = pair.split(":", -1);
                if (pairIds.length != 2
                        || !ids.contains(pairIds[0])
                        || !ids.contains(pairIds[1])
                        || pairIds[0].equals(pairIds[1])) {
                    throw ToolException.usage("--pairs '%s' is not A:B with two of %s", pair, ids);
                }
                if (!named.add(Set.of(pairIds))) {
                    throw ToolException.usage(
                            "--pairs names '%s' and '%s' together twice: one pair gives both directions",
                            pairIds[0], pairIds[1]);
                }
                pairs.add(new Named(pairIds[0], pairIds[1]));
            }
            return pairs;
        }
        for (int a = 0; a < (every ? ids.size() : 1); a++) {
            for (int b = a + 1; b < ids.size(); b++) {
                pairs.add(new Named(ids.get(a), ids.get(b)));
            }
        }
        return pairs;
    }

    /**
     * @param refinement {@code null} where the first pass was exact
     * @param sums {@code null} where there was no second pass
     */
    private void write(
            OutputFolder folder,
            Correlator correlator,
            List<Correlator.Pair> pairs,
            Refinement refinement,
            SecondPass sums)
            throws IOException {
        List<Map<String, Object>> summaries = new ArrayList<>();
        Set<Source> written = new HashSet<>();
        for (Correlator.Pair pair : pairs) {
            PairTable table = correlator.table(pair);
            for (Candidates.Direction direction : directions(correlator, pair)) {
                PairTable back = direction.table() == table ? correlator.reverse(pair) : table;
                Map<String, Object> summary = write(folder, direction, back, sums);
                if (refinement != null) {
                    summary.put("refinement", refinement.outcome(direction));
                }
                summaries.add(summary);
                if (sums != null && written.add(direction.a())) {
                    sums.writeSums(
                            direction.a(), folder.file(direction.a().model.id() + ".groups.safetensors"));
                }
            }
        }
        List<Map<String, Object>> checkpoints = new ArrayList<>();
        for (Activations model : models) {
            checkpoints.add(
                    Map.of("id", model.id(), "family", model.family(), "seed", model.seed(), "step", model.step()));
        }
        Json.write(folder.file("summary.json"), Map.of("checkpoints", checkpoints, "pairs", summaries));
    }

    private Map<String, Object> write(
            OutputFolder folder, Candidates.Direction direction, PairTable back, SecondPass sums) {
        Source a = direction.a();
        Source b = direction.b();
        String name = a.model.id() + "__" + b.model.id();
        SecondPass.Shares shares = sums == null ? null : sums.shares(direction);
        PairWriter writer = new PairWriter(direction.table(), back, a, b, shares);
        PairWriter.Summary summary = writer.write(folder.file(name + ".csv"));
        writer.writeHistogram(folder.file(name + ".histogram.safetensors"));
        if (sums != null) {
            sums.writeProducts(direction, folder.file(name + ".candidates.safetensors"));
        }
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("a", a.model.id());
        entry.put("b", b.model.id());
        entry.put("kept", a.count(0));
        entry.put("neurons_a", a.model.neurons());
        entry.put("dead_a", summary.dead());
        entry.put("neurons_b", b.model.neurons());
        entry.put("dead_b", dead(b));
        entry.put("mean_max_corr", defined(summary.meanMaxCorr()));
        entry.put("mean_baseline", defined(summary.meanBaseline()));
        return entry;
    }

    private static long dead(Source source) {
        long dead = 0;
        for (boolean alive : PairWriter.alive(source, 0)) {
            dead += alive ? 0 : 1;
        }
        return dead;
    }

    private static Double defined(double value) {
        return Double.isFinite(value) ? value : null;
    }

    private void finish(OutputFolder folder, Compute compute) {
        Activations first = models.get(0);
        boolean oneFamily = models.stream().allMatch(m -> m.family().equals(first.family()));
        folder.parameter("step", first.step())
                .parameter("family", oneFamily ? first.family() : "mixed")
                .parameter("baseline_draws", settings.draws())
                .parameter("baseline_seed", settings.baselineSeed())
                .parameter("top", settings.top())
                .parameter("control", settings.control())
                .parameter("checkpoints", models.stream().map(Activations::id).toList());
        record(folder, compute);
        folder.commit("correlate", group(oneFamily ? first.family() + "-t" + first.step() : "t" + first.step()));
    }

    private void record(OutputFolder folder, Compute compute) {
        Activations first = models.get(0);
        models.forEach(model -> folder.input(model.role(), model.manifest()));
        if (!live.isEmpty()) {
            folder.parameter("activations", "live").parameter("compute", arithmetic.toString());
        }
        folder.input("tokens", "tokens", first.tokensDigest())
                .count("kept", first.kept())
                .device(compute.device());
    }

    private String group(String usual) {
        return settings.group() == null ? usual : Ids.check("--group", settings.group());
    }

    /** Correlates each neuron with itself between all checkpoints of one seed and writes {@code out}. */
    public void diagonal(Compute compute, Path out, boolean overwrite) {
        models.sort(java.util.Comparator.comparingLong(Activations::step));
        Activations first = models.get(0);
        for (Activations model : models) {
            if (model.seed() != first.seed() || !model.family().equals(first.family())) {
                throw new ToolException(
                        ExitCode.USAGE,
                        "--diagonal compares checkpoints of one seed, but '" + first.id() + "' and '" + model.id()
                                + "' are of different seeds or families");
            }
        }
        try (OutputFolder folder = OutputFolder.create(out, overwrite);
                Kernel kernel = compute.kernel("correlate")) {
            start(folder, compute, kernel);
            RowPlan plan = RowPlan.of("none", first.positions(), settings.baselineSeed());
            Function<String, Source> sources = sources(compute, kernel, Precision.EXACT, plan.first(), null);
            List<Source> bySteps =
                    models.stream().map(m -> sources.apply(m.id())).toList();
            new Diagonal(compute, kernel, bySteps).run(folder);
            folder.parameter("family", first.family())
                    .parameter("seed", first.seed())
                    .parameter("steps", models.stream().map(Activations::step).toList())
                    .parameter("diagonal", true);
            record(folder, compute);
            folder.commit("correlate", group(first.family() + "-s" + first.seed() + "-self"));
        }
    }

    @Override
    public void close() {
        models.forEach(Activations::close);
    }
}
