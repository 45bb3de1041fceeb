package universality.cli;

import picocli.CommandLine.Command;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The stage {@code fetch}. */
@Command(name = "fetch", description = "not built yet")
final class FetchCommand extends StageCommand {
    @Override
    void run() {
        throw new ToolException(ExitCode.INTERNAL, "the stage 'fetch' is not built yet");
    }
}
