package universality.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A checkpoint in Hugging Face layout ({@code config.json}, weights, perhaps a tokenizer) with the manifest that {@code fetch}
 * or {@code train} gave it. Weights are read through the package {@code model}.
 *
 * @param id checkpoint id
 * @param family runs of one family differ in their seed only
 * @param step training step
 */
public record CheckpointFolder(Path folder, Manifest manifest, String id, String family, long seed, long step) {
    /**
     * Opens a checkpoint folder.
     *
     * @throws ToolException if it has no manifest, or not of a checkpoint
     */
    public static CheckpointFolder open(Path folder) {
        Manifest manifest = Manifest.readAny(folder);
        if (!manifest.stage().equals("fetch") && !manifest.stage().equals("train")) {
            throw ToolException.badData(
                    "%s was written by the stage '%s', but a checkpoint (of 'fetch' or 'train') was expected",
                    folder, manifest.stage());
        }
        return new CheckpointFolder(
                folder,
                manifest,
                manifest.id(),
                manifest.parameter("family"),
                manifest.integer("seed"),
                manifest.integer("step"));
    }

    /** The model's config.json. */
    public JsonNode config() {
        return Json.read(folder.resolve("config.json"));
    }

    /** Digest of the tokenizer file, absent where the checkpoint has none. */
    public Optional<String> tokenizerDigest() {
        return Files.isRegularFile(folder.resolve(TokenRows.TOKENIZER))
                ? manifest.files().stream()
                        .filter(f -> f.path().equals(TokenRows.TOKENIZER))
                        .map(Manifest.FileEntry::sha256)
                        .findFirst()
                : Optional.empty();
    }
}
