package universality.stats;

import java.util.SplittableRandom;
import universality.data.Digests;

/**
 * Random draws that are the same on every machine and Java version: SplitMix64 seeded by {@link Digests#seed}, with bounded
 * integers and Gaussians made here, because the library's own ways to make them may change. Not thread-safe.
 */
public final class Draws {
    private final SplittableRandom random;
    private double spare = Double.NaN;

    private Draws(long seed) {
        random = new SplittableRandom(seed);
    }

    /** Draws that depend on nothing but {@code parts}. */
    public static Draws of(Object... parts) {
        return new Draws(Digests.seed(parts));
    }

    /** 64 random bits. */
    public long bits() {
        return random.nextLong();
    }

    /** A multiple of 2⁻⁵³ in [0, 1), all equally likely. */
    public double uniform() {
        return (bits() >>> 11) * 0x1p-53;
    }

    /** An integer in [0, bound), all equally likely (Lemire 2019, with rejection). */
    public int below(int bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("the bound must be positive, not " + bound);
        }
        long rejected = (1L << 32) % bound;
        long product;
        do {
            product = (bits() >>> 32) * bound;
        } while ((product & 0xffffffffL) < rejected);
        return (int) (product >>> 32);
    }

    /** A standard normal number (Marsaglia's polar method, strict arithmetic). */
    public double gaussian() {
        if (!Double.isNaN(spare)) {
            double value = spare;
            spare = Double.NaN;
            return value;
        }
        while (true) {
            double x = 2 * uniform() - 1;
            double y = 2 * uniform() - 1;
            double square = x * x + y * y;
            if (square > 0 && square < 1) {
                double scale = Math.sqrt(-2 * StrictMath.log(square) / square);
                spare = y * scale;
                return x * scale;
            }
        }
    }

    /** Puts {@code values} into a random order (Fisher and Yates); modified. */
    public void shuffle(int[] values) {
        for (int i = values.length - 1; i > 0; i--) {
            swap(values, i, below(i + 1));
        }
    }

    /**
     * {@code count} of {@code pool}, without repetition, in the order drawn; {@code pool} is not modified.
     *
     * @throws IllegalArgumentException if the pool is smaller than {@code count}
     */
    public int[] sample(int[] pool, int count) {
        if (count < 0 || count > pool.length) {
            throw new IllegalArgumentException(count + " of " + pool.length + " cannot be drawn without repetition");
        }
        int[] rest = pool.clone();
        for (int i = 0; i < count; i++) {
            swap(rest, i, i + below(rest.length - i));
        }
        return java.util.Arrays.copyOf(rest, count);
    }

    private static void swap(int[] values, int i, int j) {
        int value = values[i];
        values[i] = values[j];
        values[j] = value;
    }
}
