package universality.text;

import java.util.Arrays;

/**
 * A document being written: text and, for each UTF-16 unit, the features that hold there. Features of a passage (a quotation,
 * a clause) are opened around the code that writes it, those of a word are given with the word. Takes care of spaces between
 * words and of capitals at the start of sentences.
 */
final class Draft {
    private final StringBuilder text = new StringBuilder(2048);
    private long[] features = new long[2048];
    private long open;
    private long openBefore;
    private boolean glued = true;
    private boolean capital;

    /** Writes a passage in which {@code mask} holds for every character. */
    void in(long mask, Runnable passage) {
        long before = open;
        open |= mask;
        passage.run();
        open = before;
    }

    /** {@link #in(long, Runnable)} for one feature. */
    void in(Feature feature, Runnable passage) {
        in(feature.bit(), passage);
    }

    /** The next word gets a capital and the feature {@code sentence_start}. */
    void startSentence() {
        capital = true;
    }

    /** A word, after a space unless a line or bracket has just been opened. */
    void word(String word, long mask) {
        space();
        if (capital) {
            append(capitalised(word), mask | Feature.SENTENCE_START.bit());
        } else {
            append(word, mask);
        }
        capital = false;
        glued = false;
    }

    /** {@link #word(String, long)} without a feature of its own. */
    void word(String word) {
        word(word, 0);
    }

    /** {@link #word(String, long)} with one feature. */
    void word(String word, Feature feature) {
        word(word, feature.bit());
    }

    /** The words of a phrase, each after a space. */
    void words(String phrase, long mask) {
        for (String word : phrase.split(" ")) {
            word(word, mask);
        }
    }

    /** Punctuation or an ending, joined to what stands before it. */
    void mark(String mark, long mask) {
        append(mark, mask);
        glued = false;
    }

    /** {@link #mark(String, long)} without a feature of its own. */
    void mark(String mark) {
        mark(mark, 0);
    }

    /** An opening sign: a space before, none after. */
    void opening(String sign, long mask) {
        space();
        append(sign, mask);
        glued = true;
    }

    /** Text exactly as given; the next word follows without a space. */
    void raw(String exact, long mask) {
        append(exact, mask);
        glued = true;
    }

    /** {@code count} line ends; the next word follows without a space. */
    void lines(int count) {
        raw("\n".repeat(count), 0);
    }

    int length() {
        return text.length();
    }

    PlantedText finish() {
        return new PlantedText(text.toString(), Arrays.copyOf(features, text.length()));
    }

    /** The space between two words belongs to the passages that hold both. */
    private void space() {
        if (!glued) {
            long now = open;
            open &= openBefore;
            append(" ", 0);
            open = now;
        }
    }

    private void append(String piece, long mask) {
        int from = text.length();
        int to = from + piece.length();
        if (to > features.length) {
            features = Arrays.copyOf(features, Math.max(to, 2 * features.length));
        }
        text.append(piece);
        Arrays.fill(features, from, to, open | mask);
        openBefore = open;
    }

    static String capitalised(String word) {
        return Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }
}
