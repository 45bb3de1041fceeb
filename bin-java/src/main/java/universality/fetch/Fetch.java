package universality.fetch;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import universality.data.ToolException;

/**
 * The stage {@code fetch}: a verified checkpoint from a folder in Hugging Face layout.
 *
 * @param source a folder
 * @param revision of a hub repository; null
 * @param id what the checkpoint is called, null where {@link Origin} decides; likewise the next three
 * @param cache where checkpoints are kept; null makes {@code out} itself the checkpoint
 * @param out becomes a link to the cache's entry
 * @param tell is told what is worth knowing and no failure
 */
public record Fetch(
        String source,
        String revision,
        String id,
        String family,
        Long seed,
        Long step,
        Path cache,
        Path out,
        boolean overwrite,
        Consumer<String> tell) {

    /**
     * Does the work.
     *
     * @throws ToolException if the source is missing or not sound, or the output cannot be written
     */
    public void run() {
        Path folder = folder();
        if (revision != null) {
            throw ToolException.usage(
                    "--revision %s is for a repository of the hub, but --source %s is a folder: leave it out",
                    revision, source);
        }
        Origin origin = Origin.of(folder, id, family, seed, step);
        LocalCheckpoint checkpoint = LocalCheckpoint.verified(folder, origin);
        if (cache == null) {
            checkpoint.write(out, overwrite);
        } else {
            Path entry = new CheckpointCache(cache).entry(checkpoint, origin.id(), tell);
            CheckpointCache.link(entry, out, overwrite);
        }
    }

    private Path folder() {
        Path folder = Path.of(source);
        if (Files.isDirectory(folder)) {
            return folder;
        }
        if (Files.exists(folder)) {
            throw ToolException.missing("%s is a file: give the folder that holds config.json and the weights", source);
        }
        if (source.matches("[A-Za-z0-9][\\w.-]*/[\\w.-]+")) {
            throw ToolException.missing(
                    "there is no folder '%s', and fetching from the Hugging Face hub is not supported yet: download the"
                            + " repository and give its folder",
                    source);
        }
        throw ToolException.missing("there is no folder '%s'", source);
    }
}
