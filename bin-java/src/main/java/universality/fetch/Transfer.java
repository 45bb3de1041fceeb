package universality.fetch;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import universality.data.ExitCode;
import universality.data.ToolException;

/** Brings files of one commit into the cache, several at once; the first failure ends all of them. */
final class Transfer {
    private final Hub hub;
    private final HubCache cache;
    private final String commit;
    private final Consumer<String> progress;

    Transfer(Hub hub, HubCache cache, String commit, Consumer<String> progress) {
        this.hub = hub;
        this.cache = cache;
        this.commit = commit;
        this.progress = progress;
    }

    /**
     * Downloads what is missing or damaged, and links the snapshot.
     *
     * @throws ToolException the first failure
     */
    void run(List<RemoteFile> files) {
        Map<String, RemoteFile> missing = new LinkedHashMap<>(); // by content: equal files are one download
        for (RemoteFile file : files) {
            if (!cache.isWhole(file)) {
                missing.putIfAbsent(file.blob(), file);
            }
        }
        if (!missing.isEmpty()) {
            cache.removeLeftovers(); // before the room on the disk is looked at
            requireSpace(missing.values().stream()
                    .mapToLong(f -> f.bytes() - cache.present(f))
                    .sum());
            download(List.copyOf(missing.values()));
        }
        files.forEach(file -> cache.link(commit, file));
    }

    private void requireSpace(long bytes) {
        Path folder = cache.root();
        while (folder != null && !Files.isDirectory(folder)) {
            folder = folder.getParent();
        }
        try {
            FileStore store = Files.getFileStore(folder == null ? Path.of("/") : folder);
            long usable = store.getUsableSpace();
            if (usable > 0 && usable < bytes) { // some file systems do not tell, and say 0
                throw new ToolException(
                        ExitCode.CANNOT_WRITE,
                        String.format(
                                "%d bytes are to be downloaded, but %s has room for %d: free some space, or keep the hub's"
                                        + " cache elsewhere (--cache or HF_HUB_CACHE)",
                                bytes, cache.root(), usable));
            }
        } catch (IOException e) {
            // writing will tell
        }
    }

    private void download(List<RemoteFile> files) {
        long total = files.stream().mapToLong(RemoteFile::bytes).sum();
        TransferProgress shown = new TransferProgress(files.size(), total, progress);
        ExecutorService threads = Executors.newFixedThreadPool(
                Math.min(files.size(), hub.settings().patience().parallel()));
        CompletionService<Void> done = new ExecutorCompletionService<>(threads);
        try {
            for (RemoteFile file : files) {
                done.submit(() -> new BlobDownload(hub, cache, commit, file, shown).run(), null);
            }
            for (int i = 0; i < files.size(); i++) {
                done.take().get();
                shown.fileDone();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException(ExitCode.TRY_AGAIN, "the download was interrupted", e);
        } catch (ExecutionException e) {
            throw unwrapped(e);
        } finally {
            stop(threads);
        }
    }

    /** Waits until no thread writes any more, so that nothing changes after a failure was reported. */
    private static void stop(ExecutorService threads) {
        threads.shutdownNow();
        boolean interrupted = false;
        while (!threads.isTerminated()) {
            try {
                threads.awaitTermination(1, java.util.concurrent.TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static RuntimeException unwrapped(ExecutionException e) {
        if (e.getCause() instanceof ToolException failure) {
            return failure;
        }
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(e.getCause());
    }

    /** Files of {@code files} that are not in the cache with their size, by path. */
    static List<RemoteFile> missing(HubCache cache, List<RemoteFile> files) {
        List<RemoteFile> missing = new ArrayList<>();
        for (RemoteFile file : files) {
            if (!cache.hasSize(file)) {
                missing.add(file);
            }
        }
        return missing;
    }
}
