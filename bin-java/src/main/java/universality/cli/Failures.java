package universality.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import universality.data.ExitCode;
import universality.data.ToolException;
import universality.tensor.Compute;

/** Turns failures into one line on standard error and an exit status. */
final class Failures {
    private Failures() {}

    static int report(CommandLine line, Throwable failure, boolean debug) {
        String command = line.getCommandSpec().qualifiedName();
        if (debug) {
            failure.printStackTrace(line.getErr());
        }
        ToolException tool = failure instanceof ToolException own ? own : Compute.explain(failure);
        if (tool != null) {
            print(line.getErr(), command, tool.getMessage());
            return tool.code().status();
        }
        print(
                line.getErr(),
                command,
                "internal error: " + failure + "; rerun with --debug for the stack trace and report it");
        return ExitCode.INTERNAL.status();
    }

    static void print(PrintWriter err, String command, String message) {
        err.println(command + ": " + message.strip().replaceAll("\\s*\\R\\s*", " "));
        err.flush();
    }
}
