package nf.universality;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import nextflow.Session;
import nextflow.config.Manifest;
import nextflow.executor.res.AcceleratorResource;
import nextflow.file.FileHelper;
import nextflow.processor.TaskHandler;
import nextflow.processor.TaskProcessor;
import nextflow.processor.TaskRun;
import nextflow.script.WorkflowMetadata;
import nextflow.trace.TraceObserver;
import nextflow.trace.TraceRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees every task of a run and, when that has ended, writes what {@link ProvenanceFiles} lists. While the run goes on it only
 * takes notes: no file is opened. Whatever goes wrong here is one warning; no run fails because of it.
 */
class ProvenanceObserver implements TraceObserver {
    /** Nextflow shows the user what loggers below its own name say. */
    private static final Logger LOG = LoggerFactory.getLogger("nextflow.universality.Provenance");

    private final Session session;
    private final List<Attempt> attempts = new ArrayList<>();
    private final Map<Path, Path> published = new HashMap<>();
    private boolean warned;

    ProvenanceObserver(Session session) {
        this.session = session;
    }

    boolean enabled() {
        return !"false".equals(String.valueOf(setting("enabled")));
    }

    @Override
    public void onProcessComplete(TaskHandler handler, TraceRecord trace) {
        quietly(() -> note(handler, trace, false));
    }

    @Override
    public void onProcessCached(TaskHandler handler, TraceRecord trace) {
        quietly(() -> note(handler, trace, true));
    }

    @Override
    public void onFilePublish(Path destination, Path source) {
        quietly(() -> {
            synchronized (this) {
                published.put(source, destination);
            }
        });
    }

    @Override
    public void onFlowComplete() {
        quietly(this::write);
    }

    @Override
    public boolean enableMetrics() {
        return true;
    }

    /** Runs {@code action}; the first failure of a run is logged, with what it means. */
    private void quietly(Step action) {
        try {
            action.run();
        } catch (Throwable e) { // also errors of linking, where a newer Nextflow is another
            if (!warned) {
                warned = true;
                LOG.warn(
                        "The record of this run is incomplete or missing; the run itself is not affected: {}",
                        e.toString());
            }
            LOG.debug("Provenance", e);
        }
    }

    /** Something that may fail. */
    private interface Step {
        void run() throws Exception;
    }

    private synchronized void note(TaskHandler handler, TraceRecord trace, boolean cached) {
        TaskRun task = handler.getTask();
        Map<String, Object> values = new LinkedHashMap<>();
        if (trace != null) {
            values.putAll(trace.getStore());
        }
        // a task from the cache carries the number that it had in the run that made it
        values.put("task_id", task.getId());
        values.putIfAbsent("process", task.getProcessor().getName());
        values.putIfAbsent("name", task.getName());
        values.putIfAbsent(
                "status", handler.getStatusString()); // without a trace, nothing else would tell of a failure
        int index = task.getIndex() == null ? attempts.size() : task.getIndex();
        attempts.add(new Attempt(values, cached, index, accelerators(task), executor(task), outputs(task)));
    }

    private static int accelerators(TaskRun task) {
        AcceleratorResource asked = optional(() -> task.getConfig().getAccelerator());
        return asked == null || asked.getRequest() == null ? 0 : asked.getRequest();
    }

    private static String executor(TaskRun task) {
        return optional(() -> task.getProcessor().getExecutor().getName());
    }

    private static List<Path> outputs(TaskRun task) {
        List<Path> paths = new ArrayList<>();
        Map<?, ?> outputs = optional(task::getOutputs);
        if (outputs != null) {
            outputs.forEach((parameter, value) -> {
                if (parameter.getClass().getSimpleName().startsWith("FileOut")) {
                    collect(value, paths);
                }
            });
        }
        return paths;
    }

    private static void collect(Object value, List<Path> paths) {
        if (value instanceof Path path) {
            paths.add(path);
        } else if (value instanceof Collection<?> several) {
            several.forEach(one -> collect(one, paths));
        }
    }

    /** What is of use but not needed: null where Nextflow cannot tell. */
    private static <T> T optional(Supplier<T> value) {
        try {
            return value.get();
        } catch (RuntimeException | LinkageError e) {
            LOG.debug("Provenance", e);
            return null;
        }
    }

    private synchronized void write() throws Exception {
        if (attempts.isEmpty()) {
            return; // refused at launch, or nothing to do: the record of an earlier run stays
        }
        Path folder = folder();
        List<String> warnings = new ProvenanceFiles(folder).write(run(), attempts, published);
        if (!warnings.isEmpty()) {
            LOG.warn(
                    "The record of this run lacks {} of its results' manifests, the first because {}",
                    warnings.size(),
                    warnings.get(0));
        }
    }

    /** The folder of the results: {@code provenance.outdir}, else the parameter {@code outdir}, else {@code results}. */
    private Path folder() {
        Object configured = setting("outdir");
        Object parameter =
                session.getParams() == null ? null : session.getParams().get("outdir");
        Object folder = configured != null ? configured : parameter != null ? parameter : "results";
        Path path = FileHelper.asPath(folder.toString());
        return path.toAbsolutePath().normalize();
    }

    private Object setting(String name) {
        Object scope = session.getConfig() == null ? null : session.getConfig().get("provenance");
        return scope instanceof Map<?, ?> settings ? settings.get(name) : null;
    }

    private String text(String name) {
        Object value = setting(name);
        return value == null ? null : value.toString();
    }

    private Run run() {
        WorkflowMetadata launch = session.getWorkflowMetadata();
        Instant now = Instant.now();
        String agent = text("agent");
        return new Run(
                launch.getRunName(),
                String.valueOf(launch.getSessionId()),
                launch.getResume(),
                launch.getStubRun(),
                instant(launch.getStart(), now),
                instant(launch.getComplete(), now),
                session.isSuccess(),
                optional(launch::getExitStatus),
                Secrets.hidden(optional(launch::getErrorMessage)),
                Secrets.hidden(launch.getCommandLine()),
                launch.getProfile(),
                Secrets.hidden(session.getParams()),
                String.valueOf(launch.getNextflow().getVersion()),
                agent == null ? launch.getUserName() : agent,
                host(),
                String.valueOf(launch.getLaunchDir()),
                String.valueOf(launch.getWorkDir()),
                text("license"),
                workflow(launch));
    }

    private static Run.Workflow workflow(WorkflowMetadata launch) {
        Manifest manifest = launch.getManifest();
        String name = optional(manifest::getName);
        return new Run.Workflow(
                name == null ? launch.getScriptName() : name,
                optional(manifest::getVersion),
                optional(manifest::getDescription),
                optional(manifest::getHomePage),
                optional(manifest::getAuthor),
                launch.getScriptFile(),
                Secrets.hidden(launch.getRepository()),
                launch.getCommitId(),
                launch.getRevision(),
                launch.getConfigFiles() == null ? List.of() : launch.getConfigFiles());
    }

    private static Instant instant(OffsetDateTime time, Instant otherwise) {
        return time == null ? otherwise : time.toInstant();
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return null;
        }
    }

    // What a trait asks of a Java class, and this one has no use for

    @Override
    public void onFlowCreate(Session created) {}

    @Override
    public void onFlowBegin() {}

    @Override
    public void onProcessCreate(TaskProcessor process) {}

    @Override
    public void onProcessTerminate(TaskProcessor process) {}

    @Override
    public void onProcessPending(TaskHandler handler, TraceRecord trace) {}

    @Override
    public void onProcessSubmit(TaskHandler handler, TraceRecord trace) {}

    @Override
    public void onProcessStart(TaskHandler handler, TraceRecord trace) {}

    @Override
    public void onFlowError(TaskHandler handler, TraceRecord trace) {}

    @Override
    public void onWorkflowPublish(Object value) {}

    @Override
    public void onFilePublish(Path destination) {}
}
