package universality.tokenize;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import universality.data.ExitCode;
import universality.data.ToolException;

/** Reads plain text and makes documents of it. */
final class TextFiles {
    /** From this many files on, each file is one document. */
    static final int MANY = 20;

    private static final long MOST_BYTES = 1L << 30;

    private TextFiles() {}

    /**
     * The text of one file: UTF-8, a byte-order mark removed, Windows and old Macintosh line ends turned into {@code \n}.
     *
     * @throws ToolException (missing) if it cannot be read, (bad data) if it is not UTF-8 text
     */
    static String read(Path file) {
        byte[] bytes;
        try {
            if (!Files.isRegularFile(file)) {
                throw ToolException.missing("--text %s is not a file", file);
            }
            if (Files.size(file) > MOST_BYTES) {
                throw ToolException.badData(
                        "%s has %d bytes, but one file may have %d: cut it into several",
                        file, Files.size(file), MOST_BYTES);
            }
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
        return unixLines(decode(file, bytes));
    }

    private static String decode(Path file, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .decode(in, out, true);
        if (result.isError()) {
            throw ToolException.badData(
                    "%s is not UTF-8: byte 0x%02X at offset %d; convert it to UTF-8 first",
                    file, bytes[in.position()], in.position());
        }
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                throw ToolException.badData("%s has a zero byte at offset %d: it is not text in UTF-8", file, i);
            }
        }
        String text = out.flip().toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    private static String unixLines(String text) {
        return text.indexOf('\r') < 0 ? text : text.replace("\r\n", "\n").replace('\r', '\n');
    }

    /**
     * Cuts a long text at blank lines (at line ends where it has no blank line) into documents of at least {@code least}; a
     * shorter rest joins the last one.
     *
     * @param size a lower bound for the tokens of a piece of text
     */
    static List<String> cut(String text, long least, ToLongFunction<String> size) {
        boolean blankLines = text.contains("\n\n");
        List<String> documents = new ArrayList<>();
        int start = 0;
        int from = 0;
        long sized = 0;
        while (from < text.length()) {
            int end = paragraphEnd(text, from, blankLines);
            sized += size.applyAsLong(text.substring(from, end));
            from = end;
            if (sized >= least) {
                documents.add(text.substring(start, end));
                start = end;
                sized = 0;
            }
        }
        if (start < text.length() && !text.substring(start).isBlank()) {
            String rest = text.substring(start);
            int last = documents.size() - 1;
            if (last < 0) {
                documents.add(rest);
            } else {
                documents.set(last, documents.get(last) + rest);
            }
        }
        documents.replaceAll(String::strip);
        return documents;
    }

    /** The start of the next paragraph after {@code from}, or the text's length. */
    private static int paragraphEnd(String text, int from, boolean blankLines) {
        int at = text.indexOf(blankLines ? "\n\n" : "\n", from);
        if (at < 0) {
            return text.length();
        }
        while (at < text.length() && text.charAt(at) == '\n') {
            at++;
        }
        return at;
    }
}
