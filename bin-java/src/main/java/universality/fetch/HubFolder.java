package universality.fetch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import universality.data.ExitCode;
import universality.data.OutputFolder;
import universality.data.ToolException;

/** A folder of links to the hub's cache, with a manifest: what other stages read. */
final class HubFolder {
    private final HubSource.Found found;
    private final Path root;

    /** @param root links are relative where folder and cache both lie in it, so that the two can be moved together */
    HubFolder(HubSource.Found found, Path root) {
        this.found = found;
        this.root = root;
    }

    /** Links the file {@code name} of the repository at the same place in {@code out}. */
    void link(OutputFolder out, String name, Path target) {
        // a file that another program copied into the snapshot, on a system without links, is no blob
        Path blob = found.files().stream()
                .filter(f -> f.path().equals(name))
                .findFirst()
                .map(found.cache()::blob)
                .orElse(found.cache().snapshot(found.commit()).resolve(name));
        try {
            if (blob.startsWith(root) && target.startsWith(root)) {
                blob = target.resolve(name).getParent().relativize(blob);
            }
            Files.createSymbolicLink(out.file(name), blob);
        } catch (IOException | UnsupportedOperationException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, target + " cannot be made of links: " + e, e);
        }
    }

    /** Says where all of it comes from. */
    void describe(OutputFolder out) {
        out.parameter("source", found.source().repository().name())
                .parameter("revision", found.source().revision())
                .parameter("commit", found.commit());
    }

    /** A dataset's files of text under their own paths. */
    void writeDataset(Path target, String id) {
        try (OutputFolder out = OutputFolder.create(target, true)) {
            long bytes = 0;
            for (RemoteFile file : found.files()) {
                link(out, file.path(), target);
                bytes += file.bytes();
            }
            describe(out);
            out.parameter("kind", found.source().repository().kind().toString())
                    .count("files", found.files().size())
                    .count("bytes", bytes);
            if (!found.source().include().isEmpty()) {
                out.parameter("include", found.source().include());
            }
            out.commit("fetch", id);
        }
    }
}
