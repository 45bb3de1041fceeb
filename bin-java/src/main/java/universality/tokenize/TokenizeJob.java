package universality.tokenize;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.OutputFolder;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.text.CorpusGenerator;
import universality.text.Encoded;
import universality.text.Feature;
import universality.text.PlantedText;
import universality.text.Tokenizer;
import universality.text.Tokenizers;

/**
 * The stage {@code tokenize}: documents are dealt out to splits, a tokenizer is chosen or trained (on documents of the split
 * {@code train} only), and every split is packed into rows and written into its folder. The caller commits the outer folder
 * by {@link #commit}.
 */
public final class TokenizeJob {
    /** Documents cut from long files have at least so many rows. */
    private static final int LEAST_ROWS = 4;

    /**
     * What is wanted.
     *
     * @param tokenizer {@code r50k}, {@code byte}, {@code bpe:V} or a file
     * @param context tokens in a row, BOS included; with ids made elsewhere 0 for whatever their rows have
     * @param plan the splits; {@code null} for a single folder
     * @param tokens tokens of all splits together where the plan is in shares or absent; 0 for as many as there are
     * @param splitSeed seed of the order in which documents are dealt out
     */
    public record Settings(String tokenizer, int context, SplitPlan plan, long tokens, long splitSeed) {
        public Settings {
            if (tokens < 0) {
                throw ToolException.usage("--tokens %d: a positive number was expected", tokens);
            }
            if (tokens > 0 && plan != null && !plan.shares()) {
                throw ToolException.usage(
                        "--tokens %d goes with shares such as --split train=80%%, not with tokens", tokens);
            }
        }

        private SplitPlan effectivePlan() {
            return plan == null ? SplitPlan.all() : plan;
        }
    }

    private final Settings settings;
    private final OutputFolder out;
    private final Consumer<String> say;
    private final Map<String, Object> parameters = new LinkedHashMap<>();
    private final List<String[]> inputs = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final Map<String, Long> totals = new LinkedHashMap<>();
    private int context;

    /**
     * @param out the folder to fill
     * @param say takes lines that the user should see
     */
    public TokenizeJob(Settings settings, OutputFolder out, Consumer<String> say) {
        this.settings = settings;
        this.out = out;
        this.say = say;
    }

    /** Tokenizes generated text. */
    public void generate(long seed) {
        if (settings.effectivePlan().shares() && settings.tokens() == 0) {
            throw ToolException.usage("--generate has no end of its own: pass --tokens N, or --split in tokens");
        }
        parameters.put("source", "generate");
        parameters.put("generate", seed);
        tokenize(new GeneratedCorpus(new CorpusGenerator(seed)));
    }

    /** Tokenizes text files. */
    public void text(List<Path> files) {
        parameters.put("source", "text");
        parameters.put("split_seed", settings.splitSeed());
        List<String> documents = read(files);
        if (documents.isEmpty()) {
            throw ToolException.badData("%s: there is no text in it", files.size() == 1 ? files.get(0) : files);
        }
        SplitPlan plan = settings.effectivePlan();
        List<List<String>> dealt =
                settings.plan() == null ? List.of(documents) : Documents.deal(documents, plan, settings.splitSeed());
        Map<String, List<String>> bySplit = new LinkedHashMap<>();
        for (int s = 0; s < dealt.size(); s++) {
            bySplit.put(plan.names().get(s), dealt.get(s));
        }
        tokenize(new PlainCorpus(bySplit));
    }

    private List<String> read(List<Path> files) {
        List<String> documents = new ArrayList<>();
        long least = (long) LEAST_ROWS * settings.context();
        for (Path file : files) {
            String text = TextFiles.read(file);
            inputs.add(new String[] {"text", file.getFileName().toString(), digest(file)});
            if (text.isBlank()) {
                warn(file.getFileName() + " is empty");
            } else if (files.size() >= TextFiles.MANY) {
                documents.add(text.strip());
            } else {
                documents.addAll(
                        TextFiles.cut(text, least, part -> Tokenizers.leastTokens(settings.tokenizer(), part)));
            }
        }
        if (files.size() < TextFiles.MANY && !documents.isEmpty()) {
            warn(String.format(
                    "%d text file%s (fewer than %d) cut at blank lines into %d documents of at least %d rows",
                    files.size(), files.size() == 1 ? "" : "s", TextFiles.MANY, documents.size(), LEAST_ROWS));
        }
        return documents;
    }

    private void warn(String line) {
        warnings.add(line);
        say.accept(line);
    }

    private static String digest(Path file) {
        try {
            return Digests.ofFile(file);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private void tokenize(Corpus corpus) {
        try (Tokenizer tokenizer = tokenizer(corpus)) {
            for (SplitPlan.Part part : settings.effectivePlan().parts()) {
                write(part.name(), pack(corpus, tokenizer, part), tokenizer);
            }
            finish(tokenizer);
        }
    }

    private Tokenizer tokenizer(Corpus corpus) {
        String name = settings.tokenizer();
        if (!name.startsWith("bpe:")) {
            Tokenizer tokenizer = Tokenizers.named(name);
            if (Files.isRegularFile(Path.of(name))) {
                inputs.add(new String[] {"tokenizer", tokenizer.name(), digest(Path.of(name))});
            }
            return tokenizer;
        }
        if (!name.matches("bpe:\\d{1,7}")) {
            throw ToolException.usage("--tokenizer '%s': a size was expected, such as bpe:1024", name);
        }
        List<String> splits = settings.effectivePlan().names();
        String split = splits.contains(SplitPlan.TRAIN) ? SplitPlan.TRAIN : splits.get(0);
        return Tokenizers.train(Integer.parseInt(name.substring(4)), (add, wanted) -> {
            for (Iterator<PlantedText> it = corpus.documents(split); it.hasNext() && wanted.getAsBoolean(); ) {
                add.accept(it.next().text());
            }
        });
    }

    private PackedRows pack(Corpus corpus, Tokenizer tokenizer, SplitPlan.Part part) {
        SplitPlan plan = settings.effectivePlan();
        long wanted = plan.rows(part, settings.tokens(), settings.context());
        if (wanted == 0) {
            throw ToolException.usage(
                    "split '%s' is less than one row of %d tokens: ask for more, or for a shorter --context",
                    part.name(), settings.context());
        }
        // nobody asks what a neuron responds to on the text that the model was trained on, and there it would be the
        // most bytes
        boolean planted = corpus.planted() && !part.name().equals(SplitPlan.TRAIN);
        Packer packer = new Packer(tokenizer, settings.context(), wanted, planted);
        Iterator<PlantedText> documents = corpus.documents(part.name());
        while (!packer.full() && documents.hasNext()) {
            add(packer, tokenizer, documents.next(), planted);
        }
        PackedRows rows = packer.finish();
        if (rows.rows() == 0) {
            throw ToolException.badData(
                    "%s has %d tokens, fewer than one row of %d: give more text, or a shorter --context",
                    settings.plan() == null ? "the text" : "split '" + part.name() + "'",
                    packer.tokens(),
                    settings.context());
        }
        if (!plan.shares() && rows.rows() < wanted) {
            throw tooFew(corpus, tokenizer, part, rows);
        }
        return rows;
    }

    private static void add(Packer packer, Tokenizer tokenizer, PlantedText document, boolean planted) {
        if (!planted) {
            packer.add(tokenizer.encode(document.text()), null);
            return;
        }
        Encoded encoded = tokenizer.encodeWithPlaces(document.text());
        long[] features = new long[encoded.ids().length];
        for (int i = 0; i < features.length; i++) {
            features[i] = document.overlapping(encoded.starts()[i], encoded.ends()[i]);
        }
        packer.add(encoded.ids(), features);
    }

    private ToolException tooFew(Corpus corpus, Tokenizer tokenizer, SplitPlan.Part part, PackedRows found) {
        long all = 0;
        for (String split : settings.plan().names()) {
            Packer packer = new Packer(tokenizer, settings.context(), Long.MAX_VALUE, false);
            corpus.documents(split).forEachRemaining(d -> packer.add(tokenizer.encode(d.text()), null));
            all += packer.finish().size();
        }
        return ToolException.badData(
                "split '%s' asks for %.0f tokens, but its part of the text has %d; the whole text has %d, and %.0f were"
                        + " asked for: ask for fewer, or for shares such as train=80%%",
                part.name(), part.amount(), found.size(), all, settings.plan().total());
    }

    /** Packs rows whose ids were made elsewhere; every position counts and every row is a document. */
    public void ids(Path file, int vocabulary) {
        IdsFile all = IdsFile.read(file, vocabulary);
        if (settings.context() != 0 && settings.context() != all.context()) {
            throw ToolException.badData(
                    "--context %d was asked for, but the rows of %s have %d ids",
                    settings.context(), file, all.context());
        }
        parameters.put("source", "ids");
        inputs.add(new String[] {"ids", file.getFileName().toString(), digest(file)});
        SplitPlan plan = settings.effectivePlan();
        boolean split = settings.plan() != null;
        if (split) {
            parameters.put("split_seed", settings.splitSeed());
        }
        int[] order = Documents.order(all.rows(), settings.splitSeed());
        Tokenizer tokenizer = Tokenizers.unknown(vocabulary);
        int next = 0;
        for (SplitPlan.Part part : plan.parts()) {
            int[] rows = new int[rowsOfIds(part, all, next)];
            for (int r = 0; r < rows.length; r++) {
                rows[r] = split ? order[next + r] : r;
            }
            next += rows.length;
            write(part.name(), all.select(rows), tokenizer);
        }
        finish(tokenizer);
    }

    private int rowsOfIds(SplitPlan.Part part, IdsFile all, int taken) {
        long tokens = settings.tokens() == 0 ? (long) all.rows() * all.context() : settings.tokens();
        long wanted = settings.effectivePlan().rows(part, tokens, all.context());
        int left = all.rows() - taken;
        if (wanted == 0 || wanted > left) {
            throw ToolException.badData(
                    "split '%s' asks for %d rows, but %d of %d are left", part.name(), wanted, left, all.rows());
        }
        return (int) wanted;
    }

    private void write(String split, PackedRows rows, Tokenizer tokenizer) {
        boolean nested = settings.plan() != null;
        OutputFolder folder = nested ? out.nested(split) : out;
        rows.write(folder, Feature.names());
        rows.counts().forEach((name, count) -> {
            if (nested) {
                folder.count(name, count);
            }
            totals.merge(name, count, Long::sum);
        });
        writeTokenizer(folder, tokenizer);
        if (nested) {
            describe(folder, split, rows.context(), tokenizer);
            folder.commit("tokenize", split);
        }
        context = rows.context();
    }

    private void finish(Tokenizer tokenizer) {
        describe(out, settings.plan() == null ? SplitPlan.ALL : settings.plan().text(), context, tokenizer);
        totals.forEach(out::count);
        warnings.forEach(out::warning);
    }

    private void describe(OutputFolder folder, String split, int rowLength, Tokenizer tokenizer) {
        folder.parameter("tokenizer", tokenizer.name())
                .parameter("vocabulary", tokenizer.vocabulary())
                .parameter("context", rowLength)
                .parameter("split", split);
        if (tokenizer.bos() >= 0) {
            folder.parameter("bos", tokenizer.bos());
        }
        if (settings.tokens() > 0) {
            folder.parameter("tokens", settings.tokens());
        }
        parameters.forEach(folder::parameter);
        inputs.forEach(input -> folder.input(input[0], input[1], input[2]));
    }

    private static void writeTokenizer(OutputFolder folder, Tokenizer tokenizer) {
        if (tokenizer.json().isEmpty()) {
            return;
        }
        Path file = folder.file(TokenRows.TOKENIZER);
        try {
            Files.writeString(file, tokenizer.json().get(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e.getMessage(), e);
        }
    }
}
