package universality.text;

import java.util.Map;

/**
 * The words that GPT-2 cuts text into before merging bytes, by the pattern
 * <code>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</code>: contractions, runs of letters, of
 * digits, of other signs, each with the space before it, and runs of white space. No token crosses a word's border, so a text
 * has at least as many tokens as words.
 */
final class PreTokens {
    private static final byte LETTER = 0;
    private static final byte DIGIT = 1;
    private static final byte OTHER = 2;
    private static final byte SPACE = 3;

    /** Kind of each UTF-16 unit; surrogates are looked up as code points. */
    private static final byte[] KINDS = new byte[1 << 16];

    static {
        for (int c = 0; c < KINDS.length; c++) {
            KINDS[c] = classify(c);
        }
    }

    private PreTokens() {}

    /** Adds each word of {@code text} to {@code counts}. */
    static void count(String text, Map<String, Integer> counts) {
        char[] chars = text.toCharArray();
        for (int from = 0; from < chars.length; ) {
            int to = end(chars, from, chars.length);
            counts.merge(new String(chars, from, to - from), 1, Integer::sum);
            from = to;
        }
    }

    /** Number of words in {@code text}. */
    static long count(String text) {
        char[] chars = text.toCharArray();
        long words = 0;
        for (int from = 0; from < chars.length; from = end(chars, from, chars.length)) {
            words++;
        }
        return words;
    }

    /**
     * Whether this is a character whose class no version of Unicode has changed and that no normalisation to composed form
     * touches: Latin and general punctuation. Of others a Java platform may know more or fewer letters than the tokenizer
     * library.
     */
    static boolean settled(char c) {
        return c < 0x250 || c >= 0x2010 && c <= 0x2027;
    }

    /**
     * Whether the line end at {@code at} is a word of its own whatever comes before and after: it stands between two visible
     * characters of ASCII. A text may be cut on both sides of it.
     */
    static boolean loneLineEnd(char[] text, int at, int n) {
        return text[at] == '\n' && at > 0 && at + 1 < n && visibleAscii(text[at - 1]) && visibleAscii(text[at + 1]);
    }

    private static boolean visibleAscii(char c) {
        return c > ' ' && c < 127;
    }

    /** The end of the word that starts at {@code from}; beyond {@code from}, at most {@code n}, the end of the text. */
    static int end(char[] text, int from, int n) {
        char start = text[from];
        if (start == '\'') {
            int contraction = contraction(text, from, n);
            if (contraction > 0) {
                return from + contraction;
            }
        }
        int first = start == ' ' && from + 1 < n ? from + 1 : from;
        byte kind = kind(text, first, n);
        if (kind != SPACE) {
            return run(text, first, n, kind);
        }
        int to = run(text, from, n, SPACE);
        // white space before a word leaves its last character to the word, unless it is the only one
        return to < n && to - from > 1 ? to - 1 : to;
    }

    private static int contraction(char[] text, int from, int n) {
        char next = from + 1 < n ? text[from + 1] : ' ';
        char last = from + 2 < n ? text[from + 2] : ' ';
        return switch (next) {
            case 's', 't', 'm', 'd' -> 2;
            case 'r', 'v' -> last == 'e' ? 3 : 0;
            case 'l' -> last == 'l' ? 3 : 0;
            default -> 0;
        };
    }

    private static int run(char[] text, int from, int n, byte kind) {
        int to = from;
        while (to < n) {
            char c = text[to];
            boolean pair = Character.isHighSurrogate(c) && to + 1 < n && Character.isLowSurrogate(text[to + 1]);
            if ((pair ? classify(Character.toCodePoint(c, text[to + 1])) : KINDS[c]) != kind) {
                break;
            }
            to += pair ? 2 : 1;
        }
        return to;
    }

    private static byte kind(char[] text, int at, int n) {
        char c = text[at];
        return Character.isHighSurrogate(c) ? classify(Character.codePointAt(text, at, n)) : KINDS[c];
    }

    private static byte classify(int c) {
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
