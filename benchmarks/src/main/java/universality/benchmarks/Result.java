package universality.benchmarks;

import java.util.Locale;

/**
 * One line of the table.
 *
 * @param row its name
 * @param value {@code null}: not measured
 * @param unit what the value is a multiple of, in words
 * @param target what is to be reached; {@code null}: told for information
 * @param how what was run, and what was extrapolated; or why nothing was measured
 */
record Result(String row, String what, Double value, String unit, Target target, String how) {
    /** A bound that is part of what is allowed. */
    record Target(boolean least, double bound) {
        static Target atLeast(double bound) {
            return new Target(true, bound);
        }

        static Target atMost(double bound) {
            return new Target(false, bound);
        }

        boolean reachedBy(double value) {
            return least ? value >= bound : value <= bound;
        }

        @Override
        public String toString() {
            return (least ? "at least " : "at most ") + String.format(Locale.ROOT, "%.4g", bound);
        }
    }

    /** {@code yes}, {@code no}, or nothing where there is no target or no value. */
    String reached() {
        if (value == null || target == null) {
            return "";
        }
        return target.reachedBy(value) ? "yes" : "no";
    }

    /** The value in a few digits. */
    String shown() {
        return value == null ? "not measured" : String.format(Locale.ROOT, "%.4g %s", value, unit);
    }
}
