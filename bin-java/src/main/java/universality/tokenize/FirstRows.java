package universality.tokenize;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.OutputFolder;
import universality.data.SafetensorsFile;
import universality.data.SafetensorsFile.Tensor;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;
import universality.data.ToolException;

/**
 * The first rows of each split of a folder that this stage made: less text of the same kind, in which nothing is that is not in
 * the whole. So how much text a study needs can be asked of models that were trained, and of text that was fetched, once.
 */
public final class FirstRows {
    private static final String PLANTED = "planted.safetensors";
    private static final int CHUNK = 1 << 20;

    private FirstRows() {}

    /**
     * Writes the splits of {@code plan} into {@code out}, which the caller commits. A split that has fewer rows is taken whole,
     * with a warning.
     *
     * @param from a folder of {@code tokenize} with splits
     * @param plan the splits, in tokens
     * @throws ToolException (usage) if the plan is in shares, (missing, bad data) if a split is absent or would have no row
     */
    public static void cut(Path from, SplitPlan plan, OutputFolder out, Consumer<String> say) {
        if (plan == null || plan.shares()) {
            throw ToolException.usage("--part-of needs --split in tokens, such as analysis=60000");
        }
        Manifest whole = Manifest.read(from, "tokenize");
        long[] sums = new long[4];
        for (SplitPlan.Part part : plan.parts()) {
            TokenRows rows = TokenRows.read(from.resolve(part.name()));
            long wanted = plan.rows(part, 0, rows.context());
            if (wanted == 0 || rows.rows() == 0) {
                throw ToolException.badData(
                        "split '%s' asks for %.0f tokens of %d rows of %d: at least one row was expected",
                        part.name(), part.amount(), rows.rows(), rows.context());
            }
            if (wanted > rows.rows()) {
                String line = String.format(
                        "split '%s' has %d rows, fewer than the %d asked for: all are taken",
                        part.name(), rows.rows(), wanted);
                out.warning(line);
                say.accept(line);
            }
            write(rows, (int) Math.min(wanted, rows.rows()), part.name(), out, sums);
        }
        whole.parameters().forEach(out::parameter);
        out.parameter("split", plan.text()).input("rows", whole);
        out.count("rows", sums[0])
                .count("tokens", sums[1])
                .count("kept", sums[2])
                .count("documents", sums[3]);
    }

    private static void write(TokenRows rows, int taken, String split, OutputFolder out, long[] sums) {
        OutputFolder folder = out.nested(split);
        copy(rows.folder().resolve(TokenRows.FILE), rows.rows(), taken, folder.file(TokenRows.FILE));
        if (Files.exists(rows.folder().resolve(PLANTED))) {
            copy(rows.manifest().verified(rows.folder(), PLANTED), rows.rows(), taken, folder.file(PLANTED));
        }
        rows.tokenizerFile().ifPresent(file -> copyFile(file, folder.file(TokenRows.TOKENIZER)));
        int positions = taken * rows.context();
        long kept = 0;
        for (int i = 0; i < positions; i++) {
            kept += rows.mask()[i];
        }
        long[] counts = {taken, positions, kept, rows.document()[positions - 1] + 1L};
        for (int i = 0; i < counts.length; i++) {
            sums[i] += counts[i];
        }
        rows.manifest().parameters().forEach(folder::parameter);
        folder.input("rows", rows.manifest());
        folder.count("rows", counts[0])
                .count("tokens", counts[1])
                .count("kept", counts[2])
                .count("documents", counts[3]);
        folder.commit("tokenize", split);
    }

    /** Copies the first {@code taken} of {@code rows} rows of every tensor, [rows, …]. */
    private static void copy(Path from, int rows, int taken, Path to) {
        try (SafetensorsFile file = SafetensorsFile.open(from);
                SafetensorsWriter writer = new SafetensorsWriter(to)) {
            file.metadata().forEach(writer::metadata);
            List<Tensor> tensors = file.tensors().values().stream()
                    .sorted(Comparator.comparingLong(Tensor::offset))
                    .toList();
            for (Tensor tensor : tensors) {
                long[] shape = tensor.shape().clone();
                shape[0] = taken;
                writer.declare(tensor.name(), tensor.dtype(), shape);
            }
            for (Tensor tensor : tensors) {
                long bytes = tensor.bytes() / rows * taken;
                for (long at = 0; at < bytes; at += CHUNK) {
                    ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK, bytes - at));
                    file.read(tensor, at, chunk);
                    writer.bytes(chunk.flip());
                }
            }
        }
    }

    private static void copyFile(Path from, Path to) {
        try {
            Files.copy(from, to);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, to + " cannot be written: " + e.getMessage(), e);
        }
    }
}
