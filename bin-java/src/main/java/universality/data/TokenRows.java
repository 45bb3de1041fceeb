package universality.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Token rows as the stage {@code tokenize} writes them: {@code tokens} I32, {@code mask} U8 and {@code document} I32, each
 * [rows, context]. Immutable by agreement: the arrays are shared, not copied.
 *
 * @param folder where they were read from
 * @param manifest its manifest
 * @param rows number of rows
 * @param context tokens in a row
 * @param tokens token ids, row-major [rows, context]
 * @param mask 1 where the position counts, [rows, context]
 * @param document document number of each position, [rows, context]
 */
public record TokenRows(
        Path folder, Manifest manifest, int rows, int context, int[] tokens, byte[] mask, int[] document) {

    public static final String FILE = "tokens.safetensors";
    public static final String TOKENIZER = "tokenizer.json";

    /**
     * Reads a token folder.
     *
     * @throws ToolException if it is not a complete, consistent token folder
     */
    public static TokenRows read(Path folder) {
        for (String split : List.of("analysis", "train", "heldout", "examples")) {
            if (!Files.exists(folder.resolve(FILE))
                    && Files.exists(folder.resolve(split).resolve(FILE))) {
                throw ToolException.usage(
                        "%s holds several splits: give one of them, such as %s", folder, folder.resolve(split));
            }
        }
        Manifest manifest = Manifest.read(folder, "tokenize");
        Path file = manifest.verified(folder, FILE);
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            long[] shape = tensors.tensor("tokens", Dtype.I32, -1, -1).shape();
            tensors.tensor("mask", Dtype.U8, shape);
            tensors.tensor("document", Dtype.I32, shape);
            long[] maskValues = tensors.longs("mask");
            byte[] mask = new byte[maskValues.length];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = (byte) (maskValues[i] == 0 ? 0 : 1);
            }
            return new TokenRows(
                    folder,
                    manifest,
                    Math.toIntExact(shape[0]),
                    Math.toIntExact(shape[1]),
                    tensors.ints("tokens"),
                    mask,
                    tensors.ints("document"));
        }
    }

    /** Number of positions that count. */
    public int kept() {
        int kept = 0;
        for (byte m : mask) {
            kept += m;
        }
        return kept;
    }

    /** Flat indices into [rows × context] of the positions that count, ascending. */
    public int[] keptPositions() {
        int[] positions = new int[kept()];
        int next = 0;
        for (int i = 0; i < mask.length; i++) {
            if (mask[i] != 0) {
                positions[next++] = i;
            }
        }
        return positions;
    }

    /** The largest token id, −1 where there are no tokens. */
    public int largestToken() {
        int largest = -1;
        for (int token : tokens) {
            largest = Math.max(largest, token);
        }
        return largest;
    }

    /** Digest of {@code tokens.safetensors}: equal for equal rows, whatever tool version wrote them. */
    public String digest() {
        return manifest.files().stream()
                .filter(f -> f.path().equals(FILE))
                .findFirst()
                .orElseThrow()
                .sha256();
    }

    /** The tokenizer's file, absent where a name ({@code r50k}, {@code byte}) or ids made elsewhere stand for it. */
    public Optional<Path> tokenizerFile() {
        Path file = folder.resolve(TOKENIZER);
        return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
    }

    /** Digest of the tokenizer file, absent where there is none. */
    public Optional<String> tokenizerDigest() {
        return tokenizerFile().map(file -> {
            try {
                return Digests.ofFile(file);
            } catch (IOException e) {
                throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
            }
        });
    }
}
