package universality.tensor;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import universality.data.ExitCode;
import universality.data.ToolException;

/** An exclusive lock between processes; the file stays. It ends with {@link #close} or with the process, however that ends. */
final class LockFile implements AutoCloseable {
    /** Locks of this process: closing a second channel to such a file would end the first one's lock. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private LockFile(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Locks without waiting.
     *
     * @return {@code null} if another process, or another part of this one, has the lock
     * @throws ToolException (cannot write) if the file cannot be made or locked
     */
    static LockFile tryLock(Path file) {
        Path path = file.toAbsolutePath().normalize();
        if (!HELD.add(path)) {
            return null;
        }
        LockFile locked = null;
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            locked = lock == null ? null : new LockFile(path, channel);
            return locked;
        } catch (IOException e) {
            throw unusable(path, e);
        } finally {
            if (locked == null) {
                closeQuietly(channel);
                HELD.remove(path);
            }
        }
    }

    /** The failure of a folder that can hold no locks. */
    static ToolException unusable(Path path, IOException e) {
        return new ToolException(
                ExitCode.CANNOT_WRITE,
                path + " cannot be locked (" + e + "): name a folder of a local disk in UNIVERSALITY_LEASES",
                e);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // the lock ends with the process at the latest
        }
    }

    @Override
    public void close() {
        if (channel.isOpen()) { // a second close must not touch a lock that somebody else took since
            closeQuietly(channel);
            HELD.remove(file);
        }
    }
}
