package universality.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import universality.data.ExitCode;
import universality.data.ToolException;
import universality.fetch.HubPlan;

/** What {@code fetch} would download, as a table on standard output. No stage. */
@Command(
        name = "fetch-plan",
        description =
                "Which files fetching several sources would need, their sizes, and what is still to be downloaded; CSV"
                        + " on standard output. Nothing is downloaded. With --offline, all that is missing is named at once.")
final class FetchPlanCommand implements Callable<Integer> {
    @Option(
            names = "--source",
            paramLabel = "ORG/NAME[@REV]|DIR",
            description =
                    "repository at a revision, or folder (write ./A/B for one that reads like a repository); may be"
                            + " repeated")
    private List<String> sources = new ArrayList<>();

    @Option(
            names = "--input",
            paramLabel = "FILE",
            description = "samplesheet with the columns source and, perhaps, revision")
    private Path input;

    @Option(names = "--cache", paramLabel = "DIR", description = "folder of the hub's cache (default: the hub's own)")
    private Path cache;

    @Mixin
    private FetchCommand.HubOptions hub = new FetchCommand.HubOptions();

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (sources.isEmpty() == (input == null)) {
            throw ToolException.usage("give --source, once or more, or --input, and not both");
        }
        HubPlan plan = new HubPlan(hub.settings(cache));
        for (String source : sources) {
            plan.add(source, hub.isDataset(), hub.include);
        }
        if (input != null) {
            plan.add(input);
        }
        print(plan.rows());
        return ExitCode.OK.status();
    }

    private void print(List<HubPlan.Row> rows) throws IOException {
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setRecordSeparator('\n')
                .setHeader("source", "revision", "commit", "path", "bytes", "download", "config")
                .get();
        CSVPrinter table = new CSVPrinter(spec.commandLine().getOut(), format);
        for (HubPlan.Row row : rows) {
            table.printRecord(
                    row.source(), row.revision(), row.commit(), row.path(), row.bytes(), row.download(), row.config());
        }
        table.flush();
    }
}
