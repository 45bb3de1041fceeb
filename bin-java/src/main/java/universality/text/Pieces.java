package universality.text;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** The tokens of a byte-level vocabulary as bytes. Immutable. */
final class Pieces {
    private final byte[][] bytes;

    /** @param bytes the bytes of each id; {@code null} where an id is not used */
    Pieces(byte[][] bytes) {
        this.bytes = bytes;
    }

    private boolean known(int id) {
        return id >= 0 && id < bytes.length && bytes[id] != null;
    }

    String decode(int... ids) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int id : ids) {
            if (known(id)) {
                all.writeBytes(bytes[id]);
            }
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    String piece(int id) {
        return known(id) ? display(bytes[id]) : "#" + id;
    }

    boolean newlineOnly(int id) {
        if (!known(id) || bytes[id].length == 0) {
            return false;
        }
        for (byte b : bytes[id]) {
            if (b != '\n' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    /**
     * Places of tokens that together are exactly {@code text}.
     *
     * @return {@code null} if the tokens' lengths do not add up to the text's
     */
    Encoded places(String text, int[] ids) {
        int[] unitOfByte = unitOfByte(text);
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        int at = 0;
        for (int i = 0; i < ids.length; i++) {
            int next = at + (known(ids[i]) ? bytes[ids[i]].length : 0);
            if (next > unitOfByte.length || next == at) {
                return null;
            }
            starts[i] = unitOfByte[at];
            // the last byte's character ends after one unit, or two for a surrogate pair
            int last = unitOfByte[next - 1];
            ends[i] = last + (Character.isHighSurrogate(text.charAt(last)) ? 2 : 1);
            at = next;
        }
        return at == unitOfByte.length ? new Encoded(ids, starts, ends) : null;
    }

    /** For each UTF-8 byte of {@code text} the UTF-16 unit at which its character starts. */
    private static int[] unitOfByte(String text) {
        int[] units = new int[text.length() * 3];
        int n = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = Character.isHighSurrogate(c);
            int length = c < 0x80 ? 1 : c < 0x800 ? 2 : pair ? 4 : 3;
            Arrays.fill(units, n, n + length, i);
            n += length;
            i += pair ? 1 : 0;
        }
        return Arrays.copyOf(units, n);
    }

    /** The bytes for a reader, see {@link Tokenizer#piece}. */
    static String display(byte[] bytes) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            StringBuilder hex = new StringBuilder();
            for (byte b : bytes) {
                boolean ascii = b > ' ';
                hex.append(
                        ascii
                                ? "" + (char) b
                                : "\\x" + HexFormat.of().withUpperCase().toHexDigits(b));
            }
            return hex.toString();
        }
        return display(text);
    }

    /** {@code text} with control characters made visible. */
    static String display(String text) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\n' -> shown.append("\\n");
                case '\r' -> shown.append("\\r");
                case '\t' -> shown.append("\\t");
                default -> {
                    if (Character.isISOControl(c)) {
                        shown.append("\\u")
                                .append(HexFormat.of().withUpperCase().toHexDigits(c));
                    } else {
                        shown.append(c);
                    }
                }
            }
        }
        return shown.toString();
    }

    /** {@code text} with unpaired surrogates replaced by U+FFFD, which is what UTF-8 can hold. */
    static String wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                return replaceUnpaired(text);
            }
        }
        return text;
    }

    private static String replaceUnpaired(String text) {
        StringBuilder result = new StringBuilder(text);
        for (int i = 0; i < result.length(); i++) {
            char c = result.charAt(i);
            if (Character.isHighSurrogate(c)
                    && i + 1 < result.length()
                    && Character.isLowSurrogate(result.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                result.setCharAt(i, '\uFFFD');
            }
        }
        return result.toString();
    }
}
