package universality.text;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** GPT-2's own encoding, 50,257 tokens, from jtokkit, which sees each frequent word once. */
final class R50kTokenizer implements Tokenizer {
    static final String NAME = "r50k";
    private static final int BOS = 50256;

    private final Encoding encoding; // thread-safe
    private final Pieces pieces;
    private final WordEncoder words;

    R50kTokenizer() {
        this(Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE));
    }

    private R50kTokenizer(Encoding encoding) {
        this(encoding, pieces(encoding));
    }

    private R50kTokenizer(Encoding encoding, Pieces pieces) {
        this.encoding = encoding;
        this.pieces = pieces;
        this.words = new WordEncoder(word -> encoding.encodeOrdinary(word).toArray());
    }

    private static Pieces pieces(Encoding encoding) {
        byte[][] bytes = new byte[BOS + 1][];
        IntArrayList one = new IntArrayList(1);
        for (int id = 0; id < BOS; id++) {
            one.clear();
            one.add(id);
            bytes[id] = encoding.decodeBytes(one);
        }
        bytes[BOS] = TokenizerJson.END_OF_TEXT.getBytes(StandardCharsets.UTF_8);
        return new Pieces(bytes);
    }

    /** The id of each piece, in the characters of byte-level vocabularies. */
    static Map<String, Integer> vocabularyIds() {
        Encoding encoding = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
        Map<String, Integer> ids = new HashMap<>();
        IntArrayList one = new IntArrayList(1);
        for (int id = 0; id < BOS; id++) {
            one.clear();
            one.add(id);
            StringBuilder piece = new StringBuilder();
            for (byte b : encoding.decodeBytes(one)) {
                piece.append(ByteAlphabet.character(b & 0xFF));
            }
            ids.put(piece.toString(), id);
        }
        ids.put(TokenizerJson.END_OF_TEXT, BOS);
        return ids;
    }

    @Override
    public Tokenizer twin() {
        return new R50kTokenizer(encoding, pieces);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int vocabulary() {
        return BOS + 1;
    }

    @Override
    public int bos() {
        return BOS;
    }

    @Override
    public int[] encode(String text) {
        return words.encode(Pieces.wellFormed(text));
    }

    @Override
    public Encoded encodeWithPlaces(String text) {
        String clean = Pieces.wellFormed(text);
        return pieces.places(clean, encode(clean));
    }

    @Override
    public String decode(int... ids) {
        return pieces.decode(ids);
    }

    @Override
    public String piece(int id) {
        return pieces.piece(id);
    }

    @Override
    public boolean newlineOnly(int id) {
        return pieces.newlineOnly(id);
    }

    @Override
    public Optional<String> json() {
        return Optional.empty();
    }

    @Override
    public void close() {
        // nothing native
    }
}
