package universality.cli;

import picocli.CommandLine.Command;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The stage {@code identify}. */
@Command(name = "identify", description = "not built yet")
final class IdentifyCommand extends StageCommand {
    @Override
    void run() {
        throw new ToolException(ExitCode.INTERNAL, "the stage 'identify' is not built yet");
    }
}
