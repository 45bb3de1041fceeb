package universality.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import universality.data.ToolException;
import universality.fetch.Fetch;
import universality.fetch.HubSettings;

/** The stage {@code fetch}. */
@Command(
        name = "fetch",
        description = "A verified checkpoint from the Hugging Face hub or a folder in Hugging Face layout (config.json;"
                + " model.safetensors or pytorch_model.bin, whole or in shards; tokenizer files are optional), or the text"
                + " files of a dataset from the hub.",
        footer = {
            "",
            "Environment: HF_ENDPOINT (another hub), HF_TOKEN (for private and gated repositories), HF_HUB_CACHE or HF_HOME"
                    + " (where the hub's files are kept, shared with Python), HF_HUB_OFFLINE, HTTPS_PROXY, NO_PROXY.",
        })
final class FetchCommand extends StageCommand {
    @Option(
            names = "--source",
            required = true,
            paramLabel = "ORG/NAME|DIR",
            description = "repository of the hub, or folder with the checkpoint")
    private String source;

    @Option(
            names = "--revision",
            paramLabel = "REV",
            description = "branch, tag or commit of a repository (default: main)")
    private String revision;

    @Option(
            names = "--id",
            paramLabel = "ID",
            description = "checkpoint id (default: FAMILY-sSEED-tSTEP where all three are given, else the one in the"
                    + " source's manifest, else the name of folder or repository)")
    private String id;

    @Option(
            names = "--family",
            paramLabel = "NAME",
            description = "runs of one family differ in their seed only (default: from the manifest or an id that reads"
                    + " FAMILY-sSEED-tSTEP, else the id)")
    private String family;

    @Option(names = "--seed", paramLabel = "N", description = "seed (default: likewise, else 0)")
    private Long seed;

    @Option(names = "--step", paramLabel = "N", description = "training step (default: likewise, else 0)")
    private Long step;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description =
                    "folder of the hub's cache and of verified checkpoints (checkpoints/ID@DIGEST); the output is a"
                            + " link to the one kept there (default: the hub's own cache; of a folder, the output is a folder of its"
                            + " own)")
    private Path cache;

    @Mixin
    private HubOptions hub = new HubOptions();

    @Override
    void run() {
        if (step != null && step < 0 || seed != null && seed < 0) {
            throw ToolException.usage("--seed %s and --step %s: neither may be negative", seed, step);
        }
        try (TransferLines progress = new TransferLines()) {
            new Fetch(
                            source,
                            revision,
                            hub.isDataset(),
                            List.copyOf(hub.include),
                            new Fetch.Names(id, family, seed, step),
                            hub.settings(cache),
                            cache,
                            out,
                            overwrite,
                            StageCommand::say,
                            progress::show)
                    .run();
        }
    }

    /** What {@code fetch} and {@code fetch-plan} have in common. */
    static final class HubOptions {
        @Option(
                names = "--kind",
                paramLabel = "model|dataset",
                defaultValue = "model",
                description = "what to fetch (default: ${DEFAULT-VALUE})")
        String kind = "model";

        @Option(
                names = "--include",
                paramLabel = "GLOB",
                description =
                        "of a dataset: only files of text (.parquet, .jsonl, .jsonl.zst, .jsonl.gz, .ndjson, .json.zst,"
                                + " .json.gz, .txt, .txt.zst, .txt.gz) whose path matches; without a slash, whose name"
                                + " does; may be repeated (default: all)")
        List<String> include = new ArrayList<>();

        @Option(names = "--offline", description = "contact nobody: what is not in the cache is listed, and missing")
        boolean offline;

        @Option(
                names = "--parallel",
                paramLabel = "N",
                defaultValue = "4",
                description = "files downloaded at once, 1 to 16 (default: ${DEFAULT-VALUE})")
        int parallel = 4;

        @Option(
                names = "--retries",
                paramLabel = "N",
                defaultValue = "5",
                description = "tries after one that brought nothing (default: ${DEFAULT-VALUE})")
        int retries = 5;

        @Option(
                names = "--timeout",
                paramLabel = "SECONDS",
                defaultValue = "30",
                description = "longest time without data (default: ${DEFAULT-VALUE})")
        int timeout = 30;

        boolean isDataset() {
            return kind.equals("dataset");
        }

        /**
         * With the environment's settings.
         *
         * @param cache the user's choice, else null
         */
        HubSettings settings(Path cache) {
            if (!isDataset() && !kind.equals("model")) {
                throw ToolException.usage("--kind %s is not known: expected model or dataset", kind);
            }
            if (!isDataset() && !include.isEmpty()) {
                throw ToolException.usage("--include goes with --kind dataset: which files a model needs is known");
            }
            if (parallel < 1 || parallel > 16 || retries < 0 || retries > 100 || timeout < 1) {
                throw ToolException.usage(
                        "--parallel %d, --retries %d, --timeout %d: expected 1 to 16, 0 to 100, and at least 1",
                        parallel, retries, timeout);
            }
            return HubSettings.of(
                    System.getenv(),
                    cache,
                    offline,
                    HubSettings.Patience.of(parallel, retries, Duration.ofSeconds(timeout)));
        }
    }

    /**
     * Shows how far a download is: on a terminal as {@link Progress} does, else a plain line now and then, so that the log of a
     * long task shows that it lives. Thread-safe.
     */
    static final class TransferLines implements AutoCloseable {
        private static final long INTERVAL_NANOS = 30_000_000_000L;

        private final boolean terminal = System.console() != null;
        private final Progress progress = new Progress();
        private long last = System.nanoTime();

        /** Shows the line unless one was shown a short time ago. */
        synchronized void show(String line) {
            if (terminal) {
                progress.show(line);
            } else if (System.nanoTime() - last > INTERVAL_NANOS) {
                last = System.nanoTime();
                StageCommand.say(line);
            }
        }

        @Override
        public void close() {
            progress.close();
        }
    }
}
