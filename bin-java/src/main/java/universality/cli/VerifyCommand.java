package universality.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.ToolException;
import universality.verify.Comparison;
import universality.verify.Report;
import universality.verify.Tolerance;
import universality.verify.Verification;

/** Whether results are what their manifests say; or, of two results, in what they differ. No stage. */
@Command(
        name = "verify",
        description =
                "Recomputes every digest that the manifests of a results folder state; or compares two such folders"
                        + " file by file and says by how much they differ. Ends with 65 if anything is wrong.",
        sortOptions = false)
final class VerifyCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "RESULTS", description = "the results of a study, or of one stage")
    private Path results;

    @Parameters(index = "1", arity = "0..1", paramLabel = "OTHER", description = "other results to compare them with")
    private Path other;

    @Option(
            names = "--tolerance",
            defaultValue = "0",
            paramLabel = "X",
            description = "with OTHER: numbers may be this far apart (default: ${DEFAULT-VALUE})")
    private double tolerance;

    @Option(
            names = "--relative-tolerance",
            defaultValue = "0",
            paramLabel = "X",
            description = "with OTHER: besides, this times the larger of the two numbers (default: ${DEFAULT-VALUE})")
    private double relativeTolerance;

    @Option(
            names = "--exclude",
            paramLabel = "GLOB",
            description = "paths in the results to leave out, such as 'report/**'; may be repeated")
    private List<String> exclude = List.of();

    @Option(names = "--json", paramLabel = "FILE", description = "write what was found to this file, too")
    private Path json;

    @Option(names = "--overwrite", description = "replace the file of --json if it exists")
    private boolean overwrite;

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        checkJson();
        Tolerance allowed = new Tolerance(tolerance, relativeTolerance);
        if (other == null && !allowed.equals(Tolerance.EXACT)) {
            throw ToolException.usage("a tolerance is for comparing: give two results folders");
        }
        Report report = report(allowed);
        PrintWriter answer = spec.commandLine().getOut();
        report.findings().forEach(finding -> answer.println(finding.lines()));
        answer.println("verify: " + report.summary());
        answer.flush();
        if (json != null) {
            Json.publish(json, report); // last: hours of reading may lie behind the answer, and a disk may be full
        }
        return (report.sound() ? ExitCode.OK : ExitCode.BAD_DATA).status();
    }

    /** What can be said of the file of --json before anything is read. */
    private void checkJson() {
        if (json == null) {
            return;
        }
        if (Files.isDirectory(json)) {
            throw new ToolException(ExitCode.CANNOT_WRITE, json + " is a folder: --json takes the name of a file");
        }
        if (!Files.isDirectory(json.toAbsolutePath().getParent())) {
            throw new ToolException(
                    ExitCode.CANNOT_WRITE,
                    json + " cannot be written: its folder is not there; make it, or choose another --json");
        }
        if (Files.exists(json) && !overwrite) {
            throw new ToolException(
                    ExitCode.CANNOT_WRITE, json + " exists already: choose another --json, or pass --overwrite");
        }
    }

    private Report report(Tolerance allowed) {
        try (Progress progress = new Progress()) {
            return other == null
                    ? Verification.of(results, exclude, progress::show)
                    : Comparison.of(results, other, allowed, exclude, progress::show);
        }
    }
}
