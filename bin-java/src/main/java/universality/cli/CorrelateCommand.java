package universality.cli;

import picocli.CommandLine.Command;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The stage {@code correlate}. */
@Command(name = "correlate", description = "not built yet")
final class CorrelateCommand extends StageCommand {
    @Override
    void run() {
        throw new ToolException(ExitCode.INTERNAL, "the stage 'correlate' is not built yet");
    }
}
