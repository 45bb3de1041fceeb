package universality.tokenize;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import universality.text.PlantedText;

/**
 * Documents from files.
 *
 * @param bySplit the documents of each split in packing order
 */
record PlainCorpus(Map<String, List<String>> bySplit) implements Corpus {
    private static final long[] NOTHING = {};

    @Override
    public Iterator<PlantedText> documents(String split) {
        return bySplit.get(split).stream()
                .map(text -> new PlantedText(text, NOTHING))
                .iterator();
    }

    @Override
    public boolean planted() {
        return false;
    }

    @Override
    public boolean endless() {
        return false;
    }
}
