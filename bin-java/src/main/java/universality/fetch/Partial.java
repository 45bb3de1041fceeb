package universality.fetch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * What came of a file so far, with its digest. Stays when a download breaks, so that the next one goes on where it ended;
 * becomes the blob in one step when it is complete. All failures to write are exit 73.
 *
 * <p>The file is locked, too: lock files may be deleted by others (old versions of Python's library do), and two writers in one
 * file would be the end of it.
 */
final class Partial implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final ContentDigest digest;
    private long size;

    private Partial(Path file, FileChannel channel, RemoteFile remote) {
        this.file = file;
        this.channel = channel;
        this.digest = new ContentDigest(remote);
    }

    /**
     * Opens or creates {@code file}. A symbolic link in its place is not followed: in a cache that several users write to, it
     * could lead to a file of any of them.
     *
     * @throws ToolException (try again) if another process writes to it, (cannot write) if it cannot be written
     */
    static Partial open(Path file, RemoteFile remote) {
        FileChannel channel = null;
        boolean done = false;
        try {
            Files.createDirectories(file.getParent());
            if (!Files.exists(file)) {
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)
                        .close();
            }
            // the same file before and after: then it is the one that was opened, and not yet somebody's blob
            Object key = key(file);
            channel = FileChannel.open(
                    file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            if (!isLocked(channel) || !key.equals(key(file))) {
                // not seen unless somebody deletes lock files under our hands
                throw new ToolException(
                        ExitCode.TRY_AGAIN, file + " is being written by another process: run again when it is done");
            }
            Partial partial = new Partial(file, channel, remote);
            partial.readBack();
            done = true;
            return partial;
        } catch (IOException e) {
            throw unwritable(file, e);
        } finally {
            if (!done && channel != null) {
                closeQuietly(channel);
            }
        }
    }

    private static Object key(Path file) throws IOException {
        Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        return key == null ? file : key;
    }

    private static boolean isLocked(FileChannel channel) {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        } catch (IOException e) {
            return true; // no locks on this file system: then the file's name is this process's own
        }
    }

    private void readBack() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        while (channel.read(buffer.clear()) > 0) {
            size += buffer.position();
            digest.update(buffer.flip());
        }
    }

    /** Bytes so far. */
    long size() {
        return size;
    }

    /** Adds the remaining bytes of {@code bytes}. */
    void append(ByteBuffer bytes) {
        int length = bytes.remaining();
        digest.update(bytes.duplicate());
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw unwritable(file, e);
        }
        size += length;
    }

    /** Forgets what came so far. */
    void restart() {
        try {
            channel.truncate(0);
            channel.position(0);
        } catch (IOException e) {
            throw unwritable(file, e);
        }
        digest.reset();
        size = 0;
    }

    /** Digest of what came so far; ends it, so only when complete or to be restarted. */
    String digest() {
        return digest.value();
    }

    /** Gives the complete content its final name; on disk before it has it. */
    void become(Path blob) {
        try {
            channel.force(true);
            Files.move(file, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw unwritable(blob, e);
        }
        try (FileChannel folder = FileChannel.open(blob.getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        } catch (IOException e) {
            // not every system can: the name may then be lost in a power cut, never the content under it
        }
    }

    void delete() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // what matters was forced to disk, and that failing is reported
        }
    }

    private static ToolException unwritable(Path file, IOException e) {
        return new ToolException(
                ExitCode.CANNOT_WRITE,
                String.format(
                        "%s cannot be written: %s; free some space, or keep the hub's cache elsewhere (--cache or"
                                + " HF_HUB_CACHE)",
                        file, e.getMessage() == null ? e : e.getMessage()),
                e);
    }
}
