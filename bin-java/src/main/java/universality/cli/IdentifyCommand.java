package universality.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import universality.data.OutputFolder;
import universality.identify.Identify;

/** The stage {@code identify}. */
@Command(
        name = "identify",
        description = "Finds the universal neurons of one step: tables of neurons with their excess correlation.")
final class IdentifyCommand extends StageCommand {
    @Option(
            names = "--correlations",
            required = true,
            arity = "1..*",
            paramLabel = "DIR",
            description = "folders of 'correlate' that together hold every ordered pair of one family and step")
    List<Path> correlations;

    @Option(
            names = "--controls",
            arity = "1..*",
            paramLabel = "DIR",
            description =
                    "folders of 'correlate' made with a control (rotated, shifted …); they may cover some pairs only")
    List<Path> controls = List.of();

    @Option(
            names = "--activations",
            arity = "1..*",
            paramLabel = "DIR",
            description = "folders of 'activate', for the number of positions and the activation moments")
    List<Path> activations = List.of();

    @Option(
            names = "--descriptions",
            arity = "1..*",
            paramLabel = "DIR",
            description = "folders of 'describe', for weight and activation statistics")
    List<Path> descriptions = List.of();

    @Option(
            names = "--threshold",
            defaultValue = "0.5",
            paramLabel = "X",
            description = "a neuron is universal when its excess correlation is above this (default: ${DEFAULT-VALUE})")
    double threshold;

    @Override
    void run() throws IOException {
        try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
            Identify.run(new Identify.Inputs(correlations, controls, activations, descriptions), threshold, folder);
        }
    }
}
