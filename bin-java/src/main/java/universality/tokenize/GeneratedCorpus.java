package universality.tokenize;

import java.util.List;
import java.util.function.IntPredicate;
import universality.text.CorpusGenerator;

/**
 * Documents made as they are needed; each split is a stream of its own, so one split's size changes no other.
 *
 * @param splits names in the order of the plan
 */
record GeneratedCorpus(CorpusGenerator generator, List<String> splits) implements Corpus {
    @Override
    public Documents open() {
        return new Documents() {
            private int split;
            private long document;

            @Override
            public Dealt next(IntPredicate open) {
                while (split < splits.size() && !open.test(split)) {
                    split++;
                    document = 0;
                }
                return split == splits.size()
                        ? null
                        : new Dealt(split, generator.document(splits.get(split), document++), null);
            }
        };
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
