package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Correlates the neurons of several models pair by pair. The work is cut into units, each a product of one layer with another
 * (or with itself, for the covariances that the rotation baseline needs). As many units as fit the memory are summed in one
 * pass over the token blocks, each block being read and standardised once for all of them; then they are reduced and
 * dropped. One product serves both directions of a pair.
 *
 * <p>Products of blocks of {@value Source#BLOCK} positions are F32, their sums F64, one for each half of the positions; the
 * whole is the sum of the halves.
 */
final class Correlator {
    /** One ordered pair wanted; {@code both}: the other direction as well. */
    record Pair(Source a, Source b, boolean both) {}

    private record Unit(Pair pair, Source a, int layerA, Source b, int layerB) {
        boolean self() {
            return pair == null;
        }

        long bytes() {
            return 2L * 8 * a.width() * b.width();
        }
    }

    private record Block(Source source, int layer) {}

    private final Compute compute;
    private final Kernel kernel;
    private final Rotations rotations;
    private final int draws;
    private final long memory;
    private final Map<Pair, PairTable> forward = new LinkedHashMap<>();
    private final Map<Pair, PairTable> backward = new LinkedHashMap<>();
    /** Variances of rotated neurons by source and layer: [set][draw][d_mlp]. */
    private final Map<Block, double[][][]> rotatedVariances = new HashMap<>();

    private final java.util.Set<Block> summed = new java.util.HashSet<>();

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
            java.util.Set<Source> rotated = new java.util.LinkedHashSet<>();
            for (Pair pair : pairs) {
                rotated.add(pair.b());
                if (pair.both()) {
                    rotated.add(pair.a());
                }
            }
            for (Source source : rotated) {
                for (int layer = 0; layer < source.layers(); layer++) {
                    units.add(new Unit(null, source, layer, source, layer));
                }
            }
        }
        for (Pair pair : pairs) {
            for (int a = 0; a < pair.a().layers(); a++) {
                for (int b = 0; b < pair.b().layers(); b++) {
                    units.add(new Unit(pair, pair.a(), a, pair.b(), b));
                }
            }
        }
        return units;
    }

    private void runGroup(List<Unit> units) {
        try (NDManager group = compute.manager().newSubManager()) {
            NDArray[][] totals = new NDArray[units.size()][2];
            for (int u = 0; u < units.size(); u++) {
                Shape shape =
                        new Shape(units.get(u).a().width(), units.get(u).b().width());
                totals[u][0] = group.zeros(shape, DataType.FLOAT64);
                totals[u][1] = group.zeros(shape, DataType.FLOAT64);
            }
            accumulate(units, totals);
            for (int u = 0; u < units.size(); u++) {
                try (NDManager scope = group.newSubManager()) {
                    reduce(scope, units.get(u), totals[u]);
                }
                totals[u][0].close();
                totals[u][1].close();
            }
        }
    }

    private void accumulate(List<Unit> units, NDArray[][] totals) {
        java.util.Set<Block> first = new java.util.LinkedHashSet<>();
        for (int half = 0; half < 2; half++) {
            int blocks = units.get(0).a().blocks(half);
            for (int block = 0; block < blocks; block++) {
                try (NDManager scope = compute.manager().newSubManager()) {
                    Map<Block, NDArray> loaded = new HashMap<>();
                    for (int u = 0; u < units.size(); u++) {
                        Unit unit = units.get(u);
                        NDArray x = load(scope, loaded, first, new Block(unit.a(), unit.layerA()), half, block);
                        NDArray y = load(scope, loaded, first, new Block(unit.b(), unit.layerB()), half, block);
                        // the result is the first argument itself, in another wrapper
                        kernel.call(scope, "accumulate", totals[u][half], x, y, chunk(unit));
                    }
                }
            }
        }
        summed.addAll(first);
    }

    /**
     * Positions that are summed in F32 before they are added in F64. Adding costs time in proportion to 1/chunk, less where the
     * sums stay in the processor's cache; it depends on the widths alone, so results do not depend on memory.
     */
    private static int chunk(Unit unit) {
        long elements = (long) unit.a().width() * unit.b().width();
        return elements <= 512 * 512 ? 512 : elements <= 1024 * 1024 ? 1024 : Source.BLOCK;
    }

    private NDArray load(
            NDManager scope, Map<Block, NDArray> loaded, java.util.Set<Block> first, Block block, int half, int index) {
        return loaded.computeIfAbsent(block, b -> {
            NDArray values = b.source().block(scope, b.layer(), half, index);
            if (!summed.contains(b)) {
                first.add(b);
                b.source().addSums(scope, b.layer(), half, values);
            }
            return values;
        });
    }

    private void reduce(NDManager scope, Unit unit, NDArray[] halves) {
        NDArray[] sets = {halves[0].add(halves[1]), halves[0], halves[1]};
        sets[0].attach(scope);
        for (int set = 0; set < Source.SETS; set++) {
            if (unit.a().count(set) == 0) {
                continue;
            }
            NDArray rho = kernel.call(
                            scope,
                            "correlation",
                            sets[set],
                            (double) unit.a().count(set),
                            sums(scope, unit.a(), unit.layerA(), set),
                            sums(scope, unit.b(), unit.layerB(), set))
                    .singletonOrThrow();
            if (unit.self()) {
                keepVariances(scope, unit, rho, set);
            } else {
                reduce(scope, unit.a(), unit.layerA(), unit.b(), unit.layerB(), rho, set, forward.get(unit.pair()));
                if (unit.pair().both()) {
                    NDArray turned = rho.transpose();
                    turned.attach(scope);
                    reduce(
                            scope,
                            unit.b(),
                            unit.layerB(),
                            unit.a(),
                            unit.layerA(),
                            turned,
                            set,
                            backward.get(unit.pair()));
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

    private void keepVariances(NDManager scope, Unit unit, NDArray rho, int set) {
        Source source = unit.a();
        double[][][] variances = rotatedVariances.computeIfAbsent(
                new Block(source, unit.layerA()), b -> new double[Source.SETS][draws][]);
        NDArray sigma = scope.create(source.deviations(unit.layerA(), set));
        for (int draw = 0; draw < draws(set, draws); draw++) {
            try (NDManager step = scope.newSubManager()) {
                NDArray rotation = rotations.get(step, source.model, unit.layerA(), draw);
                variances[set][draw] = kernel.call(step, "rotated_variance", rotation, rho, sigma)
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
        if (alive.length == 0) {
            return;
        }
        NDArray sigma = scope.create(b.deviations(layerB, set));
        double[][][] variances = rotatedVariances.get(new Block(b, layerB));
        for (int draw = 0; draw < draws(set, draws); draw++) {
            try (NDManager step = scope.newSubManager()) {
                NDArray rotation = rotations.get(step, b.model, layerB, draw);
                NDArray variance = step.create(variances[set][draw]);
                double[] values = kernel.call(step, "baseline", rho, sigma, rotation, variance)
                        .singletonOrThrow()
                        .toDoubleArray();
                table.addBaseline(set, draw, layerA, values);
            }
        }
    }
}
