package universality.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What the stage {@code activate} wrote for one checkpoint. Stored activations are read in
 * blocks, never whole. Not thread-safe. The caller closes it.
 */
public final class ActivationFolder implements AutoCloseable {
    public static final String POSITIONS = "positions.safetensors";

    /** One layer's stored activations. */
    private record Layer(SafetensorsFile file, SafetensorsFile.Tensor tensor) {}

    /** A layer, or why there is none. */
    private record Opened(Layer layer, ToolException problem) {}

    private final Path folder;
    private final Manifest manifest;
    private final int layers;
    private final int dMlp;
    private final int kept;
    private final List<Layer> stored = new ArrayList<>();
    private ByteBuffer buffer = ByteBuffer.allocateDirect(0);

    private ActivationFolder(Path folder, Manifest manifest) {
        this.folder = folder;
        this.manifest = manifest;
        this.layers = Math.toIntExact(manifest.integer("layers"));
        this.dMlp = Math.toIntExact(manifest.integer("d_mlp"));
        this.kept = Math.toIntExact(manifest.count("kept"));
    }

    /**
     * Opens a folder.
     *
     * @throws ToolException if it is not a complete folder of {@code activate}
     */
    public static ActivationFolder open(Path folder) {
        return new ActivationFolder(folder, Manifest.read(folder, "activate"));
    }

    /** The name of one layer's file. */
    public static String layerFile(int layer) {
        return String.format(Locale.ROOT, "layer-%02d.safetensors", layer);
    }

    public Manifest manifest() {
        return manifest;
    }

    /** Checkpoint id. */
    public String id() {
        return manifest.id();
    }

    public String family() {
        return manifest.parameter("family");
    }

    public long seed() {
        return manifest.integer("seed");
    }

    public long step() {
        return manifest.integer("step");
    }

    public int layers() {
        return layers;
    }

    public int dMlp() {
        return dMlp;
    }

    /** Neurons of the model, layers × d_mlp. */
    public int neurons() {
        return layers * dMlp;
    }

    /** Positions that count, the rows of the stored activations. */
    public int kept() {
        return kept;
    }

    /** Digest of the token rows that the activations are of. */
    public String tokensDigest() {
        return manifest.inputDigest("tokens")
                .orElseThrow(() -> ToolException.badData("the manifest of activations '%s' names no tokens", id()));
    }

    /** Moments of all neurons. */
    public ActivationMoments moments() {
        return ActivationMoments.read(folder);
    }

    /** {@code row}, {@code pos}, {@code document} or {@code token} of each kept position, [kept]. */
    public int[] positions(String name) {
        requireStored();
        try (SafetensorsFile file = SafetensorsFile.open(manifest.verified(folder, POSITIONS))) {
            file.tensor(name, Dtype.I32, kept);
            return file.ints(name);
        }
    }

    /**
     * Whether activations are stored, and the type in which {@link #gather} gives them: F16 if they are stored in it, else F32.
     *
     * @throws ToolException (missing) if none are
     */
    public Dtype storedType() {
        requireStored();
        return layer(0).tensor().dtype() == Dtype.F16 ? Dtype.F16 : Dtype.F32;
    }

    /** By how much a stored number may differ from what was rounded to it, as a share of it. */
    public double roundingError() {
        requireStored();
        return switch (layer(0).tensor().dtype()) {
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-9;
            default -> 0;
        };
    }

    private void requireStored() {
        if (!Files.isRegularFile(folder.resolve(layerFile(0)))) {
            throw ToolException.missing(
                    "%s holds no stored activations: rerun 'universality activate' with --store all", folder);
        }
    }

    /**
     * Reads stored rows; bfloat16 becomes F32, which is exact. They are read and not mapped, since mapped pages would count as the
     * task's memory.
     *
     * @param rows indices of kept positions
     * @param from first entry of {@code rows} to use
     * @param count number of entries
     * @return a direct little-endian buffer [count, d_mlp] of {@link #storedType}; overwritten by the next call
     */
    public ByteBuffer gather(int layer, int[] rows, int from, int count) {
        Layer source = layer(layer);
        int rowBytes = dMlp * source.tensor().dtype().bytes();
        boolean widen = source.tensor().dtype() == Dtype.BF16;
        int bytes = Math.multiplyExact(count, rowBytes);
        int room = widen ? Math.multiplyExact(bytes, 2) : bytes;
        if (buffer.capacity() < room) {
            buffer = ByteBuffer.allocateDirect(room);
        }
        for (int i = 0; i < count; ) {
            int row = rows[from + i];
            int run = 1;
            while (i + run < count && rows[from + i + run] == row + run) {
                run++;
            }
            source.file().read(source.tensor(), (long) row * rowBytes, buffer.slice(i * rowBytes, run * rowBytes));
            i += run;
        }
        if (widen) {
            widen(rowBytes, count);
        }
        return buffer.slice(0, room).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Turns rows of bfloat16 at the buffer's start into F32, last row first, so that none is overwritten before it is read. */
    private void widen(int rowBytes, int rows) {
        short[] bits = new short[dMlp];
        int[] values = new int[dMlp]; // the bits of F32 numbers
        for (int row = rows - 1; row >= 0; row--) {
            buffer.slice(row * rowBytes, rowBytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asShortBuffer()
                    .get(bits);
            for (int i = 0; i < dMlp; i++) {
                values[i] = bits[i] << 16;
            }
            buffer.slice(2 * row * rowBytes, 2 * rowBytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asIntBuffer()
                    .put(values);
        }
    }

    private Layer layer(int index) {
        if (stored.isEmpty()) {
            openLayers();
        }
        return stored.get(index);
    }

    /** On all processors, since each file is read as a whole for its digest. Of several that are wrong the first is told. */
    private void openLayers() {
        List<Opened> opened = IntStream.range(0, layers)
                .parallel()
                .mapToObj(index -> {
                    try {
                        return new Opened(openLayer(index), null);
                    } catch (ToolException e) {
                        return new Opened(null, e);
                    }
                })
                .toList();
        opened.stream().map(Opened::layer).filter(Objects::nonNull).forEach(stored::add);
        opened.stream()
                .map(Opened::problem)
                .filter(Objects::nonNull)
                .findFirst()
                .ifPresent(problem -> {
                    throw problem;
                });
    }

    private Layer openLayer(int index) {
        // one pass over the file, which also brings it into the system's cache
        SafetensorsFile file = SafetensorsFile.open(manifest.verified(folder, layerFile(index)));
        SafetensorsFile.Tensor tensor = file.tensor("activations");
        file.tensor("activations", tensor.dtype(), kept, dMlp);
        if (tensor.dtype() != Dtype.F32 && tensor.dtype() != Dtype.F16 && tensor.dtype() != Dtype.BF16) {
            throw ToolException.badData("%s holds %s, but F32, F16 or BF16 was expected", file.path(), tensor.dtype());
        }
        return new Layer(file, tensor);
    }

    @Override
    public void close() {
        stored.forEach(layer -> layer.file().close());
    }
}
