package universality.fetch;

import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;

/** Says how far a download is. Thread-safe; whoever shows the lines decides how often. */
final class TransferProgress {
    private static final String[] UNITS = {"bytes", "kB", "MB", "GB", "TB"};

    private final int files;
    private final long total;
    private final Consumer<String> show;
    private final long start = System.nanoTime();
    private long present; // from an earlier run; may fall below 0 where what came is thrown away
    private long came; // in this run
    private int done;

    TransferProgress(int files, long total, Consumer<String> show) {
        this.files = files;
        this.total = total;
        this.show = show;
    }

    /** {@code count} bytes were there before; negative if they are no use after all. */
    synchronized void present(long count) {
        present += count;
    }

    /** {@code count} bytes more came. */
    synchronized void add(long count) {
        came += count;
        show.accept(line(System.nanoTime() - start));
    }

    synchronized void fileDone() {
        done++;
    }

    private String line(long nanos) {
        long bytes = Math.max(0, present + came);
        double rate = came / (nanos / 1e9);
        String line = String.format(
                Locale.ROOT, "%d of %d files, %s of %s, %s/s", done, files, size(bytes), size(total), size((long)
                        rate));
        if (rate < 1 || bytes >= total) {
            return line;
        }
        return line + ", " + time(Duration.ofSeconds((long) ((total - bytes) / rate))) + " left";
    }

    /** Three digits and a unit of 1,000. */
    static String size(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 999.5 && unit < UNITS.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    }

    private static String time(Duration left) {
        if (left.toMinutes() >= 60) {
            return left.toHours() + " h " + left.toMinutesPart() + " min";
        }
        return left.toMinutes() > 0
                ? left.toMinutes() + " min " + left.toSecondsPart() + " s"
                : left.toSeconds() + " s";
    }
}
