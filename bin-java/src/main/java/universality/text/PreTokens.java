package universality.text;

import java.util.Map;

/**
 * The words that GPT-2 cuts text into before merging bytes, by the pattern
 * <code>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</code>: contractions, runs of letters, of
 * digits, of other signs, each with the space before it, and runs of white space. No token crosses a word's border, so a text
 * has at least as many tokens as words.
 */
final class PreTokens {
    private static final String[] CONTRACTIONS = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    private static final int LETTER = 0;
    private static final int DIGIT = 1;
    private static final int OTHER = 2;
    private static final int SPACE = 3;

    private PreTokens() {}

    /** Adds each word of {@code text} to {@code counts}. */
    static void count(String text, Map<String, Integer> counts) {
        for (int from = 0; from < text.length(); ) {
            int to = end(text, from);
            counts.merge(text.substring(from, to), 1, Integer::sum);
            from = to;
        }
    }

    /** Number of words in {@code text}. */
    static long count(String text) {
        long words = 0;
        for (int from = 0; from < text.length(); from = end(text, from)) {
            words++;
        }
        return words;
    }

    /**
     * Whether all characters are ones whose class no version of Unicode has changed: Latin and general punctuation. Of others
     * a Java platform may know more or fewer letters than the tokenizer library.
     */
    static boolean settled(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 0x250 && (c < 0x2010 || c > 0x2027)) {
                return false;
            }
        }
        return true;
    }

    /** The end of the word that starts at {@code from}; beyond {@code from}, at most the text's length. */
    static int end(String text, int from) {
        if (text.charAt(from) == '\'') {
            for (String contraction : CONTRACTIONS) {
                if (text.startsWith(contraction, from)) {
                    return from + contraction.length();
                }
            }
        }
        int n = text.length();
        int first = text.charAt(from) == ' ' && from + 1 < n ? from + 1 : from;
        int kind = kind(text.codePointAt(first));
        if (kind != SPACE) {
            return run(text, first, kind);
        }
        int to = run(text, from, SPACE);
        // white space before a word leaves its last character to the word, unless it is the only one
        return to < n && to - from > 1 ? to - 1 : to;
    }

    private static int run(String text, int from, int kind) {
        int to = from;
        while (to < text.length()) {
            int c = text.codePointAt(to);
            if (kind(c) != kind) {
                break;
            }
            to += Character.charCount(c);
        }
        return to;
    }

    private static int kind(int c) {
        if (c < 128) {
            return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
                    ? LETTER
                    : c >= '0' && c <= '9' ? DIGIT : c == ' ' || c >= 9 && c <= 13 ? SPACE : OTHER;
        }
        return switch (Character.getType(c)) {
            case Character.UPPERCASE_LETTER,
                    Character.LOWERCASE_LETTER,
                    Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER -> LETTER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> DIGIT;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            default -> c == 0x85 ? SPACE : OTHER;
        };
    }
}
