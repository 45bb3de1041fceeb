package universality.fetch;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * A lock between processes, by a file that stays. Within this process a lock of its own comes first: closing a second channel
 * to the file would release the first one's lock.
 *
 * <p>Java locks with {@code fcntl}, Python's library with {@code flock}: on a local disk they do not see each other (on NFS they
 * do). So nothing correct may depend on keeping Python out: each side writes files of its own and renames them when complete.
 */
final class FileMutex implements AutoCloseable {
    private static final Map<Path, ReentrantLock> HELD = new ConcurrentHashMap<>();
    private static final long POLL_MILLIS = 50;

    private final ReentrantLock local;
    private final FileChannel channel;
    private final boolean isShared;

    private FileMutex(ReentrantLock local, FileChannel channel, boolean isShared) {
        this.local = local;
        this.channel = channel;
        this.isShared = isShared;
    }

    /**
     * Waits for the lock.
     *
     * @param patience how long to wait while {@code sign} does not change
     * @param sign something that changes while the holder works
     * @throws ToolException (try again) after that time, (cannot write) if there can be no such file
     */
    static FileMutex acquire(Path file, Duration patience, Supplier<?> sign) {
        Deadline deadline = new Deadline(file, patience, sign);
        FileChannel channel = null;
        ReentrantLock local = null;
        boolean done = false;
        try {
            Files.createDirectories(file.getParent());
            local = HELD.computeIfAbsent(file.toAbsolutePath().normalize(), path -> new ReentrantLock());
            while (!local.tryLock(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                deadline.check();
            }
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            boolean isShared = locked(channel, deadline);
            done = true;
            return new FileMutex(local, channel, isShared);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException(ExitCode.TRY_AGAIN, "waiting for the lock " + file + " was interrupted", e);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e, e);
        } finally {
            if (!done) {
                release(local, channel);
            }
        }
    }

    /** False where the file system has no locks. */
    private static boolean locked(FileChannel channel, Deadline deadline) throws InterruptedException {
        while (true) {
            try {
                FileLock lock = channel.tryLock();
                if (lock != null) {
                    return true;
                }
            } catch (IOException e) {
                return false;
            }
            deadline.check();
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Whether other processes are kept out: false on a file system without locks. */
    boolean isShared() {
        return isShared;
    }

    @Override
    public void close() {
        release(local, channel);
    }

    private static void release(ReentrantLock local, FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // the lock ends with the process at the latest
        } finally {
            if (local != null && local.isHeldByCurrentThread()) {
                local.unlock();
            }
        }
    }

    /** The time until which to wait, put off while the holder of the lock gets on. */
    private static final class Deadline {
        private final Path file;
        private final Duration patience;
        private final Supplier<?> sign;
        private Object last;
        private long since = System.nanoTime();

        Deadline(Path file, Duration patience, Supplier<?> sign) {
            this.file = file;
            this.patience = patience;
            this.sign = sign;
            this.last = sign.get();
        }

        void check() {
            Object now = sign.get();
            if (!now.equals(last)) {
                last = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > patience.toNanos()) {
                throw new ToolException(
                        ExitCode.TRY_AGAIN,
                        String.format(
                                "another process has held %s for %d seconds without getting on: end it or wait, then run"
                                        + " again",
                                file, patience.toSeconds()));
            }
        }
    }
}
