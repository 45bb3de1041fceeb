package universality.tensor;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.engine.StandardCapabilities;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.cuda.CudaUtils;
import com.sun.jna.Function;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * The engine, started on one device: the owner of all tensors and kernels of a stage. The caller closes it, which frees
 * everything that is still attached.
 */
public final class Compute implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofHours(12);

    /** What libtorch says when a device is full; its libraries of matrix products say it in their own words. */
    private static final Pattern DEVICE_FULL = Pattern.compile(
            "CUDA out of memory|CUDA error: out of memory|CU(BLAS|SOLVER|DNN|SPARSE)_STATUS_(ALLOC_FAILED|OUT_OF_MEMORY)");

    private static final String PRODUCTS = "universality.products";
    private static final String FAST = "universality.fast";
    private static final Set<String> X86 = Set.of("amd64", "x86_64", "x86");

    private final NDManager manager;
    private final DeviceChoice choice;
    private final int threads;

    private Compute(NDManager manager, DeviceChoice choice, int threads) {
        this.manager = manager;
        this.choice = choice;
        this.threads = threads;
    }

    /** Starts the engine; a GPU is leased in the usual folder, for one task alone, and waited for in silence. */
    public static Compute start(String device, int threads) {
        return start(device, threads, new Leases(null, 1, PATIENCE, line -> {}));
    }

    /**
     * Starts the engine.
     *
     * @param device {@code cpu}, {@code gpu} (the first that is free), {@code gpu:K}, or {@code auto} (as {@code gpu} where there
     *     is one, else the CPU)
     * @param threads threads of one operation; 0: {@code OMP_NUM_THREADS}, else all cores
     * @param leases where a GPU is leased, until {@link #close}
     * @throws ToolException (usage) if a GPU was asked for that is not there; (try again) if none became free
     */
    public static Compute start(String device, int threads, Leases leases) {
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
        prepareThread(wanted);
        DeviceChoice choice = DeviceChoice.of(device, () -> gpus(engine), leases);
        try {
            Device chosen = choice.isGpu() ? Device.gpu(choice.index()) : Device.cpu();
            return new Compute(engine.newBaseManager(chosen), choice, wanted);
        } catch (RuntimeException e) {
            choice.close();
            throw e;
        }
    }

    /**
     * Identities of the GPUs that the engine can use. The driver is asked first: the engine's own count needs a CUDA runtime
     * where the system looks for libraries, and is 0 without one, even though libtorch brings its own.
     */
    private static List<String> gpus(Engine engine) {
        if (!engine.hasCapability(StandardCapabilities.CUDA)) {
            return List.of();
        }
        List<String> uuids = VisibleGpus.byDriver();
        return uuids.isEmpty()
                ? VisibleGpus.byEnvironment(System.getenv("CUDA_VISIBLE_DEVICES"), engine.getGpuCount())
                : uuids;
    }

    private static int defaultThreads() {
        String omp = System.getenv("OMP_NUM_THREADS");
        if (omp != null && omp.matches("[1-9]\\d{0,4}")) {
            return Integer.parseInt(omp);
        }
        return Runtime.getRuntime().availableProcessors();
    }

    /** The root manager; arrays attached to it live until {@link #close}. */
    public NDManager manager() {
        return manager;
    }

    /** What manifests record: {@code cpu} or {@code cuda}. */
    public String device() {
        return choice.isGpu() ? "cuda" : "cpu";
    }

    /**
     * Whether this device multiplies BF16 matrices faster than F32 ones: by what the processor says, never by timing. Processors with
     * tile registers do, and AMD's; others that have the instructions take as long with them as with F32, or twice as long. The
     * system property {@value #FAST} ({@code bf16}, {@code int8} or both) says so regardless, so that slow ways can be tried.
     */
    public boolean fastBf16() {
        if (tries("bf16")) {
            return true;
        }
        if (choice.isGpu()) {
            return capability() >= 80;
        }
        return processor("amx_bf16") || processor("avx512_bf16") && processor("AuthenticAMD");
    }

    /**
     * Whether this device multiplies matrices of 8-bit integers faster than F32 ones, likewise.
     *
     * @throws ToolException (usage) if {@value #FAST} names {@code int8} and the processor adds such products up in 16 bits, as those
     *     of x86 do without VNNI: sums of two would be cut off at 32,767
     */
    public boolean fastInt8() {
        boolean asked = tries("int8");
        if (choice.isGpu()) {
            return asked || capability() >= 75;
        }
        boolean fast = processor("avx512_vnni") || processor("avx_vnni") || processor("amx_int8");
        if (asked && !fast && X86.contains(System.getProperty("os.arch"))) {
            throw ToolException.usage(
                    "-D%s=int8: this processor has no VNNI instructions, without which sums of 8-bit products are cut off;"
                            + " leave int8 out",
                    FAST);
        }
        return fast || asked;
    }

    /**
     * Whether the system property {@value #FAST} names this type of numbers.
     *
     * @throws ToolException (usage) if it names what is none
     */
    public static boolean tries(String type) {
        return asked(FAST, List.of("bf16", "int8")).contains(type);
    }

    /** The words of a system property, between commas. */
    private static List<String> asked(String property, List<String> known) {
        List<String> words = Pattern.compile(",")
                .splitAsStream(System.getProperty(property, ""))
                .filter(word -> !word.isEmpty())
                .toList();
        for (String word : words) {
            if (!known.contains(word)) {
                throw ToolException.usage(
                        "'%s' in -D%s is not known; expected %s", word, property, String.join(" or ", known));
            }
        }
        return words;
    }

    /**
     * Whether F32 matrices are multiplied by oneDNN, likewise. The library that the engine takes otherwise, MKL, has no kernels with
     * vectors of 512 bits for AMD's processors; on others it is at least as fast. The system property {@value #PRODUCTS}
     * ({@code onednn} or {@code engine}) says so regardless.
     *
     * @throws ToolException (usage) if it says anything else
     */
    private boolean oneDnn() {
        if (choice.isGpu()) {
            return false;
        }
        List<String> asked = asked(PRODUCTS, List.of(Kernels.ONEDNN, "engine"));
        if (asked.size() > 1) {
            throw ToolException.usage("-D%s names %s; expected one of them", PRODUCTS, String.join(" and ", asked));
        }
        if (!asked.isEmpty()) {
            return asked.contains(Kernels.ONEDNN);
        }
        return processor("AuthenticAMD") && processor("avx512f");
    }

    private int capability() {
        return Integer.parseInt(
                CudaUtils.getComputeCapability(manager.getDevice().getDeviceId()));
    }

    private static boolean processor(String word) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("flags") || line.startsWith("vendor_id"))
                    .limit(2)
                    .flatMap(line -> Stream.of(line.split("\\s+")))
                    .anyMatch(word::equals);
        } catch (IOException e) {
            return false;
        }
    }

    /** What the engine keeps for each thread that calls it. */
    private static void prepareThread(int threads) {
        JniUtils.setNumThreads(threads);
        // kernels run a few times on few shapes: the profiling executor would only add seconds of warm-up
        JniUtils.setGraphExecutorOptimize(false);
    }

    /** Tasks that {@link #sideBySide} may run at once: as many as one operation has threads, and one on a GPU. */
    public int lanes() {
        return choice.isGpu() ? 1 : threads;
    }

    /**
     * Runs a task in several threads at once, whose operations have one thread each, on a processor even if it is one task alone:
     * so what operations give does not depend on the number of threads. Where there is enough to do for all, this is also faster
     * than one task whose operations share the threads, since nobody waits for the others at the end of each. Returns when all
     * have ended.
     *
     * @param lanes how many, at most {@link #lanes}
     * @param task is given its number, from 0; ends by itself soon after another one has failed
     * @throws RuntimeException or Error, the first that a task has thrown
     */
    public void sideBySide(int lanes, IntConsumer task) {
        if (choice.isGpu() || threads == 1) {
            task.accept(0);
            return;
        }
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> running = IntStream.range(0, lanes)
                .mapToObj(lane -> new Thread(
                        () -> {
                            try {
                                prepareThread(1);
                                task.accept(lane);
                            } catch (Throwable e) { // also memory errors: the caller must hear of it
                                failure.compareAndSet(null, e);
                            }
                        },
                        "lane-" + lane))
                .toList();
        running.forEach(Thread::start);
        running.forEach(Compute::join);
        prepareThread(threads);
        if (failure.get() instanceof Error e) {
            throw e;
        }
        if (failure.get() != null) {
            throw (RuntimeException) failure.get();
        }
    }

    /** Waits for a thread to end, whoever interrupts: what it uses must not be freed before. */
    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Hands memory that was freed back to the system, where its C library can. The library keeps what is freed, since asking for it again
     * is slow (see the launcher); blocks of many sizes then leave gaps that later ones do not fit in, and the process grows. To be
     * called between phases of much memory.
     */
    public void trim() {
        if (choice.isGpu() || !Platform.isLinux()) {
            return;
        }
        try {
            Function.getFunction(Platform.C_LIBRARY_NAME, "malloc_trim").invokeInt(new Object[] {new NativeLong(0)});
        } catch (UnsatisfiedLinkError e) {
            // a C library without it; nothing depends on it
        }
    }

    /** Seeds what kernels draw; the same seed gives the same draws on one kind of device. */
    public void seed(long seed) {
        Engine.getEngine("PyTorch").setRandomSeed((int) (seed ^ seed >>> 32));
    }

    /** Compiles a kernel of {@link Kernels} for this device; the caller closes it. */
    public Kernel kernel(String name) {
        return Kernel.load(manager, name, oneDnn());
    }

    /** Name and version of the engine, for {@code --version}; starts it. */
    public static String engineVersion() {
        Engine engine = Engine.getEngine("PyTorch");
        return engine.getEngineName() + " " + engine.getVersion();
    }

    /**
     * What a failure that no kernel reported means: allocations of arrays fail outside kernels too.
     *
     * @return {@code null} if it is not the engine's
     */
    public static ToolException explain(Throwable failure) {
        return failure instanceof EngineException e ? explain("an array", e) : null;
    }

    /** What a failure of the engine means: memory of host or device, or a defect. */
    static ToolException explain(String what, EngineException e) {
        String text = String.valueOf(e.getMessage());
        if (DEVICE_FULL.matcher(text).find()) {
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

    /** Frees all that is attached, then the GPU. */
    @Override
    public void close() {
        try {
            manager.close();
        } finally {
            choice.close();
        }
    }
}
