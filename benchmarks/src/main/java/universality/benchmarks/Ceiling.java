package universality.benchmarks;

import java.util.Locale;

/**
 * What plain products reach beside a stage. On a machine that others share the two rates differ by a fifth and more: the best one is
 * what the processor can do, and a stage of a minute has what is kept up.
 *
 * @param best operations per second of the fastest product
 * @param operations of all products before and after the stage
 * @param seconds of all these products
 */
record Ceiling(double best, double operations, double seconds) {
    Ceiling and(Ceiling other) {
        return new Ceiling(Math.max(best, other.best), operations + other.operations, seconds + other.seconds);
    }

    /** The same where another time something faster was seen. */
    Ceiling atLeast(double faster) {
        return new Ceiling(Math.max(best, faster), operations, seconds);
    }

    /** Operations per second of all products together. */
    double kept() {
        return operations / seconds;
    }

    /** For the text of a row whose value is {@code rate / best}. */
    String say(double rate) {
        return String.format(
                Locale.ROOT,
                "ceiling %.1f GFLOP/s, the best of products before and after, of which all together kept up %.1f: %.3f of that",
                best / 1e9,
                kept() / 1e9,
                rate / kept());
    }
}
