package universality.tokenize;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;

/**
 * Complete rows, ready to be written. The arrays may be longer than rows × context; what is beyond does not belong to them.
 *
 * @param tokens ids, row-major [rows, context]
 * @param mask 1 where the position counts
 * @param document document number of each position, ascending
 * @param features planted features as bits, {@code null} where there are none
 */
record PackedRows(int rows, int context, int[] tokens, byte[] mask, int[] document, long[] features) {
    private static final int BLOCK = 1 << 14;

    int size() {
        return Math.multiplyExact(rows, context);
    }

    private long kept() {
        long kept = 0;
        for (int i = 0; i < size(); i++) {
            kept += mask[i];
        }
        return kept;
    }

    private long documents() {
        long documents = 0;
        for (int i = 0; i < size(); i++) {
            documents += i == 0 || document[i] != document[i - 1] ? 1 : 0;
        }
        return documents;
    }

    /** Writes the tensors. */
    void write(OutputFolder folder, List<String> featureNames) {
        writeTokens(folder.file(TokenRows.FILE));
        if (features != null) {
            writeFeatures(folder.file("planted.safetensors"), featureNames);
        }
    }

    /** Rows, tokens, positions that count, documents. */
    Map<String, Long> counts() {
        return Map.of("rows", (long) rows, "tokens", (long) size(), "kept", kept(), "documents", documents());
    }

    private void writeTokens(Path file) {
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.declare("tokens", Dtype.I32, rows, context);
            writer.declare("mask", Dtype.U8, rows, context);
            writer.declare("document", Dtype.I32, rows, context);
            writeInts(writer, tokens);
            writer.bytes(ByteBuffer.wrap(mask, 0, size()));
            writeInts(writer, document);
        }
    }

    private void writeInts(SafetensorsWriter writer, int[] values) {
        for (int from = 0; from < size(); from += BLOCK) {
            writer.ints(Arrays.copyOfRange(values, from, Math.min(size(), from + BLOCK)));
        }
    }

    private void writeFeatures(Path file, List<String> names) {
        int width = names.size();
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            writer.metadata("names", String.join(",", names));
            writer.declare("features", Dtype.U8, rows, context, width);
            byte[] block = new byte[width * BLOCK];
            for (int from = 0; from < size(); from += BLOCK) {
                int to = Math.min(size(), from + BLOCK);
                int n = 0;
                for (int i = from; i < to; i++) {
                    for (int f = 0; f < width; f++) {
                        block[n++] = (byte) (features[i] >>> f & 1);
                    }
                }
                writer.bytes(ByteBuffer.wrap(block, 0, n));
            }
        }
    }
}
