package universality.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import universality.data.ToolException;
import universality.fetch.Fetch;

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
}
