package universality.cli;

import picocli.CommandLine.Command;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The stage {@code describe}. */
@Command(name = "describe", description = "not built yet")
final class DescribeCommand extends StageCommand {
    @Override
    void run() {
        throw new ToolException(ExitCode.INTERNAL, "the stage 'describe' is not built yet");
    }
}
