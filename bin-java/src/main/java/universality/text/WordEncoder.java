package universality.text;

import java.util.Arrays;
import java.util.function.Function;

/**
 * Encodes text word by word ({@link PreTokens}) and remembers what a word became, so that the library sees a frequent word
 * once. Gives the library's ids for the whole text, because no token crosses a word's border. Memory is bounded: a new word
 * takes one of the two places that its hash allows. Not thread-safe.
 */
final class WordEncoder {
    private static final int BITS = 17;
    private static final int SLOTS = 1 << BITS;

    /** Longer words are rare, and go to the library each time. */
    private static final int LONGEST = 24;

    /** A buffer grown beyond this is given back after the text that needed it. */
    private static final int KEPT_BUFFER = 1 << 20;

    private final Function<String, int[]> library;
    private final char[] words = new char[SLOTS * LONGEST];
    private final int[][] known = new int[SLOTS][];
    private final byte[] lengths = new byte[SLOTS];
    private int[] ids = new int[1 << 12];
    private int size;
    private int misses;

    /** @param library encodes one word */
    WordEncoder(Function<String, int[]> library) {
        this.library = library;
    }

    /** The ids of {@code text}. */
    int[] encode(String text) {
        size = 0;
        add(text.toCharArray(), 0, text.length());
        return take();
    }

    /** Starts a text that comes in parts, by {@link #add} and {@link #addIds}. */
    void start() {
        size = 0;
    }

    /** The ids since {@link #start}. */
    int[] take() {
        int[] result = Arrays.copyOf(ids, size);
        if (ids.length > KEPT_BUFFER) {
            ids = new int[1 << 12];
        }
        return result;
    }

    /** Encodes {@code text[from, to)}, whose ends are borders of words. */
    void add(char[] text, int from, int to) {
        int at = from;
        while (at < to) {
            int end = PreTokens.end(text, at, to);
            addIds(word(text, at, end));
            at = end;
        }
    }

    /** Appends ids that were found in another way. */
    void addIds(int... more) {
        if (size + more.length > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(2 * ids.length, size + more.length));
        }
        for (int id : more) {
            ids[size++] = id;
        }
    }

    private int[] word(char[] text, int from, int to) {
        int length = to - from;
        if (length > LONGEST) {
            return library.apply(new String(text, from, length));
        }
        int slot = slot(text, from, to);
        if (holds(slot, text, from, to)) {
            return known[slot];
        }
        if (holds(slot ^ 1, text, from, to)) {
            return known[slot ^ 1];
        }
        int[] found = library.apply(new String(text, from, length));
        int place = slot ^ (misses++ & 1); // in turns, so that two frequent words do not drive each other out for ever
        System.arraycopy(text, from, words, place * LONGEST, length);
        lengths[place] = (byte) length;
        known[place] = found;
        return found;
    }

    private boolean holds(int slot, char[] text, int from, int to) {
        int start = slot * LONGEST;
        return lengths[slot] == to - from && Arrays.equals(words, start, start + to - from, text, from, to);
    }

    private static int slot(char[] text, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + text[i];
        }
        return hash * 0x9E3779B9 >>> 32 - BITS;
    }
}
