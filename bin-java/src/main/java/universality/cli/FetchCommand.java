package universality.cli;

import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import universality.data.ToolException;
import universality.fetch.Fetch;

/** The stage {@code fetch}. */
@Command(
        name = "fetch",
        description = "A verified checkpoint from a folder in Hugging Face layout (config.json; model.safetensors or"
                + " pytorch_model.bin, whole or in shards; tokenizer files are optional).")
final class FetchCommand extends StageCommand {
    @Option(
            names = "--source",
            required = true,
            paramLabel = "DIR",
            description = "folder with the checkpoint (the hub is not supported yet)")
    private String source;

    @Option(names = "--revision", paramLabel = "REV", description = "commit, branch or tag of a hub repository")
    private String revision;

    @Option(
            names = "--id",
            paramLabel = "ID",
            description = "checkpoint id (default: FAMILY-sSEED-tSTEP where all three are given, else the one in the"
                    + " source's manifest, else the folder's name)")
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
            names = "--kind",
            paramLabel = "model",
            defaultValue = "model",
            description = "what to fetch (default: ${DEFAULT-VALUE})")
    private String kind;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description =
                    "folder in which verified checkpoints are kept, as checkpoints/ID@DIGEST; the output is then a"
                            + " link to the one kept there (default: the output is a folder of its own)")
    private Path cache;

    @Override
    void run() {
        if (!kind.equals("model")) {
            throw ToolException.usage("--kind %s is not supported yet; known is: model", kind);
        }
        if (step != null && step < 0 || seed != null && seed < 0) {
            throw ToolException.usage("--seed %s and --step %s: neither may be negative", seed, step);
        }
        new Fetch(source, revision, id, family, seed, step, cache, out, overwrite, StageCommand::say).run();
    }
}
