package universality.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import universality.data.ToolException;

/**
 * Trains a byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019): starting from the 256 bytes, the pair of
 * neighbouring symbols that is most frequent within words is merged into a new symbol, again and again. Of equally frequent
 * pairs the one with the lower left id, then the lower right id, comes first, so equal text gives equal merges.
 *
 * <p>Symbol ids: 0–255 are the bytes, then come the merged symbols in the order of their first merge. Two merges may spell the
 * same symbol (a + aa, aa + a), which then has one id.
 */
final class BpeTrainer {
    /** So many UTF-16 units of text are looked at for each token of the vocabulary; the merges settle long before. */
    static final int SAMPLE_PER_TOKEN = 2000;

    private final int vocabulary;

    private final Map<String, Integer> words = new HashMap<>();
    private long seen;

    /** @param vocabulary tokens wanted: 256 bytes, merged symbols, one special token */
    BpeTrainer(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    /**
     * A trained encoding.
     *
     * @param pieces symbols by id, in {@link ByteAlphabet}
     * @param merges pairs of ids in the order of their merging
     */
    record Encoding(List<String> pieces, List<int[]> merges) {
        /** The encoding without merges: bytes. */
        static Encoding bytes() {
            List<String> pieces = new ArrayList<>();
            for (int b = 0; b < 256; b++) {
                pieces.add(String.valueOf(ByteAlphabet.character(b)));
            }
            return new Encoding(pieces, new ArrayList<>());
        }
    }

    private record Pair(int left, int right, long count) implements Comparable<Pair> {
        long key() {
            return (long) left << 32 | right;
        }

        @Override
        public int compareTo(Pair other) {
            int byCount = Long.compare(other.count, count);
            return byCount != 0 ? byCount : Long.compare(key(), other.key());
        }
    }

    /** Adds text to train on. Once the sample is complete, further text is ignored. */
    void add(String text) {
        if (wantsMore()) {
            PreTokens.count(text, words);
            seen += text.length();
        }
    }

    /** Whether more text would still be looked at. */
    boolean wantsMore() {
        return seen < (long) SAMPLE_PER_TOKEN * vocabulary;
    }

    /**
     * Learns the encoding.
     *
     * @throws ToolException (bad data) if the text has too few pairs that occur twice
     */
    Encoding train() {
        Encoding encoding = new Learner(new TreeMap<>(words)).learn(vocabulary - 1);
        int found = encoding.pieces().size() + 1;
        if (found < vocabulary) {
            throw ToolException.badData(
                    "the text has repeated pairs for a vocabulary of %d only, but bpe:%d was asked for: give more text or"
                            + " choose bpe:%d or less",
                    found, vocabulary, found);
        }
        return encoding;
    }

    /** Word counts as symbol sequences, with pair counts kept up to date as merges are applied. */
    private static final class Learner {
        private final List<int[]> symbols = new ArrayList<>();
        private final long[] counts;
        private final Map<Long, Long> pairCounts = new HashMap<>();
        private final Map<Long, Set<Integer>> wordsOfPair = new HashMap<>();
        private final PriorityQueue<Pair> queue = new PriorityQueue<>();

        /** @param words in a fixed order, so that nothing depends on hashing */
        Learner(SortedMap<String, Integer> words) {
            counts = new long[words.size()];
            words.forEach((word, count) -> {
                byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
                int[] ids = new int[bytes.length];
                for (int i = 0; i < ids.length; i++) {
                    ids[i] = bytes[i] & 0xFF;
                }
                counts[symbols.size()] = count;
                symbols.add(ids);
            });
            Set<Long> all = new HashSet<>();
            for (int word = 0; word < counts.length; word++) {
                addPairs(word, 1, all);
            }
            enqueue(all);
        }

        Encoding learn(int symbolsWanted) {
            Encoding encoding = Encoding.bytes();
            List<String> pieces = encoding.pieces();
            Map<String, Integer> ids = new HashMap<>();
            while (pieces.size() < symbolsWanted && !queue.isEmpty()) {
                Pair best = queue.poll();
                if (pairCounts.getOrDefault(best.key(), 0L) != best.count()) {
                    continue; // an outdated entry; the pair is queued again with its present count
                }
                if (best.count() < 2) {
                    break;
                }
                String piece = pieces.get(best.left()) + pieces.get(best.right());
                Integer known = ids.putIfAbsent(piece, pieces.size());
                if (known == null) {
                    pieces.add(piece);
                }
                merge(best, ids.get(piece));
                encoding.merges().add(new int[] {best.left(), best.right()});
            }
            return encoding;
        }

        private void merge(Pair pair, int id) {
            Set<Long> changed = new HashSet<>();
            for (int word : List.copyOf(wordsOfPair.get(pair.key()))) {
                addPairs(word, -1, changed);
                symbols.set(word, merged(symbols.get(word), pair, id));
                addPairs(word, 1, changed);
            }
            wordsOfPair.remove(pair.key());
            enqueue(changed);
        }

        private static int[] merged(int[] ids, Pair pair, int id) {
            int[] result = new int[ids.length];
            int n = 0;
            for (int i = 0; i < ids.length; i++) {
                boolean here = i + 1 < ids.length && ids[i] == pair.left() && ids[i + 1] == pair.right();
                result[n++] = here ? id : ids[i];
                i += here ? 1 : 0;
            }
            return Arrays.copyOf(result, n);
        }

        private void addPairs(int word, int sign, Set<Long> changed) {
            int[] ids = symbols.get(word);
            for (int i = 0; i + 1 < ids.length; i++) {
                long key = (long) ids[i] << 32 | ids[i + 1];
                pairCounts.merge(key, sign * counts[word], Long::sum);
                if (sign > 0) {
                    wordsOfPair.computeIfAbsent(key, k -> new HashSet<>()).add(word);
                }
                changed.add(key);
            }
        }

        private void enqueue(Set<Long> keys) {
            for (long key : keys) {
                long count = pairCounts.getOrDefault(key, 0L);
                if (count > 0) {
                    queue.add(new Pair((int) (key >> 32), (int) key, count));
                } else {
                    pairCounts.remove(key);
                    wordsOfPair.remove(key);
                }
            }
        }
    }
}
