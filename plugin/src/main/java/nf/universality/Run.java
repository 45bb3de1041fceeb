package nf.universality;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A launch of Nextflow: what it was asked, and how it ended.
 *
 * @param session identity that resumed runs have in common
 * @param exit exit status of Nextflow, or null
 * @param error what Nextflow says about a failure, or null
 * @param commandLine without values of secrets
 * @param parameters without values of secrets
 * @param engine version of Nextflow
 * @param agent who is to be named as having started it: a name or a URL
 * @param license of the results, a URL or text; null where nobody stated one
 */
public record Run(
        String name,
        String session,
        boolean resumed,
        boolean stub,
        Instant started,
        Instant ended,
        boolean success,
        Integer exit,
        String error,
        String commandLine,
        String profile,
        Map<String, Object> parameters,
        String engine,
        String agent,
        String host,
        String launchFolder,
        String workFolder,
        String license,
        Workflow workflow) {

    /**
     * The pipeline.
     *
     * @param script the main script
     * @param commit of the repository, where it was run from one
     * @param configuration configuration files, in the order in which they were read
     */
    public record Workflow(
            String name,
            String version,
            String description,
            String homePage,
            String author,
            Path script,
            String repository,
            String commit,
            String revision,
            List<Path> configuration) {}
}
