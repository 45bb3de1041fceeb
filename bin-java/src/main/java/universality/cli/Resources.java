package universality.cli;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.ToolException;

/** Run times and memory of a finished stage, kept beside the results because they differ from run to run. */
final class Resources {
    private Resources() {}

    /**
     * Writes {@code OUT.resources.json}: wall and CPU seconds, peak resident bytes (0 where the system does not tell), and seconds by
     * phase where a stage tells them.
     */
    static void write(Path file, long wallNanos, Map<String, Double> phases) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("wall_seconds", wallNanos / 1e9);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            values.put("cpu_seconds", system.getProcessCpuTime() / 1e9);
        }
        values.put("peak_resident_bytes", peakResidentBytes());
        if (!phases.isEmpty()) {
            values.put("phase_seconds", phases);
        }
        try {
            Json.write(file, values);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e.getMessage(), e);
        }
    }

    private static long peakResidentBytes() {
        Path status = Path.of("/proc/self/status");
        try {
            if (Files.isReadable(status)) {
                for (String line : Files.readAllLines(status)) {
                    if (line.startsWith("VmHWM:")) {
                        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                    }
                }
            }
        } catch (IOException e) {
            return 0; // a figure for information only
        }
        return 0;
    }
}
