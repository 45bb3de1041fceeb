package nf.universality;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import universality.data.CsvWriter;

/** {@code tasks.csv}: a row for each try of a task and for each task from the cache, as they ended. */
final class TaskTable {
    static final List<String> COLUMNS = List.of(
            "task_id",
            "hash",
            "process",
            "stage",
            "tag",
            "status",
            "attempt",
            "exit",
            "cause",
            "retried",
            "executor",
            "native_id",
            "queue",
            "host",
            "container",
            "submit",
            "start",
            "complete",
            "hours",
            "cpus",
            "memory_bytes",
            "time_limit_seconds",
            "gpus",
            "cpu_hours",
            "cpu_hours_used",
            "gpu_hours",
            "peak_rss_bytes",
            "peak_vmem_bytes",
            "read_bytes",
            "written_bytes",
            "tool_wall_seconds",
            "tool_cpu_seconds",
            "tool_peak_bytes",
            "workdir");

    private TaskTable() {}

    static void write(Path file, List<Attempt> attempts, ResultReader reader) {
        try (CsvWriter writer = new CsvWriter(file, COLUMNS)) {
            for (Attempt attempt : attempts) {
                writer.row(row(attempt, reader.resources(attempt)));
            }
        }
    }

    private static List<Object> row(Attempt task, JsonNode tool) {
        Double limit = task.number("time");
        return Arrays.asList(
                task.text("task_id"),
                task.text("hash"),
                task.process(),
                task.stage(),
                task.text("tag"),
                task.status(),
                task.whole("attempt"),
                task.exit(),
                task.cause(),
                task.failed() ? task.retried() : null,
                task.executor(),
                task.text("native_id"),
                task.text("queue"),
                task.text("hostname"),
                task.text("container"),
                time(task.moment("submit")),
                time(task.moment("start")),
                time(task.moment("complete")),
                task.hours(),
                task.whole("cpus"),
                task.whole("memory"),
                limit == null ? null : Double.valueOf(limit / 1000),
                task.gpus(),
                task.cpuHours(),
                task.cpuHoursUsed(),
                task.gpuHours(),
                task.whole("peak_rss"),
                task.whole("peak_vmem"),
                task.whole("rchar"),
                task.whole("wchar"),
                number(tool, "wall_seconds"),
                number(tool, "cpu_seconds"),
                number(tool, "peak_resident_bytes"),
                task.text("workdir"));
    }

    private static Object time(Instant moment) {
        return moment == null ? null : moment.toString();
    }

    private static Object number(JsonNode tool, String name) {
        JsonNode value = tool == null ? null : tool.get(name);
        return value == null || !value.isNumber() ? null : value.numberValue();
    }
}
