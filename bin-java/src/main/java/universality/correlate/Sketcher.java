package universality.correlate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import universality.stats.Draws;

/**
 * Which buckets of a sketch each position goes into, and with which signs (docs/methods.md, "Precision"): every position goes into {@value
 * #REPETITIONS}, each weighted ±1/√{@value #REPETITIONS}; within a run of as many positions as there are buckets the buckets are a
 * random permutation, so that they fill evenly and no period of the text lines up with them. Each half of the positions has its own
 * buckets, in proportion to its size: products of sketches then estimate the sums over either half, and over both. The error of
 * a correlation ρ has the standard deviation √((1 + ρ²)/m) for m buckets in all, whatever the number of positions.
 */
final class Sketcher {
    static final int REPETITIONS = 4;

    private final int[] buckets;
    private final long seed;

    /**
     * @param size buckets of both halves together
     * @param positions of each half
     */
    Sketcher(int size, long[] positions, long seed) {
        double all = positions[0] + positions[1];
        buckets = new int[2];
        Arrays.setAll(buckets, half -> (int) Math.max(1, Math.round(size * (positions[half] / all))));
        this.seed = seed;
    }

    /** Buckets of a half. */
    int buckets(int half) {
        return buckets[half];
    }

    /** Standard deviation of the error of a correlation of neurons that vary as much in one half as in the other. */
    double error(double rho) {
        return Math.sqrt((1 + rho * rho) / (buckets[0] + buckets[1]));
    }

    /**
     * By what factor the standard deviation of the error may be larger for a neuron that varies more in one half. With m_h buckets of a
     * half the variance is Σ_h ‖x_h‖² ‖y_h‖² / m_h ≤ max_h ‖x_h‖² / m_h for ‖x‖ = ‖y‖ = 1.
     *
     * @param squares Σ(x − x̄)² over the positions of each half
     */
    double unevenness(double[] squares) {
        double all = squares[0] + squares[1];
        double most = 0;
        for (int half = 0; half < 2; half++) {
            most = Math.max(most, squares[half] * (buckets[0] + buckets[1]) / buckets[half]);
        }
        return all > 0 ? Math.sqrt(Math.max(1, most / all)) : 1;
    }

    /** A block cut where a permutation ends, so that no bucket occurs twice in a part and repetition. */
    List<Source.Block> parts(Source.Block block) {
        List<Source.Block> parts = new ArrayList<>();
        int period = buckets[block.half()];
        for (int from = block.from(); from < block.to(); ) {
            int to = Math.min(block.to(), (from / period + 1) * period);
            parts.add(new Source.Block(block.half(), from, to));
            from = to;
        }
        return parts;
    }

    /**
     * Where the positions of a part go.
     *
     * @param bucket [{@value #REPETITIONS} × n]
     * @param sign ±1/√{@value #REPETITIONS}, [{@value #REPETITIONS} × n]
     */
    record Places(long[] bucket, float[] sign) {}

    Places places(Source.Block part) {
        int period = buckets[part.half()];
        int run = part.from() / period;
        int first = part.from() - run * period;
        int n = part.size();
        Places places = new Places(new long[REPETITIONS * n], new float[REPETITIONS * n]);
        for (int r = 0; r < REPETITIONS; r++) {
            Draws random = Draws.of("sketch", seed, part.half(), run, r);
            int[] order = new int[period];
            Arrays.setAll(order, i -> i);
            random.shuffle(order);
            long bits = 0;
            for (int i = 0; i < first + n; i++) {
                bits = i % 64 == 0 ? random.bits() : bits >>> 1;
                if (i >= first) {
                    places.bucket()[r * n + i - first] = order[i];
                    places.sign()[r * n + i - first] = (float) ((bits & 1) == 0 ? 0.5 : -0.5);
                }
            }
        }
        return places;
    }
}
