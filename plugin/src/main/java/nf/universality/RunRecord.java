package nf.universality;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import universality.data.Digests;
import universality.data.Manifest;

/** {@code run.json}: a launch, what it spent, and what it made of what. The fields are explained in docs/output.md. */
final class RunRecord {
    /** Of files that are hashed here, scripts and configuration, none is larger in earnest. */
    static final long MOST_BYTES = 1L << 20;
    /** Earlier launches of the same session that are kept. */
    private static final int MOST_EARLIER = 100;

    /** What is read of an earlier record: the rest of it, all its results, is passed over. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Previous(Map<String, Object> run, Object totals, Object retries, Object failures, List<Object> earlier) {}

    private final Run run;
    private final List<Attempt> attempts;
    private final List<Result> results;
    private final Origins origins;
    private final List<String> warnings;

    RunRecord(Run run, List<Attempt> attempts, List<Result> results, Origins origins, List<String> warnings) {
        this.run = run;
        this.attempts = attempts;
        this.results = results;
        this.origins = origins;
        this.warnings = warnings;
    }

    /**
     * All of it, in terms of JSON.
     *
     * @param previous the record that is replaced, or null; of the same session, what it says of its launch is kept
     */
    Map<String, Object> content(Previous previous) {
        Map<String, Object> content = new LinkedHashMap<>(summary());
        content.put("workflow", workflow());
        content.put("parameters", run.parameters());
        content.put("stages", stages());
        content.put("inputs", inputs());
        content.put("results", results.stream().map(RunRecord::result).toList());
        content.put("earlier", earlier(previous));
        content.put("warnings", warnings);
        return content;
    }

    /** What a later launch of the same session keeps of this one. */
    private Map<String, Object> summary() {
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("run", launch());
        summary.put("totals", spent(attempts));
        summary.put("retries", causes(attempts, Attempt::retried));
        summary.put("failures", causes(attempts, task -> task.failed() && !task.retried()));
        return summary;
    }

    private Map<String, Object> launch() {
        Map<String, Object> launch = new LinkedHashMap<>();
        launch.put("name", run.name());
        launch.put("session", run.session());
        launch.put("resumed", run.resumed());
        launch.put("stub", run.stub());
        launch.put("started", run.started().toString());
        launch.put("ended", run.ended().toString());
        launch.put("seconds", Duration.between(run.started(), run.ended()).toMillis() / 1000.0);
        launch.put("success", run.success());
        launch.put("exit", run.exit());
        launch.put("error", run.error());
        launch.put("command_line", run.commandLine());
        launch.put("profile", run.profile());
        launch.put("nextflow", run.engine());
        launch.put("java", Runtime.version().toString());
        launch.put("agent", run.agent());
        launch.put("host", run.host());
        launch.put("launch_folder", run.launchFolder());
        launch.put("work_folder", run.workFolder());
        return launch;
    }

    private Map<String, Object> workflow() {
        Run.Workflow source = run.workflow();
        Map<String, Object> workflow = new LinkedHashMap<>();
        workflow.put("name", source.name());
        workflow.put("version", source.version());
        workflow.put("repository", source.repository());
        workflow.put("revision", source.revision());
        workflow.put("commit", source.commit());
        workflow.put("script", file(source.script()));
        workflow.put(
                "configuration",
                source.configuration().stream().map(RunRecord::file).toList());
        return workflow;
    }

    private static Map<String, Object> file(Path path) {
        Map<String, Object> file = new LinkedHashMap<>();
        file.put("path", path == null ? null : path.toString());
        file.put("sha256", digest(path));
        return file;
    }

    /** The digest of a small file; null where it is none, or cannot be read. */
    static String digest(Path path) {
        try {
            boolean small = path != null && Files.isRegularFile(path) && Files.size(path) <= MOST_BYTES;
            return small ? Digests.ofFile(path) : null;
        } catch (IOException e) {
            return null; // then it is not known
        }
    }

    private List<Map<String, Object>> stages() {
        Map<String, List<Attempt>> stages =
                attempts.stream().collect(Collectors.groupingBy(Attempt::stage, TreeMap::new, Collectors.toList()));
        List<Map<String, Object>> rows = new ArrayList<>();
        stages.forEach((stage, own) -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("stage", stage);
            row.putAll(spent(own));
            row.put("retries", causes(own, Attempt::retried));
            rows.add(row);
        });
        return rows;
    }

    private static Map<String, Object> spent(List<Attempt> attempts) {
        List<Attempt> cached = attempts.stream().filter(Attempt::cached).toList();
        List<Attempt> tried = attempts.stream().filter(task -> !task.cached()).toList();
        Map<String, Object> spent = new LinkedHashMap<>();
        spent.put("tasks", attempts.stream().map(Attempt::task).distinct().count());
        spent.put("cached", cached.size());
        spent.put("tries", tried.size());
        spent.put("failed", tried.stream().filter(Attempt::failed).count());
        spent.put("retried", tried.stream().filter(Attempt::retried).count());
        spent.put("cpu_hours", sum(tried, Attempt::cpuHours));
        spent.put("cpu_hours_used", used(tried));
        spent.put("gpu_hours", sum(tried, Attempt::gpuHours));
        spent.put("cached_cpu_hours", sum(cached, Attempt::cpuHours));
        spent.put("cached_gpu_hours", sum(cached, Attempt::gpuHours));
        spent.put(
                "peak_rss_bytes",
                attempts.stream()
                        .map(task -> task.whole("peak_rss"))
                        .filter(bytes -> bytes != null)
                        .max(Long::compare)
                        .orElse(null));
        return spent;
    }

    private static double sum(List<Attempt> attempts, java.util.function.ToDoubleFunction<Attempt> hours) {
        return attempts.stream().mapToDouble(hours).sum();
    }

    /** Over the tries that could be measured; null where none could. */
    private static Double used(List<Attempt> attempts) {
        List<Double> known = attempts.stream()
                .map(Attempt::cpuHoursUsed)
                .filter(hours -> hours != null)
                .toList();
        return known.isEmpty()
                ? null
                : Double.valueOf(known.stream().mapToDouble(Double::doubleValue).sum());
    }

    private static Map<String, Long> causes(List<Attempt> attempts, Predicate<Attempt> counted) {
        return attempts.stream()
                .filter(counted)
                .collect(Collectors.groupingBy(Attempt::cause, TreeMap::new, Collectors.counting()));
    }

    /** What the results were made of and no task of this launch made: by digest, each once. */
    private List<Map<String, Object>> inputs() {
        Set<Manifest.Input> given = new LinkedHashSet<>();
        for (Result result : results) {
            result.manifest().inputs().stream()
                    .filter(input -> origins.of(input) == null)
                    .forEach(given::add);
        }
        return given.stream().map(RunRecord::input).toList();
    }

    private static Map<String, Object> input(Manifest.Input input) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("role", input.role());
        row.put("id", input.id());
        row.put("digest", input.digest());
        return row;
    }

    private static Map<String, Object> result(Result result) {
        Manifest manifest = result.manifest();
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("stage", manifest.stage());
        row.put("id", manifest.id());
        row.put("digest", result.digest());
        row.put("path", result.published());
        row.put("task", result.attempt().text("hash"));
        row.put("cached", result.attempt().cached());
        row.put("version", manifest.version());
        row.put("stage_digest", manifest.stageDigest());
        row.put("device", manifest.device());
        row.put("parameters", manifest.parameters());
        row.put("inputs", manifest.inputs().stream().map(RunRecord::input).toList());
        row.put("counts", manifest.counts());
        row.put("warnings", manifest.warnings());
        row.put("files", manifest.files().size());
        row.put("bytes", result.bytes());
        return row;
    }

    private List<Object> earlier(Previous previous) {
        List<Object> earlier = new ArrayList<>();
        if (previous != null
                && previous.run() != null
                && run.session().equals(previous.run().get("session"))
                && !run.name().equals(previous.run().get("name"))) {
            if (previous.earlier() != null) {
                earlier.addAll(previous.earlier());
            }
            Map<String, Object> kept = new LinkedHashMap<>();
            kept.put("run", previous.run());
            kept.put("totals", previous.totals());
            kept.put("retries", previous.retries());
            kept.put("failures", previous.failures());
            earlier.add(kept);
        }
        return earlier.subList(Math.max(0, earlier.size() - MOST_EARLIER), earlier.size());
    }
}
