package universality.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import universality.data.ExitCode;
import universality.data.ToolException;

/** What every stage's command has: the output folder, {@code --overwrite}, and the record of resources used. */
abstract class StageCommand implements Callable<Integer> {
    @Option(names = "--out", required = true, paramLabel = "DIR", description = "the folder to write")
    Path out;

    @Option(names = "--overwrite", description = "replace the output folder if it exists")
    boolean overwrite;

    @Mixin
    private CommonOptions common = new CommonOptions();

    /** Does the stage's work; failures are thrown as {@link ToolException}. */
    abstract void run() throws IOException;

    /** Seconds by phase, where the stage tells them; asked for after {@link #run}. */
    Map<String, Double> phases() {
        return Map.of();
    }

    @Override
    public final Integer call() {
        if (Files.exists(out) && !overwrite) {
            // said before any work is done, not after hours of it
            throw new ToolException(
                    ExitCode.CANNOT_WRITE, out + " exists already: choose another --out, or pass --overwrite");
        }
        long start = System.nanoTime();
        try {
            run();
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, "input or output failed: " + e, e);
        }
        Resources.write(out.resolveSibling(out.getFileName() + ".resources.json"), System.nanoTime() - start, phases());
        return ExitCode.OK.status();
    }

    /** A line to standard error for something worth knowing that is no failure. */
    static void say(String line) {
        System.err.println(line);
    }
}
