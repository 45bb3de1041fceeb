package universality.cli;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.Option;
import universality.data.ToolException;
import universality.model.Arithmetic;
import universality.tensor.Compute;
import universality.tensor.Leases;

/** Options of the stages that compute with the engine. */
final class ComputeOptions {
    @Option(
            names = "--device",
            defaultValue = "auto",
            paramLabel = "auto|cpu|gpu[:K]",
            description =
                    "where to compute (default: ${DEFAULT-VALUE}); gpu: the first that no other task has; a GPU that is asked"
                            + " for and absent is an error")
    String device;

    @Option(
            names = "--device-share",
            defaultValue = "${env:UNIVERSALITY_DEVICE_SHARE:-1}",
            paramLabel = "N",
            description = "tasks that may have one GPU at the same time (default: UNIVERSALITY_DEVICE_SHARE, else 1)")
    int deviceShare;

    @Option(
            names = "--device-wait",
            defaultValue = "${env:UNIVERSALITY_DEVICE_WAIT:-43200}",
            paramLabel = "SECONDS",
            description =
                    "the longest wait for a GPU that other tasks have (default: UNIVERSALITY_DEVICE_WAIT, else 12 hours)")
    long deviceWait;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "threads of the engine (default: OMP_NUM_THREADS, else all cores)")
    int threads;

    @Option(
            names = "--memory",
            defaultValue = "2 GB",
            paramLabel = "SIZE",
            description = "memory that blocks may take, such as '800 MB' or '4.GB' (default: ${DEFAULT-VALUE})")
    String memory;

    /** Starts the engine; the caller closes it. */
    Compute start() {
        Leases leases = new Leases(null, deviceShare, Duration.ofSeconds(deviceWait), StageCommand::say);
        return Compute.start(device, threads, leases);
    }

    /** {@link #memory} in bytes. */
    long memoryBytes() {
        return Sizes.parse(memory);
    }

    /** The value of an option {@code --compute}. */
    Arithmetic arithmetic(String value) {
        return Arrays.stream(Arithmetic.values())
                .filter(a -> a.toString().equals(value.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> ToolException.usage("--compute '%s' is not one of f32, bf16", value));
    }
}
