package universality.fetch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.ToolException;

/**
 * The Hugging Face hub's cache, in the layout that its documentation describes ("Hub local cache") and that Python's
 * {@code huggingface_hub} reads and writes:
 *
 * <pre>
 * models--ORGANISATION--NAME/            datasets--… for datasets
 *   blobs/DIGEST                         content, named by the hub's ETag: sha256 of large files, git's SHA-1 of small ones
 *   blobs/DIGEST.universality.incomplete what came so far; the name is ours alone, since Python appends to its own
 *   refs/REVISION                        the commit that a branch or tag was, without a line end
 *   snapshots/COMMIT/PATH                relative links to blobs
 *   trees/COMMIT.json                    every file of a commit with size and digest, as new versions of the library keep it
 * .locks/models--ORGANISATION--NAME/DIGEST.lock
 * </pre>
 *
 * What is there already is not written again, so a complete cache may be read-only.
 */
final class HubCache {
    private static final int TREE_FORMAT = 1;
    private static final Pattern PRIVATE_PARTIAL =
            Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\\.incomplete");

    private final Path root;
    private final Repository repository;
    private final Path folder;

    HubCache(Path root, Repository repository) {
        this.root = root;
        this.repository = repository;
        this.folder = root.resolve(repository.folder());
    }

    Path root() {
        return root;
    }

    Repository repository() {
        return repository;
    }

    Path blob(RemoteFile file) {
        return folder.resolve("blobs").resolve(file.blob());
    }

    Path partial(RemoteFile file) {
        return folder.resolve("blobs").resolve(file.blob() + ".universality.incomplete");
    }

    /** A file for what comes where there are no locks: nobody else has its name, so nobody goes on with it either. */
    Path privatePartial() {
        return folder.resolve("blobs").resolve(UUID.randomUUID() + ".incomplete");
    }

    /** Removes what {@link #privatePartial} was written to by processes that ended long ago. */
    void removeLeftovers() {
        Leftovers.remove(folder.resolve("blobs"), PRIVATE_PARTIAL);
    }

    Path lock(RemoteFile file) {
        return root.resolve(".locks").resolve(repository.folder()).resolve(file.blob() + ".lock");
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    /** Whether the content is there with its size; quick. */
    boolean hasSize(RemoteFile file) {
        return size(blob(file)) == file.bytes();
    }

    /** Bytes of the file that need not be downloaded any more. */
    long present(RemoteFile file) {
        return hasSize(file) ? file.bytes() : Math.max(0, Math.min(size(partial(file)), file.bytes()));
    }

    /** Size of a file, −1 where there is none. */
    static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return -1;
        }
    }

    /** Whether the content is there with its size and digest; reads all of it. */
    boolean isWhole(RemoteFile file) {
        if (!hasSize(file)) {
            return false;
        }
        ContentDigest digest = new ContentDigest(file);
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(blob(file))) {
            for (int n; (n = in.read(buffer)) > 0; ) {
                digest.update(ByteBuffer.wrap(buffer, 0, n));
            }
            return digest.value().equals(file.blob());
        } catch (IOException e) {
            return false;
        }
    }

    /** The commit that a revision was when it was last looked up; commits are themselves. */
    Optional<String> commit(String revision) {
        if (Hub.isCommit(revision)) {
            return Optional.of(revision);
        }
        try {
            return Optional.of(Files.readString(folder.resolve("refs").resolve(revision))
                            .strip())
                    .filter(Hub::isCommit);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Remembers which commit a revision is. */
    void remember(String revision, String commit) {
        if (!commit(revision).equals(Optional.of(commit))) {
            write(folder.resolve("refs").resolve(revision), commit);
        }
    }

    /** Every file of a commit, as far as this cache knows: where {@link #wholeTree} is absent, those that are here. */
    List<RemoteFile> tree(String commit) {
        return wholeTree(commit).orElseGet(() -> linked(commit));
    }

    /** Every file of a commit; absent where the list is not here, damaged, or in a format of another time. */
    Optional<List<RemoteFile>> wholeTree(String commit) {
        Path file = treeFile(commit);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            JsonNode tree = Json.read(file);
            JsonNode files = tree.path("files");
            if (tree.path("format_version").asInt() != TREE_FORMAT || !files.isObject() || files.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(files.properties().stream().map(HubCache::remote).toList());
        } catch (ToolException e) {
            return Optional.empty();
        }
    }

    private static RemoteFile remote(Map.Entry<String, JsonNode> entry) {
        JsonNode node = entry.getValue();
        return new RemoteFile(
                entry.getKey(),
                node.path("lfs_size").asLong(node.path("size").asLong(-1)),
                node.path("blob_id").asText(),
                node.path("lfs_sha256").isTextual() ? node.path("lfs_sha256").asText() : null,
                node.path("xet_hash").isTextual() ? node.path("xet_hash").asText() : null);
    }

    private Path treeFile(String commit) {
        return folder.resolve("trees").resolve(commit + ".json");
    }

    /** Remembers which files a commit has; where nothing can be written, for this run it is no matter. */
    void remember(String commit, List<RemoteFile> files) {
        if (wholeTree(commit).isPresent()) {
            return;
        }
        Map<String, Object> entries = new TreeMap<>();
        for (RemoteFile file : files) {
            Map<String, Object> entry = new TreeMap<>();
            entry.put("size", file.bytes());
            entry.put("blob_id", file.gitId());
            if (file.sha256() != null) {
                entry.put("lfs_sha256", file.sha256());
                entry.put("lfs_size", file.bytes());
            }
            if (file.xetHash() != null) {
                entry.put("xet_hash", file.xetHash());
            }
            entries.put(file.path(), entry);
        }
        try {
            write(treeFile(commit), Json.pretty(Map.of("format_version", TREE_FORMAT, "files", entries)));
        } catch (ToolException e) {
            // a cache that is read-only but complete serves all the same; another one fails at the first file
        }
    }

    /** The files of a snapshot whose links name a digest. */
    private List<RemoteFile> linked(String commit) {
        Path snapshot = snapshot(commit);
        List<RemoteFile> files = new ArrayList<>();
        if (!Files.isDirectory(snapshot)) {
            return files;
        }
        try (Stream<Path> walk = Files.walk(snapshot)) {
            for (Path link : (Iterable<Path>) walk.filter(Files::isSymbolicLink)::iterator) {
                String digest = Files.readSymbolicLink(link).getFileName().toString();
                String path = snapshot.relativize(link).toString().replace('\\', '/');
                if (digest.matches("[0-9a-f]{40}") && Files.isRegularFile(link)) {
                    files.add(new RemoteFile(path, Files.size(link), digest, null, null));
                } else if (digest.matches("[0-9a-f]{64}") && Files.isRegularFile(link)) {
                    files.add(new RemoteFile(path, Files.size(link), "", digest, null));
                }
            }
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, snapshot + " cannot be read: " + e, e);
        }
        files.sort(Comparator.comparing(RemoteFile::path));
        return files;
    }

    /** Makes {@code snapshots/COMMIT/PATH} a relative link to the file's content. */
    void link(String commit, RemoteFile file) {
        Path link = snapshot(commit).resolve(file.path());
        Path target = link.getParent().relativize(blob(file));
        try {
            if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(target)) {
                return;
            }
            Files.createDirectories(link.getParent());
            if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
                Files.createSymbolicLink(link, target);
                return;
            }
            replace(link, target, file);
        } catch (FileAlreadyExistsException e) {
            // another process made the same link meanwhile
        } catch (IOException | UnsupportedOperationException e) {
            throw unwritable(link, e);
        }
    }

    /** A link to other content, or a copy made on a system without links: replaced in one step. */
    private void replace(Path link, Path target, RemoteFile file) throws IOException {
        Path temporary = temporary(blob(file));
        Files.createSymbolicLink(temporary, target);
        Files.move(temporary, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void write(Path file, String text) {
        Path temporary = temporary(file);
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(temporary, text, StandardCharsets.UTF_8);
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                channel.force(true); // else a power cut may leave an empty file under the final name
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    private static Path temporary(Path file) {
        return file.resolveSibling(file.getFileName() + "."
                + ProcessHandle.current().pid() + "-" + Thread.currentThread().getId() + ".tmp");
    }

    private ToolException unwritable(Path file, Exception e) {
        return new ToolException(
                ExitCode.CANNOT_WRITE,
                String.format(
                        "%s cannot be written: %s; free some space, or keep the hub's cache elsewhere (--cache or"
                                + " HF_HUB_CACHE)",
                        file, e),
                e);
    }
}
