package universality.report;

import java.nio.ByteBuffer;
import universality.data.Dtype;
import universality.data.ExitCode;
import universality.data.SafetensorsFile;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.report.Results.Folder;
import universality.text.Tokenizer;
import universality.text.Tokenizers;

/** Text around a token of a token folder. Rows are mapped, not read whole. The caller closes it. */
final class TokenTexts implements AutoCloseable {
    /** Text before the token, of the token, and after it. */
    record Snippet(String before, String token, String after) {}

    private static final int BEFORE = 12;
    private static final int AFTER = 5;

    private final SafetensorsFile file;
    private final SafetensorsFile.Tensor tokens;
    private final int rows;
    private final int context;
    private final Tokenizer tokenizer;

    private TokenTexts(SafetensorsFile file, Tokenizer tokenizer) {
        this.file = file;
        this.tokens = file.tensor("tokens", Dtype.I32, -1, -1);
        this.rows = Math.toIntExact(tokens.shape()[0]);
        this.context = Math.toIntExact(tokens.shape()[1]);
        this.tokenizer = tokenizer;
    }

    /** Opens a folder of {@code tokenize}; where its tokenizer is not known, tokens are written as {@code #ID}. */
    static TokenTexts open(Folder folder) {
        return new TokenTexts(SafetensorsFile.open(folder.verified(TokenRows.FILE)), tokenizer(folder));
    }

    private static Tokenizer tokenizer(Folder folder) {
        try {
            return Tokenizers.load(folder.path());
        } catch (ToolException e) {
            if (e.code() == ExitCode.MISSING_INPUT) {
                return Tokenizers.unknown(Integer.MAX_VALUE);
            }
            throw e;
        }
    }

    /** Whether the folder has this position. */
    boolean has(int row, int position) {
        return row >= 0 && row < rows && position >= 0 && position < context;
    }

    /** Twelve tokens before, the token, and five after, as far as the row goes. */
    Snippet at(int row, int position) {
        int first = Math.max(0, position - BEFORE);
        int count = Math.min(context, position + AFTER + 1) - first;
        long start = (long) row * context + first;
        ByteBuffer stored = file.map(tokens, 4 * start, 4L * count);
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = stored.getInt(4 * i);
        }
        return snippet(ids, position - first);
    }

    /**
     * Decoded together, because spaces and characters may belong to more than one token; what the token adds to the text before
     * it is its own. A token that only completes a character adds nothing of its own and is written as its bytes.
     */
    private Snippet snippet(int[] ids, int at) {
        String before = decode(ids, 0, at);
        String withToken = decode(ids, 0, at + 1);
        String whole = decode(ids, 0, ids.length);
        String token = withToken.startsWith(before) ? withToken.substring(before.length()) : null;
        if (token == null || token.indexOf('\uFFFD') >= 0) {
            return new Snippet(before, tokenizer.piece(ids[at]), decode(ids, at + 1, ids.length));
        }
        return new Snippet(
                before,
                token,
                whole.startsWith(withToken) ? whole.substring(withToken.length()) : decode(ids, at + 1, ids.length));
    }

    private String decode(int[] ids, int from, int to) {
        return from == to ? "" : tokenizer.decode(java.util.Arrays.copyOfRange(ids, from, to));
    }

    @Override
    public void close() {
        tokenizer.close();
        file.close();
    }
}
