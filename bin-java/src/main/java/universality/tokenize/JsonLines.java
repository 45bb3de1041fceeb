package universality.tokenize;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import universality.data.ToolException;

/** One document for each line, a JSON object with a column of text. Lines without anything are passed over. */
final class JsonLines implements DocumentReader {
    /** The longest line in bytes; other columns count too. */
    static final int LONGEST_LINE = 1 << 26;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(LONGEST_LINE)
                    .build())
            .build();

    private final TextFile file;
    private final String column;
    private final Unpacked source;
    private byte[] buffer = new byte[1 << 16];
    private int from; // of the line in the buffer
    private int filled;
    private long offset; // of the buffer in the unpacked file
    private long line;
    private boolean ended;

    JsonLines(TextFile file, String column) {
        this.file = file;
        this.column = column;
        this.source = new Unpacked(file);
    }

    @Override
    public String next() {
        while (true) {
            int to = lineEnd();
            if (to < 0) {
                return null;
            }
            int start = from;
            if (line++ == 0 && to - start >= 3 && Arrays.equals(buffer, start, start + 3, BYTE_ORDER_MARK, 0, 3)) {
                start += 3;
            }
            from = Math.min(to + 1, filled);
            if (!blank(start, to)) {
                return text(start, to);
            }
        }
    }

    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private boolean blank(int start, int to) {
        for (int i = start; i < to; i++) {
            if (buffer[i] != ' ' && buffer[i] != '\t' && buffer[i] != '\r') {
                return false;
            }
        }
        return true;
    }

    /** The end of the line that starts at {@code from}, which moves with the buffer; −1 at the end of the file. */
    private int lineEnd() {
        int at = from;
        while (true) {
            for (; at < filled; at++) {
                if (buffer[at] == '\n') {
                    return at;
                }
            }
            if (ended) {
                return from < filled ? filled : -1;
            }
            at -= from;
            more();
            at += from;
        }
    }

    private void more() {
        if (filled - from > LONGEST_LINE) {
            throw ToolException.badData(
                    "%s line %d has more than %d bytes: is it one JSON object in each line?",
                    file.path(), line + 1, LONGEST_LINE);
        }
        if (from > 0) {
            System.arraycopy(buffer, from, buffer, 0, filled - from);
            offset += from;
            filled -= from;
            from = 0;
        }
        if (filled == buffer.length) {
            buffer = Arrays.copyOf(buffer, 2 * buffer.length);
        }
        int n = source.read(buffer, filled, buffer.length - filled);
        ended = n < 0;
        filled += Math.max(n, 0);
    }

    private String text(int start, int to) {
        try (JsonParser parser = FACTORY.createParser(buffer, start, to - start)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw ToolException.badData(
                        "%s line %d is no JSON object: one with the column '%s' was expected in each line",
                        file.path(), line, column);
            }
            String text = column(parser);
            if (parser.nextToken() != null) {
                throw ToolException.badData(
                        "%s line %d has something after its JSON object: one object was expected in each line",
                        file.path(), line);
            }
            return text;
        } catch (JsonProcessingException e) {
            throw malformed(start, to, e);
        } catch (IOException e) {
            throw new IllegalStateException("bytes in memory can be read", e);
        }
    }

    private String column(JsonParser parser) throws IOException {
        Set<String> others = new TreeSet<>();
        String text = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            if (!name.equals(column)) {
                others.add(name);
                parser.skipChildren();
            } else if (text != null) {
                throw ToolException.badData("%s line %d has the column '%s' twice", file.path(), line, column);
            } else {
                text = value(parser, value);
            }
        }
        if (text == null) {
            throw ToolException.badData(
                    "%s line %d has no column '%s'; it has %s: name the one with the text by --text-column",
                    file.path(), line, column, others);
        }
        return text;
    }

    private String value(JsonParser parser, JsonToken value) throws IOException {
        if (value == JsonToken.VALUE_NULL) {
            return "";
        }
        if (value != JsonToken.VALUE_STRING) {
            String kind =
                    switch (value) {
                        case START_OBJECT -> "an object";
                        case START_ARRAY -> "a list";
                        case VALUE_TRUE, VALUE_FALSE -> "true or false";
                        default -> "a number";
                    };
            throw ToolException.badData(
                    "%s line %d: the column '%s' holds %s, text was expected", file.path(), line, column, kind);
        }
        if (parser.getTextLength() > LONGEST) {
            throw ToolException.badData(
                    "%s line %d: its text has %d characters, a document may have %d",
                    file.path(), line, parser.getTextLength(), LONGEST);
        }
        return parser.getText();
    }

    private ToolException malformed(int start, int to, JsonProcessingException e) {
        ByteBuffer bytes = ByteBuffer.wrap(buffer, start, to - start);
        CharBuffer chars = CharBuffer.allocate(1 << 12);
        var decoder = StandardCharsets.UTF_8.newDecoder();
        CoderResult result = decoder.decode(bytes, chars.clear(), true);
        while (result.isOverflow()) {
            result = decoder.decode(bytes, chars.clear(), true);
        }
        if (result.isError()) {
            return ToolException.badData(
                    "%s line %d is not UTF-8: byte 0x%02X at offset %d; convert it to UTF-8 first",
                    file.path(), line, buffer[bytes.position()], offset + bytes.position());
        }
        return ToolException.badData("%s line %d is not JSON: %s", file.path(), line, e.getOriginalMessage());
    }

    @Override
    public String digest() {
        return source.digest();
    }

    @Override
    public void close() {
        source.close();
    }
}
