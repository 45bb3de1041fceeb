package universality.cli;

import picocli.CommandLine.Command;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The stage {@code persist}. */
@Command(name = "persist", description = "not built yet")
final class PersistCommand extends StageCommand {
    @Override
    void run() {
        throw new ToolException(ExitCode.INTERNAL, "the stage 'persist' is not built yet");
    }
}
