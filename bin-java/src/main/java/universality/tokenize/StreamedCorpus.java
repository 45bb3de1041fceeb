package universality.tokenize;

import java.util.function.IntPredicate;
import universality.text.PlantedText;

/** A text that is read anew for each run and never held: documents keep the order in which they are read. */
final class StreamedCorpus implements Corpus {
    private final TextStream.Input input;
    private final SplitPlan plan;
    private final long seed;
    private TextStream last;

    StreamedCorpus(TextStream.Input input, SplitPlan plan, long seed) {
        this.input = input;
        this.plan = plan;
        this.seed = seed;
    }

    @Override
    public Documents open() {
        TextStream stream = new TextStream(input);
        Dealer dealer = new Dealer(plan, seed);
        int splits = plan.parts().size();
        last = stream;
        return new Documents() {
            @Override
            public Dealt next(IntPredicate open) {
                while (anyOpen(open, splits)) {
                    String document = stream.next();
                    if (document == null) {
                        return null;
                    }
                    int split = dealer.deal(document.length());
                    if (split < splits && open.test(split)) {
                        return new Dealt(split, new PlantedText(document, HeldCorpus.NO_FEATURES), stream.place());
                    }
                }
                return null;
            }

            @Override
            public void close() {
                stream.close();
            }
        };
    }

    private static boolean anyOpen(IntPredicate open, int splits) {
        for (int s = 0; s < splits; s++) {
            if (open.test(s)) {
                return true;
            }
        }
        return false;
    }

    /** What the latest run read. */
    TextStream lastRun() {
        return last;
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
