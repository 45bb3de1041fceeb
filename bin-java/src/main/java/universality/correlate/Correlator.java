package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import universality.data.Dtype;
import universality.data.Phases;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Correlates the neurons of several models pair by pair. The work is cut into units, each a product of some layers with others
 * (or with themselves, for the covariances that the rotation baseline needs): one layer where layers are wide, several where
 * they are narrow, since products of narrow matrices are slow. As many units as fit the memory are summed in one pass over the
 * token blocks, each block being read and standardised once for all of them; then they are reduced, layer by layer, and
 * dropped. One product serves both directions of a pair.
 *
 * <p>Blocks have {@value Source#BLOCK} positions. With {@link Precision#EXACT}, products over part of one are F32 ({@link #chunk}),
 * their sums F64, one for each half of the positions; the whole is the sum of the halves. With {@link Precision#BF16}, products
 * of a block are BF16 and their sums F32; with {@link Precision#INT8}, both are I32, as long as that holds them ({@link
 * Totals}); the tables then hold shortlists of partners with certain bounds ({@link Bounds}). With {@link Precision#SKETCH},
 * products are of sketches of the positions ({@link Sketcher}), which are made once for several groups of units, and bounds hold
 * with a probability.
 */
final class Correlator implements AutoCloseable {
    /** One ordered pair wanted; {@code both}: the other direction as well. */
    record Pair(Source a, Source b, boolean both) {}

    private final Compute compute;
    private final Kernel kernel;
    /** {@code null} where there are no products of whole numbers. */
    private final Kernel integers;

    private final Precision precision;
    private final Correlations correlations;
    private final Baselines baselines;
    /** {@code null} where there are no sketches. */
    private final Sketcher sketcher;

    private final int draws;
    private final long memory;
    private final Phases phases;
    private final Map<Pair, PairTable> forward = new LinkedHashMap<>();
    private final Map<Pair, PairTable> backward = new LinkedHashMap<>();

    private final Set<Layers> summed = new HashSet<>();
    /** In one order for all units, whichever come together: in controls the two models of a pair have their blocks in different orders. */
    private List<Source.Block> blocks;

    private long positions;
    private final Map<Source, Noise> noise = new HashMap<>();
    private int passes;

    /**
     * @param sketcher with {@link Precision#SKETCH}, else {@code null}
     * @param memoryBytes what sums and blocks may take
     */
    Correlator(
            Compute compute,
            Kernel kernel,
            Rotations rotations,
            Precision precision,
            Sketcher sketcher,
            int draws,
            long memoryBytes,
            Phases phases) {
        this.compute = compute;
        this.kernel = kernel;
        this.integers = precision == Precision.INT8 ? compute.kernel("integers") : null;
        this.precision = precision;
        this.correlations = new Correlations(kernel, integers, precision);
        this.baselines = new Baselines(kernel, rotations, correlations, draws, phases);
        this.sketcher = sketcher;
        this.draws = draws;
        this.memory = memoryBytes;
        this.phases = phases;
    }

    /** Is told how many of all products of layers are done. */
    interface Progress {
        void done(int products, int all);
    }

    /**
     * Correlates all pairs; the tables are found by {@link #table} and {@link #reverse} afterwards.
     *
     * @param progress is told after each pass but the last, for passes may take hours
     */
    void run(List<Pair> pairs, int top, Progress progress) {
        boolean exact = precision == Precision.EXACT;
        Source first = pairs.get(0).a();
        blocks = first.blocks();
        positions = first.count(0);
        for (Pair pair : pairs) {
            forward.put(pair, new PairTable(compute.manager(), pair.a(), pair.b(), top, draws, exact));
            if (pair.both()) {
                backward.put(pair, new PairTable(compute.manager(), pair.b(), pair.a(), top, draws, exact));
            }
        }
        List<Unit> units = units(pairs);
        for (int from = 0; from < units.size(); ) {
            int to = sketcher == null ? fitting(units, from, memory) : sketched(units, from);
            List<Unit> group = units.subList(from, to);
            expect(group);
            if (sketcher == null) {
                runGroup(group, memory, this::accumulate);
            } else {
                runSketches(group);
            }
            passes++;
            from = to;
            if (from < units.size()) {
                progress.done(from, units.size());
            }
        }
        noise.values().forEach(Noise::close);
        noise.clear();
    }

    /** Neurons of a against those of b. */
    PairTable table(Pair pair) {
        return forward.get(pair);
    }

    /** Neurons of b against those of a, where both directions were wanted. */
    PairTable reverse(Pair pair) {
        return backward.get(pair);
    }

    /** How often activations were read, since not all sums fit into memory. */
    int passes() {
        return passes;
    }

    private long bytes(Unit unit) {
        boolean single = precision == Precision.BF16 || precision == Precision.INT8 && staysWhole(unit);
        return 2L * (single ? 4 : 8) * unit.shape().size();
    }

    /** Whether it is known that I32 holds the sums of a unit. */
    private boolean staysWhole(Unit unit) {
        double[] most = new double[2];
        for (Source.Block block : blocks) {
            most[block.half()] += unit.most(block);
        }
        return Math.max(most[0], most[1]) <= Integer.MAX_VALUE;
    }

    /** The end of the group of units that begins at {@code from}: as many as fit {@code available} bytes, at least one. */
    private int fitting(List<Unit> units, int from, long available) {
        Set<Layers> loaded = new HashSet<>();
        boolean reads = sketcher == null; // else there are sketches, which are counted already
        long sums = 0;
        long blocks = 0;
        long most = 0;
        Set<Source> rounded = new HashSet<>();
        for (int at = from; at < units.size(); at++) {
            Unit unit = units.get(at);
            sums += bytes(unit);
            for (Layers layers : List.of(unit.a(), unit.b())) {
                blocks += reads && loaded.add(layers) ? blockType().bytes() * layers.size(Source.BLOCK) : 0;
                if (precision == Precision.INT8 && rounded.add(layers.source())) {
                    blocks += Noise.bytes(layers.source().width());
                }
            }
            // while a block is summed: its product, and one layer as it is read; while a unit is reduced: one pair of
            // layers
            long reading = reads ? 3 * 4 * unit.a().size(Source.BLOCK) : 0;
            long summing = blocks + 4 * unit.shape().size() + reading;
            most = Math.max(most, Math.max(summing, unit.reducing()));
            if (at > from && sums + Math.max(most, summing) > available) {
                return at;
            }
        }
        return units.size();
    }

    /** The end of the units whose sketches fit half of the memory: the other half is for their sums, some units at a time. */
    private int sketched(List<Unit> units, int from) {
        Set<Layers> all = new HashSet<>();
        long sketches = 0;
        for (int at = from; at < units.size(); at++) {
            for (Layers layers : List.of(units.get(at).a(), units.get(at).b())) {
                sketches += all.add(layers) ? sketchBytes(layers) : 0;
            }
            if (at > from && sketches > memory / 2) {
                return at;
            }
        }
        return units.size();
    }

    /** Of the sketches of layers, and of what is read for them where all layers of a model come together. */
    private long sketchBytes(Layers layers) {
        long read = layers.source().model.costsWhatLiesBetween() ? Source.BLOCK : 0;
        return 4 * layers.size(read + sketcher.buckets(0) + sketcher.buckets(1));
    }

    /**
     * Covariances within each layer that is going to be rotated come before the pairs that need them. Units of a pair come in
     * square tiles, so that a group needs few layers at a time.
     */
    private List<Unit> units(List<Pair> pairs) {
        List<Unit> units = new ArrayList<>();
        if (draws > 0) {
            Set<Source> rotated = new LinkedHashSet<>();
            for (Pair pair : pairs) {
                rotated.add(pair.b());
                if (pair.both()) {
                    rotated.add(pair.a());
                }
            }
            for (Source source : rotated) {
                Layers.of(source).forEach(layers -> units.add(new Unit(null, layers, layers)));
            }
        }
        for (Pair pair : pairs) {
            List<Layers> rows = Layers.of(pair.a());
            List<Layers> columns = Layers.of(pair.b());
            int side = side(new Unit(pair, rows.get(0), columns.get(0)));
            for (int a = 0; a < rows.size(); a += side) {
                for (int b = 0; b < columns.size(); b += side) {
                    for (Layers row : rows.subList(a, Math.min(rows.size(), a + side))) {
                        for (Layers column : columns.subList(b, Math.min(columns.size(), b + side))) {
                            units.add(new Unit(pair, row, column));
                        }
                    }
                }
            }
        }
        return units;
    }

    /** Units in a row or column of a tile. */
    private int side(Unit unit) {
        // sums of whole numbers mostly stay whole, which is not known yet
        long bytes = bytes(unit) / (precision == Precision.INT8 ? 2 : 1);
        double side = sketcher == null
                ? Math.sqrt((double) memory / bytes)
                : memory / 2.0 / (sketchBytes(unit.a()) + sketchBytes(unit.b()));
        return (int) Math.max(1, side);
    }

    /**
     * Sums units and reduces them.
     *
     * @param available bytes for all of it
     * @param gather fills the sums
     */
    private void runGroup(List<Unit> units, long available, BiConsumer<List<Unit>, List<Totals>> gather) {
        try (NDManager group = compute.manager().newSubManager()) {
            List<Totals> totals = new ArrayList<>();
            units.forEach(unit -> totals.add(empty(group, unit)));
            gather.accept(units, totals);
            mirror(group, units, totals);
            compute.trim();
            List<Cell> cells = new ArrayList<>();
            for (int u = 0; u < units.size(); u++) {
                cells.addAll(Cell.of(units.get(u), totals.get(u)));
            }
            for (Cell cell : cells) {
                phases.in(cell.unit().self() ? "variances" : "reductions", () -> reduce(group, cell));
            }
            compute.trim();
            long sums = units.stream().mapToLong(this::bytes).sum();
            phases.in("baseline", () -> baselines.draw(group, wanted(cells), available - sums));
        }
        compute.trim();
    }

    /** Of layers with themselves only one half was summed, but for whole numbers. */
    private void mirror(NDManager group, List<Unit> units, List<Totals> totals) {
        for (int u = 0; u < units.size() && precision != Precision.INT8; u++) {
            if (units.get(u).self()) {
                for (NDArray sum : totals.get(u).sums()) {
                    kernel.call(group, "mirror", sum);
                }
            }
        }
    }

    private Totals empty(NDManager group, Unit unit) {
        DataType type =
                switch (precision) {
                    case INT8 -> DataType.INT32;
                    case BF16 -> DataType.FLOAT32;
                    default -> DataType.FLOAT64;
                };
        NDArray[] sums = new NDArray[2];
        NDArray[] whole = new NDArray[2];
        Arrays.setAll(precision == Precision.INT8 ? whole : sums, h -> group.zeros(unit.shape(), type));
        return new Totals(sums, whole, new double[2]);
    }

    /** Tells every model which of its layers the units are about; a model that none is about has nothing to keep. */
    private void expect(List<Unit> units) {
        Map<Activations, int[]> range = new LinkedHashMap<>();
        for (Layers layers : layers(units)) {
            int[] r = range.computeIfAbsent(layers.source().model, m -> new int[] {layers.from(), layers.to()});
            r[0] = Math.min(r[0], layers.from());
            r[1] = Math.max(r[1], layers.to());
        }
        for (Pair pair : forward.keySet()) {
            for (Source source : List.of(pair.a(), pair.b())) {
                if (!range.containsKey(source.model)) {
                    source.model.expect(0, 0);
                }
            }
        }
        range.forEach((model, r) -> model.expect(r[0], r[1]));
    }

    private static Set<Layers> layers(List<Unit> units) {
        Set<Layers> all = new LinkedHashSet<>();
        for (Unit unit : units) {
            all.add(unit.a());
            all.add(unit.b());
        }
        return all;
    }

    private void accumulate(List<Unit> units, List<Totals> totals) {
        Set<Layers> first = new HashSet<>();
        int chunk = precision == Precision.BF16 ? Source.BLOCK : chunk(positions);
        Set<Layers> all = layers(units);
        try (NDManager lasting = compute.manager().newSubManager()) {
            Map<Layers, NDArray> rooms = new HashMap<>();
            all.forEach(layers -> rooms.put(layers, room(lasting, layers.columns())));
            NDArray products = products(lasting, units);
            for (Source.Block block : blocks) {
                try (NDManager scope = lasting.newSubManager()) {
                    Map<Layers, NDArray> loaded = new HashMap<>();
                    load(scope, first, all, block, rooms::get, loaded::put);
                    for (int u = 0; u < units.size(); u++) {
                        addProduct(scope, units.get(u), totals.get(u), loaded, block, chunk, products);
                    }
                }
            }
        }
        summed.addAll(first);
    }

    private void addProduct(
            NDManager scope,
            Unit unit,
            Totals totals,
            Map<Layers, NDArray> loaded,
            Source.Block block,
            int chunk,
            NDArray products) {
        NDArray x = loaded.get(unit.a());
        NDArray y = loaded.get(unit.b());
        phases.in(unit.self() ? "covariances" : "products", () -> {
            if (precision == Precision.INT8) {
                addWhole(scope, unit, totals, block, x, y, products);
            } else {
                add(scope, unit, totals.sums()[block.half()], x, y, chunk, products);
            }
        });
    }

    /** Where blocks of layers are put, one after the other. */
    private NDArray room(NDManager lasting, int columns) {
        return room(kernel, lasting, Source.BLOCK, columns, blockType());
    }

    /** Where products of units are put before they are added to their sums. */
    private NDArray products(NDManager lasting, List<Unit> units) {
        long most = units.stream().mapToLong(unit -> unit.shape().size()).max().orElse(0);
        return room(kernel, lasting, 1, most, precision == Precision.INT8 ? Dtype.I32 : floating());
    }

    private Dtype blockType() {
        return precision == Precision.INT8 ? Dtype.I8 : floating();
    }

    private Dtype floating() {
        return precision == Precision.BF16 ? Dtype.BF16 : Dtype.F32;
    }

    /** By a kernel, since the engine's own call ends the process when it is asked for BF16. */
    static NDArray room(Kernel kernel, NDManager lasting, long rows, long columns, Dtype type) {
        try (NDArray like = lasting.zeros(new Shape(1))) {
            return kernel.call(lasting, "room", rows, columns, type, like).singletonOrThrow();
        }
    }

    /** When sums are moved depends on the blocks alone, not on what is known of them before. */
    private void addWhole(
            NDManager scope, Unit unit, Totals totals, Source.Block block, NDArray x, NDArray y, NDArray products) {
        int half = block.half();
        NDArray whole = totals.whole()[half];
        double most = unit.most(block);
        if (totals.most()[half] + most > Integer.MAX_VALUE) {
            if (totals.sums()[half] == null) {
                totals.sums()[half] = whole.getManager().zeros(unit.shape(), DataType.FLOAT32);
            }
            integers.call(scope, "flush", totals.sums()[half], whole);
            totals.most()[half] = 0;
        }
        totals.most()[half] += most;
        if (unit.self()) {
            integers.call(scope, "accumulate_whole_within", whole, x, products);
        } else {
            integers.call(scope, "accumulate_whole", whole, x, y, products);
        }
    }

    private void add(NDManager scope, Unit unit, NDArray total, NDArray x, NDArray y, int chunk, NDArray products) {
        // the result is the first argument itself, in another wrapper
        if (unit.self()) {
            kernel.call(scope, "accumulate_within", total, x, chunk, products);
        } else {
            kernel.call(scope, "accumulate", total, x, y, chunk, products);
        }
    }

    /** Makes the sketches of all layers of the units once, and sums the units from these, as many at a time as there is room for. */
    private void runSketches(List<Unit> units) {
        Set<Layers> all = layers(units);
        try (NDManager lasting = compute.manager().newSubManager()) {
            Map<Layers, NDArray[]> sketches = sketches(lasting, all);
            long available = memory - all.stream().mapToLong(this::sketchBytes).sum();
            for (int from = 0; from < units.size(); ) {
                int to = fitting(units, from, available);
                runGroup(units.subList(from, to), available, (some, totals) -> multiply(some, totals, sketches));
                from = to;
            }
        }
    }

    private Map<Layers, NDArray[]> sketches(NDManager lasting, Set<Layers> all) {
        Map<Layers, NDArray[]> sketches = new HashMap<>();
        for (Layers layers : all) {
            sketches.put(layers, emptySketches(lasting, layers.columns()));
        }
        NDArray[] ones = emptySketches(lasting, 1);
        Set<Layers> first = new HashSet<>();
        try (NDManager scope = lasting.newSubManager()) {
            Map<Integer, NDArray> rooms = new HashMap<>();
            all.forEach(layers -> rooms.computeIfAbsent(layers.columns(), columns -> room(scope, columns)));
            for (Source.Block block : blocks) {
                for (Source.Block part : sketcher.parts(block)) {
                    sketch(scope, all, part, rooms, sketches, ones, first);
                }
            }
        }
        summed.addAll(first);
        sketches.forEach((layers, halves) -> settle(lasting, layers, halves, ones));
        return sketches;
    }

    private void multiply(List<Unit> units, List<Totals> totals, Map<Layers, NDArray[]> sketches) {
        try (NDManager lasting = compute.manager().newSubManager()) {
            NDArray products = products(lasting, units);
            for (int u = 0; u < units.size(); u++) {
                Unit unit = units.get(u);
                for (int half = 0; half < 2; half++) {
                    NDArray x = sketches.get(unit.a())[half];
                    NDArray y = sketches.get(unit.b())[half];
                    NDArray total = totals.get(u).sums()[half];
                    try (NDManager scope = lasting.newSubManager()) {
                        phases.in(
                                unit.self() ? "covariances" : "products",
                                () -> add(scope, unit, total, x, y, Source.BLOCK, products));
                    }
                }
            }
        }
    }

    private NDArray[] emptySketches(NDManager manager, int columns) {
        NDArray[] halves = new NDArray[2];
        Arrays.setAll(halves, h -> manager.zeros(new Shape(sketcher.buckets(h), columns), DataType.FLOAT32));
        return halves;
    }

    private void sketch(
            NDManager lasting,
            Set<Layers> all,
            Source.Block part,
            Map<Integer, NDArray> rooms,
            Map<Layers, NDArray[]> sketches,
            NDArray[] ones,
            Set<Layers> first) {
        try (NDManager scope = lasting.newSubManager()) {
            Sketcher.Places places = sketcher.places(part);
            Shape shape = new Shape(Sketcher.REPETITIONS, part.size());
            NDArray bucket = scope.create(places.bucket(), shape);
            NDArray sign = scope.create(places.sign(), shape);
            NDArray one = scope.ones(new Shape(part.size(), 1));
            kernel.call(scope, "sketch", ones[part.half()], one, bucket, sign);
            load(
                    scope,
                    first,
                    all,
                    part,
                    layers -> rooms.get(layers.columns()),
                    (layers, x) -> phases.in("sketching", () -> {
                        kernel.call(scope, "sketch", sketches.get(layers)[part.half()], x, bucket, sign);
                        x.close();
                    }));
        }
    }

    /** Takes the means out of sketches, when all positions are in them. */
    private void settle(NDManager lasting, Layers layers, NDArray[] halves, NDArray[] ones) {
        int width = layers.source().width();
        double[] means = new double[layers.columns()];
        for (int layer = 0; layer < layers.size(); layer++) {
            double[] sums = layers.source().sums(layers.from() + layer, 0);
            for (int i = 0; i < width; i++) {
                means[layer * width + i] = sums[i] / layers.source().count(0);
            }
        }
        try (NDManager scope = lasting.newSubManager()) {
            NDArray mean = scope.create(means);
            for (int half = 0; half < 2; half++) {
                kernel.call(scope, "settle", halves[half], ones[half], mean);
            }
        }
    }

    /**
     * Positions that are summed in F32 before they are added in F64, which costs time in proportion to 1/k: the rounding of a sum taken
     * one by one moves a correlation by about 2⁻²⁵ k/√n, which this keeps below 3·10⁻⁷. The engine sums wide matrices in parts of some
     * hundreds, so that their error (up to 5·10⁻⁷ was seen) hardly depends on k; of narrow ones, which it may sum one by one, the kernel
     * takes fewer. Where many values of both neurons are equal and not 0, each rounding errs to the same side: parts of 256 to 384 were
     * then seen to move a correlation by up to 8·10⁻⁷, which is why {@code center} moves resting values to 0. It depends on n and the
     * widths alone, so results do not depend on memory.
     */
    private static int chunk(long positions) {
        int most = (int) Math.min(Source.BLOCK, 8 * Math.sqrt(positions));
        return Math.max(128, Integer.highestOneBit(most));
    }

    /**
     * Hands over blocks of layers, each group of layers side by side, [n, columns]; their sums are added the first time that they are
     * read. All layers of a model are read together.
     *
     * @param rooms where each group of layers is put; what is handed over is part of it
     */
    private void load(
            NDManager scope,
            Set<Layers> first,
            Set<Layers> wanted,
            Source.Block block,
            Function<Layers, NDArray> rooms,
            BiConsumer<Layers, NDArray> consumer) {
        Map<Source, List<Layers>> bySource = new LinkedHashMap<>();
        wanted.forEach(layers -> bySource.computeIfAbsent(layers.source(), s -> new ArrayList<>())
                .add(layers));
        bySource.forEach((source, groups) ->
                phases.in("reading", () -> load(scope, first, source, groups, block, rooms, consumer)));
    }

    private void load(
            NDManager scope,
            Set<Layers> first,
            Source source,
            List<Layers> groups,
            Source.Block block,
            Function<Layers, NDArray> rooms,
            BiConsumer<Layers, NDArray> consumer) {
        int[] layers = groups.stream()
                .flatMapToInt(group -> IntStream.range(group.from(), group.to()))
                .toArray();
        Iterator<Layers> rest = groups.iterator();
        Layers[] now = {rest.next()};
        source.read(scope, layers, block, (layer, raw) -> {
            Layers group = now[0];
            boolean sum = !summed.contains(group);
            if (sum) {
                first.add(group);
            }
            int column = (layer - group.from()) * source.width();
            NDArray filled = fill(scope, source, layer, block, raw, rooms.apply(group), column, sum);
            raw.close();
            if (layer == group.to() - 1) {
                consumer.accept(group, filled);
                now[0] = rest.hasNext() ? rest.next() : null;
            } else {
                filled.close();
            }
        });
    }

    private NDArray fill(
            NDManager scope,
            Source source,
            int layer,
            Source.Block block,
            NDArray raw,
            NDArray room,
            int column,
            boolean sum) {
        if (precision != Precision.INT8) {
            return source.fill(scope, layer, block, raw, room, column, sum);
        }
        Noise numbers = noise.computeIfAbsent(source, s -> new Noise(compute, integers, s));
        return source.fillWhole(scope, integers, layer, block, raw, room, column, numbers, sum);
    }

    private void reduce(NDManager group, Cell cell) {
        if (cell.unit().self()) {
            baselines.keepVariances(group, cell);
            return;
        }
        Pair pair = cell.unit().pair();
        for (int set = 0; set < Source.SETS; set++) {
            if (pair.a().count(set) == 0) {
                continue;
            }
            try (NDManager scope = group.newSubManager()) {
                NDArray rho = correlations.of(scope, cell, set, set == 0);
                take(scope, cell.a(), cell.b(), rho, set, forward.get(pair));
                if (pair.both()) {
                    NDArray turned = kernel.call(scope, "turned", rho).singletonOrThrow();
                    rho.close();
                    take(scope, cell.b(), cell.a(), turned, set, backward.get(pair));
                }
            }
        }
    }

    private void take(NDManager scope, Layer a, Layer b, NDArray rho, int set, PairTable table) {
        long[] alive = b.source().alive(b.index(), set);
        if (set > 0) {
            table.addHalf(kernel, scope, set - 1, a.index(), rho, alive);
            return;
        }
        PairTable.Bound bound = table.shortlist == null ? null : Bounds.of(precision, scope, a, b);
        table.add(kernel, scope, a.index(), b.index(), rho, alive, bound);
    }

    private List<Baselines.Wanted> wanted(List<Cell> cells) {
        List<Baselines.Wanted> wanted = new ArrayList<>();
        for (Cell cell : cells) {
            Pair pair = cell.unit().pair();
            if (draws == 0 || pair == null) {
                continue;
            }
            wanted.add(new Baselines.Wanted(cell, false, forward.get(pair)));
            if (pair.both()) {
                wanted.add(new Baselines.Wanted(cell, true, backward.get(pair)));
            }
        }
        return wanted;
    }

    @Override
    public void close() {
        if (integers != null) {
            integers.close();
        }
    }
}
