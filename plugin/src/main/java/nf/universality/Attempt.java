package nf.universality;

import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One try of a task, or a task whose result came from the cache: then with the resources that it took when it ran. Made of the
 * fields of Nextflow's trace; those that may hold secrets (the script, the environment) are not taken over.
 */
public final class Attempt {
    private static final List<String> FIELDS = List.of(
            "task_id",
            "hash",
            "native_id",
            "process",
            "tag",
            "name",
            "status",
            "exit",
            "attempt",
            "error_action",
            "submit",
            "start",
            "complete",
            "realtime",
            "queue",
            "hostname",
            "cpus",
            "memory",
            "time",
            "%cpu",
            "peak_rss",
            "peak_vmem",
            "rchar",
            "wchar",
            "container",
            "workdir");
    private static final double MILLISECONDS = 3_600_000;

    private final Map<String, Object> trace = new LinkedHashMap<>();
    private final boolean cached;
    private final int index;
    private final int accelerators;
    private final String executor;
    private final List<Path> outputs;
    private boolean onDevice;
    private String stage;

    /**
     * @param trace values of Nextflow's trace by field; times in milliseconds, sizes in bytes
     * @param index number of the task within its process: the same for all tries of it
     * @param accelerators GPUs asked for
     * @param outputs files and folders that the task declared and wrote
     */
    public Attempt(
            Map<String, Object> trace,
            boolean cached,
            int index,
            int accelerators,
            String executor,
            List<Path> outputs) {
        for (String field : FIELDS) {
            Object value = trace.get(field);
            if (value != null) {
                this.trace.put(field, value);
            }
        }
        this.cached = cached;
        this.index = index;
        this.accelerators = accelerators;
        this.executor = executor;
        this.outputs = List.copyOf(outputs);
    }

    /** A field as text, or null. */
    String text(String field) {
        Object value = trace.get(field);
        return value == null || value.toString().isEmpty() ? null : value.toString();
    }

    /** A field as a number, or null. */
    Double number(String field) {
        Object value = trace.get(field);
        return value instanceof Number number && Double.isFinite(number.doubleValue())
                ? Double.valueOf(number.doubleValue())
                : null;
    }

    /** A field as a whole number, or null. */
    Long whole(String field) {
        Double value = number(field);
        return value == null ? null : Long.valueOf(value.longValue());
    }

    /** A field as a moment, or null where it did not come to that. */
    Instant moment(String field) {
        Long value = whole(field);
        return value == null || value <= 0 ? null : Instant.ofEpochMilli(value);
    }

    boolean cached() {
        return cached;
    }

    String process() {
        String process = text("process");
        return process == null ? "unknown" : process;
    }

    /** The stage that its process's results name; where they name none, the last part of the process's name, in lower case. */
    String stage() {
        return stage != null
                ? stage
                : process().substring(process().lastIndexOf(':') + 1).toLowerCase(java.util.Locale.ROOT);
    }

    /** Tells the stage: a process that is included by another name (TOKENIZE_PART) is of the same stage. */
    void ofStage(String name) {
        stage = name;
    }

    /** What all tries of one task have in common. */
    String task() {
        return process() + "#" + index;
    }

    /** {@code CACHED}, {@code COMPLETED}, {@code FAILED} or {@code ABORTED}. */
    String status() {
        String status = text("status");
        return cached ? "CACHED" : status == null ? "UNKNOWN" : status;
    }

    boolean failed() {
        return status().equals("FAILED") || status().equals("ABORTED");
    }

    /** Whether Nextflow tried the task again. */
    boolean retried() {
        return failed() && "RETRY".equals(text("error_action"));
    }

    /** The exit code; null where there was none, since the task never began or nobody knows how it ended. */
    Integer exit() {
        Long exit = whole("exit");
        return exit == null || exit == Cause.LOST ? null : Integer.valueOf(exit.intValue());
    }

    /** Why it failed, or null where it did not. */
    String cause() {
        if (!failed()) {
            return null;
        }
        Integer exit = exit();
        return Cause.of(exit == null ? Cause.LOST : exit, status().equals("ABORTED"));
    }

    String executor() {
        return executor;
    }

    List<Path> outputs() {
        return outputs;
    }

    /** Tells that the tool computed on a GPU, whether or not one was asked for. */
    void computedOnDevice() {
        onDevice = true;
    }

    int gpus() {
        return Math.max(accelerators, onDevice ? 1 : 0);
    }

    /** Hours on the clock, 0 where it never ran. */
    double hours() {
        Double realtime = number("realtime");
        return realtime == null ? 0 : realtime / MILLISECONDS;
    }

    /** Processors asked for × hours. */
    double cpuHours() {
        Double cpus = number("cpus");
        return (cpus == null ? 1 : cpus) * hours();
    }

    /** Hours that processors were busy, or null where Nextflow could not measure it. */
    Double cpuHoursUsed() {
        Double percent = number("%cpu");
        return percent == null ? null : Double.valueOf(percent / 100 * hours());
    }

    /** GPUs × hours. */
    double gpuHours() {
        return gpus() * hours();
    }
}
