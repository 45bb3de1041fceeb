package universality.text;

/**
 * A document with the features that were planted in it.
 *
 * @param text the document
 * @param features for each UTF-16 unit of {@code text} the set of features there, as bits of {@link Feature}; shared, not
 *     copied; empty where nothing is known
 */
public record PlantedText(String text, long[] features) {
    public PlantedText {
        if (features.length != 0 && features.length != text.length()) {
            throw new IllegalArgumentException(features.length + " masks for " + text.length() + " characters");
        }
    }

    /** The features that overlap the characters {@code from} (inclusive) to {@code to} (exclusive). */
    public long overlapping(int from, int to) {
        long mask = 0;
        for (int i = from; i < to; i++) {
            mask |= features[i];
        }
        return mask;
    }
}
