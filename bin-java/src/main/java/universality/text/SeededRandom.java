package universality.text;

/**
 * SplitMix64 (Steele, Lea, Flood 2014): a small generator whose sequence is fixed here and not by the Java version, so that
 * one seed gives one corpus everywhere. Not thread-safe.
 */
public final class SeededRandom {
    private long state;

    public SeededRandom(long seed) {
        this.state = seed;
    }

    /** 64 random bits. */
    public long next() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Uniform in [0, 1). */
    public double unit() {
        return (next() >>> 11) * 0x1.0p-53;
    }

    /** Uniform in 0 … {@code bound} − 1 (bias below bound / 2⁶⁴). */
    public int below(int bound) {
        return (int) Math.multiplyHigh(next() >>> 1, (long) bound << 1);
    }

    /** True with this probability. */
    public boolean chance(double probability) {
        return unit() < probability;
    }

    /** Uniform in {@code from} … {@code to}, both included. */
    public int between(int from, int to) {
        return from + below(to - from + 1);
    }

    /** Fisher–Yates shuffle of {@code values} in place. */
    public void shuffle(int[] values) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = below(i + 1);
            int held = values[i];
            values[i] = values[j];
            values[j] = held;
        }
    }
}
