package universality.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
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

    private final String name;
    private final String json;
    private final JsonNode root;
    private final String[] pieces;
    private final int bos;
    private final Pieces bytes;
    private final boolean cutsWords;
    private final List<String> addedText;
    private final WordEncoder words = new WordEncoder(this::encodeNatively);
    private final Library library;
    private final boolean owner;

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
        this.cutsWords = bytes != null && cutsWordsAsGpt2(root);
        this.addedText = addedText(root);
        this.library = new Library(name, root, json);
        this.owner = true;
    }

    private FileTokenizer(FileTokenizer other) {
        this.name = other.name;
        this.json = other.json;
        this.root = other.root;
        this.pieces = other.pieces;
        this.bos = other.bos;
        this.bytes = other.bytes;
        this.cutsWords = other.cutsWords;
        this.addedText = other.addedText;
        this.library = other.library;
        this.owner = false;
    }

    @Override
    public Tokenizer twin() {
        return new FileTokenizer(this);
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

    /**
     * Whether words are cut as {@link PreTokens} does and nothing looks across their borders but tokens that were added: true
     * of GPT-2's tokenizer and of Pythia's, whose normalisation to composed characters changes no settled one.
     */
    private static boolean cutsWordsAsGpt2(JsonNode root) {
        JsonNode cutter = root.path("pre_tokenizer");
        JsonNode normalizer = root.path("normalizer");
        boolean plainAdded = true;
        for (JsonNode added : root.path("added_tokens")) {
            boolean greedy =
                    added.path("lstrip").asBoolean() || added.path("rstrip").asBoolean();
            boolean word = added.path("single_word").asBoolean();
            plainAdded &= added.path("special").asBoolean()
                    || !greedy && !word && added.path("content").asText().indexOf('\n') < 0;
        }
        return plainAdded
                && (normalizer.isEmpty() || normalizer.path("type").asText().equals("NFC"))
                && cutter.path("type").asText().equals("ByteLevel")
                && !cutter.path("add_prefix_space").asBoolean(true)
                && cutter.path("use_regex").asBoolean(true);
    }

    /** Tokens that the library finds in text before it cuts words, but for those that hold another one of them. */
    private static List<String> addedText(JsonNode root) {
        List<String> all = new ArrayList<>();
        for (JsonNode added : root.path("added_tokens")) {
            if (!added.path("special").asBoolean()) {
                all.add(added.path("content").asText());
            }
        }
        return all.stream()
                .distinct()
                .filter(content -> all.stream().noneMatch(o -> !o.equals(content) && content.contains(o)))
                .toList();
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
        return cutsWords ? encodeByWords(clean) : encodeNatively(clean);
    }

    /**
     * The same ids as the library gives for the whole text, many times faster: each distinct word goes through the library
     * once. The text is cut at line ends that are words of their own; lines with characters that are not settled, or with a
     * token that was added, go to the library as they are.
     */
    private int[] encodeByWords(String text) {
        char[] chars = text.toCharArray();
        int[] added = new int[addedText.size()]; // where each is next
        Arrays.fill(added, -1);
        words.start();
        int whole = 0; // where text for the library starts
        for (int from = 0; from < chars.length; ) {
            int to = lineEnd(chars, from);
            if (settled(chars, from, to) && !hasAdded(text, from, to, added)) {
                if (whole < from) {
                    words.addIds(encodeNatively(text.substring(whole, from)));
                }
                words.add(chars, from, to);
                whole = to;
            }
            from = to;
        }
        if (whole < chars.length) {
            words.addIds(encodeNatively(text.substring(whole)));
        }
        return words.take();
    }

    /** The end of the line that starts at {@code from}; a line end that is a word of its own starts the next. */
    private static int lineEnd(char[] text, int from) {
        int to = from + 1;
        while (to < text.length && !PreTokens.loneLineEnd(text, to, text.length)) {
            to++;
        }
        return to;
    }

    private static boolean settled(char[] chars, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!PreTokens.settled(chars[i])) {
                return false;
            }
        }
        return true;
    }

    /** Whether a token that was added starts in the range; {@code next} goes through the text with the ranges. */
    private boolean hasAdded(String text, int from, int to, int[] next) {
        boolean found = false;
        for (int i = 0; i < next.length; i++) {
            if (next[i] < from) {
                int at = text.indexOf(addedText.get(i), from);
                next[i] = at < 0 ? Integer.MAX_VALUE : at;
            }
            found |= next[i] < to;
        }
        return found;
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
        Encoding encoding = library.encoder().encode(clean, false, false);
        return libraryPlaces(clean, toInts(encoding.getIds()), encoding.getCharTokenSpans());
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

    private int[] encodeNatively(String text) {
        return toInts(library.ids(text));
    }

    private static int[] toInts(long... longs) {
        int[] ids = new int[longs.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.toIntExact(longs[i]);
        }
        return ids;
    }

    /** Hugging Face's library with one tokenizer, loaded when it is first needed. Thread-safe. */
    private static final class Library {
        private final String name;
        private final JsonNode root;
        private final String json;
        private HuggingFaceTokenizer encoder;
        private HuggingFaceTokenizer decoder;

        Library(String name, JsonNode root, String json) {
            this.name = name;
            this.root = root;
            this.json = json;
        }

        synchronized HuggingFaceTokenizer encoder() {
            if (encoder == null) {
                encoder = load(withoutSpecials());
            }
            return encoder;
        }

        synchronized HuggingFaceTokenizer decoder() {
            if (decoder == null) {
                decoder = load(json);
            }
            return decoder;
        }

        /** Ids alone: the class around it would also fetch every token's text, type and place, for ten times the cost. */
        long[] ids(String text) {
            long encoding = TokenizersLibrary.LIB.encode(encoder().getHandle(), text, false);
            try {
                return TokenizersLibrary.LIB.getTokenIds(encoding);
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
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

        synchronized void close() {
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

    @Override
    public String decode(int... ids) {
        if (bytes != null) {
            return bytes.decode(ids);
        }
        long[] longs = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            longs[i] = ids[i];
        }
        return library.decoder().decode(longs, false);
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
        if (owner) {
            library.close();
        }
    }
}
