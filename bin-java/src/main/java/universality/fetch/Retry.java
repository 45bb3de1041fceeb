package universality.fetch;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * The tries of one transfer. Waits double from one try to the next, up to a minute, and differ at random, so that tasks that
 * failed together do not come back together; a server that says when to come back is obeyed. Progress starts the count anew.
 */
final class Retry {
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
    /** A server that wants to be left alone for longer is down for our purposes. */
    private static final Duration LONGEST_ASKED = Duration.ofMinutes(10);

    private final HubSettings settings;
    private final String what;
    private int failures;

    Retry(HubSettings settings, String what) {
        this.settings = settings;
        this.what = what;
    }

    /** Data came before the last failure. */
    void progressed() {
        failures = 0;
    }

    /**
     * Waits after a failed try.
     *
     * @throws ToolException if another try is no use, or there were enough
     */
    void failed(IOException failure) {
        if (failure instanceof InterruptedIOException) {
            throw new ToolException(ExitCode.TRY_AGAIN, what + " was interrupted", failure);
        }
        Duration asked = Duration.ZERO;
        if (failure instanceof HubStatus status) {
            if (!status.isPassing()) {
                throw status.failure(what, settings.token().isPresent());
            }
            asked = status.retryAfter();
        }
        failures++;
        if (failures > settings.patience().retries() || asked.compareTo(LONGEST_ASKED) > 0) {
            throw exhausted(failure, asked);
        }
        sleep(asked.isZero() ? backoff() : asked);
    }

    private ToolException exhausted(IOException failure, Duration asked) {
        if (failure instanceof HubStatus) {
            String when = asked.isZero() ? "" : "; it asks to wait for " + asked.toSeconds() + " seconds";
            return new ToolException(
                    ExitCode.UNAVAILABLE,
                    String.format(
                            "%s cannot be had: %s, %d times%s; try later", what, failure.getMessage(), failures, when),
                    failure);
        }
        return new ToolException(
                ExitCode.TRY_AGAIN,
                String.format(
                        "%s cannot be had from %s: %s, after %d tries; check the network (behind a proxy, HTTPS_PROXY) and run"
                                + " again: what came is kept",
                        what, settings.endpoint().getHost(), failure.getMessage(), failures),
                failure);
    }

    /** base · 2^(failures − 1), at most a minute, times 0.5 to 1. */
    private Duration backoff() {
        double nanos = settings.patience().backoff().toNanos() * Math.pow(2, Math.min(failures - 1, 30));
        // enters no result, and must differ between processes: not seeded
        double jitter = 0.5 + ThreadLocalRandom.current().nextDouble() / 2;
        return Duration.ofNanos((long) (Math.min(nanos, LONGEST_WAIT.toNanos()) * jitter));
    }

    private void sleep(Duration duration) {
        try {
            settings.patience().sleeper().sleep(duration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException(ExitCode.TRY_AGAIN, what + " was interrupted", e);
        }
    }
}
