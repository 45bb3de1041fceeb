package universality.cli;

import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import universality.describe.Describe;

/** The stage {@code describe}. */
@Command(
        name = "describe",
        description =
                "Statistics of every neuron of one checkpoint: weights (norms, bias, agreement of what it reads and"
                        + " writes) and activations (moments, how often it fires).")
final class DescribeCommand extends StageCommand {
    @Option(
            names = "--checkpoint",
            required = true,
            paramLabel = "DIR",
            description = "checkpoint folder of fetch or train")
    private Path checkpoint;

    @Option(
            names = "--activations",
            required = true,
            paramLabel = "DIR",
            description = "what activate made of that checkpoint")
    private Path activations;

    @Option(
            names = "--raw-weights",
            description =
                    "take weights as they are stored; by default LayerNorm is folded into what reads it and weights"
                            + " that write to the residual stream are centred")
    private boolean raw;

    @Override
    void run() {
        Describe.run(checkpoint, activations, raw, out, overwrite);
    }
}
