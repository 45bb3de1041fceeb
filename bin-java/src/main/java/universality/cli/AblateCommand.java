package universality.cli;

import picocli.CommandLine.Command;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The stage {@code ablate}. */
@Command(name = "ablate", description = "not built yet")
final class AblateCommand extends StageCommand {
    @Override
    void run() {
        throw new ToolException(ExitCode.INTERNAL, "the stage 'ablate' is not built yet");
    }
}
