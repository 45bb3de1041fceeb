package universality.tensor;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import universality.data.Dtype;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * One TorchScript source ({@code /kernels/NAME.py}, perhaps with parts that it shares) compiled at load. Each method of its class {@code Ops} is one native call.
 *
 * <p>Calls run outside inference mode, so that results may be changed in place; nothing is recorded for autograd unless the
 * kernel asks for it. Threads may call it at once, as long as no array is in different arguments of their calls. The caller closes it.
 */
public final class Kernel implements AutoCloseable {
    /** How long the end of the process waits for calls that are under way; schedulers wait about 30 s before they kill. */
    private static final long PATIENCE_SECONDS = 20;

    /**
     * Read by calls, written by the end of the process: as it ends, the engine's libraries free code that they have made, and a call
     * that is in it would crash, with another exit code than that of the signal.
     */
    private static final ReadWriteLock CALLS = new ReentrantReadWriteLock();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Kernel::endCalls));
    }

    private final String name;
    private final PtSymbolBlock module;

    private Kernel(String name, PtSymbolBlock module) {
        this.name = name;
        this.module = module;
    }

    /**
     * Compiles a kernel for the device of {@code manager}.
     *
     * @param name one of {@link Kernels}
     * @param oneDnn as in {@link Kernels#write}
     * @throws ToolException (internal) if the source does not compile
     */
    public static Kernel load(NDManager manager, String name, boolean oneDnn) {
        Path archive = null;
        try {
            archive = Files.createTempFile("kernel-" + name, ".pt");
            Kernels.write(name, oneDnn, archive);
            PtSymbolBlock module =
                    JniUtils.loadModule((PtNDManager) manager, archive, true, new String[0], new String[0], false);
            return new Kernel(name, module);
        } catch (EngineException e) {
            throw new ToolException(ExitCode.INTERNAL, "kernel " + name + " does not compile: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, "a temporary file cannot be written: " + e.getMessage(), e);
        } finally {
            deleteQuietly(archive);
        }
    }

    private static void deleteQuietly(Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }

    /**
     * Runs a method.
     *
     * @param manager owner of the results (and of nothing else); the caller closes it
     * @param method the method's name
     * @param arguments in the method's order: an {@link NDArray}; a {@code List} of them (TorchScript {@code List[Tensor]},
     *     not empty); an {@code Integer} or {@code Long} (an I64 scalar tensor on the host); a {@code Double} (F64); a {@link Dtype} (the engine's number of it, I64); a {@code
     *     long[]} or {@code double[]} (the same with one dimension)
     * @return the results; tuples and lists are flattened
     * @throws ToolException (host or device memory) when an allocation fails, (internal) for any other failure
     */
    public NDList call(NDManager manager, String method, Object... arguments) {
        // the tag is first, and the results go to the first array's manager
        try (NDManager scalars = manager.newSubManager(ai.djl.Device.cpu())) {
            NDList inputs = new NDList(arguments.length + 1);
            Map<NDArray, String> names = new IdentityHashMap<>();
            NDArray tag = scalars.create(0); // on the host: on a GPU it would be a copy for each call
            tag.attach(manager);
            tag.setName("module_method:" + method);
            inputs.add(tag);
            for (int i = 0; i < arguments.length; i++) {
                add(inputs, names, scalars, "a" + i, arguments[i]);
            }
            CALLS.readLock().lock();
            try {
                return IValueUtils.forward(module, inputs, true);
            } catch (EngineException e) {
                throw Compute.explain("kernel " + name + "." + method, e);
            } finally {
                CALLS.readLock().unlock();
                tag.close();
            }
        }
    }

    /** Waits for the calls under way, though not forever, and lets no other begin meanwhile. */
    private static void endCalls() {
        try {
            CALLS.writeLock().tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void add(
            NDList inputs, Map<NDArray, String> names, NDManager scalars, String name, Object argument) {
        if (argument instanceof NDArray array) {
            inputs.add(named(names, scalars, array, name));
        } else if (argument instanceof List<?> list) {
            for (Object element : list) {
                inputs.add(named(names, scalars, (NDArray) element, name + "[]"));
            }
        } else if (argument instanceof long[] numbers) {
            inputs.add(named(scalars.create(numbers), name));
        } else if (argument instanceof double[] numbers) {
            inputs.add(named(scalars.create(numbers), name));
        } else if (argument instanceof Double number) {
            inputs.add(named(scalars.create(number.doubleValue()), name));
        } else if (argument instanceof Number number) {
            inputs.add(named(scalars.create(number.longValue()), name));
        } else if (argument instanceof Dtype type) {
            inputs.add(named(scalars.create(code(type)), name));
        } else {
            throw new IllegalArgumentException("a kernel takes no " + argument.getClass());
        }
    }

    /** The engine's number of a type (its {@code ScalarType}). */
    private static long code(Dtype type) {
        return switch (type) {
            case I8 -> 1;
            case I32 -> 3;
            case F16 -> 5;
            case F32 -> 6;
            case BF16 -> 15;
            default -> throw new IllegalArgumentException("no kernel is given the type " + type);
        };
    }

    /** An array belongs to the argument that it is named after: one that is in two of them goes into the second as a view. */
    private static NDArray named(Map<NDArray, String> names, NDManager scalars, NDArray array, String name) {
        NDArray given = array;
        if (!names.getOrDefault(array, name).equals(name)) {
            given = array.reshape(array.getShape());
            given.attach(scalars);
        }
        names.putIfAbsent(array, name);
        if (!name.equals(given.getName())) {
            given.setName(name);
        }
        return given;
    }

    private static NDArray named(NDArray array, String name) {
        if (array.getDataType() != DataType.FLOAT64 && array.getDataType() != DataType.INT64) {
            throw new IllegalStateException("a scalar became " + array.getDataType());
        }
        array.setName(name);
        return array;
    }

    @Override
    public void close() {
        module.close();
    }
}
