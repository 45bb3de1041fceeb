package universality.cli;

import java.io.PrintWriter;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import universality.data.ExitCode;
import universality.data.ToolException;

/** Entry point of {@code universality}: one command for each stage. */
@Command(
        name = "universality",
        mixinStandardHelpOptions = true,
        versionProvider = VersionProvider.class,
        description = "Which neurons of independently trained language models are the same neuron?",
        subcommands = {
            FetchCommand.class,
            FetchPlanCommand.class,
            TokenizeCommand.class,
            TrainCommand.class,
            ActivateCommand.class,
            CorrelateCommand.class,
            DescribeCommand.class,
            IdentifyCommand.class,
            PersistCommand.class,
            AblateCommand.class,
            SweepCommand.class,
            ReportCommand.class,
            VerifyCommand.class,
            KernelsCommand.class,
            WarmUpCommand.class,
        })
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT); // what is written must not depend on where: some write other digits
        System.exit(run(arguments));
    }

    /** Runs one command line and returns the exit status; for {@link #main} and for tests. */
    public static int run(String... arguments) {
        LogSettings.apply(arguments);
        CommandLine line = new CommandLine(new Main());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExpandAtFiles(false); // a value is never the name of a file with more options
        line.setParameterExceptionHandler((e, args) -> {
            String command = e.getCommandLine().getCommandSpec().qualifiedName();
            Failures.print(line.getErr(), command, e.getMessage() + " (see '" + command + " --help')");
            return ExitCode.USAGE.status();
        });
        line.setExecutionExceptionHandler(
                (e, commandLine, result) -> Failures.report(commandLine, e, LogSettings.debug(arguments)));
        try {
            return line.execute(arguments);
        } catch (OutOfMemoryError e) {
            // picocli hands Errors through; the heap is small by design, so this is a matter of the task's memory
            PrintWriter err = line.getErr();
            Failures.print(
                    err,
                    "universality",
                    "the Java heap is too small: raise the task's memory, of which it is a quarter, or set UNIVERSALITY_HEAP (such as 8g) ("
                            + e.getMessage() + ")");
            return ExitCode.HOST_MEMORY.status();
        }
    }

    @Override
    public void run() {
        throw ToolException.usage("no command given: try '%s --help'", spec.qualifiedName());
    }
}
