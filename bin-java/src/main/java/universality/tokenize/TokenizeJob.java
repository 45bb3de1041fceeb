package universality.tokenize;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.OutputFolder;
import universality.data.ToolException;
import universality.text.CorpusGenerator;
import universality.text.Feature;
import universality.text.Tokenizer;
import universality.text.Tokenizers;

/**
 * The stage {@code tokenize}: documents are dealt out to splits, a tokenizer is chosen or trained (on documents of the split
 * {@code train} only), and every split is packed into rows and written into its folder. Memory does not grow with the text or
 * the rows. The caller commits the outer folder.
 */
public final class TokenizeJob {
    /** A text of at most so many characters is held in memory and dealt out as a whole; a longer one as it is read. */
    public static final long HELD = 1L << 24;

    /**
     * What is wanted.
     *
     * @param tokenizer {@code r50k}, {@code byte}, {@code bpe:V} or a file
     * @param context tokens in a row, BOS included; with ids made elsewhere 0 for whatever their rows have
     * @param plan the splits; {@code null} for a single folder
     * @param tokens tokens of all splits together where the plan is in shares or absent; 0 for as many as there are
     * @param splitSeed seed by which documents are dealt out
     * @param threads threads that encode; results do not depend on them
     */
    public record Settings(String tokenizer, int context, SplitPlan plan, long tokens, long splitSeed, int threads) {
        public Settings {
            if (tokens < 0) {
                throw ToolException.usage("--tokens %d: a positive number was expected", tokens);
            }
            if (tokens > 0 && plan != null && !plan.shares()) {
                throw ToolException.usage(
                        "--tokens %d goes with shares such as --split train=80%%, not with tokens", tokens);
            }
            if (threads < 1) {
                throw ToolException.usage("--threads %d: one or more were expected", threads);
            }
        }

        private SplitPlan effectivePlan() {
            return plan == null ? SplitPlan.all() : plan;
        }
    }

    private final Settings settings;
    private final SplitPlan plan;
    private final OutputFolder out;
    private final Consumer<String> say;
    private final long held;

    /**
     * @param out the folder to fill
     * @param say takes lines that the user should see
     */
    public TokenizeJob(Settings settings, OutputFolder out, Consumer<String> say) {
        this(settings, out, say, HELD);
    }

    /** @param held characters of a text that is held in memory */
    TokenizeJob(Settings settings, OutputFolder out, Consumer<String> say, long held) {
        this.held = held;
        this.settings = settings;
        this.plan = settings.effectivePlan();
        this.out = out;
        this.say = say;
    }

    private Splits splits(int context, String source) {
        Splits splits = new Splits(out, plan, settings.plan() != null, context);
        splits.parameter("source", source);
        if (settings.tokens() > 0) {
            splits.parameter("tokens", settings.tokens());
        }
        return splits;
    }

    /** Tokenizes generated text. */
    public void generate(long seed) {
        if (plan.shares() && settings.tokens() == 0) {
            throw ToolException.usage("--generate has no end of its own: pass --tokens N, or --split in tokens");
        }
        Corpus corpus = new GeneratedCorpus(new CorpusGenerator(seed), plan.names());
        try (Splits splits = splits(settings.context(), "generate");
                Tokenizer tokenizer = tokenizer(corpus, splits)) {
            splits.parameter("generate", seed);
            pack(corpus, tokenizer, splits);
            splits.finish(tokenizer);
        }
    }

    /**
     * Tokenizes text.
     *
     * @param paths files and folders
     * @param column the column with the text, in files that have columns
     */
    public void text(List<Path> paths, String column) {
        TextStream.Input input =
                new TextStream.Input(TextFolder.files(paths), column, settings.tokenizer(), settings.context());
        try (Splits splits = splits(settings.context(), "text")) {
            splits.parameter("split_seed", settings.splitSeed());
            if (input.plainFiles() < input.files().size()) {
                splits.parameter("text_column", column);
            }
            paths.forEach(path -> recordDataset(path, splits));
            List<String> documents;
            try (TextStream stream = new TextStream(input)) {
                documents = HeldCorpus.read(stream, held);
                if (documents != null) {
                    held(documents, input, stream, splits);
                }
            }
            if (documents == null) {
                streamed(input, splits);
            }
        }
    }

    private static void recordDataset(Path path, Splits splits) {
        Manifest manifest = Files.isDirectory(path) ? TextFolder.manifest(path) : null;
        if (manifest != null) {
            splits.input("dataset", manifest.id(), manifest.contentDigest());
        }
    }

    private void held(List<String> documents, TextStream.Input input, TextStream stream, Splits splits) {
        if (documents.isEmpty()) {
            throw ToolException.badData("%s: there is no text in it", input.names());
        }
        Corpus corpus = settings.plan() == null
                ? HeldCorpus.whole(documents)
                : HeldCorpus.deal(documents, plan, settings.splitSeed());
        record(input, stream, stream.place(), splits);
        try (Tokenizer tokenizer = tokenizer(corpus, splits)) {
            pack(corpus, tokenizer, splits);
            splits.finish(tokenizer);
        }
    }

    private void streamed(TextStream.Input input, Splits splits) {
        StreamedCorpus corpus = new StreamedCorpus(input, plan, settings.splitSeed());
        try (Tokenizer tokenizer = tokenizer(corpus, splits)) {
            TextStream.Place place = pack(corpus, tokenizer, splits);
            TextStream stream = corpus.lastRun();
            record(input, stream, place == null ? stream.place() : place, splits);
            splits.parameter("order", "text");
            splits.finish(tokenizer);
        }
    }

    /** Records what was read up to a place. */
    private void record(TextStream.Input input, TextStream stream, TextStream.Place place, Splits splits) {
        for (int f = 0; f < place.files(); f++) {
            String id = input.files().get(f).id();
            splits.input("text", id, stream.digest(f));
            if (stream.emptyFile(f)) {
                warn(id + " is empty", splits);
            }
        }
        splits.count("documents_read", place.documents());
        splits.count("documents_empty", place.empty());
        splits.count("files_unread", input.files().size() - place.files());
        long files = input.plainFiles();
        if (place.plain() > 0 && files < TextStream.MANY) {
            String line = "%d text file%s (fewer than %d) cut at blank lines into %d documents of at least %d rows";
            String s = files == 1 ? "" : "s";
            warn(String.format(line, files, s, TextStream.MANY, place.plain(), TextStream.LEAST_ROWS), splits);
        }
        if (place.empty() > 0) {
            warn(place.empty() + " empty documents are left out", splits);
        }
    }

    private void warn(String line, Splits splits) {
        splits.warning(line);
        say.accept(line);
    }

    private static String digest(Path file) {
        try {
            return Digests.ofFile(file);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private Tokenizer tokenizer(Corpus corpus, Splits splits) {
        String name = settings.tokenizer();
        if (name.startsWith("bpe:")) {
            if (!name.matches("bpe:\\d{1,7}")) {
                throw ToolException.usage("--tokenizer '%s': a size was expected, such as bpe:1024", name);
            }
            return train(Integer.parseInt(name.substring(4)), corpus, splits);
        }
        Tokenizer tokenizer = Tokenizers.named(name);
        if (Files.isRegularFile(Path.of(name))) {
            splits.input("tokenizer", tokenizer.name(), digest(Path.of(name)));
        }
        return tokenizer;
    }

    /** Trains on the first documents of the split train (of the first split where there is none) in packing order. */
    private Tokenizer train(int vocabulary, Corpus corpus, Splits splits) {
        int split = Math.max(0, plan.names().indexOf(SplitPlan.TRAIN));
        long[] characters = {0};
        try (Documents documents = corpus.open()) {
            Tokenizer tokenizer = Tokenizers.train(vocabulary, (add, wanted) -> {
                while (wanted.getAsBoolean()) {
                    Documents.Dealt next = documents.next(s -> s == split);
                    if (next == null) {
                        return;
                    }
                    add.accept(next.document().text());
                    characters[0] += next.document().text().length();
                }
            });
            splits.count("trained_characters", characters[0]);
            return tokenizer;
        }
    }

    /**
     * Packs all splits.
     *
     * @return the place of the document that filled the last of them; {@code null} if one is not full, or the corpus has no
     *     places
     */
    private TextStream.Place pack(Corpus corpus, Tokenizer tokenizer, Splits splits) {
        boolean[] newline = Packer.newlines(tokenizer);
        List<Packer> packers = new ArrayList<>();
        for (SplitPlan.Part part : plan.parts()) {
            RowWriter writer = splits.start(planted(corpus, part.name()) ? Feature.names() : null);
            packers.add(new Packer(tokenizer, newline, settings.context(), wanted(part), writer));
        }
        IntPredicate open = split -> !packers.get(split).full();
        TextStream.Place[] end = {null};
        try (Documents documents = corpus.open();
                ParallelEncoder encoder = new ParallelEncoder(
                        tokenizer,
                        settings.threads(),
                        s -> planted(corpus, plan.parts().get(s).name()))) {
            encoder.run(() -> documents.next(open), done -> {
                Packer packer = packers.get(done.dealt().split());
                if (!packer.full()) {
                    packer.add(done.ids(), done.features());
                    end[0] = packers.stream().allMatch(Packer::full)
                            ? done.dealt().place()
                            : null;
                }
            });
            if (corpus instanceof StreamedCorpus streamed) {
                streamed.lastRun().end();
            }
        }
        requireRows(corpus, tokenizer, newline, packers);
        return end[0];
    }

    /** Nobody asks what a neuron responds to on the text that the model was trained on, and there it would be most bytes. */
    private static boolean planted(Corpus corpus, String split) {
        return corpus.planted() && !split.equals(SplitPlan.TRAIN);
    }

    private long wanted(SplitPlan.Part part) {
        long rows = plan.rows(part, settings.tokens(), settings.context());
        if (rows == 0) {
            throw ToolException.usage(
                    "split '%s' is less than one row of %d tokens: ask for more, or for a shorter --context",
                    part.name(), settings.context());
        }
        return rows;
    }

    private void requireRows(Corpus corpus, Tokenizer tokenizer, boolean[] newline, List<Packer> packers) {
        for (int s = 0; s < packers.size(); s++) {
            Packer packer = packers.get(s);
            SplitPlan.Part part = plan.parts().get(s);
            if (packer.rows() == 0) {
                throw ToolException.badData(
                        "%s has %d tokens, fewer than one row of %d: give more text, or a shorter --context",
                        settings.plan() == null ? "the text" : "split '" + part.name() + "'",
                        packer.tokens(),
                        settings.context());
            }
            if (!plan.shares() && !packer.full()) {
                throw ToolException.badData(
                        "split '%s' asks for %.0f tokens, but its part of the text has %d; the whole text has %d, and %.0f"
                                + " were asked for: ask for fewer, or for shares such as train=80%%",
                        part.name(),
                        part.amount(),
                        packer.rows() * settings.context(),
                        all(corpus, tokenizer, newline),
                        plan.total());
            }
        }
    }

    /** Tokens that all of the text would give, in complete rows of the splits. */
    private long all(Corpus corpus, Tokenizer tokenizer, boolean[] newline) {
        List<Packer> packers = plan.parts().stream()
                .map(part -> new Packer(tokenizer, newline, settings.context(), Long.MAX_VALUE, null))
                .toList();
        try (Documents documents = corpus.open();
                ParallelEncoder encoder = new ParallelEncoder(tokenizer, settings.threads(), s -> false)) {
            encoder.run(
                    () -> documents.next(s -> true),
                    done -> packers.get(done.dealt().split()).add(done.ids(), null));
        }
        return packers.stream()
                .mapToLong(packer -> packer.rows() * settings.context())
                .sum();
    }

    /** Packs rows whose ids were made elsewhere; every position counts and every row is a document. */
    public void ids(Path file, int vocabulary) {
        Path scratch = out.file("ids.part");
        try (IdsFile all = IdsFile.open(file, vocabulary, scratch);
                Tokenizer tokenizer = Tokenizers.unknown(vocabulary)) {
            if (settings.context() != 0 && settings.context() != all.context()) {
                throw ToolException.badData(
                        "--context %d was asked for, but the rows of %s have %d ids",
                        settings.context(), file, all.context());
            }
            try (Splits splits = splits(all.context(), "ids")) {
                splits.input("ids", file.getFileName().toString(), digest(file));
                pack(all, splits);
                splits.finish(tokenizer);
            }
        }
    }

    private void pack(IdsFile all, Splits splits) {
        boolean split = settings.plan() != null;
        if (split) {
            splits.parameter("split_seed", settings.splitSeed());
        }
        int[] order = split ? HeldCorpus.order(all.rows(), settings.splitSeed()) : null;
        int[] row = new int[all.context()];
        int[] document = new int[all.context()];
        byte[] mask = new byte[all.context()];
        Arrays.fill(mask, (byte) 1);
        int next = 0;
        for (SplitPlan.Part part : plan.parts()) {
            RowWriter writer = splits.start(null);
            int rows = rowsOfIds(part, all, next);
            for (int r = 0; r < rows; r++) {
                all.read(split ? order[next + r] : r, row);
                Arrays.fill(document, r);
                writer.row(row, mask, document, null);
            }
            next += rows;
        }
    }

    /** Rows of a split: of shares, those of what is there and at most of the tokens asked for. */
    private int rowsOfIds(SplitPlan.Part part, IdsFile all, int taken) {
        long present = (long) all.rows() * all.context();
        long tokens = settings.tokens() == 0 ? present : Math.min(settings.tokens(), present);
        long wanted = plan.rows(part, tokens, all.context());
        int left = all.rows() - taken;
        if (wanted == 0 || wanted > left) {
            throw ToolException.badData(
                    "split '%s' asks for %d rows, but %d of %d are left", part.name(), wanted, left, all.rows());
        }
        return (int) wanted;
    }
}
