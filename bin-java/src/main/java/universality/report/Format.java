package universality.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as people read them. Undefined is an en dash, never a zero. */
final class Format {
    static final String UNDEFINED = "–";

    private Format() {}

    /** A count with thousands separated: {@code 36,864}. */
    static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** {@code value} with {@code digits} decimals and a real minus sign. */
    static String fixed(double value, int digits) {
        if (!Double.isFinite(value)) {
            return UNDEFINED;
        }
        String text = BigDecimal.valueOf(value)
                .setScale(digits, RoundingMode.HALF_EVEN)
                .toPlainString();
        boolean zero = text.chars().allMatch(c -> c == '0' || c == '.' || c == '-');
        return zero ? text.replace("-", "") : text.replace('-', '−');
    }

    /** A fraction as per cent, with more decimals where it is small: {@code 12.5%}, {@code 0.83%}, {@code 0%}. */
    static String percent(double fraction) {
        if (!Double.isFinite(fraction)) {
            return UNDEFINED;
        }
        double percent = 100 * fraction;
        int digits = percent == 0 ? 0 : Math.abs(percent) < 1 ? 2 : 1;
        return fixed(percent, digits) + "%";
    }

    /** Three significant digits, in scientific notation where very small or large. */
    static String significant(double value) {
        if (!Double.isFinite(value)) {
            return UNDEFINED;
        }
        double size = Math.abs(value);
        if (size != 0 && (size < 1e-3 || size >= 1e6)) {
            return String.format(Locale.ROOT, "%.2e", value).replace("-", "−");
        }
        int whole = size < 1 ? 0 : (int) Math.floor(Math.log10(size)) + 1;
        return fixed(
                value, Math.max(0, size < 0.01 ? 5 : 3 - Math.min(whole, 3)) + (size < 0.1 && size >= 0.01 ? 1 : 0));
    }

    /** Bytes in binary units: {@code 1.4 MiB}. */
    static String bytes(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : fixed(value, value < 10 ? 1 : 0) + " " + units[unit];
    }

    /** The exact value for {@code data-value}, which sorting uses; {@code null} where undefined. */
    static String exact(double value) {
        return Double.isFinite(value) ? Double.toString(value) : null;
    }

    /** A coordinate of a figure: at most two decimals, no trailing zeros. */
    static String coordinate(double value) {
        long hundredths = Math.round(value * 100);
        if (hundredths % 100 == 0) {
            return Long.toString(hundredths / 100);
        }
        String sign = hundredths < 0 ? "-" : "";
        long size = Math.abs(hundredths);
        String digits =
                size % 10 == 0 ? Long.toString(size % 100 / 10) : String.format(Locale.ROOT, "%02d", size % 100);
        return sign + size / 100 + "." + digits;
    }

    /** {@code text} as part of a file name or element id: letters, digits, {@code . _ -}; anything else becomes {@code _}. */
    static String slug(String text) {
        return text.replaceAll("[^A-Za-z0-9._-]", "_");
    }

    /** {@code one} for 1, otherwise {@code many}, after the number. */
    static String plural(long number, String one, String many) {
        return count(number) + " " + (number == 1 ? one : many);
    }
}
