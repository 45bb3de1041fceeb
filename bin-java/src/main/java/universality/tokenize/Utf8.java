package universality.tokenize;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import universality.data.ToolException;

/**
 * Decodes plain text in blocks: UTF-8, a byte-order mark removed, Windows and old Macintosh line ends turned into {@code \n}.
 */
final class Utf8 {
    private static final int BLOCK = 1 << 16;

    private final TextFile file;
    private final Unpacked source;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private final ByteBuffer bytes = ByteBuffer.allocate(BLOCK).limit(0);
    private final CharBuffer chars = CharBuffer.allocate(BLOCK);
    private long offset; // of the first byte in the buffer
    private boolean started;
    private boolean ended;
    private boolean carriageReturn;

    Utf8(TextFile file, Unpacked source) {
        this.file = file;
        this.source = source;
    }

    /**
     * Appends the next block to {@code text}.
     *
     * @return false at the end
     * @throws ToolException (bad data) if the bytes are not UTF-8 text, naming the offset in the unpacked file
     */
    boolean read(StringBuilder text) {
        if (ended) {
            return false;
        }
        fill();
        chars.clear();
        int from = bytes.position();
        CoderResult result = decoder.decode(bytes, chars, ended);
        refuseZero(from, bytes.position());
        if (result.isError()) {
            throw ToolException.badData(
                    "%s is not UTF-8: byte 0x%02X at offset %d; convert it to UTF-8 first",
                    file.path(), bytes.get(bytes.position()), offset + bytes.position());
        }
        append(text);
        return true;
    }

    private void fill() {
        offset += bytes.position();
        bytes.compact();
        while (bytes.hasRemaining()) {
            int n = source.read(bytes.array(), bytes.position(), bytes.remaining());
            if (n < 0) {
                ended = true;
                break;
            }
            bytes.position(bytes.position() + n);
        }
        bytes.flip();
    }

    private void refuseZero(int from, int to) {
        byte[] array = bytes.array();
        for (int i = from; i < to; i++) {
            if (array[i] == 0) {
                throw ToolException.badData(
                        "%s has a zero byte at offset %d: it is not text in UTF-8", file.path(), offset + i);
            }
        }
    }

    private void append(StringBuilder text) {
        char[] array = chars.array();
        int n = chars.position();
        int from = 0;
        if (!started && n > 0) {
            started = true;
            from = array[0] == '\uFEFF' ? 1 : 0;
        }
        for (int i = from; i < n; i++) {
            char c = array[i];
            if (carriageReturn && c == '\n') { // the second half of a Windows line end
                text.append(array, from, i - from);
                from = i + 1;
            }
            carriageReturn = c == '\r';
            if (carriageReturn) {
                array[i] = '\n';
            }
        }
        text.append(array, from, n - from);
    }
}
