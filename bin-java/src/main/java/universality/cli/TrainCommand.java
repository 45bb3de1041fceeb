package universality.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import universality.data.ToolException;
import universality.tensor.Compute;
import universality.train.TrainStage;

/** The stage {@code train}. */
@Command(
        name = "train",
        description = "Trains one seed of a small GPT-2 or GPT-NeoX and saves checkpoints at chosen steps.",
        sortOptions = false)
final class TrainCommand extends StageCommand {
    @Option(names = "--tokens", required = true, paramLabel = "DIR", description = "token rows of the split 'train'")
    private Path tokens;

    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "model and training settings (JSON)")
    private Path config;

    @Option(
            names = "--family",
            defaultValue = "toy",
            description = "name shared by all seeds (default: ${DEFAULT-VALUE})")
    private String family;

    @Option(names = "--seed", required = true, description = "decides initial weights and the order of the rows")
    private long seed;

    @Option(
            names = "--steps",
            required = true,
            paramLabel = "LIST",
            description = "steps to save, such as 0,100,1000; the last one is the length of training")
    private String steps;

    @Mixin
    private ComputeOptions compute;

    @Override
    void run() throws IOException {
        TrainStage stage = new TrainStage(tokens, config, family, seed, integers("--steps", steps));
        try (Compute engine = compute.start();
                Progress progress = new Progress()) {
            stage.run(engine, out, overwrite, progress::show);
        }
    }

    static List<Integer> integers(String option, String list) {
        try {
            return Arrays.stream(list.split(","))
                    .map(String::strip)
                    .map(Integer::valueOf)
                    .toList();
        } catch (NumberFormatException e) {
            throw ToolException.usage("%s '%s' is not a comma list of integers", option, list);
        }
    }
}
