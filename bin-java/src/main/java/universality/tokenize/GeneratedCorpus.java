package universality.tokenize;

import java.util.Iterator;
import java.util.stream.LongStream;
import universality.text.CorpusGenerator;
import universality.text.PlantedText;

/** Documents made as they are needed; each split is a stream of its own, so one split's size changes no other split. */
record GeneratedCorpus(CorpusGenerator generator) implements Corpus {
    @Override
    public Iterator<PlantedText> documents(String split) {
        return LongStream.iterate(0, i -> i + 1)
                .mapToObj(i -> generator.document(split, i))
                .iterator();
    }

    @Override
    public boolean planted() {
        return true;
    }

    @Override
    public boolean endless() {
        return true;
    }
}
