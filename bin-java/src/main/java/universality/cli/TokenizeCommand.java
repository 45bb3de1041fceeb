package universality.cli;

import picocli.CommandLine.Command;
import universality.data.ExitCode;
import universality.data.ToolException;

/** The stage {@code tokenize}. */
@Command(name = "tokenize", description = "not built yet")
final class TokenizeCommand extends StageCommand {
    @Override
    void run() {
        throw new ToolException(ExitCode.INTERNAL, "the stage 'tokenize' is not built yet");
    }
}
