package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import universality.data.ActivationMoments;
import universality.data.ToolException;
import universality.tensor.Kernel;

/**
 * One model as the engine sees it: its activations at chosen positions, block by block, shifted and scaled to about zero mean
 * and unit variance, and for one control rotated. Sums over all blocks are gathered on the way. Not thread-safe; the
 * activations are closed by whoever opened them.
 */
final class Source {
    /** Kept positions of a block; fixed, so that results do not depend on memory or grouping. */
    static final int BLOCK = 4096;

    /** Positions by which columns are shifted and scaled. */
    private static final int SAMPLE = 1023;

    /** Steps to the largest |z|; rounding up at random may come to one more. */
    private static final double STEPS = 126;

    private static final double MOST_STEPS = STEPS + 1;

    /** Room for what rounding does between what the largest |z| is taken from and what is quantised. */
    private static final double SLACK = 1 + 0x1p-10;

    /** Least scale of a column that hardly varies in the sample, in units of the layer's. */
    private static final double LEAST_DEVIATION = 1e-4;

    /** The whole, then the two halves. */
    static final int SETS = 3;

    /** Elements of all models together that are held at once where all layers are read side by side; see {@link #positions}. */
    private static final long BLOCK_ELEMENTS = 1L << 23;

    final Activations model;
    private final int[][] rows;
    private final List<Block> blocks;
    private final Kernel kernel;
    private final NDArray[] shift;
    private final NDArray[] scale;
    private final NDArray[] rotation;
    private final double[][] scales;
    /** Σz and Σz² by layer and half, [layers][2][2 × d_mlp]. */
    private final double[][][] sums;

    private final double[][] rounding;
    /** Steps in which z is quantised. */
    private final double[][] steps;

    private final double[][][] roundedSums;
    /** The largest Σẑ² in steps of a neuron of each layer, half and block; before it is quantised, what it cannot exceed. */
    private final double[][][] most;

    /**
     * @param rows indices of kept positions by half
     * @param rotations for the control {@code rotated}; {@code null}: as it is
     */
    Source(NDManager manager, Kernel kernel, Activations model, int[][] rows, Rotations rotations) {
        this.model = model;
        this.rows = rows;
        this.blocks = blocks(rows);
        this.kernel = kernel;
        int layers = model.layers();
        shift = new NDArray[layers];
        scale = new NDArray[layers];
        rotation = new NDArray[layers];
        scales = new double[layers][];
        sums = new double[layers][2][2 * model.dMlp()];
        rounding = new double[layers][model.dMlp()];
        steps = new double[layers][];
        roundedSums = new double[layers][2][2 * model.dMlp()];
        most = new double[layers][2][];
        for (double[][] halves : most) {
            for (int half = 0; half < 2; half++) {
                halves[half] = new double[(rows[half].length + BLOCK - 1) / BLOCK];
                java.util.Arrays.fill(halves[half], MOST_STEPS * MOST_STEPS * BLOCK);
            }
        }
        model.expect(0, layers);
        int half = rows[0].length > 0 ? 0 : 1;
        try (NDManager scope = manager.newSubManager()) {
            model.read(scope, all(), rows[half], 0, Math.min(SAMPLE, rows[half].length), (layer, some) -> {
                try (NDManager step = scope.newSubManager()) {
                    some.attach(step);
                    sample(manager, step, layer, some, rotations != null);
                }
            });
        }
        for (int layer = 0; layer < layers && rotations != null; layer++) {
            rotation[layer] = rotations.apart(manager, model, layer, "control");
        }
    }

    private int[] all() {
        return IntStream.range(0, layers()).toArray();
    }

    /** Takes resting values or medians of some positions as shifts: near enough to the means for exact sums. */
    private void sample(NDManager manager, NDManager scope, int layer, NDArray some, boolean turned) {
        shift[layer] = kernel.call(scope, "center", some).singletonOrThrow();
        shift[layer].attach(manager);
        double[] deviation =
                kernel.call(scope, "spread", some).singletonOrThrow().toDoubleArray();
        scales[layer] = turned ? common(deviation) : inverses(deviation);
        scale[layer] = manager.create(scales[layer]);
    }

    /**
     * Finds the steps in which {@link #fillWhole} quantises: so that none is larger than {@value #STEPS} of them, for if values were cut off,
     * means and variances would not be those of what is multiplied. If the extremes are not known, all positions are read.
     *
     * @throws ToolException (bad data) naming the neuron if an activation is not finite
     */
    void quantise(NDManager manager) {
        double[][] peaks =
                rotation[0] == null ? model.extremes().map(this::peaks).orElse(null) : null;
        if (peaks == null) {
            peaks = peaks(manager);
        }
        for (int layer = 0; layer < layers(); layer++) {
            checkFinite(layer, peaks[layer]);
            steps[layer] = java.util.Arrays.stream(peaks[layer])
                    .map(peak -> (float) (peak > 0 ? peak * SLACK / STEPS : 1))
                    .toArray();
        }
    }

    private double[][] peaks(Activations.Extremes extremes) {
        double[][] peaks = new double[layers()][width()];
        for (int layer = 0; layer < layers(); layer++) {
            double[] start = shift[layer].toDoubleArray();
            for (int i = 0; i < width(); i++) {
                double below = start[i] - extremes.least()[layer][i];
                peaks[layer][i] = Math.max(below, extremes.largest()[layer][i] - start[i]) * scales[layer][i];
            }
        }
        return peaks;
    }

    private double[][] peaks(NDManager manager) {
        double[][] peaks = new double[layers()][width()];
        for (Block block : blocks) {
            for (Block part : block.parts(SAMPLE)) {
                try (NDManager scope = manager.newSubManager()) {
                    model.read(scope, all(), rows[part.half()], part.from(), part.size(), (layer, raw) -> {
                        try (NDManager step = scope.newSubManager()) {
                            raw.attach(step);
                            Scaled x = scaled(step, layer, raw);
                            double[] peak = kernel.call(step, "peak", x.raw(), x.shift(), x.scale())
                                    .singletonOrThrow()
                                    .toDoubleArray();
                            java.util.Arrays.setAll(peaks[layer], i -> Math.max(peaks[layer][i], peak[i]));
                        }
                    });
                }
            }
        }
        return peaks;
    }

    /** 1/σ; σ is not taken smaller than a share of the layer's root mean square, since the sample may miss what happens rarely. */
    private static double[] inverses(double[] deviation) {
        double layer = 1 / common(deviation)[0];
        double[] result = new double[deviation.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = 1 / (deviation[i] > 0 ? Math.max(deviation[i], LEAST_DEVIATION * layer) : layer);
        }
        return result;
    }

    /** One scale for the whole layer, since a rotation mixes its neurons; 1 where nothing varies in the sample. */
    private static double[] common(double[] deviation) {
        double sum = 0;
        for (double s : deviation) {
            sum += s * s;
        }
        double[] result = new double[deviation.length];
        java.util.Arrays.fill(result, sum > 0 ? Math.sqrt(deviation.length / sum) : 1);
        return result;
    }

    int layers() {
        return model.layers();
    }

    int width() {
        return model.dMlp();
    }

    /** Some positions of one half: entries {@code from} (inclusive) to {@code to} of its list. */
    record Block(int half, int from, int to) {
        int size() {
            return to - from;
        }

        /** The block cut into parts of at most {@code positions}. */
        List<Block> parts(int positions) {
            List<Block> parts = new ArrayList<>();
            for (int at = from; at < to; at += positions) {
                parts.add(new Block(half, at, Math.min(to, at + positions)));
            }
            return parts;
        }
    }

    /** All blocks of both halves, by their last position, so that what is computed row by row is used soon after. */
    List<Block> blocks() {
        return blocks;
    }

    private static List<Block> blocks(int[][] rows) {
        List<Block> blocks = new ArrayList<>();
        for (int half = 0; half < 2; half++) {
            for (int from = 0; from < rows[half].length; from += BLOCK) {
                blocks.add(new Block(half, from, Math.min(rows[half].length, from + BLOCK)));
            }
        }
        blocks.sort(Comparator.comparingInt(block -> rows[block.half()][block.to() - 1]));
        return List.copyOf(blocks);
    }

    /** Positions in a set: 0 the whole, 1 and 2 the halves. */
    long count(int set) {
        return set == 0 ? (long) rows[0].length + rows[1].length : rows[set - 1].length;
    }

    /** Hands over the activations of a block as they are, layer after layer; for {@link #fill}. */
    void read(NDManager scope, int[] layers, Block block, Activations.LayerConsumer consumer) {
        model.read(scope, layers, rows[block.half()], block.from(), block.size(), consumer);
    }

    /** All layers at the positions of a block, F32 [n, d_mlp] each, owned by {@code scope}. */
    List<NDArray> block(NDManager scope, Block block) {
        return values(scope, rows[block.half()], block.from(), block.size());
    }

    /** All layers at {@code count} positions of {@code which} (indices of kept positions), F32 [count, d_mlp] each. */
    List<NDArray> values(NDManager scope, int[] which, int from, int count) {
        List<NDArray> values = new ArrayList<>();
        model.read(scope, all(), which, from, count, (layer, raw) -> {
            values.add(
                    rotation[layer] == null
                            ? kernel.call(scope, "standard", raw, shift[layer], scale[layer])
                                    .singletonOrThrow()
                            : rotated(scope, layer, raw));
            raw.close();
        });
        return values;
    }

    private NDArray rotated(NDManager scope, int layer, NDArray raw) {
        return kernel.call(scope, "rotated", raw, shift[layer], rotation[layer], scale[layer])
                .singletonOrThrow();
    }

    /**
     * Positions of which all layers of some models may be held at once, a multiple of {@code chunk}; it depends on the number of their
     * neurons alone, so that results do not depend on memory.
     */
    static int positions(long neurons, int chunk, int most) {
        return (int) Math.max(chunk, Math.min(most, BLOCK_ELEMENTS / neurons / chunk * chunk));
    }

    /**
     * Shifts and scales the activations of a block into {@code room}.
     *
     * @param raw as {@link #read} gives them; not modified
     * @param room F32 or BF16, modified
     * @param column where they are put
     * @param sum whether to add their sums, which is for once for every block of a layer
     * @return the rows of {@code room} that belong to the block, all columns
     * @throws ToolException (bad data) naming the neuron if an activation is not finite
     */
    NDArray fill(NDManager scope, int layer, Block at, NDArray raw, NDArray room, int column, boolean sum) {
        NDList filled;
        try (NDManager step = scope.newSubManager()) {
            Scaled x = scaled(step, layer, raw);
            filled = kernel.call(scope, "fill", room, column, x.raw(), x.shift(), x.scale(), sum ? 1 : 0);
        }
        if (sum) {
            addSums(layer, at.half(), filled.get(1));
        }
        if (filled.size() > 2) {
            add(rounding[layer], filled.get(2));
            add(roundedSums[layer][at.half()], filled.get(3));
        }
        return filled.head();
    }

    /**
     * {@link #fill} in whole steps, after {@link #quantise}; adds the sum of their squares, too.
     *
     * @param room I8, modified; up to 7 rows of zeros more are put there
     * @throws ToolException (bad data) naming the neuron if an activation is not finite, or larger than its moments say
     */
    NDArray fillWhole(
            NDManager scope,
            Kernel integers,
            int layer,
            Block at,
            NDArray raw,
            NDArray room,
            int column,
            Noise noise,
            boolean sum) {
        float[] step = new float[width()];
        for (int i = 0; i < step.length; i++) {
            step[i] = (float) steps[layer][i];
        }
        NDList filled;
        try (NDManager inner = scope.newSubManager()) {
            Scaled x = scaled(inner, layer, raw);
            filled = integers.call(
                    scope,
                    "fill",
                    room,
                    column,
                    x.raw(),
                    x.shift(),
                    x.scale(),
                    inner.create(step),
                    noise.numbers(layer, at, raw),
                    noise.first(layer, at),
                    sum ? 1 : 0);
        }
        if (sum) {
            addSums(layer, at.half(), filled.get(1));
            checkKept(layer, filled.get(2).toDoubleArray());
            double[] squares = filled.get(3).toDoubleArray();
            most[layer][at.half()][at.from() / BLOCK] =
                    java.util.Arrays.stream(squares).max().orElse(0);
            for (int i = 0; i < squares.length; i++) {
                roundedSums[layer][at.half()][width() + i] += squares[i] * steps[layer][i] * steps[layer][i];
            }
        }
        return filled.head();
    }

    /** What is still to be shifted and scaled. */
    private record Scaled(NDArray raw, NDArray shift, NDArray scale) {}

    /** What is rotated has been shifted and scaled before. */
    private Scaled scaled(NDManager scope, int layer, NDArray raw) {
        return rotation[layer] == null
                ? new Scaled(raw, shift[layer], scale[layer])
                : new Scaled(
                        rotated(scope, layer, raw),
                        scope.zeros(shift[layer].getShape(), DataType.FLOAT64),
                        scope.ones(shift[layer].getShape(), DataType.FLOAT64));
    }

    /**
     * Adds a block's sums; to be called once for every block of a layer.
     *
     * @throws ToolException (bad data) naming the neuron if an activation is not finite: it would pass for a dead neuron
     */
    void addSums(NDManager scope, int layer, int half, NDArray block) {
        addSums(layer, half, kernel.call(scope, "sums", block).singletonOrThrow());
    }

    private void addSums(int layer, int half, NDArray values) {
        double[] total = sums[layer][half];
        add(total, values);
        checkFinite(layer, total);
    }

    /** @param values of each neuron, perhaps followed by others of each */
    private void checkFinite(int layer, double[] values) {
        for (int i = 0; i < values.length; i++) {
            if (!Double.isFinite(values[i])) {
                throw ToolException.badData(
                        "activations of neuron %d.%d of '%s' are not finite: the weights overflow in this precision or are corrupt",
                        layer, i % width(), model.id());
            }
        }
    }

    private void checkKept(int layer, double[] cut) {
        for (int i = 0; i < cut.length; i++) {
            if (cut[i] > 0) {
                throw ToolException.badData(
                        "activations of neuron %d.%d of '%s' are smaller or larger than its moments say: run activate again",
                        layer, i, model.id());
            }
        }
    }

    /** Steps in which z is quantised, [d_mlp]. */
    double[] steps(int layer) {
        return steps[layer];
    }

    /** No neuron of the layer has a larger Σẑ² in steps over a block: what was seen, or what is possible. */
    double most(int layer, Block block) {
        return most[layer][block.half()][block.from() / BLOCK];
    }

    private static void add(double[] sums, NDArray values) {
        double[] added = values.toDoubleArray();
        for (int i = 0; i < added.length; i++) {
            sums[i] += added[i];
        }
    }

    /** Σ(ẑ − z)² over all positions, ẑ rounded to BF16, [d_mlp]. */
    double[] rounding(int layer) {
        return rounding[layer];
    }

    /** Σz and Σz² of a set, [2 × d_mlp]. */
    double[] sums(int layer, int set) {
        return sums(sums[layer], set);
    }

    /** {@link #sums} of the activations rounded to BF16; where they are quantised, Σẑ² only. */
    double[] roundedSums(int layer, int set) {
        return sums(roundedSums[layer], set);
    }

    /** {@link #sums} of z less its mean over all positions. */
    double[] centredSums(int layer, int set) {
        double[] all = sums(layer, 0);
        double[] some = sums(layer, set);
        double[] centred = new double[some.length];
        for (int i = 0; i < width(); i++) {
            double mean = all[i] / count(0);
            centred[i] = some[i] - count(set) * mean;
            centred[width() + i] = some[width() + i] - 2 * mean * some[i] + count(set) * mean * mean;
        }
        return centred;
    }

    private static double[] sums(double[][] halves, int set) {
        if (set > 0) {
            return halves[set - 1];
        }
        double[] total = halves[0].clone();
        for (int i = 0; i < total.length; i++) {
            total[i] += halves[1][i];
        }
        return total;
    }

    /** Standard deviations of a set in the original units, relative to their root mean square, {@link #norm}. */
    double[] deviations(int layer, int set) {
        double[] result = originals(layer, set);
        double norm = norm(result);
        for (int i = 0; i < result.length && norm > 0; i++) {
            result[i] /= norm;
        }
        return result;
    }

    /** Root mean square of a layer's standard deviations of a set in the original units. */
    double norm(int layer, int set) {
        return norm(originals(layer, set));
    }

    private static double norm(double[] deviations) {
        double square = 0;
        for (double deviation : deviations) {
            square += deviation * deviation;
        }
        return Math.sqrt(square / deviations.length);
    }

    private double[] originals(int layer, int set) {
        double[] s = sums(layer, set);
        double n = count(set);
        double[] result = new double[width()];
        for (int i = 0; i < result.length; i++) {
            double variance = Math.max(0, (s[width() + i] - s[i] * s[i] / n) / n);
            result[i] = n > 0 ? original(layer, i, Math.sqrt(variance)) : 0;
        }
        return result;
    }

    /** A difference of a neuron's values as {@link #fill} scales them, in the original units; 0 where it does not vary. */
    double original(int layer, int neuron, double difference) {
        double unit = rotation[layer] == null ? scales[layer][neuron] : 1;
        return unit > 0 ? difference / unit : 0;
    }

    private static boolean[] inactive(double[] deviations) {
        double[] squares = java.util.Arrays.stream(deviations).map(s -> s * s).toArray();
        return ActivationMoments.inactive(new double[][] {squares}, 1)[0];
    }

    /** Columns of a layer that vary in a set, ascending. */
    long[] alive(int layer, int set) {
        boolean[] inactive = inactive(deviations(layer, set));
        return IntStream.range(0, width())
                .filter(i -> !inactive[i])
                .mapToLong(i -> i)
                .toArray();
    }
}
