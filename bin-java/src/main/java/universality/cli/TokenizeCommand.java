package universality.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import universality.data.OutputFolder;
import universality.data.ToolException;
import universality.tokenize.FirstRows;
import universality.tokenize.SplitPlan;
import universality.tokenize.TokenizeJob;

/** The stage {@code tokenize}. */
@Command(
        name = "tokenize",
        description = "Turn text into token rows, in splits that share no document.",
        footer = {
            "",
            "A split is counted in tokens = rows x context, BOS included, rounded down to whole rows. In shares, the splits"
                    + " divide the documents of the text (at most --tokens tokens), or --tokens generated tokens: one value"
                    + " serves both.",
            "bpe:V is trained on documents of the split train only. A line of .jsonl and a row of .parquet is a document."
                    + " Of 20 or more files of plain text each is one; fewer are cut at blank lines into documents of at least"
                    + " 4 rows.",
        })
final class TokenizeCommand extends StageCommand {
    @ArgGroup(multiplicity = "1")
    Source source;

    /** Where the tokens come from. */
    static final class Source {
        @Option(
                names = "--text",
                arity = "1..*",
                paramLabel = "PATH",
                description =
                        "files and folders: plain text, .jsonl (.json, .ndjson) and either of them with .gz or .zst, .parquet; UTF-8")
        List<Path> text;

        @Option(
                names = "--generate",
                paramLabel = "SEED",
                description = "generate English-like text, and record the features planted in it")
        Long generate;

        @Option(
                names = "--ids",
                paramLabel = "FILE",
                description = "rows of token ids made elsewhere: .json, .npy or .safetensors (needs --vocabulary)")
        Path ids;

        @Option(
                names = "--part-of",
                paramLabel = "DIR",
                description =
                        "the first rows of each split of a folder that this command made (needs --split in tokens)")
        Path partOf;
    }

    @Option(names = "--vocabulary", paramLabel = "V", description = "with --ids: the number of token ids")
    Integer vocabulary;

    @Option(
            names = "--text-column",
            defaultValue = "text",
            paramLabel = "NAME",
            description = "with --text: the column with the text in .jsonl and .parquet (default: ${DEFAULT-VALUE})")
    String textColumn;

    @Option(
            names = "--tokenizer",
            paramLabel = "r50k|byte|bpe:V|FILE",
            description = "GPT-2's own, bytes, byte-pair encoding trained on the text, or a tokenizer.json")
    String tokenizer;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "tokens in a row, at least 2, BOS included (default: 512; with --ids: the rows' own length)")
    Integer context;

    @Option(
            names = "--split",
            paramLabel = "NAME=N|P%,...",
            description =
                    "splits out of train, analysis, heldout, examples, all in tokens or all in per cent of the text")
    String split;

    @Option(
            names = "--tokens",
            defaultValue = "0",
            paramLabel = "N",
            description = "tokens of all splits together, where they are shares")
    long tokens;

    @Option(
            names = "--split-seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "seed by which documents of a text are dealt out (default: ${DEFAULT-VALUE})")
    long splitSeed;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "threads that encode (default: all processors); results do not depend on it")
    Integer threads;

    @Override
    void run() {
        SplitPlan plan = split == null ? null : SplitPlan.parse(split);
        if (source.partOf != null) {
            if (tokenizer != null || vocabulary != null || context != null || tokens != 0) {
                throw ToolException.usage(
                        "--part-of takes rows as they are: --tokenizer, --vocabulary, --context and --tokens have no place there");
            }
            try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
                FirstRows.cut(source.partOf, plan, folder, StageCommand::say);
                folder.commit("tokenize", "tokens");
            }
            return;
        }
        rows(plan);
    }

    private void rows(SplitPlan plan) {
        boolean ids = source.ids != null;
        if (ids != (vocabulary != null)) {
            throw ToolException.usage("--vocabulary V goes with --ids, and only with it");
        }
        if (context != null && context < 2) {
            throw ToolException.usage("--context %d: a row needs BOS and at least one more token", context);
        }
        if (ids == (tokenizer != null)) {
            throw ToolException.usage(
                    ids
                            ? "--tokenizer goes with text, not with --ids"
                            : "--tokenizer is missing: r50k, byte, bpe:V or FILE");
        }
        TokenizeJob.Settings settings = new TokenizeJob.Settings(
                tokenizer,
                context != null ? context : ids ? 0 : 512,
                plan,
                tokens,
                splitSeed,
                threads == null ? Runtime.getRuntime().availableProcessors() : threads);
        try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
            TokenizeJob job = new TokenizeJob(settings, folder, StageCommand::say);
            if (ids) {
                job.ids(source.ids, vocabulary);
            } else if (source.text != null) {
                job.text(source.text, textColumn);
            } else {
                job.generate(source.generate);
            }
            folder.commit("tokenize", "tokens");
        }
    }
}
