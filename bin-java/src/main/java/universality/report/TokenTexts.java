package universality.report;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;
import universality.data.Dtype;
import universality.data.SafetensorsFile;
import universality.data.TokenRows;
import universality.report.Results.Folder;

/** Text around a token of a token folder. Rows are mapped, not read whole. The caller closes it. */
final class TokenTexts implements AutoCloseable {
    /** Text before the token, of the token, and after it. */
    record Snippet(String before, String token, String after) {}

    private static final int BEFORE = 12;
    private static final int AFTER = 5;

    private final SafetensorsFile file;
    private final SafetensorsFile.Tensor tokens;
    private final SafetensorsFile.Tensor mask;
    private final int rows;
    private final int context;
    private final IntFunction<byte[]> bytes;

    private TokenTexts(SafetensorsFile file, IntFunction<byte[]> bytes) {
        this.file = file;
        this.tokens = file.tensor("tokens", Dtype.I32, -1, -1);
        this.mask = file.tensor("mask", Dtype.U8, tokens.shape());
        this.rows = Math.toIntExact(tokens.shape()[0]);
        this.context = Math.toIntExact(tokens.shape()[1]);
        this.bytes = bytes;
    }

    /** Opens a folder of {@code tokenize}. */
    static TokenTexts open(Folder folder) {
        return new TokenTexts(SafetensorsFile.open(folder.verified(TokenRows.FILE)), TokenBytes.of(folder));
    }

    /** Whether the folder has this position. */
    boolean has(int row, int position) {
        return row >= 0 && row < rows && position >= 0 && position < context;
    }

    /** Twelve tokens before, the token, and up to five after; padding behind it is left out. */
    Snippet at(int row, int position) {
        int first = Math.max(0, position - BEFORE);
        int count = Math.min(context, position + AFTER + 1) - first;
        long start = (long) row * context + first;
        ByteBuffer ids = file.map(tokens, 4 * start, 4L * count);
        ByteBuffer counted = file.map(mask, start, count);
        int at = position - first;
        int end = at + 1;
        while (end < count && counted.get(end) != 0) {
            end++;
        }
        return new Snippet(text(ids, 0, at), text(ids, at, at + 1), text(ids, at + 1, end));
    }

    /** The bytes of a stretch are joined before they are decoded: a character may span tokens. */
    private String text(ByteBuffer ids, int from, int to) {
        java.io.ByteArrayOutputStream joined = new java.io.ByteArrayOutputStream();
        for (int i = from; i < to; i++) {
            joined.writeBytes(bytes.apply(ids.getInt(4 * i)));
        }
        return joined.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        file.close();
    }
}
