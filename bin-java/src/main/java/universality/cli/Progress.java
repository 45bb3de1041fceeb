package universality.cli;

/** A line on standard error that overwrites itself; only on a terminal, at most four times a second. */
final class Progress implements AutoCloseable {
    private static final long INTERVAL_NANOS = 250_000_000;

    private final boolean terminal = System.console() != null;
    private long last;
    private boolean shown;

    void show(String line) {
        long now = System.nanoTime();
        if (terminal && (!shown || now - last > INTERVAL_NANOS)) {
            System.err.print("\r\u001b[K" + line);
            last = now;
            shown = true;
        }
    }

    @Override
    public void close() {
        if (shown) {
            System.err.println();
        }
    }
}
