package universality.tokenize;

import java.util.function.IntPredicate;
import universality.text.PlantedText;

/** A run through all documents of a corpus, each with the split that it belongs to. */
interface Documents extends AutoCloseable {
    /**
     * A document of a split.
     *
     * @param split index of the split in the plan
     * @param place how far the text was read with this document; {@code null} where it is not read as it is needed
     */
    record Dealt(int split, PlantedText document, TextStream.Place place) {}

    /**
     * The next document of a split that still takes any.
     *
     * @param open whether a split still takes documents; asked anew each time
     * @return {@code null} when there is none left
     */
    Dealt next(IntPredicate open);

    @Override
    default void close() {
        // most hold nothing
    }
}
