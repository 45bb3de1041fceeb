package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import universality.correlate.Candidates.Direction;
import universality.data.Phases;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Reads the activations again after an approximate first pass and computes the correlations with all shortlisted partners as the
 * exact path would, in F32 products over {@value #CHUNK} positions and F64 sums; and in full for rows whose shortlist may lack the
 * best partner. Sets the partners of the tables. After a pass over sketches, whose errors are not bounded, it says which neurons
 * could have a better partner (docs/methods.md, "Precision").
 */
final class Refinement {
    /** Positions whose products are summed in F32. */
    private static final int CHUNK = 256;

    /** Rows that are computed in full together; fixed, so that results do not depend on memory. */
    private static final int FULL_ROWS = 256;

    /** Bytes of a candidate's sum and places, and of what is added to it. */
    private static final long CANDIDATE_BYTES = 28;

    /** Positions whose products are summed in F32 for rows in full. */
    private static final int ROWS_CHUNK = 1024;

    /** Rows in full that are multiplied at least; the kernel adds zeros to fewer. */
    private static final int LEAST_ROWS = 16;

    /** Standard deviations of a sketch's error that none of a whole study's correlations is taken to exceed, and none of one neuron's. */
    private static final double STUDY = 7.2;

    private static final double NEURON = 5.5;

    /** Least correlated partners computed again after a pass over sketches. */
    private static final int LEAST = 8;

    /**
     * What was done for a direction.
     *
     * @param rows neurons that have a correlation
     * @param products pairs of neurons computed again, rows in full aside
     * @param full rows computed in full
     * @param partnerCertain rows whose most correlated neuron is certain
     * @param partnerCertainEach the same where each row is looked at for itself (5.5 instead of 7.2 standard deviations)
     * @param topCertain rows of which no neuron outside the list of partners can belong into it
     */
    record Outcome(
            long rows, long products, long full, long partnerCertain, long partnerCertainEach, long topCertain) {}

    /** Rows of a direction's table. */
    private record Share(Direction direction, int[] rows) {}

    /** Rows of some directions' tables that are computed in full together: products with all neurons of one model. */
    private record Rows(Source b, List<Share> shares) {
        int count() {
            return shares.stream().mapToInt(share -> share.rows().length).sum();
        }

        long bytes() {
            return 8L * count() * b.model.neurons();
        }
    }

    /** Rows that are being computed: their Σxy, F64 [rows, neurons of b], and the neurons of each share, I64. */
    private record Sum(Rows rows, NDArray total, List<NDArray> which) {}

    private final Compute compute;
    private final Kernel correlate;
    private final Sketcher sketcher;
    private final int top;
    private final long memory;
    private final Phases phases;
    private final Map<Direction, Outcome> outcomes = new LinkedHashMap<>();

    /**
     * @param correlate the kernel of that name
     * @param sketcher of the first pass; {@code null} where its bounds are certain
     * @param top partners listed of each neuron
     * @param memoryBytes what sums of rows in full may take
     * @param phases gets {@code rereading} and {@code rows}, of products for rows in full
     */
    Refinement(Compute compute, Kernel correlate, Sketcher sketcher, int top, long memoryBytes, Phases phases) {
        this.compute = compute;
        this.correlate = correlate;
        this.sketcher = sketcher;
        this.top = top;
        this.memory = memoryBytes;
        this.phases = phases;
    }

    Outcome outcome(Direction direction) {
        return outcomes.get(direction);
    }

    /** Sets the partners of the directions' tables. */
    void run(List<Direction> directions) {
        Map<Direction, int[]> partners = new LinkedHashMap<>();
        int each = Shortlist.SIZE * 2;
        directions.forEach(direction -> partners.put(direction, partners(direction, each)));
        Candidates candidates = new Candidates(partners, each);
        Map<Direction, int[]> full = new LinkedHashMap<>();
        directions.forEach(direction -> full.put(direction, full(direction)));
        List<Rows> rows = together(full);
        // models are run, or read, once for candidates and rows, and once more for each time the memory is full of rows
        // that are left
        int fit = fitting(rows, 0, memory - CANDIDATE_BYTES * candidates.products());
        double[] products = products(candidates, rows.subList(0, fit));
        directions.forEach(direction -> offer(direction, candidates, products));
        for (int from = fit; from < rows.size(); ) {
            int to = Math.max(from + 1, fitting(rows, from, memory));
            computeRows(rows.subList(from, to), candidates);
            from = to;
        }
        for (Direction direction : directions) {
            outcomes.put(direction, outcome(direction, partners.get(direction), full.get(direction)));
            direction.table().shortlist = null; // 768 bytes of every neuron
        }
    }

    /** Rows of all directions with the same second model, {@value #FULL_ROWS} at a time: products of few rows are slow. */
    private static List<Rows> together(Map<Direction, int[]> full) {
        Map<Source, List<Rows>> all = new LinkedHashMap<>();
        full.forEach((direction, rows) -> {
            List<Rows> of = all.computeIfAbsent(direction.b(), b -> new ArrayList<>());
            for (int from = 0; from < rows.length; ) {
                if (of.isEmpty() || of.get(of.size() - 1).count() == FULL_ROWS) {
                    of.add(new Rows(direction.b(), new ArrayList<>()));
                }
                Rows last = of.get(of.size() - 1);
                int to = Math.min(rows.length, from + FULL_ROWS - last.count());
                last.shares().add(new Share(direction, Arrays.copyOfRange(rows, from, to)));
                from = to;
            }
        });
        return all.values().stream().flatMap(List::stream).toList();
    }

    /** The end of the rows from {@code from} on whose sums fit half of the bytes; keeping them takes the rest. */
    private static int fitting(List<Rows> rows, int from, long available) {
        long bytes = 0;
        for (int at = from; at < rows.size(); at++) {
            bytes += rows.get(at).bytes();
            if (bytes > available / 2) {
                return at;
            }
        }
        return rows.size();
    }

    private static boolean defined(Direction direction, boolean[] alive, int row) {
        return alive[row] && direction.table().shortlist.candidates(row, 1, 0).length > 0;
    }

    private int[] partners(Direction direction, int each) {
        Shortlist shortlist = direction.table().shortlist;
        boolean[] alive = PairWriter.alive(direction.a(), 0);
        int[] partners = new int[direction.table().rows * each];
        Arrays.fill(partners, -1);
        for (int row = 0; row < direction.table().rows; row++) {
            if (alive[row] && !shortlist.overflows(row)) {
                int[] of = shortlist.candidates(row, high(), sketcher == null ? 0 : LEAST);
                System.arraycopy(of, 0, partners, row * each, of.length);
            }
        }
        return partners;
    }

    /** Most correlated partners computed again at least. */
    private int high() {
        return sketcher == null ? top : Shortlist.SIZE;
    }

    private static int[] full(Direction direction) {
        boolean[] alive = PairWriter.alive(direction.a(), 0);
        return IntStream.range(0, direction.table().rows)
                .filter(row -> alive[row] && direction.table().shortlist.overflows(row))
                .toArray();
    }

    /** Σxy of every candidate over all positions, in one pass with the given rows, which are offered to their tables. */
    private double[] products(Candidates candidates, List<Rows> rows) {
        if (candidates.products() == 0 && rows.isEmpty()) {
            return new double[0];
        }
        try (NDManager scope = compute.manager().newSubManager();
                Kernel groups = compute.kernel("groups")) {
            NDArray total = scope.zeros(new Shape(candidates.products()), DataType.FLOAT64);
            NDArray first = scope.create(candidates.first());
            NDArray second = scope.create(candidates.second());
            pass(candidates, candidates.sources(), rows, (step, values) -> {
                List<NDArray> all =
                        values.values().stream().flatMap(List::stream).toList();
                groups.call(step, "products", total, all, first, second, CHUNK);
            });
            return total.toDoubleArray();
        }
    }

    private void computeRows(List<Rows> rows, Candidates candidates) {
        Set<Source> sources = new LinkedHashSet<>();
        for (Rows some : rows) {
            sources.add(some.b());
            some.shares().forEach(share -> sources.add(share.direction().a()));
        }
        pass(candidates, sources, rows, (step, values) -> {});
    }

    /**
     * Reads all positions of some models and computes rows as the exact path does, which are offered to their tables.
     *
     * @param each gets the layers of each model, F32 [n, d_mlp], at some positions
     */
    private void pass(
            Candidates candidates,
            Collection<Source> sources,
            List<Rows> rows,
            BiConsumer<NDManager, Map<Source, List<NDArray>>> each) {
        // by the neurons of all models, so that it is the same in each pass and results do not depend on memory
        int positions = Source.positions(candidates.neurons(), CHUNK, Source.BLOCK);
        sources.forEach(source -> source.model.expect(0, source.layers()));
        try (NDManager scope = compute.manager().newSubManager()) {
            List<Sum> sums = rows.stream().map(some -> empty(scope, some)).toList();
            NDArray room = scope.create(
                    new Shape(rows.stream()
                            .mapToLong(some -> (long) Math.max(LEAST_ROWS, some.count())
                                    * some.b().width())
                            .max()
                            .orElse(0)),
                    DataType.FLOAT32);
            // in one order whichever models are read: in controls each has its own
            for (Source.Block block : candidates.sources().get(0).blocks()) {
                for (Source.Block part : block.parts(positions)) {
                    try (NDManager step = scope.newSubManager()) {
                        Map<Source, List<NDArray>> values = new LinkedHashMap<>();
                        phases.in(
                                "rereading",
                                () -> sources.forEach(source -> values.put(source, source.block(step, part))));
                        each.accept(step, values);
                        phases.in("rows", () -> sums.forEach(sum -> add(step, sum, values, room)));
                    }
                }
            }
            sums.forEach(sum -> keep(scope, sum));
        }
    }

    private static Sum empty(NDManager scope, Rows rows) {
        NDArray total = scope.zeros(new Shape(rows.count(), rows.b().model.neurons()), DataType.FLOAT64);
        List<NDArray> which = rows.shares().stream()
                .map(share ->
                        scope.create(Arrays.stream(share.rows()).asLongStream().toArray()))
                .toList();
        return new Sum(rows, total, which);
    }

    private void add(NDManager step, Sum sum, Map<Source, List<NDArray>> values, NDArray room) {
        try (NDManager inner = step.newSubManager()) {
            List<NDArray> parts = new ArrayList<>();
            List<Share> shares = sum.rows().shares();
            for (int i = 0; i < shares.size(); i++) {
                List<NDArray> a = values.get(shares.get(i).direction().a());
                parts.add(
                        correlate.call(inner, "columns", a, sum.which().get(i)).singletonOrThrow());
            }
            NDArray x = correlate.call(inner, "join", parts).singletonOrThrow();
            List<NDArray> y = values.get(sum.rows().b());
            correlate.call(inner, "accumulate_side_by_side", sum.total(), x, y, ROWS_CHUNK, room);
        }
    }

    private static void offer(Direction direction, Candidates candidates, double[] products) {
        Sums a = Sums.of(direction.a());
        Sums b = Sums.of(direction.b());
        int[] partners = candidates.partners(direction);
        int[] index = candidates.index(direction);
        int each = partners.length / direction.table().rows;
        for (int i = 0; i < partners.length; i++) {
            if (partners[i] >= 0) {
                int row = i / each;
                direction.table().offer(row, a.correlation(row, b, partners[i], products[index[i]]), partners[i]);
            }
        }
    }

    /** Σx and Σx² of every neuron of a model, over n positions. */
    private record Sums(double n, double[] first, double[] second) {
        static Sums of(Source source) {
            double[] first = new double[source.model.neurons()];
            double[] second = new double[first.length];
            for (int layer = 0; layer < source.layers(); layer++) {
                double[] sums = source.sums(layer, 0);
                int width = source.width();
                System.arraycopy(sums, 0, first, layer * width, width);
                System.arraycopy(sums, width, second, layer * width, width);
            }
            return new Sums(source.count(0), first, second);
        }

        double correlation(int row, Sums other, int column, double product) {
            double covariance = product - first[row] * other.first[column] / n;
            double scale = 1 / Math.sqrt(variance(row)) / Math.sqrt(other.variance(column));
            return Math.max(-1, Math.min(1, covariance * scale));
        }

        private double variance(int i) {
            return second[i] - first[i] * first[i] / n;
        }

        /** [2, chosen]. */
        NDArray chosen(NDManager scope, int[] which) {
            double[] values = new double[2 * which.length];
            for (int i = 0; i < which.length; i++) {
                values[i] = first[which[i]];
                values[which.length + i] = second[which[i]];
            }
            return scope.create(values, new Shape(2, which.length));
        }
    }

    /** Offers what the tables keep of some rows. */
    private void keep(NDManager scope, Sum sum) {
        Source b = sum.rows().b();
        int from = 0;
        try (NDManager inner = scope.newSubManager()) {
            NDArray sumsB = Sums.of(b)
                    .chosen(inner, IntStream.range(0, b.model.neurons()).toArray());
            NDArray unscaled = inner.create(new double[0]);
            for (Share share : sum.rows().shares()) {
                int[] rows = share.rows();
                try (NDManager step = inner.newSubManager()) {
                    NDArray sumsA = Sums.of(share.direction().a()).chosen(step, rows);
                    List<NDArray> total = List.of(sum.total());
                    double n = b.count(0);
                    NDArray rho = correlate
                            .call(step, "correlation", total, from, 0, unscaled, unscaled, n, sumsA, sumsB)
                            .singletonOrThrow();
                    keep(step, share.direction(), rows, rho);
                }
                from += rows.length;
            }
        }
        sum.total().close();
    }

    private void keep(NDManager scope, Direction direction, int[] rows, NDArray rho) {
        boolean[] alive = PairWriter.alive(direction.b(), 0);
        NDArray columns = scope.create(IntStream.range(0, alive.length)
                .filter(i -> alive[i])
                .asLongStream()
                .toArray());
        NDList extremes = correlate.call(scope, "extremes", rho, columns);
        NDList tops = correlate.call(scope, "top", rho, columns, top);
        double[] values = tops.get(0).toDoubleArray();
        long[] at = tops.get(1).toLongArray();
        int k = values.length / rows.length;
        for (int side = 0; side < 2; side++) {
            double[] extreme = extremes.get(2 * side).toDoubleArray();
            long[] extremeAt = extremes.get(2 * side + 1).toLongArray();
            for (int i = 0; i < rows.length; i++) {
                direction
                        .table()
                        .offer(
                                rows[i],
                                extreme[i],
                                (int) extremeAt[i],
                                side == 0 && !listed(at, i * k, k, extremeAt[i]));
            }
        }
        for (int i = 0; i < values.length; i++) {
            direction.table().offer(rows[i / k], values[i], (int) at[i]);
        }
    }

    private static boolean listed(long[] at, int from, int count, long index) {
        return Arrays.stream(at, from, from + count).anyMatch(a -> a == index);
    }

    private Outcome outcome(Direction direction, int[] partners, int[] full) {
        PairTable table = direction.table();
        boolean[] alive = PairWriter.alive(direction.a(), 0);
        long[] certain = new long[4];
        double[] uneven = unevenness(direction.a());
        for (int row = 0; row < table.rows; row++) {
            if (!defined(direction, alive, row)) {
                continue;
            }
            boolean whole = table.shortlist.overflows(row);
            double rest = whole ? Double.NEGATIVE_INFINITY : table.shortlist.rest(row, high());
            double least = table.topValue(row, table.topCount(row) - 1);
            double most = bound(rest, STUDY * uneven[row]);
            table.upper[row] = Math.max(table.largest[row], most);
            certain[0]++;
            certain[1] += sketcher == null || table.largest[row] >= most ? 1 : 0;
            certain[2] += sketcher == null || table.largest[row] >= bound(rest, NEURON * uneven[row]) ? 1 : 0;
            certain[3] += least >= most ? 1 : 0;
        }
        long products = Arrays.stream(partners).filter(p -> p >= 0).count();
        return new Outcome(certain[0], products, full.length, certain[1], certain[2], certain[3]);
    }

    /** {@link Sketcher#unevenness} of every neuron. */
    private double[] unevenness(Source source) {
        double[] uneven = new double[source.model.neurons()];
        Arrays.fill(uneven, 1);
        for (int layer = 0; sketcher != null && layer < source.layers(); layer++) {
            int width = source.width();
            double[] first = source.centredSums(layer, 1);
            double[] second = source.centredSums(layer, 2);
            for (int i = 0; i < width; i++) {
                uneven[layer * width + i] = sketcher.unevenness(new double[] {first[width + i], second[width + i]});
            }
        }
        return uneven;
    }

    /** What a correlation that the first pass found to be at most {@code value} may be. */
    private double bound(double value, double deviations) {
        return sketcher == null || value == Double.NEGATIVE_INFINITY
                ? value
                : Math.min(1, value + deviations * sketcher.error(value));
    }
}
