package universality.tensor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * The one list of kernels: what is not in it cannot be loaded. A kernel is made of the source {@code /kernels/NAME.py} and of
 * sources that it shares with others, which go on inside its class.
 */
public final class Kernels {
    private static final String PRODUCTS = "products";

    /** What may stand in the place of {@value #PRODUCTS}. */
    public static final String ONEDNN = "onednn";

    private static final SortedMap<String, List<String>> SHARED = new TreeMap<>(Map.of(
            "ablate", List.of(PRODUCTS),
            "correlate", List.of("blocks", PRODUCTS),
            "gpt2", List.of("transformer", PRODUCTS),
            "groups", List.of("blocks"),
            "integers", List.of("blocks"),
            "moments", List.of("blocks"),
            "neox", List.of("transformer", PRODUCTS)));

    private Kernels() {}

    /** Every kernel, by name. */
    public static SortedSet<String> names() {
        return new TreeSet<>(SHARED.keySet());
    }

    /**
     * Sources that go on inside the class of a kernel, in this order.
     *
     * @throws IllegalArgumentException if there is no such kernel
     */
    public static List<String> shared(String name) {
        List<String> shared = SHARED.get(name);
        if (shared == null) {
            throw new IllegalArgumentException("there is no kernel '" + name + "' in universality.tensor.Kernels");
        }
        return shared;
    }

    /**
     * Writes a kernel as an archive that {@code torch.jit.load} opens. Equal sources give equal bytes.
     *
     * @param oneDnn whether its F32 products are oneDNN's on a processor, else those of the engine's library
     * @throws ToolException (cannot write) if the file cannot be written
     */
    public static void write(String name, boolean oneDnn, Path file) {
        try {
            ScriptArchive.write(
                    file,
                    name,
                    shared(name).stream()
                            .map(part -> oneDnn && part.equals(PRODUCTS) ? ONEDNN : part)
                            .toArray(String[]::new));
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e, e);
        }
    }
}
