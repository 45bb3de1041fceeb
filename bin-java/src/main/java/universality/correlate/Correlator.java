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
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
 * of a block are BF16 and their sums F32; with {@link Precision#INT8}, both are I32, as long as that holds them ({@link Totals}); the tables then hold shortlists of partners with certain bounds ({@link #bound}). With {@link
 * Precision#SKETCH}, products are of sketches of the positions ({@link Sketcher}), which are made once for several groups of units, and bounds
 * hold with a probability.
 */
final class Correlator implements AutoCloseable {
    /** One ordered pair wanted; {@code both}: the other direction as well. */
    record Pair(Source a, Source b, boolean both) {}

    /** Columns that a product should have, where the layers of a model give them. */
    private static final int WIDTH = 1024;

    /**
     * Arrays of the size of one layer's correlations with another's that a reduction needs at a time, F64, on a GPU, where all rows
     * are taken at once.
     */
    private static final int REDUCTION_ARRAYS = 9;

    /** Unit roundoff of BF16 and of F32. */
    private static final double HALF = 0x1p-8;

    private static final double SINGLE = 0x1p-24;

    /** Standard deviations that no sum of random rounding errors is taken to exceed: by Hoeffding's bound 5·10⁻¹⁴ of them do. */
    private static final double DEVIATIONS = 8;

    /** Blocks whose products of whole numbers are below 2³¹ together, whatever they are: 127² × 4,096 each. */
    private static final int WHOLE_BLOCKS = 32;

    /** Layers {@code from} (inclusive) to {@code to} of a model, side by side. */
    private record Layers(Source source, int from, int to) {
        /** The layers of a model, as many together as come to about {@link #WIDTH} columns. */
        static List<Layers> of(Source source) {
            int together = Math.max(1, WIDTH / source.width());
            List<Layers> all = new ArrayList<>();
            for (int from = 0; from < source.layers(); from += together) {
                all.add(new Layers(source, from, Math.min(source.layers(), from + together)));
            }
            return all;
        }

        int size() {
            return to - from;
        }

        int columns() {
            return size() * source.width();
        }

        /** No neuron of these layers has a larger Σẑ² in steps over a block. */
        double most(Source.Block block) {
            return IntStream.range(from, to)
                    .mapToDouble(layer -> source.most(layer, block))
                    .max()
                    .orElse(0);
        }

        /** Numbers of so many positions or buckets. */
        long size(long positions) {
            return positions * columns();
        }
    }

    /** What is summed together: products of layers of a pair, or ({@code pair} is null, a equals b) of each layer with itself. */
    private record Unit(Pair pair, Layers a, Layers b) {
        boolean self() {
            return pair == null;
        }

        /** Of the sums: [columns of a, columns of b]; of layers with themselves [layers × d_mlp, d_mlp], one below the other. */
        Shape shape() {
            return new Shape(a.columns(), self() ? a.source().width() : b.columns());
        }

        /** What no product of whole numbers over a block exceeds, by Cauchy and Schwarz. */
        double most(Source.Block block) {
            return Math.sqrt(a.most(block)) * Math.sqrt(b.most(block));
        }
    }

    /** One layer of a model. */
    private record Layer(Source source, int index) {}

    /** Two layers of which a group holds the sums. */
    private record Cell(Unit unit, Totals totals, int layerA, int layerB) {}

    /**
     * Sums of a unit by half: F64, or with {@link Precision#BF16} F32. With {@link Precision#INT8} they are I32 ({@code whole}), and F32
     * sums ({@code sums[half]}, {@code null} before) are made when what I32 does not hold is moved to them.
     *
     * @param most what no sum in {@code whole} exceeds
     */
    private record Totals(NDArray[] sums, NDArray[] whole, double[] most) {
        /** What is to be added up for a set of positions. */
        List<NDArray> of(int set) {
            return IntStream.range(0, 2)
                    .filter(half -> set == 0 || half == set - 1)
                    .boxed()
                    .flatMap(half -> Stream.of(sums[half], whole[half]))
                    .filter(Objects::nonNull)
                    .toList();
        }
    }

    private final Compute compute;
    private final Kernel kernel;
    /** {@code null} where there are no products of whole numbers. */
    private final Kernel integers;

    private final Rotations rotations;
    private final Precision precision;
    /** {@code null} where there are no sketches. */
    private final Sketcher sketcher;

    private final int draws;
    private final long memory;
    private final Phases phases;
    private final Map<Pair, PairTable> forward = new LinkedHashMap<>();
    private final Map<Pair, PairTable> backward = new LinkedHashMap<>();
    /** Variances of rotated neurons by source and layer: [set][draw][d_mlp]. */
    private final Map<Layer, double[][][]> rotatedVariances = new HashMap<>();

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
        this.rotations = rotations;
        this.precision = precision;
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
            long cell = (long) unit.a().source().width() * unit.b().source().width();
            most = Math.max(most, Math.max(summing, REDUCTION_ARRAYS * 8 * cell));
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
                cells.addAll(cells(units.get(u), totals.get(u)));
            }
            for (Cell cell : cells) {
                phases.in(cell.unit().self() ? "variances" : "reductions", () -> reduce(group, cell));
            }
            compute.trim();
            long sums = units.stream().mapToLong(this::bytes).sum();
            phases.in("baseline", () -> drawBaselines(group, cells, available - sums));
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
        return room(lasting, Source.BLOCK, columns, blockType());
    }

    /** Where products of units are put before they are added to their sums. */
    private NDArray products(NDManager lasting, List<Unit> units) {
        long most = units.stream().mapToLong(unit -> unit.shape().size()).max().orElse(0);
        return room(lasting, 1, most, precision == Precision.INT8 ? Dtype.I32 : floating());
    }

    private Dtype blockType() {
        return precision == Precision.INT8 ? Dtype.I8 : floating();
    }

    private Dtype floating() {
        return precision == Precision.BF16 ? Dtype.BF16 : Dtype.F32;
    }

    /** By a kernel, since the engine's own call ends the process when it is asked for BF16. */
    private NDArray room(NDManager lasting, long rows, long columns, Dtype type) {
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

    private static List<Cell> cells(Unit unit, Totals totals) {
        List<Cell> cells = new ArrayList<>();
        for (int a = unit.a().from(); a < unit.a().to(); a++) {
            if (unit.self()) {
                cells.add(new Cell(unit, totals, a, a));
                continue;
            }
            for (int b = unit.b().from(); b < unit.b().to(); b++) {
                cells.add(new Cell(unit, totals, a, b));
            }
        }
        return cells;
    }

    /**
     * What kernels take to compute a cell's correlations over a set of positions.
     *
     * @param scope owns the arrays that are made for it
     * @param bounded the error is to be bounded: in units of the true standard deviations. Otherwise, where activations were rounded,
     *     those of the rounded activations, which are nearer by as much as rounding a neuron's values errs to one side
     * @param more what follows
     */
    private Object[] known(NDManager scope, Cell cell, int set, boolean bounded, Object... more) {
        Unit unit = cell.unit();
        Source a = unit.a().source();
        Source b = unit.b().source();
        boolean rounded = !bounded && precision == Precision.BF16;
        boolean whole = precision == Precision.INT8;
        double[] none = {};
        List<Object> all = new ArrayList<>();
        all.add(cell.totals().of(set));
        all.add((cell.layerA() - unit.a().from()) * a.width());
        all.add(unit.self() ? 0 : (cell.layerB() - unit.b().from()) * b.width());
        all.add(scope.create(whole ? a.steps(cell.layerA()) : none));
        all.add(scope.create(whole ? b.steps(cell.layerB()) : none));
        all.add((double) a.count(set));
        all.add(sums(scope, a, cell.layerA(), set, rounded));
        all.add(sums(scope, b, cell.layerB(), set, rounded));
        all.addAll(List.of(more));
        return all.toArray();
    }

    /** A cell's correlations over a set of positions, F64 [d_mlp of a, d_mlp of b]. */
    private NDArray correlation(NDManager scope, Cell cell, int set, boolean bounded) {
        try (NDManager step = scope.newSubManager()) {
            NDArray rho = kernel.call(step, "correlation", known(step, cell, set, bounded))
                    .singletonOrThrow();
            if (cell.unit().self() && precision == Precision.INT8) {
                // the square of a rounded value is too large by what rounding adds, products of two neurons are not
                integers.call(step, "certain", rho);
            }
            rho.attach(scope);
            return rho;
        }
    }

    private void reduce(NDManager group, Cell cell) {
        if (cell.unit().self()) {
            keepVariances(group, cell);
            return;
        }
        Source a = cell.unit().a().source();
        Source b = cell.unit().b().source();
        for (int set = 0; set < Source.SETS; set++) {
            if (a.count(set) == 0) {
                continue;
            }
            try (NDManager scope = group.newSubManager()) {
                NDArray rho = correlation(scope, cell, set, set == 0);
                Pair pair = cell.unit().pair();
                take(scope, a, cell.layerA(), b, cell.layerB(), rho, set, forward.get(pair));
                if (pair.both()) {
                    NDArray turned = turned(scope, rho);
                    rho.close();
                    take(scope, b, cell.layerB(), a, cell.layerA(), turned, set, backward.get(pair));
                }
            }
        }
    }

    private NDArray turned(NDManager scope, NDArray rho) {
        return kernel.call(scope, "turned", rho).singletonOrThrow();
    }

    private void take(
            NDManager scope, Source a, int layerA, Source b, int layerB, NDArray rho, int set, PairTable table) {
        long[] alive = b.alive(layerB, set);
        if (set > 0) {
            table.addHalf(kernel, scope, set - 1, layerA, rho, alive);
            return;
        }
        PairTable.Bound bound = table.shortlist == null ? null : bound(scope, a, layerA, b, layerB);
        table.add(kernel, scope, layerA, layerB, rho, alive, bound);
    }

    /**
     * The bound of methods/statistics.md, 2: with κ = ‖x − a‖ / (σ√n) for the shift a, δ = ‖x̂ − x‖ / ‖x − a‖ for x̂ rounded to BF16,
     * u the roundoff of a block's products and γ that of the sums in F32, a correlation is wrong by at most κ_i κ_j ((1 + u)(1 + δ_i)(1 + δ_j) − 1 +
     * γ).
     */
    private PairTable.Bound bound(NDManager scope, Source a, int layerA, Source b, int layerB) {
        if (sketcher != null) { // by the value itself: what may be missed is told afterwards
            return new PairTable.Bound(
                    scope.zeros(new Shape(a.width(), 2), DataType.FLOAT64),
                    scope.zeros(new Shape(2, b.width()), DataType.FLOAT64));
        }
        if (precision == Precision.INT8) {
            return wholeBound(scope, a, layerA, b, layerB);
        }
        double gamma = (Source.BLOCK + (double) a.count(0) / Source.BLOCK + 2) * SINGLE;
        double[][] x = factors(a, layerA);
        double[][] y = factors(b, layerB);
        double[] left = new double[2 * a.width()];
        for (int i = 0; i < a.width(); i++) {
            left[2 * i] = (1 + HALF) * x[0][i];
            left[2 * i + 1] = (gamma - 1) * x[1][i];
        }
        double[] right = Arrays.copyOf(y[0], 2 * b.width());
        System.arraycopy(y[1], 0, right, b.width(), b.width());
        return new PairTable.Bound(
                scope.create(left, new Shape(a.width(), 2)), scope.create(right, new Shape(2, b.width())));
    }

    /**
     * What rounding at random may change. With x̂ = x + e, e independent, of mean 0 and within one step s, Σ x̂ŷ − Σ xy = Σ e_x y + Σ x̂
     * e_y, and by Hoeffding's lemma Σ e y has the tail of a normal sum with the deviation s ‖y‖ / 2; what was cut off, c, changes Σ xy
     * by at most ‖c‖ ‖ŷ‖. So with S = ({@value #DEVIATIONS} s / 2 + ‖c‖) / (σ√n), and a little for sums in F32, and κ the larger of ‖x‖ and ‖x̂‖, plus
     * ‖c‖, over σ√n, a correlation is wrong by at most S_i κ_j + κ_i S_j, but for a probability below 10⁻³ in a study of 10¹⁰ pairs.
     */
    private static PairTable.Bound wholeBound(NDManager scope, Source a, int layerA, Source b, int layerB) {
        double[][] x = wholeFactors(a, layerA);
        double[][] y = wholeFactors(b, layerB);
        double[] left = new double[2 * a.width()];
        for (int i = 0; i < a.width(); i++) {
            left[2 * i] = x[0][i];
            left[2 * i + 1] = x[1][i];
        }
        double[] right = Arrays.copyOf(y[1], 2 * b.width());
        System.arraycopy(y[0], 0, right, b.width(), b.width());
        return new PairTable.Bound(
                scope.create(left, new Shape(a.width(), 2)), scope.create(right, new Shape(2, b.width())));
    }

    /** S and κ of each neuron; 0 where it does not vary. */
    private static double[][] wholeFactors(Source source, int layer) {
        double[] sums = source.sums(layer, 0);
        double[] squares = source.roundedSums(layer, 0);
        double[] cut = source.rounding(layer);
        double n = source.count(0);
        int width = source.width();
        double sums32 = (n / Source.BLOCK / WHOLE_BLOCKS + 3) * SINGLE;
        double[][] factors = new double[2][width];
        for (int i = 0; i < width; i++) {
            double deviation = Math.sqrt(sums[width + i] - sums[i] * sums[i] / n);
            if (deviation > 0) {
                double step = source.steps(layer)[i];
                double lost = Math.sqrt(cut[i]) / deviation;
                factors[0][i] = DEVIATIONS * step / 2 / deviation + lost + sums32;
                factors[1][i] = Math.sqrt(Math.max(sums[width + i], squares[width + i])) / deviation + lost;
            }
        }
        return factors;
    }

    /** κ(1 + δ) and κ of each neuron; 0 where it does not vary. */
    private static double[][] factors(Source source, int layer) {
        double[] sums = source.sums(layer, 0);
        double[] rounding = source.rounding(layer);
        double n = source.count(0);
        int width = source.width();
        double[][] factors = new double[2][width];
        for (int i = 0; i < width; i++) {
            double square = sums[width + i];
            double variance = square - sums[i] * sums[i] / n;
            if (variance > 0) {
                factors[1][i] = Math.sqrt(square / variance);
                factors[0][i] = factors[1][i] * (1 + Math.sqrt(rounding[i] / square));
            }
        }
        return factors;
    }

    /** Draws for a set: all for the whole, a fifth of them for the halves, which share them and are only compared. */
    static int draws(int set, int draws) {
        return set == 0 ? draws : Math.min(draws, Math.max(2, (draws + 4) / 5));
    }

    private NDArray sums(NDManager scope, Source source, int layer, int set, boolean rounded) {
        return scope.create(sums(source, layer, set, rounded), new Shape(2, source.width()));
    }

    /** Σx of each neuron of a layer, then Σx² of each. */
    private double[] sums(Source source, int layer, int set, boolean rounded) {
        if (sketcher != null) {
            return source.centredSums(layer, set);
        }
        return rounded ? source.roundedSums(layer, set) : source.sums(layer, set);
    }

    /** Variances of a layer's rotated neurons, of all sets with one rotation, which the halves share with the whole. */
    private void keepVariances(NDManager group, Cell cell) {
        Layer layer = new Layer(cell.unit().a().source(), cell.layerA());
        double[][][] variances = rotatedVariances.computeIfAbsent(layer, b -> new double[Source.SETS][draws][]);
        try (NDManager scope = group.newSubManager()) {
            NDArray[] covariances = new NDArray[Source.SETS];
            for (int set = 0; set < Source.SETS; set++) {
                if (layer.source().count(set) > 0) {
                    covariances[set] = covariance(scope, cell, layer, set);
                }
            }
            for (int draw = 0; draw < draws; draw++) {
                try (NDManager step = scope.newSubManager()) {
                    NDArray rotation = rotations.get(step, layer.source().model, layer.index(), draw);
                    for (int set = 0; set < Source.SETS; set++) {
                        if (covariances[set] != null && draw < draws(set, draws)) {
                            variances[set][draw] = kernel.call(step, "rotated_variance", rotation, covariances[set])
                                    .singletonOrThrow()
                                    .toDoubleArray();
                        }
                    }
                }
            }
        }
    }

    private NDArray covariance(NDManager scope, Cell cell, Layer layer, int set) {
        try (NDManager step = scope.newSubManager()) {
            NDArray rho = correlation(step, cell, set, false);
            NDArray sigma = step.create(layer.source().deviations(layer.index(), set));
            NDArray covariance = kernel.call(step, "covariance", rho, sigma).singletonOrThrow();
            covariance.attach(scope);
            return covariance;
        }
    }

    /** Neurons of one layer of a, whose covariances with a rotated layer of b are wanted. */
    private record Wanted(Cell cell, boolean reverse, PairTable table) {
        Layer rotated() {
            return reverse
                    ? new Layer(cell.unit().a().source(), cell.layerA())
                    : new Layer(cell.unit().b().source(), cell.layerB());
        }

        Layer row() {
            return reverse
                    ? new Layer(cell.unit().b().source(), cell.layerB())
                    : new Layer(cell.unit().a().source(), cell.layerA());
        }
    }

    private static long cellSize(Cell cell) {
        return (long) cell.unit().a().source().width()
                * cell.unit().b().source().width();
    }

    /** The baselines of all cells of a group, rotation by rotation: making one takes longer than using it. */
    private void drawBaselines(NDManager group, List<Cell> cells, long free) {
        Map<Layer, List<Wanted>> byRotated = new LinkedHashMap<>();
        for (Cell cell : cells) {
            Pair pair = cell.unit().pair();
            if (draws == 0 || pair == null) {
                continue;
            }
            List<Wanted> both = new ArrayList<>(List.of(new Wanted(cell, false, forward.get(pair))));
            if (pair.both()) {
                both.add(new Wanted(cell, true, backward.get(pair)));
            }
            both.forEach(wanted -> byRotated
                    .computeIfAbsent(wanted.rotated(), layer -> new ArrayList<>())
                    .add(wanted));
        }
        byRotated.forEach((layer, wanted) -> {
            // what the blocks took while sums were gathered is free now: for all that wait, and one that is being made
            long cell = wanted.stream().mapToLong(w -> cellSize(w.cell())).max().orElse(0);
            long making = REDUCTION_ARRAYS * 8L * cell;
            int together = (int) Math.max(1, (free - making) / (4L * Source.SETS * cell));
            for (int from = 0; from < wanted.size(); from += together) {
                drawBaselines(group, layer, wanted.subList(from, Math.min(wanted.size(), from + together)));
            }
        });
    }

    private void drawBaselines(NDManager group, Layer layer, List<Wanted> wanted) {
        Source b = layer.source();
        try (NDManager scope = group.newSubManager()) {
            int halved = IntStream.range(0, Source.SETS).allMatch(set -> varies(layer, set)) ? draws(1, draws) : 0;
            List<List<NDArray>> scaled = new ArrayList<>();
            for (int set = 0; set < Source.SETS; set++) {
                boolean needed = varies(layer, set) && (set > 0 || halved < draws);
                scaled.add(needed ? scaled(scope, layer, wanted, set) : List.of());
            }
            long cell = wanted.stream().mapToLong(w -> cellSize(w.cell())).max().orElse(0);
            NDArray room = room(scope, 1, 2 * cell, Dtype.F32);
            Halves halves = halved > 0 ? halves(scope, layer, wanted, scaled) : null;
            for (int draw = 0; draw < draws; draw++) {
                try (NDManager step = scope.newSubManager()) {
                    NDArray rotation = rotations.get(step, b.model, layer.index(), draw);
                    if (draw < halved) { // the whole's products follow from those of the halves
                        drawBaselines(step, layer, wanted, halves, rotation, room, draw);
                        continue;
                    }
                    for (int set = 0; set < Source.SETS; set++) {
                        if (draw < draws(set, draws) && !scaled.get(set).isEmpty()) {
                            drawBaselines(step, layer, wanted, scaled.get(set), rotation, room, set, draw);
                        }
                    }
                }
            }
        }
    }

    private static boolean varies(Layer layer, int set) {
        Source source = layer.source();
        return source.count(set) > 0 && source.alive(layer.index(), set).length > 0;
    }

    /**
     * What the kernel {@code baselines} takes for all draws.
     *
     * @param first scaled covariances over the first half, of each that is wanted
     * @param second over the second half
     * @param rows how much of the whole each half's are, and what the halves' means add, [3, neurons wanted]
     * @param between differences of the rotated layer's means between halves, in units of its norm, [d_mlp]
     */
    private record Halves(List<NDArray> first, List<NDArray> second, NDArray rows, NDArray between) {}

    private Halves halves(NDManager scope, Layer layer, List<Wanted> wanted, List<List<NDArray>> scaled) {
        Source b = layer.source();
        double[] norms = new double[Source.SETS]; // the units of covariances of each set
        Arrays.setAll(norms, set -> b.norm(layer.index(), set));
        int neurons = wanted.stream().mapToInt(w -> w.table().rowWidth()).sum();
        double[] rows = new double[3 * neurons];
        int at = 0;
        for (Wanted w : wanted) {
            double[][] weights = weights(w.row());
            for (int k = 0; k < 3; k++) {
                double unit = k == 2 ? 1 : norms[k + 1] / norms[0];
                for (int i = 0; i < weights[k].length; i++) {
                    rows[k * neurons + at + i] = unit * weights[k][i];
                }
            }
            at += weights[0].length;
        }
        double[] between = differences(layer);
        Arrays.setAll(between, i -> b.original(layer.index(), i, between[i]) / norms[0]);
        return new Halves(
                scaled.get(1), scaled.get(2), scope.create(rows, new Shape(3, neurons)), scope.create(between));
    }

    /** m₁ − m₂ of each neuron of a layer, the difference of its means over the halves. */
    private double[] differences(Layer layer) {
        Source source = layer.source();
        double[][] sums = sums(layer);
        double[] differences = new double[source.width()];
        Arrays.setAll(differences, i -> sums[1][i] / source.count(1) - sums[2][i] / source.count(2));
        return differences;
    }

    /** n_h σ_h / (n σ) of each neuron of a layer, for both halves h, and n₁ n₂ (m₁ − m₂) / (n² σ); 0 where σ is 0. */
    private double[][] weights(Layer layer) {
        Source source = layer.source();
        int width = source.width();
        double n = source.count(0);
        double[][] sums = sums(layer);
        double[] differences = differences(layer);
        double[][] weights = new double[3][width];
        for (int i = 0; i < width; i++) {
            double[] squares = new double[Source.SETS]; // about the mean, n σ²
            for (int set = 0; set < Source.SETS; set++) {
                double sum = sums[set][i];
                squares[set] = Math.max(0, sums[set][width + i] - sum * sum / source.count(set));
            }
            if (squares[0] > 0) {
                weights[0][i] = Math.sqrt(source.count(1) / n * squares[1] / squares[0]);
                weights[1][i] = Math.sqrt(source.count(2) / n * squares[2] / squares[0]);
                weights[2][i] = differences[i] * source.count(1) / n * source.count(2) / n / Math.sqrt(squares[0] / n);
            }
        }
        return weights;
    }

    /** Of each set, those that correlations are computed with. */
    private double[][] sums(Layer layer) {
        double[][] sums = new double[Source.SETS][];
        Arrays.setAll(sums, set -> sums(layer.source(), layer.index(), set, precision == Precision.BF16));
        return sums;
    }

    private List<NDArray> scaled(NDManager scope, Layer layer, List<Wanted> wanted, int set) {
        List<NDArray> scaled = new ArrayList<>();
        for (Wanted w : wanted) {
            scaled.add(phases.in("scaling", () -> scaled(scope, layer, w, set)));
        }
        return scaled;
    }

    private NDArray scaled(NDManager scope, Layer layer, Wanted wanted, int set) {
        try (NDManager step = scope.newSubManager()) {
            NDArray sigma = step.create(layer.source().deviations(layer.index(), set));
            Object[] known = known(step, wanted.cell(), set, false, sigma);
            NDArray x = kernel.call(step, wanted.reverse() ? "scaled_turned" : "scaled", known)
                    .singletonOrThrow();
            x.attach(scope);
            return x;
        }
    }

    private void drawBaselines(
            NDManager step,
            Layer layer,
            List<Wanted> wanted,
            List<NDArray> scaled,
            NDArray rotation,
            NDArray room,
            int set,
            int draw) {
        NDArray variance = step.create(rotatedVariances.get(layer)[set][draw]);
        double[] values = kernel.call(step, "baseline", scaled, rotation, variance, room)
                .singletonOrThrow()
                .toDoubleArray();
        addBaselines(wanted, set, draw, values, 0);
    }

    private void drawBaselines(
            NDManager step, Layer layer, List<Wanted> wanted, Halves halves, NDArray rotation, NDArray room, int draw) {
        double[][] variances = new double[Source.SETS][];
        Arrays.setAll(variances, set -> rotatedVariances.get(layer)[set][draw]);
        double[] values = kernel.call(
                        step,
                        "baselines",
                        halves.first(),
                        halves.second(),
                        rotation,
                        step.create(variances),
                        halves.rows(),
                        halves.between(),
                        room)
                .singletonOrThrow()
                .toDoubleArray();
        for (int set = 0; set < Source.SETS; set++) {
            addBaselines(wanted, set, draw, values, set * (values.length / Source.SETS));
        }
    }

    private static void addBaselines(List<Wanted> wanted, int set, int draw, double[] values, int begin) {
        int from = begin;
        for (Wanted w : wanted) {
            int to = from + w.table().rowWidth();
            w.table().addBaseline(set, draw, w.row().index(), Arrays.copyOfRange(values, from, to));
            from = to;
        }
    }

    @Override
    public void close() {
        if (integers != null) {
            integers.close();
        }
    }
}
