package universality.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * Which process of this machine has which GPU: a lock file for each GPU, in a folder that all processes of a user share. A GPU
 * goes by its physical identity, so processes with different {@code CUDA_VISIBLE_DEVICES} agree. A process that is killed
 * leaves nothing behind but an unlocked file.
 *
 * @param folder of the lock files; {@code null}: {@code UNIVERSALITY_LEASES}, else a folder of the user in the system's
 *     temporary one
 * @param share tasks that may have one GPU at the same time, at least 1; it should be the same for all of them
 * @param patience the longest wait for a GPU
 * @param say takes the line that tells of waiting
 */
public record Leases(Path folder, int share, Duration patience, Consumer<String> say) {
    private static final long POLL_MILLIS = 100;

    /** A leased GPU; {@code index} is the engine's. Closing it frees the GPU. */
    record Lease(int index, LockFile lock) implements AutoCloseable {
        @Override
        public void close() {
            lock.close();
        }
    }

    /**
     * Checks the values.
     *
     * @throws ToolException (usage) if {@code share} is less than 1 or {@code patience} negative
     */
    public Leases {
        if (share < 1 || patience.isNegative()) {
            throw ToolException.usage(
                    "--device-share %d, --device-wait %d: expected at least 1 task, and at least 0 seconds",
                    share, patience.toSeconds());
        }
        folder = folder == null ? usualFolder() : folder;
    }

    private static Path usualFolder() {
        String set = System.getenv("UNIVERSALITY_LEASES");
        return set != null && !set.isBlank()
                ? Path.of(set)
                : Path.of(System.getProperty("java.io.tmpdir"), "universality-leases-" + user());
    }

    private static Object user() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException | UnsupportedOperationException e) {
            return System.getProperty("user.name");
        }
    }

    /**
     * Waits for a GPU.
     *
     * @param gpus identity of every GPU that the engine sees, in its order; not empty
     * @param wanted the engine's index; −1: the first that is free, and a GPU that nobody has before one that is shared
     * @throws ToolException (try again) if none was free for {@link #patience}; (cannot write) if the folder cannot hold locks
     */
    Lease acquire(List<String> gpus, int wanted) {
        int[] candidates = wanted >= 0
                ? new int[] {wanted}
                : IntStream.range(0, gpus.size()).toArray();
        createFolder();
        long start = System.nanoTime();
        boolean told = false;
        while (true) {
            Lease lease = tryAcquire(gpus, candidates);
            if (lease != null) {
                return lease;
            }
            if (System.nanoTime() - start >= patience.toNanos()) {
                throw new ToolException(
                        ExitCode.TRY_AGAIN,
                        String.format(
                                "%s after %d seconds: wait for other tasks, or allow several on one GPU with --device-share",
                                taken(wanted, candidates.length), patience.toSeconds()));
            }
            if (!told) {
                say.accept(taken(wanted, candidates.length) + ": waiting for at most " + patience.toSeconds()
                        + " seconds");
                told = true;
            }
            pause();
        }
    }

    private static String taken(int wanted, int count) {
        return wanted >= 0
                ? "gpu:" + wanted + " is leased by another task"
                : "all GPUs (" + count + ") are leased by other tasks";
    }

    private Lease tryAcquire(List<String> gpus, int[] candidates) {
        for (int place = 0; place < share; place++) {
            for (int index : candidates) {
                LockFile lock = LockFile.tryLock(folder.resolve(gpus.get(index) + "." + place + ".lock"));
                if (lock != null) {
                    return new Lease(index, lock);
                }
            }
        }
        return null;
    }

    private void createFolder() {
        try {
            Files.createDirectories(folder.toAbsolutePath().getParent());
            if (!Files.isDirectory(folder)) {
                Files.createDirectory(
                        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
        } catch (IOException e) {
            if (!Files.isDirectory(folder)) { // another task may just have made it
                throw LockFile.unusable(folder, e);
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException(ExitCode.TRY_AGAIN, "waiting for a GPU was interrupted", e);
        }
    }
}
