package universality.cli;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import universality.data.OutputFolder;
import universality.report.Report;

/** The stage {@code report}. */
@Command(
        name = "report",
        description = "Writes one self-contained HTML file that shows the results of a study, and its figures as SVG.")
final class ReportCommand extends StageCommand {
    @Option(
            names = "--results",
            required = true,
            paramLabel = "DIR",
            description = "the results folder, with DIR/STAGE/ID; stages may be absent")
    private Path results;

    @Override
    void run() throws IOException {
        try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
            Report.write(results, folder).forEach(StageCommand::say);
            folder.commit("report", "report");
        }
    }
}
