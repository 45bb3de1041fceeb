package universality.benchmarks.jmh;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/** The engine, one kernel, and arrays of random numbers. The owner closes it. */
final class KernelState implements AutoCloseable {
    private final Compute compute;
    private final Kernel kernel;
    private final NDManager arrays;

    KernelState(String name, String... shared) {
        compute = Compute.start("cpu", Integer.getInteger("threads", 0));
        kernel = compute.kernel(name, shared);
        arrays = compute.manager().newSubManager();
    }

    /** Normal numbers, F32. */
    NDArray normal(long... shape) {
        return arrays.randomNormal(new Shape(shape));
    }

    NDArray doubles(NDArray array) {
        return array.toType(DataType.FLOAT64, true);
    }

    NDArray zeros(long... shape) {
        return arrays.zeros(new Shape(shape), DataType.FLOAT64);
    }

    NDManager arrays() {
        return arrays;
    }

    /** Calls a method and frees what it gives. */
    int run(String method, Object... arguments) {
        try (NDManager scope = arrays.newSubManager()) {
            NDList results = kernel.call(scope, method, arguments);
            return results.size();
        }
    }

    /** Calls a method whose results are kept. */
    NDList keep(String method, Object... arguments) {
        return kernel.call(arrays, method, arguments);
    }

    @Override
    public void close() {
        arrays.close();
        kernel.close();
        compute.close();
    }
}
