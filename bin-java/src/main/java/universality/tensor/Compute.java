package universality.tensor;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.cuda.CudaUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * The engine, started on one device: the owner of all tensors and kernels of a stage. The caller closes it, which frees
 * everything that is still attached.
 */
public final class Compute implements AutoCloseable {
    private final NDManager manager;
    private final Device device;

    private Compute(NDManager manager, Device device) {
        this.manager = manager;
        this.device = device;
    }

    /**
     * Starts the engine.
     *
     * @param device {@code cpu}, {@code gpu}, {@code gpu:K}, or {@code auto} (a GPU where there is one)
     * @param threads threads of one operation; 0: {@code OMP_NUM_THREADS}, else all cores
     * @throws ToolException (usage) if a GPU was asked for that is not there
     */
    public static Compute start(String device, int threads) {
        Engine engine;
        try {
            engine = Engine.getEngine("PyTorch");
        } catch (EngineException e) {
            throw new ToolException(
                    ExitCode.INTERNAL,
                    "the PyTorch engine does not start: " + firstLine(e) + "; rerun with --debug for the details",
                    e);
        }
        int wanted = threads > 0 ? threads : defaultThreads();
        JniUtils.setNumThreads(wanted);
        // kernels run a few times on few shapes: the profiling executor would only add seconds of warm-up
        JniUtils.setGraphExecutorOptimize(false);
        Device chosen = choose(engine, device.toLowerCase(Locale.ROOT));
        return new Compute(engine.newBaseManager(chosen), chosen);
    }

    private static int defaultThreads() {
        String omp = System.getenv("OMP_NUM_THREADS");
        if (omp != null && omp.matches("[1-9]\\d{0,4}")) {
            return Integer.parseInt(omp);
        }
        return Runtime.getRuntime().availableProcessors();
    }

    private static Device choose(Engine engine, String name) {
        int gpus = engine.getGpuCount();
        if (name.equals("cpu") || name.equals("auto") && gpus == 0) {
            return Device.cpu();
        }
        if (name.equals("auto")) {
            return Device.gpu(0);
        }
        if (!name.matches("gpu(:\\d{1,4})?")) {
            throw ToolException.usage("--device '%s' is not one of auto, cpu, gpu, gpu:K", name);
        }
        int index = name.equals("gpu") ? 0 : Integer.parseInt(name.substring(4));
        if (index >= gpus) {
            throw ToolException.usage(
                    "--device %s was asked for, but the engine sees %d GPUs: use --device cpu or auto, or check the driver"
                            + " and CUDA_VISIBLE_DEVICES",
                    name, gpus);
        }
        return Device.gpu(index);
    }

    /** The root manager; arrays attached to it live until {@link #close}. */
    public NDManager manager() {
        return manager;
    }

    /** What manifests record: {@code cpu} or {@code cuda}. */
    public String device() {
        return device.isGpu() ? "cuda" : "cpu";
    }

    /** Whether this device multiplies BF16 matrices faster than F32 ones: by what the processor says, never by timing. */
    public boolean fastBf16() {
        if (device.isGpu()) {
            return CudaUtils.getComputeCapability(device.getDeviceId()).compareTo("80") >= 0;
        }
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line -> List.of(line.split("\\s+")))
                    .filter(flags -> flags.contains("avx512_bf16") || flags.contains("amx_bf16"))
                    .isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    /** Compiles {@code /kernels/NAME.py} for this device, with {@code shared} sources in its class; the caller closes it. */
    public Kernel kernel(String name, String... shared) {
        return Kernel.load(manager, name, shared);
    }

    /** Name and version of the engine, for {@code --version}; starts it. */
    public static String engineVersion() {
        Engine engine = Engine.getEngine("PyTorch");
        return engine.getEngineName() + " " + engine.getVersion();
    }

    /** What a failure of the engine means: memory of host or device, or a defect. */
    static ToolException explain(String what, EngineException e) {
        String text = String.valueOf(e.getMessage());
        if (text.contains("CUDA out of memory") || text.contains("CUDA error: out of memory")) {
            return new ToolException(
                    ExitCode.DEVICE_MEMORY,
                    what + ": the device's memory is full: lower --memory or use another device",
                    e);
        }
        if (text.contains("can't allocate memory") || text.contains("not enough memory")) {
            return new ToolException(
                    ExitCode.HOST_MEMORY,
                    what + ": the host's memory is full: raise the task's memory or lower --memory",
                    e);
        }
        return new ToolException(ExitCode.INTERNAL, what + " failed: " + firstLine(e), e);
    }

    private static String firstLine(Throwable e) {
        String text = String.valueOf(e.getMessage()).strip();
        // TorchScript puts a traceback first and the reason last
        int reason = text.lastIndexOf("RuntimeError:");
        String from = reason >= 0 ? text.substring(reason) : text;
        return from.lines().findFirst().orElse("");
    }

    @Override
    public void close() {
        manager.close();
    }
}
