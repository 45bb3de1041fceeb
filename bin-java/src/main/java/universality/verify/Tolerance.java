package universality.verify;

import universality.data.ToolException;

/**
 * How far two numbers may be apart: |a − b| ≤ {@code absolute} + {@code relative} · max(|a|, |b|). Both 0: not at all, and their
 * text has to be the same too.
 */
public record Tolerance(double absolute, double relative) {
    public static final Tolerance EXACT = new Tolerance(0, 0);

    public Tolerance {
        check("--tolerance", absolute);
        check("--relative-tolerance", relative);
    }

    private static void check(String option, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw ToolException.usage("%s is %s; a finite number from 0 on was expected", option, value);
        }
    }

    boolean isExact() {
        return absolute == 0 && relative == 0;
    }

    boolean covers(double a, double b) {
        return a == b || Math.abs(a - b) <= absolute + relative * Math.max(Math.abs(a), Math.abs(b));
    }
}
