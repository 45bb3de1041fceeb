package universality.fetch;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.Ids;
import universality.data.ToolException;

/**
 * The stage {@code fetch}: a verified checkpoint from a folder in Hugging Face layout or from the hub, or a dataset's files of
 * text from the hub.
 *
 * @param source a folder, or a repository of the hub
 * @param revision of a repository; null for its default
 * @param isDataset whether it is a dataset
 * @param include globs of a dataset's files; empty for all
 * @param names what the checkpoint is called
 * @param hub where the hub and its cache are
 * @param cache where verified folders are kept; null: of a folder {@code out} itself becomes the checkpoint, those of the hub
 *     go where the hub's settings say
 * @param out becomes a link to the cache's entry
 * @param tell is told what is worth knowing and no failure
 * @param progress is told how far a download is, often
 */
public record Fetch(
        String source,
        String revision,
        boolean isDataset,
        List<String> include,
        Names names,
        HubSettings hub,
        Path cache,
        Path out,
        boolean overwrite,
        Consumer<String> tell,
        Consumer<String> progress) {

    /** What the user calls a checkpoint; null where {@link Origin} decides. */
    public record Names(String id, String family, Long seed, Long step) {}

    /**
     * Does the work.
     *
     * @throws ToolException if the source is missing or not sound, or the output cannot be written
     */
    public void run() {
        Path folder = Path.of(source);
        if (Files.isDirectory(folder)) {
            fetchFolder(folder);
        } else {
            fetchRepository();
        }
    }

    private void fetchFolder(Path folder) {
        if (revision != null) {
            throw ToolException.usage(
                    "--revision %s is for a repository of the hub, but --source %s is a folder: leave it out",
                    revision, source);
        }
        if (isDataset) {
            throw ToolException.usage(
                    "--kind dataset is for repositories of the hub, but --source %s is a folder: give it to 'tokenize --text'"
                            + " as it is",
                    source);
        }
        Origin origin = Origin.of(folder, names.id(), names.family(), names.seed(), names.step());
        LocalCheckpoint checkpoint = LocalCheckpoint.verified(folder, origin);
        if (cache == null) {
            checkpoint.write(out, overwrite);
        } else {
            Path entry = new CheckpointCache(cache.resolve("checkpoints"), hub.patience())
                    .entry(origin.id(), checkpoint.identity(), target -> checkpoint.write(target, true), tell);
            CheckpointCache.link(entry, out, overwrite);
        }
    }

    private void fetchRepository() {
        HubSource wanted = hubSource(source, Path.of(source), revision, isDataset, include);
        Origin origin = isDataset
                ? new Origin(datasetId(wanted.repository()), "", 0, 0, source)
                : Origin.named(
                        wanted.repository().shortName(),
                        source,
                        names.id(),
                        names.family(),
                        names.seed(),
                        names.step());
        Hub client = new Hub(hub);
        HubSource.Found found = wanted.find(client, true);
        if (hub.offline() && !found.lacks().isEmpty()) {
            throw absent(hub, List.of(found.lacks()));
        }
        CheckpointCache verified =
                new CheckpointCache(hub.verified().resolve(isDataset ? "datasets" : "checkpoints"), hub.patience());
        String identity = identity(found, origin);
        Path entry = verified.whole(origin.id(), identity, tell).orElseGet(() -> {
            bring(client, found);
            return verified.entry(origin.id(), identity, target -> write(found, origin, target), line -> {});
        });
        remember(found);
        CheckpointCache.link(entry, out, overwrite);
    }

    private String datasetId(Repository repository) {
        String id = names.id() == null ? repository.shortName() : names.id();
        return Ids.check("dataset id", id);
    }

    /** Digest of all that decides the content of the folder that other stages see. */
    private String identity(HubSource.Found found, Origin origin) {
        StringBuilder lines = new StringBuilder();
        for (Object part : new Object[] {
            found.source().repository().kind(),
            source,
            found.source().revision(),
            found.commit(),
            String.join(",", include),
            origin.id(),
            origin.family(),
            origin.seed(),
            origin.step()
        }) {
            lines.append(part).append('\n');
        }
        found.files().forEach(file -> lines.append(file.path())
                .append(' ')
                .append(file.blob())
                .append('\n'));
        return Digests.ofText(lines.toString());
    }

    private void bring(Hub client, HubSource.Found found) {
        if (!hub.offline()) {
            new Transfer(client, found.cache(), found.commit(), progress).run(found.files());
            return;
        }
        for (RemoteFile file : found.files()) {
            if (!found.cache().isWhole(file)) {
                throw ToolException.missing(
                        "%s in the cache is damaged (%s of %s), and offline it cannot be repaired: run once with a network",
                        found.cache().blob(file), file.path(), found.source());
            }
        }
        // blobs may have come with another revision, which has links of its own
        found.files().forEach(file -> found.cache().link(found.commit(), file));
    }

    private void write(HubSource.Found found, Origin origin, Path target) {
        HubFolder folder = new HubFolder(found, hub.verified());
        if (isDataset) {
            folder.writeDataset(target, origin.id());
        } else {
            Path snapshot = found.cache().snapshot(found.commit());
            LocalCheckpoint.verified(snapshot, origin).write(target, folder);
        }
    }

    /** The branch is remembered last: whoever finds it finds the files, too. */
    private void remember(HubSource.Found found) {
        if (hub.offline()) {
            return;
        }
        try {
            found.cache().remember(found.source().revision(), found.commit());
        } catch (ToolException e) {
            tell.accept("offline runs will not find " + found.source() + ": " + e.getMessage());
        }
    }

    /**
     * The repository called {@code source}.
     *
     * @param path where a folder of this name would be
     * @throws ToolException (missing) if {@code source} does not read like a repository
     */
    static HubSource hubSource(String source, Path path, String revision, boolean dataset, List<String> include) {
        if (Files.exists(path)) {
            throw ToolException.missing("%s is a file: give the folder that holds config.json and the weights", source);
        }
        if (!Repository.isName(source)) {
            throw ToolException.missing(
                    "there is no folder '%s' (and a repository of the hub reads ORGANISATION/NAME)", source);
        }
        return repository(source, revision, dataset, include);
    }

    /** The repository called {@code source}, which reads like one. */
    static HubSource repository(String source, String revision, boolean dataset, List<String> include) {
        return new HubSource(
                new Repository(dataset ? Repository.Kind.DATASET : Repository.Kind.MODEL, source),
                revision == null ? HubSource.DEFAULT_REVISION : revision,
                include);
    }

    static ToolException absent(HubSettings settings, List<String> what) {
        return new ToolException(
                ExitCode.MISSING_INPUT,
                String.format(
                        "offline, and %s lacks: %s; fetch it once with a network (without --offline and HF_HUB_OFFLINE)",
                        settings.cache(), String.join("; ", what)));
    }
}
