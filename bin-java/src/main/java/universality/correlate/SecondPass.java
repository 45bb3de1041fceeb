package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.correlate.Candidates.Direction;
import universality.data.Dtype;
import universality.data.SafetensorsWriter;
import universality.data.ToolException;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Reads the activations again, for the candidates that the {@link Correlator} found: Σx, Σx² of every neuron and Σxy of
 * every candidate in each of the {@link Groups}, from which {@code identify} takes standard errors; and how much of the best
 * partner's correlation the current token and the position alone explain ({@link Decomposition}). All models are read side
 * by side, once. Where the sums by token do not fit into memory they are read once more, or, if they are run, once for each further
 * range of tokens. Per position this costs a product
 * for each candidate, against one for every two neurons in the first pass.
 */
final class SecondPass implements AutoCloseable {
    /** Positions whose products are summed in F32; two of a model's columns then fit the cache nearest to the processor. */
    private static final int CHUNK = 256;

    /** What sums in another order, or of models that ran in other batches on a GPU, may differ by, as a share. */
    private static final double SAME = 1e-4;

    private static final int MOST_POSITIONS = 2048;

    private final NDManager manager;
    private final Kernel kernel;
    private final Groups groups;
    private final Candidates candidates;
    private final Decomposition tokens;
    private final Decomposition places;
    /** Positions of a block; depends on the shapes alone. */
    private final int positions;
    /** Σxy of each group, F64 [products]. */
    private final List<NDArray> products = new ArrayList<>();
    /** Σx and Σx² of each group and each layer of each source, [groups][layers of all][2 × d_mlp]. */
    private final double[][][] sums;

    private final long memory;
    private double[] byToken;
    private double[] byPlace;

    /** @param memoryBytes what the sums by token and by position may take */
    SecondPass(Compute compute, RowPlan.Positions kept, Groups groups, Candidates candidates, long memoryBytes) {
        this.groups = groups;
        this.candidates = candidates;
        memory = memoryBytes;
        manager = compute.manager().newSubManager();
        kernel = compute.kernel("groups");
        List<Source> sources = candidates.sources();
        int wanted = candidates.products();
        tokens = new Decomposition(manager, kernel, sources, kept.token(), wanted, memoryBytes / 2);
        places = new Decomposition(manager, kernel, sources, kept.pos(), wanted, memoryBytes / 2);
        positions = Source.positions(candidates.neurons(), CHUNK, MOST_POSITIONS);
        for (int group = 0; group < groups.count(); group++) {
            products.add(manager.zeros(new Shape(wanted), DataType.FLOAT64));
        }
        sums = new double[groups.count()][][];
    }

    void run() {
        candidates.sources().forEach(source -> source.model.expect(0, source.layers()));
        try (NDManager scope = manager.newSubManager()) {
            NDArray first = scope.create(candidates.first());
            NDArray second = scope.create(candidates.second());
            tokens.next();
            places.next();
            for (int group = 0; group < groups.count(); group++) {
                sum(group, first, second);
            }
            requireSame();
            tokens.finishRange(first, second);
            places.finishRange(first, second);
            byPlace = finish(places, first, second);
            tokens.allow(memory);
            byToken = finish(tokens, first, second);
        }
    }

    /**
     * Sums of products are divided by standard deviations of the first pass.
     *
     * @throws ToolException (bad data) naming the neuron if its sums are others now
     */
    private void requireSame() {
        int layer = 0;
        for (Source source : candidates.sources()) {
            for (int of = 0; of < source.layers(); of++, layer++) {
                double[] before = source.sums(of, 0);
                double[] now = new double[before.length];
                for (double[][] group : sums) {
                    for (int i = 0; i < now.length; i++) {
                        now[i] += group[layer][i];
                    }
                }
                double n = source.count(0);
                for (int i = 0; i < source.width(); i++) {
                    double square = before[source.width() + i];
                    if (Math.abs(now[source.width() + i] - square) > SAME * square
                            || Math.abs(now[i] - before[i]) > SAME * Math.sqrt(n * square)) {
                        throw ToolException.badData(
                                "activations of neuron %d.%d of '%s' are not those of the first pass: leave its files as they are"
                                        + " while correlate reads them, and run it again",
                                of, i, source.model.id());
                    }
                }
            }
        }
    }

    private void sum(int group, NDArray first, NDArray second) {
        try (NDManager scope = manager.newSubManager()) {
            List<NDArray> layers = new ArrayList<>();
            for (Source source : candidates.sources()) {
                for (int layer = 0; layer < source.layers(); layer++) {
                    layers.add(scope.zeros(new Shape(2, source.width()), DataType.FLOAT64));
                }
            }
            for (int from = groups.start(group); from < groups.end()[group]; from += positions) {
                try (NDManager step = scope.newSubManager()) {
                    int count = Math.min(positions, groups.end()[group] - from);
                    List<NDArray> blocks = read(step, groups.order(), from, count);
                    addAll(step, layers, blocks, from);
                    kernel.call(step, "products", products.get(group), blocks, first, second, CHUNK);
                }
            }
            sums[group] = layers.stream().map(NDArray::toDoubleArray).toArray(double[][]::new);
        }
    }

    /** One call for each block, so that it is widened to F64 once for all sums of it. */
    private void addAll(NDManager scope, List<NDArray> layers, List<NDArray> blocks, int from) {
        int count = (int) blocks.get(0).getShape().get(0);
        NDArray token = scope.create(tokens.places(groups.order(), from, count));
        NDArray place = scope.create(places.places(groups.order(), from, count));
        for (int i = 0; i < blocks.size(); i++) {
            kernel.call(scope, "add_all", layers.get(i), blocks.get(i), tokens.total(i), token, places.total(i), place);
        }
    }

    /** Reads what the ranges of values after the first need; all in order where that costs no more. */
    private double[] finish(Decomposition by, NDArray first, NDArray second) {
        boolean all = candidates.sources().stream().anyMatch(source -> source.model.costsWhatLiesBetween());
        while (by.next()) {
            int[] rows = all ? groups.order() : by.positions();
            for (int from = 0; from < rows.length; from += positions) {
                try (NDManager step = manager.newSubManager()) {
                    by.add(step, read(step, rows, from, Math.min(positions, rows.length - from)), rows, from);
                }
            }
            by.finishRange(first, second);
        }
        double[] between = by.between();
        by.close();
        return between;
    }

    private List<NDArray> read(NDManager scope, int[] rows, int from, int count) {
        List<NDArray> blocks = new ArrayList<>();
        for (Source source : candidates.sources()) {
            blocks.addAll(source.values(scope, rows, from, count));
        }
        return blocks;
    }

    /**
     * What the token and the position explain of each neuron's correlation with its best partner.
     *
     * @param token ρ_token = Σ_v n_v (x̄_v − x̄)(ȳ_v − ȳ) / (n σ_x σ_y) over the tokens v; NaN where there is no partner
     * @param position the same over the positions in the row
     */
    record Shares(double[] token, double[] position) {}

    Shares shares(Direction direction) {
        int[] partners = candidates.partners(direction);
        int[] index = candidates.index(direction);
        double[][] a = totals(direction.a());
        double[][] b = totals(direction.b());
        double n = direction.a().count(0);
        double[] token = new double[direction.table().rows];
        double[] place = new double[token.length];
        for (int row = 0; row < token.length; row++) {
            int at = row * candidates.each();
            if (index[at] < 0) {
                token[row] = Double.NaN;
                place[row] = Double.NaN;
                continue;
            }
            token[row] = correlation(a[row], b[partners[at]], n, byToken[index[at]]);
            place[row] = correlation(a[row], b[partners[at]], n, byPlace[index[at]]);
        }
        return new Shares(token, place);
    }

    /** Σx and Σx² of every neuron over all positions, [N][2]. */
    private static double[][] totals(Source source) {
        double[][] totals = new double[source.model.neurons()][];
        for (int layer = 0; layer < source.layers(); layer++) {
            double[] sums = source.sums(layer, 0);
            for (int i = 0; i < source.width(); i++) {
                totals[layer * source.width() + i] = new double[] {sums[i], sums[source.width() + i]};
            }
        }
        return totals;
    }

    private static double correlation(double[] x, double[] y, double n, double between) {
        double vx = x[1] - x[0] * x[0] / n;
        double vy = y[1] - y[0] * y[0] / n;
        return Math.max(-1, Math.min(1, (between - x[0] * y[0] / n) / Math.sqrt(vx * vy)));
    }

    /** Writes {@code count} [groups], {@code sum} and {@code square} [N, groups] of a source. */
    void writeSums(Source source, Path file) {
        int first = 0;
        for (Source before :
                candidates.sources().subList(0, candidates.sources().indexOf(source))) {
            first += before.layers();
        }
        int count = groups.count();
        int neurons = source.model.neurons();
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.metadata("unit", groups.unit());
            writer.declare("count", Dtype.F64, count);
            writer.declare("sum", Dtype.F64, neurons, count);
            writer.declare("square", Dtype.F64, neurons, count);
            double[] sizes = new double[count];
            Arrays.setAll(sizes, groups::size);
            writer.doubles(sizes);
            for (int power = 0; power < 2; power++) {
                for (int i = 0; i < neurons; i++) {
                    int layer = first + i / source.width();
                    int column = power * source.width() + i % source.width();
                    double[] row = new double[count];
                    Arrays.setAll(row, g -> sums[g][layer][column]);
                    writer.doubles(row);
                }
            }
        }
    }

    /** Writes {@code partner} [N, each] and {@code product} [N, each, groups] of a direction; 0 where there is no partner. */
    void writeProducts(Direction direction, Path file) {
        int each = candidates.each();
        int[] partners = candidates.partners(direction);
        int[] index = candidates.index(direction);
        try (NDManager scope = manager.newSubManager();
                SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.declare("partner", Dtype.I32, direction.table().rows, each);
            writer.declare("product", Dtype.F64, direction.table().rows, each, groups.count());
            writer.ints(partners);
            if (candidates.products() == 0) {
                writer.doubles(new double[partners.length * groups.count()]);
                return;
            }
            long[] at = Arrays.stream(index).mapToLong(i -> Math.max(0, i)).toArray();
            double[] values = kernel.call(scope, "gathered", products, scope.create(at))
                    .singletonOrThrow()
                    .toDoubleArray();
            for (int i = 0; i < index.length; i++) {
                if (index[i] < 0) {
                    Arrays.fill(values, i * groups.count(), (i + 1) * groups.count(), 0);
                }
            }
            writer.doubles(values);
        }
    }

    @Override
    public void close() {
        tokens.close();
        places.close();
        kernel.close();
        manager.close();
    }
}
