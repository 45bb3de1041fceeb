package universality.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import universality.data.OutputFolder;
import universality.persist.Persist;

/** The stage {@code persist}. */
@Command(
        name = "persist",
        description = "Follows the universal neurons through training: emergence, persistence, lifetimes.")
final class PersistCommand extends StageCommand {
    @Option(
            names = "--neurons",
            required = true,
            arity = "1..*",
            paramLabel = "DIR",
            description = "folders of 'identify', one for each step of one family")
    List<Path> neurons;

    @Option(
            names = "--self",
            arity = "1..*",
            paramLabel = "DIR",
            description = "folders of 'correlate --diagonal': each neuron with itself between steps")
    List<Path> self = List.of();

    @Override
    void run() throws IOException {
        try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
            Persist.run(neurons, self, folder);
        }
    }
}
