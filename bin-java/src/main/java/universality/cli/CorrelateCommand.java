package universality.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import universality.correlate.CorrelateStage;
import universality.correlate.Precision;
import universality.data.ToolException;
import universality.tensor.Compute;

/** The stage {@code correlate}. */
@Command(
        name = "correlate",
        description = "Correlates every neuron of several checkpoints with every neuron of the others.",
        sortOptions = false)
final class CorrelateCommand extends StageCommand {
    @Option(
            names = "--activations",
            arity = "1..*",
            paramLabel = "DIR",
            description = "activation folders of checkpoints of one step (with --diagonal: of one seed)")
    private List<Path> activations = new ArrayList<>();

    @Option(
            names = "--checkpoint",
            arity = "1..*",
            paramLabel = "DIR",
            description =
                    "instead of --activations: checkpoints, which are run over --tokens as activations are needed; nothing"
                            + " is stored")
    private List<Path> checkpoints = new ArrayList<>();

    @Option(names = "--tokens", paramLabel = "DIR", description = "token rows of one split, with --checkpoint")
    private Path tokens;

    @Option(
            names = "--compute",
            defaultValue = "f32",
            paramLabel = "f32|bf16",
            description = "arithmetic of the forward pass, with --checkpoint (default: ${DEFAULT-VALUE})")
    private String arithmetic;

    @Option(names = "--pairs", split = ",", paramLabel = "A:B", description = "only these pairs of checkpoints")
    private List<String> pairs = new ArrayList<>();

    @Option(
            names = "--baseline-draws",
            defaultValue = "10",
            paramLabel = "N",
            description = "random rotations for the baseline (default: ${DEFAULT-VALUE})")
    private int draws;

    @Option(names = "--baseline-seed", defaultValue = "0", paramLabel = "N", description = "decides the rotations")
    private long baselineSeed;

    @Option(
            names = "--top",
            defaultValue = "10",
            paramLabel = "K",
            description = "partners listed of each neuron (default: ${DEFAULT-VALUE})")
    private int top;

    @Option(
            names = "--candidates",
            defaultValue = "5",
            paramLabel = "K",
            description =
                    "partners of each neuron whose sums by groups of documents are kept, for standard errors; 0: none, and"
                            + " no second pass (default: ${DEFAULT-VALUE})")
    private int candidates;

    @Option(
            names = "--control",
            defaultValue = "none",
            paramLabel = "NAME",
            description =
                    "a control instead of the study: rotated, shifted, row_shifted or token_permuted; the first checkpoint"
                            + " is set against the others, altered")
    private String control;

    @Option(
            names = "--precision",
            defaultValue = "exact",
            paramLabel = "exact|bf16|int8|sketch",
            description =
                    "of the products of all pairs: exact; or products in bf16 or int8, or products of sketches of the positions, that"
                            + " find candidates, which are computed again exactly (default: ${DEFAULT-VALUE}); a device that is"
                            + " not fast at it is exact")
    private String precision;

    @Option(
            names = "--sketch-size",
            defaultValue = "16384",
            paramLabel = "M",
            description = "rows of a sketch, with --precision sketch (default: ${DEFAULT-VALUE})")
    private int sketchSize;

    @Option(names = "--diagonal", description = "each neuron with itself between checkpoints of one seed")
    private boolean diagonal;

    @Option(names = "--group", paramLabel = "ID", description = "name of the result in its manifest")
    private String group;

    @Mixin
    private ComputeOptions compute;

    private Map<String, Double> seconds = Map.of();

    @Override
    void run() throws IOException {
        // without a baseline there is no excess, and a table that has none would pass for one in which nothing is
        // universal
        if (draws < 1 || top < 1 || candidates < 0) {
            throw ToolException.usage(
                    "--baseline-draws %d, --top %d and --candidates %d: expected at least 1, 1 and 0",
                    draws, top, candidates);
        }
        if (sketchSize < 64) {
            throw ToolException.usage("--sketch-size %d: expected at least 64", sketchSize);
        }
        var settings = new CorrelateStage.Settings(
                pairs,
                draws,
                baselineSeed,
                top,
                candidates,
                control,
                group,
                precision(),
                sketchSize,
                compute.memoryBytes());
        try (CorrelateStage stage = open(settings);
                Compute engine = compute.start()) {
            if (diagonal) {
                stage.diagonal(engine, out, overwrite);
            } else {
                stage.run(engine, out, overwrite);
            }
            seconds = stage.seconds();
        }
    }

    @Override
    Map<String, Double> phases() {
        return seconds;
    }

    private CorrelateStage open(CorrelateStage.Settings settings) {
        if (activations.isEmpty() == checkpoints.isEmpty() || checkpoints.isEmpty() != (tokens == null)) {
            throw ToolException.usage(
                    "either --activations DIR... or --checkpoint DIR... with --tokens DIR was expected, to read stored"
                            + " activations or to run the models");
        }
        return activations.isEmpty()
                ? new CorrelateStage(checkpoints, tokens, compute.arithmetic(arithmetic), settings, StageCommand::say)
                : new CorrelateStage(activations, settings, StageCommand::say);
    }

    private Precision precision() {
        return switch (precision.toLowerCase(Locale.ROOT)) {
            case "exact" -> Precision.EXACT;
            case "bf16" -> Precision.BF16;
            case "int8" -> Precision.INT8;
            case "sketch" -> Precision.SKETCH;
            default -> throw ToolException.usage("--precision '%s' is not one of exact, bf16, int8, sketch", precision);
        };
    }
}
