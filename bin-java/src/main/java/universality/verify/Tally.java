package universality.verify;

import java.util.ArrayList;
import java.util.List;

/** Counts in what the values of one column or tensor differ, or those at one path of JSON. */
final class Tally {
    private static final int MOST_SHOWN = 60;

    private final String where;
    private final Tolerance tolerance;
    private long numbers;
    private long beyond;
    private double absolute;
    private double relative;
    private long texts;
    private long undefined;
    private String example;

    Tally(String where, Tolerance tolerance) {
        this.where = where;
        this.tolerance = tolerance;
    }

    /** Two finite numbers that are not written the same. */
    void numbers(double a, double b) {
        numbers++;
        double difference = Math.abs(a - b);
        absolute = Math.max(absolute, difference);
        relative = Math.max(relative, difference == 0 ? 0 : difference / Math.max(Math.abs(a), Math.abs(b)));
        if (tolerance.isExact() || !tolerance.covers(a, b)) {
            beyond++;
        }
    }

    /** A value on one side only: an empty cell, or a number that is not finite. */
    void undefined() {
        undefined++;
    }

    /** Two texts that are not the same. */
    void texts(String row, String a, String b) {
        if (texts++ == 0) {
            example = (row.isEmpty() ? "" : "at " + row + " ") + "'" + shown(a) + "' and '" + shown(b) + "'";
        }
    }

    private static String shown(String text) {
        return text.length() > MOST_SHOWN ? text.substring(0, MOST_SHOWN) + "…" : text;
    }

    /** Whether there is any difference at all. */
    boolean isEmpty() {
        return numbers + texts + undefined == 0;
    }

    /** Whether all differences are of numbers and within the tolerance. */
    boolean isTolerated() {
        return beyond + texts + undefined == 0;
    }

    /** What was counted. */
    Difference difference() {
        List<String> words = new ArrayList<>();
        if (undefined > 0) {
            words.add(undefined + " defined on one side only");
        }
        if (texts > 0) {
            words.add(texts + " of other text, " + example);
        }
        String text = words.isEmpty() ? null : String.join("; ", words);
        return numbers == 0
                ? new Difference(where, texts + undefined, null, null, text)
                : new Difference(where, numbers, absolute, relative, text);
    }
}
