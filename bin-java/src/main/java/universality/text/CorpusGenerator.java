package universality.text;

import universality.data.Digests;

/**
 * English-like text from a grammar whose structure is known: every document has one of twelve topics and one of nine forms
 * (story, report, talk, letter, program, instructions, article, poem, accounts), and carries the features that were planted
 * in it ({@code features/planted.csv}). Stateless: document {@code index} of a stream depends on the seed, the stream's name
 * and the index alone, so that streams share no document and any document can be made again.
 */
public final class CorpusGenerator {
    private final long seed;

    public CorpusGenerator(long seed) {
        this.seed = seed;
    }

    /** Document {@code index} of {@code stream} (such as a split's name), roughly 60 to 400 words. */
    public PlantedText document(String stream, long index) {
        SeededRandom random = new SeededRandom(Digests.seed("generate", seed, stream, index));
        Scene scene = Scene.draw(random);
        Draft draft = new Draft();
        draft.in(scene.topic().feature(), () -> new Forms(random, draft, scene).any());
        return draft.finish();
    }
}
