package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import universality.data.Dtype;
import universality.data.Phases;
import universality.tensor.Kernel;

/**
 * The rotation baseline (docs/methods.md, "Correlation and baseline"): largest correlations of neurons with those of a layer whose activations are
 * rotated, from covariances: of the two layers, and of the rotated layer with itself.
 */
final class Baselines {
    /** Neurons of a layer of a, whose covariances with a rotated layer of b are wanted, or if {@code reverse} of b with a's. */
    record Wanted(Cell cell, boolean reverse, PairTable table) {
        Layer rotated() {
            return reverse ? cell.a() : cell.b();
        }

        Layer row() {
            return reverse ? cell.b() : cell.a();
        }
    }

    private final Kernel kernel;
    private final Rotations rotations;
    private final Correlations correlations;
    private final int draws;
    private final Phases phases;
    /** Variances of rotated neurons by source and layer: [set][draw][d_mlp]. */
    private final Map<Layer, double[][][]> rotatedVariances = new HashMap<>();

    Baselines(Kernel kernel, Rotations rotations, Correlations correlations, int draws, Phases phases) {
        this.kernel = kernel;
        this.rotations = rotations;
        this.correlations = correlations;
        this.draws = draws;
        this.phases = phases;
    }

    /** Draws for a set: all for the whole, a fifth of them for the halves, which share them and are only compared. */
    static int draws(int set, int draws) {
        return set == 0 ? draws : Math.min(draws, Math.max(2, (draws + 4) / 5));
    }

    /** Variances of a layer's rotated neurons, of all sets with one rotation, which the halves share with the whole. */
    void keepVariances(NDManager group, Cell cell) {
        Layer layer = cell.a();
        double[][][] variances = rotatedVariances.computeIfAbsent(layer, b -> new double[Source.SETS][draws][]);
        try (NDManager scope = group.newSubManager()) {
            NDArray[] covariances = new NDArray[Source.SETS];
            for (int set = 0; set < Source.SETS; set++) {
                if (layer.source().count(set) > 0) {
                    covariances[set] = covariance(scope, cell, layer, set);
                }
            }
            Activations model = layer.source().model;
            int together = Rotations.together(model.dMlp(), draws);
            NDArray rotation = rotations.first(scope, model, layer.index());
            for (int from = 0; from < draws; from += together) {
                try (NDManager step = scope.newSubManager()) {
                    int end = Math.min(from + together, draws);
                    Rotations.Factors turns = rotations.factors(step, model, layer.index(), from, end);
                    for (int set = 0; set < Source.SETS; set++) {
                        int to = Math.min(end, draws(set, draws));
                        if (covariances[set] != null && from < to) {
                            double[] all = kernel.call(
                                            step,
                                            "rotated_variances",
                                            rotation,
                                            turns.outer(),
                                            turns.inner(),
                                            end - from,
                                            to - from,
                                            covariances[set])
                                    .singletonOrThrow()
                                    .toDoubleArray();
                            for (int draw = from; draw < to; draw++) {
                                variances[set][draw] = slice(all, draw - from, model.dMlp());
                            }
                        }
                    }
                }
            }
        }
    }

    private static double[] slice(double[] rows, int row, int width) {
        return Arrays.copyOfRange(rows, row * width, (row + 1) * width);
    }

    private NDArray covariance(NDManager scope, Cell cell, Layer layer, int set) {
        try (NDManager step = scope.newSubManager()) {
            NDArray rho = correlations.of(step, cell, set, false);
            NDArray sigma = step.create(layer.source().deviations(layer.index(), set));
            NDArray covariance = kernel.call(step, "covariance", rho, sigma).singletonOrThrow();
            covariance.attach(scope);
            return covariance;
        }
    }

    /**
     * The baselines of all cells of a group, rotated layer by rotated layer: making a rotation takes longer than using it.
     *
     * @param free bytes for what is computed
     */
    void draw(NDManager group, List<Wanted> all, long free) {
        Map<Layer, List<Wanted>> byRotated = new LinkedHashMap<>();
        all.forEach(wanted -> byRotated
                .computeIfAbsent(wanted.rotated(), layer -> new ArrayList<>())
                .add(wanted));
        byRotated.forEach((layer, wanted) -> {
            // what the blocks took while sums were gathered is free now: for all that wait, and one that is being made
            long cell = largest(wanted, Unit::cellSize);
            long fitting = (free - largest(wanted, Unit::reducing)) / (4L * Source.SETS * cell);
            int together = (int) Math.max(1, Math.min(wanted.size(), fitting));
            for (int from = 0; from < wanted.size(); from += together) {
                draw(group, layer, wanted.subList(from, Math.min(wanted.size(), from + together)));
            }
        });
    }

    private static long largest(List<Wanted> wanted, ToLongFunction<Unit> size) {
        return wanted.stream()
                .mapToLong(w -> size.applyAsLong(w.cell().unit()))
                .max()
                .orElse(0);
    }

    private void draw(NDManager group, Layer layer, List<Wanted> wanted) {
        Source b = layer.source();
        try (NDManager scope = group.newSubManager()) {
            int halved = IntStream.range(0, Source.SETS).allMatch(set -> layer.varies(set)) ? draws(1, draws) : 0;
            List<List<NDArray>> scaled = new ArrayList<>();
            for (int set = 0; set < Source.SETS; set++) {
                boolean needed = layer.varies(set)
                        && (set > 0 || halved == 0); // the whole's products follow from those of the halves
                scaled.add(needed ? scaled(scope, layer, wanted, set) : List.of());
            }
            NDArray room = Correlator.room(kernel, scope, 1, 2 * largest(wanted, Unit::cellSize), Dtype.F32);
            Halves halves = halved > 0 ? halves(scope, layer, wanted, scaled) : null;
            int together = Rotations.together(b.width(), draws);
            NDArray rotation = rotations.first(scope, b.model, layer.index());
            for (int from = 0; from < draws; from += together) {
                try (NDManager step = scope.newSubManager()) {
                    if (halves != null) {
                        draw(step, layer, wanted, halves, rotation, room, from, Math.min(from + together, draws));
                        continue;
                    }
                    for (int set = 0; set < Source.SETS; set++) {
                        int to = Math.min(from + together, draws(set, draws));
                        if (from < to && !scaled.get(set).isEmpty()) {
                            draw(step, layer, wanted, scaled.get(set), rotation, room, set, from, to);
                        }
                    }
                }
            }
        }
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
        double[][] sums = correlations.sums(layer);
        double[] differences = new double[source.width()];
        Arrays.setAll(differences, i -> sums[1][i] / source.count(1) - sums[2][i] / source.count(2));
        return differences;
    }

    /** n_h σ_h / (n σ) of each neuron of a layer, for both halves h, and n₁ n₂ (m₁ − m₂) / (n² σ); 0 where σ is 0. */
    private double[][] weights(Layer layer) {
        Source source = layer.source();
        int width = source.width();
        double n = source.count(0);
        double[][] sums = correlations.sums(layer);
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
            Object[] known = correlations.known(step, wanted.cell(), set, false, sigma);
            NDArray x = kernel.call(step, wanted.reverse() ? "scaled_turned" : "scaled", known)
                    .singletonOrThrow();
            x.attach(scope);
            return x;
        }
    }

    /** Draws {@code from} to before {@code to} of one set. */
    private void draw(
            NDManager step,
            Layer layer,
            List<Wanted> wanted,
            List<NDArray> scaled,
            NDArray rotation,
            NDArray room,
            int set,
            int from,
            int to) {
        Rotations.Factors turns = rotations.factors(step, layer.source().model, layer.index(), from, to);
        double[][] variances = Arrays.copyOfRange(rotatedVariances.get(layer)[set], from, to);
        double[] values = kernel.call(
                        step, "baseline", scaled, rotation, turns.outer(), turns.inner(), step.create(variances), room)
                .singletonOrThrow()
                .toDoubleArray();
        addBaselines(wanted, set, from, to, values, 0);
    }

    /** Draws {@code from} to before {@code to} of the whole, and those of the halves among them. */
    private void draw(
            NDManager step,
            Layer layer,
            List<Wanted> wanted,
            Halves halves,
            NDArray rotation,
            NDArray room,
            int from,
            int to) {
        Rotations.Factors turns = rotations.factors(step, layer.source().model, layer.index(), from, to);
        int end = Math.max(from, Math.min(to, draws(1, draws)));
        double[][][] variances = rotatedVariances.get(layer);
        double[] ofHalves = IntStream.of(1, 2)
                .mapToObj(set -> Arrays.copyOfRange(variances[set], from, end))
                .flatMap(Arrays::stream)
                .flatMapToDouble(Arrays::stream)
                .toArray();
        double[] values = kernel.call(
                        step,
                        "baselines",
                        halves.first(),
                        halves.second(),
                        rotation,
                        turns.outer(),
                        turns.inner(),
                        step.create(Arrays.copyOfRange(variances[0], from, to)),
                        step.create(
                                ofHalves,
                                new Shape(2, end - from, layer.source().width())),
                        halves.rows(),
                        halves.between(),
                        room)
                .singletonOrThrow()
                .toDoubleArray();
        int neurons = wanted.stream().mapToInt(w -> w.table().rowWidth()).sum();
        addBaselines(wanted, 0, from, to, values, 0);
        addBaselines(wanted, 1, from, end, values, (to - from) * neurons);
        addBaselines(wanted, 2, from, end, values, (to - from + end - from) * neurons);
    }

    /** Of draws {@code from} to before {@code to}, whose values for all neurons that are wanted come one after the other. */
    private static void addBaselines(List<Wanted> wanted, int set, int from, int to, double[] values, int begin) {
        int at = begin;
        for (int draw = from; draw < to; draw++) {
            for (Wanted w : wanted) {
                int end = at + w.table().rowWidth();
                w.table().addBaseline(set, draw, w.row().index(), Arrays.copyOfRange(values, at, end));
                at = end;
            }
        }
    }
}
