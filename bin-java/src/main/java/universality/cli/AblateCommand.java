package universality.cli;

import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import universality.ablate.AblateStage;
import universality.ablate.Replacement;
import universality.tensor.Compute;

/** The stage {@code ablate}. */
@Command(
        name = "ablate",
        description = "Replaces neurons and measures loss and KL, beside those of as many other neurons.",
        sortOptions = false)
final class AblateCommand extends StageCommand {
    @Option(names = "--checkpoint", required = true, paramLabel = "DIR", description = "a checkpoint of fetch or train")
    private Path checkpoint;

    @Option(
            names = "--tokens",
            required = true,
            paramLabel = "DIR",
            description = "token rows to measure on, not those that the neurons were found on")
    private Path tokens;

    @Option(
            names = "--neurons",
            required = true,
            paramLabel = "FILE.csv",
            description = "the neurons: rows with 'universal' = true, or all rows of a table without that column")
    private Path neurons;

    @Option(
            names = "--activations",
            paramLabel = "DIR",
            description =
                    "the checkpoint's folder of 'activate', for means and matching (default: measured on --tokens)")
    private Path activations;

    @Option(
            names = "--descriptions",
            paramLabel = "DIR",
            description = "the checkpoint's folder of 'describe', for matching (default: norms of its weights)")
    private Path descriptions;

    @Option(
            names = "--replace",
            defaultValue = "zero",
            paramLabel = "zero|mean|resample",
            description = "what an ablated activation becomes (default: ${DEFAULT-VALUE})")
    private String replace;

    @Option(
            names = "--draws",
            defaultValue = "20",
            paramLabel = "N",
            description = "random sets of each control (default: ${DEFAULT-VALUE}); 99 or more for small p-values")
    private int draws;

    @Option(
            names = "--seed",
            defaultValue = "1",
            paramLabel = "N",
            description = "seed of all draws (default: ${DEFAULT-VALUE})")
    private long seed;

    @Mixin
    private ComputeOptions compute;

    @Override
    void run() {
        AblateStage stage = new AblateStage(new AblateStage.Settings(
                checkpoint,
                tokens,
                neurons,
                activations,
                descriptions,
                Replacement.parse(replace),
                draws,
                seed,
                compute.memoryBytes()));
        try (Compute engine = compute.start()) {
            stage.run(engine, out, overwrite);
        }
    }
}
