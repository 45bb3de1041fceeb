package universality.cli;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import universality.data.OutputFolder;
import universality.sweep.Sweep;

/** The stage {@code sweep}. */
@Command(
        name = "sweep",
        description = "Puts what several combinations of parameters found into one table, side by side.")
final class SweepCommand extends StageCommand {
    @Option(
            names = "--combinations",
            required = true,
            paramLabel = "FILE",
            description =
                    "CSV: combination (its name), a column for each parameter, folder (of identify, persist or ablate;"
                            + " relative ones count from the file's); a row for each folder of each combination")
    private Path combinations;

    @Override
    void run() throws IOException {
        try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
            Sweep.run(combinations, folder);
        }
    }
}
