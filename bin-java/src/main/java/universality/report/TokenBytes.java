package universality.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import universality.data.Json;
import universality.data.TokenRows;
import universality.report.Results.Folder;

/**
 * The bytes that a token id stands for, from the vocabulary in {@code tokenizer.json}. Byte-level vocabularies write each byte
 * as one printable character: those of Latin-1 that print stand for themselves, the other 68 bytes, in order, for the
 * characters from U+0100.
 */
final class TokenBytes {
    private static final Map<Integer, Integer> BYTE_OF_CHARACTER = new HashMap<>();

    static {
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean prints = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            BYTE_OF_CHARACTER.put(prints ? b : next++, b);
        }
    }

    private TokenBytes() {}

    /** Bytes by id; an id that nothing is known of becomes {@code ⟨id⟩}. */
    static IntFunction<byte[]> of(Folder tokens) {
        String name = tokens.manifest().parameterOr("tokenizer", "");
        if (tokens.lists(TokenRows.TOKENIZER)) {
            Map<Integer, byte[]> pieces = vocabulary(Json.read(tokens.verified(TokenRows.TOKENIZER)));
            return id -> pieces.containsKey(id) ? pieces.get(id) : unknown(id);
        }
        if (name.equals("byte")) {
            return id -> id >= 0 && id < 256 ? new byte[] {(byte) id} : id == 256 ? new byte[0] : unknown(id);
        }
        return TokenBytes::unknown;
    }

    private static byte[] unknown(int id) {
        return ("⟨" + id + "⟩").getBytes(StandardCharsets.UTF_8);
    }

    private static Map<Integer, byte[]> vocabulary(JsonNode json) {
        Map<Integer, byte[]> pieces = new HashMap<>();
        boolean byteLevel = json.path("decoder").toString().contains("\"ByteLevel\"")
                || json.path("pre_tokenizer").toString().contains("\"ByteLevel\"");
        for (Map.Entry<String, JsonNode> entry :
                json.path("model").path("vocab").properties()) {
            pieces.put(entry.getValue().asInt(), byteLevel ? bytes(entry.getKey()) : plain(entry.getKey()));
        }
        for (JsonNode token : json.path("added_tokens")) {
            pieces.put(token.path("id").asInt(), token.path("content").asText().getBytes(StandardCharsets.UTF_8));
        }
        return pieces;
    }

    private static byte[] plain(String piece) {
        return piece.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String piece) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        piece.codePoints().forEach(c -> {
            Integer value = BYTE_OF_CHARACTER.get(c);
            if (value != null) {
                out.write(value);
            } else {
                out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
            }
        });
        return out.toByteArray();
    }
}
