package universality.cli;

/**
 * Shows how far a download is: on a terminal as {@link Progress} does, else a plain line now and then, so that the log of a
 * long task shows that it lives. Thread-safe.
 */
final class TransferLines implements AutoCloseable {
    private static final long INTERVAL_NANOS = 30_000_000_000L;

    private final boolean terminal = System.console() != null;
    private final Progress progress = new Progress();
    private long last = System.nanoTime();

    /** Shows the line unless one was shown a short time ago. */
    synchronized void show(String line) {
        if (terminal) {
            progress.show(line);
        } else if (System.nanoTime() - last > INTERVAL_NANOS) {
            last = System.nanoTime();
            StageCommand.say(line);
        }
    }

    @Override
    public void close() {
        progress.close();
    }
}
