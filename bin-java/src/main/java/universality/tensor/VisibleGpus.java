package universality.tensor;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which physical GPUs this process sees, in the engine's order: GPU {@code K} of the engine is the K-th of them. The driver is
 * asked; it knows {@code CUDA_VISIBLE_DEVICES} and {@code CUDA_DEVICE_ORDER}, and its UUIDs are the same in every process,
 * container and MIG slice.
 */
final class VisibleGpus {
    private static final Logger LOG = LoggerFactory.getLogger(VisibleGpus.class);
    private static final int MOST = 1024;

    private VisibleGpus() {}

    /** UUIDs by the driver, {@code GPU-…}; empty where there is no driver, or it does not answer. Makes no context on a device. */
    static List<String> byDriver() {
        try {
            NativeLibrary cuda = NativeLibrary.getInstance("libcuda.so.1");
            int[] count = new int[1];
            if (call(cuda, "cuInit", 0) != 0 || call(cuda, "cuDeviceGetCount", count) != 0 || count[0] > MOST) {
                return List.of();
            }
            List<String> uuids = new ArrayList<>();
            for (int i = 0; i < count[0]; i++) {
                int[] device = new int[1];
                byte[] uuid = new byte[16];
                // the newer function tells slices of one GPU apart
                if (call(cuda, "cuDeviceGet", device, i) != 0 || call(cuda, uuidFunction(cuda), uuid, device[0]) != 0) {
                    return List.of();
                }
                uuids.add(text(uuid));
            }
            return uuids;
        } catch (LinkageError e) {
            LOG.debug("no CUDA driver: {}", e.getMessage());
            return List.of();
        }
    }

    private static String uuidFunction(NativeLibrary cuda) {
        try {
            cuda.getFunction("cuDeviceGetUuid_v2");
            return "cuDeviceGetUuid_v2";
        } catch (UnsatisfiedLinkError e) {
            return "cuDeviceGetUuid"; // a driver before 11.4
        }
    }

    private static int call(NativeLibrary library, String name, Object... arguments) {
        Function function = library.getFunction(name);
        return function.invokeInt(arguments);
    }

    /** As nvidia-smi and {@code CUDA_VISIBLE_DEVICES} write it. */
    static String text(byte[] uuid) {
        StringBuilder text = new StringBuilder("GPU-");
        for (int i = 0; i < uuid.length; i++) {
            text.append(i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "");
            text.append(String.format(Locale.ROOT, "%02x", uuid[i] & 0xff));
        }
        return text.toString();
    }

    /**
     * Where the driver gives no UUIDs: the entries of {@code CUDA_VISIBLE_DEVICES}, or numbers where it is not set. Whoever names
     * a GPU by its number and whoever names it by its UUID then do not know of each other.
     *
     * @param environment {@code CUDA_VISIBLE_DEVICES}; {@code null} if it is not set
     * @param count GPUs that the engine sees
     */
    static List<String> byEnvironment(String environment, int count) {
        List<String> entries = new ArrayList<>();
        if (environment != null) {
            for (String entry : environment.split(",")) {
                String name = entry.strip();
                if (!name.matches("\\d{1,4}|(GPU|MIG)-[A-Za-z0-9/-]+")) {
                    break; // CUDA stops at the first entry that it does not know, such as -1
                }
                entries.add(name.replaceFirst("^0+(?=\\d)", ""));
            }
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = i < entries.size() ? entries.get(i) : String.valueOf(i);
            names.add(name.matches("\\d+") ? "GPU-number-" + name : name.replace('/', '-'));
        }
        return names;
    }
}
