package universality.tensor;

import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import universality.data.ToolException;

/** The device that a stage computes on; if it is a GPU, with its lease, which {@link #close} ends. */
final class DeviceChoice implements AutoCloseable {
    private final Leases.Lease lease;

    /** @param lease {@code null}: the CPU */
    private DeviceChoice(Leases.Lease lease) {
        this.lease = lease;
    }

    /**
     * Chooses.
     *
     * @param name {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:K}
     * @param visible gives the identities of the GPUs that the engine sees, in its order; not asked for the CPU
     * @throws ToolException (usage) if there is no such device; see also {@link Leases#acquire}
     */
    static DeviceChoice of(String name, Supplier<List<String>> visible, Leases leases) {
        String device = name.toLowerCase(Locale.ROOT);
        if (device.equals("cpu")) {
            return new DeviceChoice(null);
        }
        if (!device.matches("auto|gpu(:\\d{1,4})?")) {
            throw ToolException.usage("--device '%s' is not one of auto, cpu, gpu, gpu:K", name);
        }
        List<String> gpus = visible.get();
        if (device.equals("auto") && gpus.isEmpty()) {
            return new DeviceChoice(null);
        }
        int wanted = device.startsWith("gpu:") ? Integer.parseInt(device.substring(4)) : -1;
        if (gpus.isEmpty() || wanted >= gpus.size()) {
            throw ToolException.usage(
                    "--device %s was asked for, but the engine sees %d GPUs: use --device cpu or auto, or check the driver,"
                            + " CUDA_VISIBLE_DEVICES, and that the engine is one for GPUs (docs/usage.md, GPUs)",
                    name, gpus.size());
        }
        return new DeviceChoice(leases.acquire(gpus, wanted));
    }

    boolean isGpu() {
        return lease != null;
    }

    /** The engine's index of the GPU. */
    int index() {
        return lease.index();
    }

    @Override
    public void close() {
        if (lease != null) {
            lease.close();
        }
    }
}
