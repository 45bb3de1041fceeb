package universality.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import universality.data.ToolException;
import universality.fetch.HubSettings;

/** What {@code fetch} and {@code fetch-plan} have in common. */
final class HubOptions {
    @Option(
            names = "--kind",
            paramLabel = "model|dataset",
            defaultValue = "model",
            description = "what to fetch (default: ${DEFAULT-VALUE})")
    String kind = "model";

    @Option(
            names = "--include",
            paramLabel = "GLOB",
            description = "of a dataset: only files of text (.parquet, .jsonl, .jsonl.zst, .jsonl.gz, .txt) whose path"
                    + " matches; without a slash, whose name does; may be repeated (default: all)")
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
