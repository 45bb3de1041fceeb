package universality.text;

import java.util.Optional;

/**
 * Turns text into token ids and back. Special tokens are never recognised inside text: {@code <|endoftext|>} in a document is
 * encoded as the characters it consists of. Not thread-safe. Native parts are loaded at the first use that needs them and
 * freed by {@link #close}.
 */
public interface Tokenizer extends AutoCloseable {
    /** As in manifests: {@code r50k}, {@code byte}, {@code bpe:V}, {@code ids}, or a file's name. */
    String name();

    /** Number of ids; every id is below it. */
    int vocabulary();

    /** The token at the start of every row and between documents. */
    int bos();

    /** Token ids of {@code text}, without any special token. Unpaired surrogates count as U+FFFD. */
    int[] encode(String text);

    /** {@link #encode} with the place of each token in {@code text}. */
    Encoded encodeWithPlaces(String text);

    /** The text of {@code ids}; bytes that are no UTF-8 become U+FFFD. */
    String decode(int... ids);

    /**
     * One token for the reader of a report: its text, with control characters as {@code \n}, {@code \t} or {@code \}{@code
     * u0001} and bytes that are no whole character as {@code \xE2}. Not escaped for HTML. An id outside the vocabulary gives
     * {@code #ID}.
     */
    String piece(int id);

    /** Whether the token consists of line ends only; such positions do not count. */
    boolean newlineOnly(int id);

    /** The tokenizer in Hugging Face's format, absent where the name stands for it. */
    Optional<String> json();

    /**
     * The same tokenizer for another thread. It shares what does not change, native parts too, so it is valid until this one
     * is closed; closing it frees nothing.
     */
    Tokenizer twin();

    @Override
    void close();
}
