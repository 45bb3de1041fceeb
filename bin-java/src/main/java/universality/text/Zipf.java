package universality.text;

import java.util.List;

/**
 * A list of words drawn by rank: rank r (from 0) has probability proportional to 1/(r + 1.5).
 *
 * @param words most frequent first
 * @param cumulative cumulative probabilities, the last is 1
 */
record Zipf<T>(List<T> words, double[] cumulative) {
    static <T> Zipf<T> of(List<T> words) {
        double[] cumulative = new double[words.size()];
        double sum = 0;
        for (int r = 0; r < cumulative.length; r++) {
            sum += 1 / (r + 1.5);
            cumulative[r] = sum;
        }
        for (int r = 0; r < cumulative.length; r++) {
            cumulative[r] /= sum;
        }
        return new Zipf<>(List.copyOf(words), cumulative);
    }

    T draw(SeededRandom random) {
        double u = random.unit();
        int r = 0;
        while (r < cumulative.length - 1 && u >= cumulative[r]) {
            r++;
        }
        return words.get(r);
    }

    /** The word that goes with {@code key}: always the same one, whatever the draws. */
    T companion(String key) {
        return words.get(Math.floorMod(key.hashCode() * 0x9E3779B1, words.size()));
    }

    int size() {
        return words.size();
    }
}
