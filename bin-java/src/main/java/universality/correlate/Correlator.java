package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Correlates the neurons of several models pair by pair. The work is cut into units, each a product of some layers with others
 * (or with themselves, for the covariances that the rotation baseline needs): one layer where layers are wide, several where
 * they are narrow, since products of narrow matrices are slow. As many units as fit the memory are summed in one pass over the
 * token blocks, each block being read and standardised once for all of them; then they are reduced, layer by layer, and
 * dropped. One product serves both directions of a pair.
 *
 * <p>Blocks have {@value Source#BLOCK} positions. Products over part of one are F32 ({@link #chunk}), their sums F64, one for each
 * half of the positions; the whole is the sum of the halves.
 */
final class Correlator {
    /** One ordered pair wanted; {@code both}: the other direction as well. */
    record Pair(Source a, Source b, boolean both) {}

    /** Columns that a product should have, where the layers of a model give them. */
    private static final int WIDTH = 1024;

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

        long bytes() {
            return 2L * 8 * shape().size();
        }
    }

    /** One layer of a model. */
    private record Layer(Source source, int index) {}

    private final Compute compute;
    private final Kernel kernel;
    private final Rotations rotations;
    private final int draws;
    private final long memory;
    private final Map<Pair, PairTable> forward = new LinkedHashMap<>();
    private final Map<Pair, PairTable> backward = new LinkedHashMap<>();
    /** Variances of rotated neurons by source and layer: [set][draw][d_mlp]. */
    private final Map<Layer, double[][][]> rotatedVariances = new HashMap<>();

    private final Set<Layers> summed = new HashSet<>();

    /** @param memoryBytes what the products' sums may take */
    Correlator(Compute compute, Kernel kernel, Rotations rotations, int draws, long memoryBytes) {
        this.compute = compute;
        this.kernel = kernel;
        this.rotations = rotations;
        this.draws = draws;
        this.memory = memoryBytes;
    }

    /** Correlates all pairs; the tables are found by {@link #table} and {@link #reverse} afterwards. */
    void run(List<Pair> pairs, int top) {
        for (Pair pair : pairs) {
            forward.put(pair, new PairTable(compute.manager(), pair.a(), pair.b(), top, draws));
            if (pair.both()) {
                backward.put(pair, new PairTable(compute.manager(), pair.b(), pair.a(), top, draws));
            }
        }
        List<Unit> units = units(pairs);
        for (int from = 0; from < units.size(); ) {
            int to = from + 1;
            long bytes = units.get(from).bytes();
            while (to < units.size() && bytes + units.get(to).bytes() <= memory) {
                bytes += units.get(to++).bytes();
            }
            runGroup(units.subList(from, to));
            from = to;
        }
    }

    /** Neurons of a against those of b. */
    PairTable table(Pair pair) {
        return forward.get(pair);
    }

    /** Neurons of b against those of a, where both directions were wanted. */
    PairTable reverse(Pair pair) {
        return backward.get(pair);
    }

    private List<Unit> units(List<Pair> pairs) {
        List<Unit> units = new ArrayList<>();
        if (draws > 0) {
            // covariances within each layer that is going to be rotated, before the pairs that need them
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
            for (Layers a : Layers.of(pair.a())) {
                for (Layers b : Layers.of(pair.b())) {
                    units.add(new Unit(pair, a, b));
                }
            }
        }
        return units;
    }

    private void runGroup(List<Unit> units) {
        try (NDManager group = compute.manager().newSubManager()) {
            NDArray[][] totals = new NDArray[units.size()][2];
            for (int u = 0; u < units.size(); u++) {
                totals[u][0] = group.zeros(units.get(u).shape(), DataType.FLOAT64);
                totals[u][1] = group.zeros(units.get(u).shape(), DataType.FLOAT64);
            }
            accumulate(units, totals);
            for (int u = 0; u < units.size(); u++) {
                reduce(group, units.get(u), totals[u]);
                totals[u][0].close();
                totals[u][1].close();
            }
        }
    }

    private void accumulate(List<Unit> units, NDArray[][] totals) {
        Set<Layers> first = new HashSet<>();
        int chunk = chunk(units.get(0).a().source().count(0));
        for (int half = 0; half < 2; half++) {
            int blocks = units.get(0).a().source().blocks(half);
            for (int block = 0; block < blocks; block++) {
                try (NDManager scope = compute.manager().newSubManager()) {
                    Map<Layers, NDArray> loaded = new HashMap<>();
                    for (int u = 0; u < units.size(); u++) {
                        Unit unit = units.get(u);
                        NDArray x = load(scope, loaded, first, unit.a(), half, block);
                        // the result is the first argument itself, in another wrapper
                        if (unit.self()) {
                            kernel.call(scope, "accumulate_within", totals[u][half], x, chunk);
                        } else {
                            NDArray y = load(scope, loaded, first, unit.b(), half, block);
                            kernel.call(scope, "accumulate", totals[u][half], x, y, chunk);
                        }
                    }
                }
            }
        }
        summed.addAll(first);
    }

    /**
     * Positions that are summed in F32 before they are added in F64: the rounding of the sums moves a correlation by about 2⁻²⁵ k/√n,
     * which this keeps below 10⁻⁷ (standard deviation; the largest of millions is some times that), and adding in F64 costs time
     * in proportion to 1/k. It depends on n alone, so results do not depend on memory.
     */
    private static int chunk(long positions) {
        int most = (int) Math.min(Source.BLOCK, 3 * Math.sqrt(positions));
        return Math.max(128, Integer.highestOneBit(most));
    }

    /** A block of some layers side by side, F32 [n, columns]; read once in a scope, its sums added the first time that it is. */
    private NDArray load(
            NDManager scope, Map<Layers, NDArray> loaded, Set<Layers> first, Layers layers, int half, int index) {
        return loaded.computeIfAbsent(layers, key -> {
            List<NDArray> blocks = new ArrayList<>();
            for (int layer = key.from(); layer < key.to(); layer++) {
                NDArray values = key.source().block(scope, layer, half, index);
                if (!summed.contains(key)) {
                    first.add(key);
                    key.source().addSums(scope, layer, half, values);
                }
                blocks.add(values);
            }
            if (blocks.size() == 1) {
                return blocks.get(0);
            }
            NDArray joined = kernel.call(scope, "join", blocks).singletonOrThrow();
            blocks.forEach(NDArray::close);
            return joined;
        });
    }

    /** Reduces a unit's sums layer by layer. */
    private void reduce(NDManager group, Unit unit, NDArray[] halves) {
        int rows = unit.a().source().width();
        int columns = unit.b().source().width();
        for (int a = 0; a < unit.a().size(); a++) {
            for (int b = 0; b < (unit.self() ? 1 : unit.b().size()); b++) {
                try (NDManager scope = group.newSubManager()) {
                    NDArray[] sets = new NDArray[Source.SETS];
                    for (int half = 0; half < 2; half++) {
                        sets[half + 1] = kernel.call(
                                        scope,
                                        "part",
                                        halves[half],
                                        a * rows,
                                        (a + 1) * rows,
                                        b * columns,
                                        (b + 1) * columns)
                                .singletonOrThrow();
                    }
                    sets[0] = sets[1].add(sets[2]);
                    sets[0].attach(scope);
                    int layerB = unit.self() ? unit.a().from() + a : unit.b().from() + b;
                    reduce(scope, unit, unit.a().from() + a, layerB, sets);
                }
            }
        }
    }

    private void reduce(NDManager scope, Unit unit, int layerA, int layerB, NDArray[] sets) {
        Source a = unit.a().source();
        Source b = unit.b().source();
        for (int set = 0; set < Source.SETS; set++) {
            if (a.count(set) == 0) {
                continue;
            }
            NDArray sumsA = sums(scope, a, layerA, set);
            NDArray sumsB = sums(scope, b, layerB, set);
            NDArray rho = kernel.call(scope, "correlation", sets[set], (double) a.count(set), sumsA, sumsB)
                    .singletonOrThrow();
            if (unit.self()) {
                keepVariances(scope, new Layer(a, layerA), rho, set);
            } else {
                reduce(scope, a, layerA, b, layerB, rho, set, forward.get(unit.pair()));
                if (unit.pair().both()) {
                    NDArray turned = rho.transpose();
                    turned.attach(scope);
                    reduce(scope, b, layerB, a, layerA, turned, set, backward.get(unit.pair()));
                }
            }
        }
    }

    /** Draws for a set: all for the whole, a third of them for the halves, which share them and are only compared. */
    static int draws(int set, int draws) {
        return set == 0 ? draws : (draws + 2) / 3;
    }

    private static NDArray sums(NDManager scope, Source source, int layer, int set) {
        return scope.create(source.sums(layer, set), new Shape(2, source.width()));
    }

    private void keepVariances(NDManager scope, Layer layer, NDArray rho, int set) {
        Source source = layer.source();
        double[][][] variances = rotatedVariances.computeIfAbsent(layer, b -> new double[Source.SETS][draws][]);
        NDArray sigma = scope.create(source.deviations(layer.index(), set));
        NDArray covariance = kernel.call(scope, "covariance", rho, sigma).singletonOrThrow();
        for (int draw = 0; draw < draws(set, draws); draw++) {
            try (NDManager step = scope.newSubManager()) {
                NDArray rotation = rotations.get(step, source.model, layer.index(), draw);
                variances[set][draw] = kernel.call(step, "rotated_variance", rotation, covariance)
                        .singletonOrThrow()
                        .toDoubleArray();
            }
        }
    }

    private void reduce(
            NDManager scope, Source a, int layerA, Source b, int layerB, NDArray rho, int set, PairTable table) {
        long[] alive = b.alive(layerB, set);
        if (set == 0) {
            table.add(kernel, scope, layerA, layerB, rho, alive);
        } else {
            table.addHalf(kernel, scope, set - 1, layerA, rho, alive);
        }
        if (alive.length == 0 || draws == 0) {
            return;
        }
        NDArray scaled = kernel.call(scope, "scaled", rho, scope.create(b.deviations(layerB, set)))
                .singletonOrThrow();
        double[][][] variances = rotatedVariances.get(new Layer(b, layerB));
        for (int draw = 0; draw < draws(set, draws); draw++) {
            try (NDManager step = scope.newSubManager()) {
                NDArray rotation = rotations.get(step, b.model, layerB, draw);
                NDArray variance = step.create(variances[set][draw]);
                double[] values = kernel.call(step, "baseline", scaled, rotation, variance)
                        .singletonOrThrow()
                        .toDoubleArray();
                table.addBaseline(set, draw, layerA, values);
            }
        }
    }
}
