package universality.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.ToolException;

/**
 * A tokenizer in Hugging Face's format, run by Hugging Face's own library. Vocabulary, pieces and (for byte-level encodings)
 * decoding need the JSON only; the native library is loaded at the first {@link #encode}.
 */
final class FileTokenizer implements Tokenizer {
    /** Start-of-text tokens of common families, tried in this order. */
    private static final List<String> STARTS =
            List.of(TokenizerJson.END_OF_TEXT, "<|begin_of_text|>", "<s>", "<bos>", "[BOS]", "[CLS]");

    /** The library truncates at 512 tokens and adds special tokens unless told otherwise. */
    private static final Map<String, String> OPTIONS =
            Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false");

    private static final int CACHED_WORDS = 200_000;

    private final String name;
    private final String json;
    private final JsonNode root;
    private final String[] pieces;
    private final int bos;
    private final Pieces bytes;
    private final boolean cachesWords;
    private final Map<String, int[]> cache = new HashMap<>();
    private HuggingFaceTokenizer encoder;
    private HuggingFaceTokenizer decoder;

    /**
     * Reads a tokenizer.
     *
     * @param name as {@link #name} gives it
     * @param where names the file in messages
     * @throws ToolException (bad data) if {@code json} is no tokenizer, or has no token to start rows with
     */
    FileTokenizer(String name, String json, String where) {
        this.name = name;
        this.json = json;
        this.root = parse(json, where);
        this.pieces = readPieces(root, where);
        this.bos = findStart(root, where);
        this.bytes = byteLevel(root) ? byteLevelPieces() : null;
        this.cachesWords = bytes != null && cutsWordsAsGpt2(root);
    }

    private static JsonNode parse(String json, String where) {
        try {
            JsonNode root = Json.mapper().readTree(json);
            if (!root.path("model").path("vocab").isContainerNode()) {
                throw ToolException.badData(
                        "%s has no model.vocab: a tokenizer.json in Hugging Face's format was expected", where);
            }
            return root;
        } catch (JsonProcessingException e) {
            throw ToolException.badData("%s is not JSON: %s", where, e.getOriginalMessage());
        }
    }

    private static String[] readPieces(JsonNode root, String where) {
        List<String> pieces = new ArrayList<>();
        JsonNode vocabulary = root.path("model").path("vocab");
        if (vocabulary.isArray()) { // Unigram: [[piece, score], …]
            vocabulary.forEach(entry -> pieces.add(entry.path(0).asText()));
        } else {
            for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
                put(pieces, entry.getValue(), entry.getKey(), where);
            }
        }
        for (JsonNode added : root.path("added_tokens")) {
            put(pieces, added.path("id"), added.path("content").asText(), where);
        }
        return pieces.toArray(new String[0]);
    }

    private static void put(List<String> pieces, JsonNode id, String piece, String where) {
        int most = 10_000_000;
        if (!id.canConvertToInt() || !id.isIntegralNumber() || id.intValue() < 0 || id.intValue() > most) {
            throw ToolException.badData("%s: the token '%s' has the id '%s'", where, piece, id.asText());
        }
        while (pieces.size() <= id.intValue()) {
            pieces.add(null);
        }
        pieces.set(id.intValue(), piece);
    }

    private static int findStart(JsonNode root, String where) {
        for (String start : STARTS) {
            for (JsonNode added : root.path("added_tokens")) {
                if (added.path("content").asText().equals(start)) {
                    return added.path("id").intValue();
                }
            }
        }
        throw ToolException.badData(
                "%s has none of the special tokens %s to start rows with: add one to its added_tokens", where, STARTS);
    }

    private static boolean byteLevel(JsonNode root) {
        JsonNode decoder = root.path("decoder");
        boolean whole = decoder.path("type").asText().equals("ByteLevel");
        for (JsonNode part : decoder.path("decoders")) {
            whole |= part.path("type").asText().equals("ByteLevel");
        }
        return whole;
    }

    /** Whether words are cut as {@link PreTokens} does and nothing looks across their borders. */
    private static boolean cutsWordsAsGpt2(JsonNode root) {
        JsonNode cutter = root.path("pre_tokenizer");
        boolean plainAdded = true;
        for (JsonNode added : root.path("added_tokens")) {
            plainAdded &= added.path("special").asBoolean();
        }
        return plainAdded
                && root.path("normalizer").isEmpty()
                && cutter.path("type").asText().equals("ByteLevel")
                && !cutter.path("add_prefix_space").asBoolean(true)
                && cutter.path("use_regex").asBoolean(true);
    }

    private Pieces byteLevelPieces() {
        byte[][] all = new byte[pieces.length][];
        for (int id = 0; id < pieces.length; id++) {
            byte[] raw = pieces[id] == null ? null : ByteAlphabet.bytes(pieces[id]);
            boolean literal = raw == null && pieces[id] != null;
            all[id] = literal ? pieces[id].getBytes(StandardCharsets.UTF_8) : raw;
        }
        for (JsonNode added : root.path("added_tokens")) {
            all[added.path("id").intValue()] = added.path("content").asText().getBytes(StandardCharsets.UTF_8);
        }
        return new Pieces(all);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int vocabulary() {
        return pieces.length;
    }

    @Override
    public int bos() {
        return bos;
    }

    @Override
    public int[] encode(String text) {
        String clean = Pieces.wellFormed(text);
        return cachesWords && PreTokens.settled(clean) ? encodeByWords(clean) : ids(encodeNatively(clean));
    }

    /**
     * The same ids as the library gives for the whole text, some ten times faster: each distinct word goes through the library
     * once. Holds because no token crosses a word's border.
     */
    private int[] encodeByWords(String text) {
        int[] ids = new int[text.length() / 2 + 8];
        int n = 0;
        for (int from = 0; from < text.length(); ) {
            int to = PreTokens.end(text, from);
            int[] word = wordIds(text.substring(from, to));
            if (n + word.length > ids.length) {
                ids = Arrays.copyOf(ids, 2 * ids.length + word.length);
            }
            System.arraycopy(word, 0, ids, n, word.length);
            n += word.length;
            from = to;
        }
        return Arrays.copyOf(ids, n);
    }

    private int[] wordIds(String word) {
        int[] known = cache.get(word);
        if (known == null) {
            known = ids(encodeNatively(word));
            if (cache.size() < CACHED_WORDS) {
                cache.put(word, known);
            }
        }
        return known;
    }

    @Override
    public Encoded encodeWithPlaces(String text) {
        String clean = Pieces.wellFormed(text);
        if (bytes != null) {
            Encoded places = bytes.places(clean, encode(clean));
            if (places != null) {
                return places;
            }
        }
        Encoding encoding = encodeNatively(clean);
        return libraryPlaces(clean, ids(encoding), encoding.getCharTokenSpans());
    }

    /** Places as the library gives them, counted in code points: for encodings that normalise the text first. */
    private static Encoded libraryPlaces(String text, int[] ids, CharSpan[] spans) {
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        int unit = 0;
        int codePoint = 0;
        for (int i = 0; i < ids.length; i++) {
            if (spans[i] == null) {
                starts[i] = unit;
                ends[i] = unit;
                continue;
            }
            // spans may overlap a little but never run far back, so moving from the last one is cheap
            unit = text.offsetByCodePoints(unit, spans[i].getStart() - codePoint);
            codePoint = spans[i].getStart();
            starts[i] = unit;
            ends[i] = text.offsetByCodePoints(unit, spans[i].getEnd() - codePoint);
        }
        return new Encoded(ids, starts, ends);
    }

    private Encoding encodeNatively(String text) {
        if (encoder == null) {
            encoder = load(withoutSpecials());
        }
        return encoder.encode(text, false, false);
    }

    private static int[] ids(Encoding encoding) {
        long[] longs = encoding.getIds();
        int[] ids = new int[longs.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.toIntExact(longs[i]);
        }
        return ids;
    }

    /** The tokenizer without its special tokens: the library would otherwise recognise them in the text. */
    private String withoutSpecials() {
        ObjectNode copy = root.deepCopy();
        ArrayNode kept = copy.putArray("added_tokens");
        for (JsonNode added : root.path("added_tokens")) {
            if (!added.path("special").asBoolean()) {
                kept.add(added);
            }
        }
        copy.putNull("post_processor");
        return copy.toString();
    }

    private HuggingFaceTokenizer load(String definition) {
        try (var stream = new ByteArrayInputStream(definition.getBytes(StandardCharsets.UTF_8))) {
            return HuggingFaceTokenizer.newInstance(stream, OPTIONS);
        } catch (IOException | RuntimeException e) {
            throw ToolException.badData("the tokenizer '%s' is not usable: %s", name, e.getMessage());
        } catch (UnsatisfiedLinkError e) {
            throw new ToolException(
                    ExitCode.INTERNAL, "Hugging Face's tokenizer library cannot be loaded: " + e.getMessage(), e);
        }
    }

    @Override
    public String decode(int... ids) {
        if (bytes != null) {
            return bytes.decode(ids);
        }
        if (decoder == null) {
            decoder = load(json);
        }
        long[] longs = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            longs[i] = ids[i];
        }
        return decoder.decode(longs, false);
    }

    @Override
    public String piece(int id) {
        if (bytes != null) {
            return bytes.piece(id);
        }
        // SentencePiece writes the space before a word as U+2581
        return id < 0 || id >= pieces.length || pieces[id] == null
                ? "#" + id
                : Pieces.display(pieces[id].replace('\u2581', ' '));
    }

    @Override
    public boolean newlineOnly(int id) {
        if (bytes != null) {
            return bytes.newlineOnly(id);
        }
        String piece = id < 0 || id >= pieces.length || pieces[id] == null ? "" : pieces[id];
        return piece.equals("<0x0A>") || piece.equals("<0x0D>") || piece.matches("[\\n\\r]+");
    }

    @Override
    public Optional<String> json() {
        return Optional.of(json);
    }

    @Override
    public void close() {
        if (encoder != null) {
            encoder.close();
            encoder = null;
        }
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
    }
}
