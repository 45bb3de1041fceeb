package universality.data;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A dictionary of tensors as {@code torch.save} writes it ({@code pytorch_model.bin}), opened for reading. Both formats: the
 * zip archive ({@code NAME/data.pkl} and the stored entries {@code NAME/data/KEY}), and the older sequence of pickles followed
 * by the storages. Nothing in the file is ever run (see {@link TorchUnpickler}). Storages are mapped, never loaded whole;
 * offsets are 64-bit. Everything is checked on opening: each tensor lies inside its storage, each storage inside the file.
 * Storages may be shared and tensors may be strided. The caller closes it.
 */
public final class TorchFile implements TensorFile {
    /** The description of the largest models takes less than a megabyte. */
    private static final int MOST_PICKLE_BYTES = 1 << 24;

    private static final int ZIP_MAGIC = 0x04034b50;
    private static final BigInteger LEGACY_MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final long LEGACY_PROTOCOL = 1001;

    /**
     * One tensor: element (i, j, …) is number {@code first + i·strides[0] + j·strides[1] + …} of its storage.
     *
     * @param storageElements elements of the storage
     * @param storageOffset the storage's first byte, counted from the start of the file
     */
    public record Tensor(
            String name,
            Dtype dtype,
            long[] shape,
            long[] strides,
            long first,
            long storageElements,
            long storageOffset) {}

    private final Path path;
    private final FileChannel channel;
    private final Map<String, Tensor> tensors = new TreeMap<>();

    private TorchFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Opens {@code path} and reads what tensors it holds.
     *
     * @throws ToolException if the file is missing, malformed in any way, or asks for anything but tensors
     */
    public static TorchFile open(Path path) {
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw ToolException.missing("%s is missing", path);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, path + " cannot be read: " + e.getMessage(), e);
        }
        TorchFile file = new TorchFile(path, channel);
        try {
            file.read();
            return file;
        } catch (Malformed e) {
            file.close();
            throw new ToolException(ExitCode.BAD_DATA, path + " is not a sound PyTorch file: " + e.getMessage(), e);
        } catch (IOException e) {
            file.close();
            throw new ToolException(ExitCode.BAD_DATA, path + " cannot be read: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private void read() throws IOException, Malformed {
        if (channel.size() >= 4 && map(0, 4).getInt() == ZIP_MAGIC) {
            readZip();
        } else {
            readLegacy();
        }
        if (tensors.isEmpty()) {
            throw new Malformed("it holds no tensor at its top level; a dictionary of tensors by name was expected");
        }
    }

    private void readZip() throws IOException, Malformed {
        Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(channel);
        String pickle = entries.keySet().stream()
                .filter(name -> name.endsWith("/data.pkl") && name.indexOf('/') == name.length() - 9)
                .findFirst()
                .orElseThrow(() -> new Malformed("it is a zip archive without NAME/data.pkl"));
        String root = pickle.substring(0, pickle.length() - "data.pkl".length());
        checkByteOrder(entries.get(root + "byteorder"));
        ZipDirectory.Entry description = entries.get(pickle);
        if (description.bytes() > MOST_PICKLE_BYTES) {
            throw new Malformed(
                    "its %s has %d bytes; a description of tensors has at most %d",
                    pickle, description.bytes(), MOST_PICKLE_BYTES);
        }
        Object state = new TorchUnpickler(map(description.offset(), description.bytes()), false).load();
        for (Map.Entry<String, TorchUnpickler.View> view : views(state).entrySet()) {
            TorchUnpickler.Storage storage = view.getValue().storage();
            ZipDirectory.Entry entry = entries.get(root + "data/" + storage.key());
            if (entry == null || entry.bytes() != bytes(storage)) {
                throw new Malformed(
                        "tensor '%s' needs the entry '%sdata/%s' with %d bytes, but %s",
                        view.getKey(),
                        root,
                        storage.key(),
                        bytes(storage),
                        entry == null ? "there is none" : "it has " + entry.bytes());
            }
            add(view.getKey(), view.getValue(), entry.offset());
        }
    }

    private void checkByteOrder(ZipDirectory.Entry entry) throws IOException, Malformed {
        if (entry != null && entry.bytes() <= 16) {
            byte[] order = new byte[(int) entry.bytes()];
            map(entry.offset(), order.length).get(order);
            if (!new String(order, StandardCharsets.UTF_8).strip().equals("little")) {
                throw new Malformed("it was saved on a big-endian machine: save it again on a little-endian one");
            }
        }
    }

    private void readLegacy() throws IOException, Malformed {
        long size = channel.size();
        ByteBuffer start = map(0, Math.min(size, MOST_PICKLE_BYTES));
        TorchUnpickler unpickler = new TorchUnpickler(start, true);
        if (start.remaining() < 2 || (start.get(0) & 0xff) != 0x80) {
            throw new Malformed("it begins neither as a zip archive nor as a pickle");
        }
        if (!LEGACY_MAGIC.equals(unpickler.load())) {
            throw new Malformed("it is a pickle, but not one of torch.save");
        }
        if (!Long.valueOf(LEGACY_PROTOCOL).equals(unpickler.load())) {
            throw new Malformed("it is of another format version than %d", LEGACY_PROTOCOL);
        }
        if (unpickler.load() instanceof Map<?, ?> system && Boolean.FALSE.equals(system.get("little_endian"))) {
            throw new Malformed("it was saved on a big-endian machine: save it again on a little-endian one");
        }
        Map<String, TorchUnpickler.View> views = views(unpickler.load());
        if (!(unpickler.load() instanceof List<?> keys)) {
            throw new Malformed("its list of storages is missing");
        }
        Map<String, Long> offsets = locate(keys, unpickler.storages(), start.position());
        for (Map.Entry<String, TorchUnpickler.View> view : views.entrySet()) {
            String key = view.getValue().storage().key();
            if (!offsets.containsKey(key)) {
                throw new Malformed("tensor '%s' needs the storage '%s', which is not in the file", view.getKey(), key);
            }
            add(view.getKey(), view.getValue(), offsets.get(key));
        }
    }

    /** First bytes of the storages, which follow one another from {@code position}, each behind its number of elements. */
    private Map<String, Long> locate(List<?> keys, Map<String, TorchUnpickler.Storage> storages, long position)
            throws IOException, Malformed {
        long size = channel.size();
        Map<String, Long> offsets = new HashMap<>();
        long next = position;
        for (Object key : keys) {
            TorchUnpickler.Storage storage = key instanceof String text ? storages.get(text) : null;
            if (storage == null) {
                throw new Malformed("it lists a storage that belongs to no tensor");
            }
            if (next > size - 8) {
                throw new Malformed("it ends at byte %d, before the storage '%s': it is cut short", size, key);
            }
            long elements = map(next, 8).getLong();
            if (elements != storage.elements()) {
                throw new Malformed(
                        "storage '%s' has %d elements, but its tensor says %d", key, elements, storage.elements());
            }
            if (bytes(storage) > size - next - 8) {
                throw new Malformed("it ends at byte %d, inside the storage '%s': it is cut short", size, key);
            }
            offsets.put(storage.key(), next + 8);
            next += 8 + bytes(storage);
        }
        if (next != size) {
            throw new Malformed("its storages end at byte %d, but it has %d bytes", next, size);
        }
        return offsets;
    }

    /** The tensors of a state dictionary; entries of other kinds say nothing about weights and are left out. */
    private static Map<String, TorchUnpickler.View> views(Object state) throws Malformed {
        if (!(state instanceof Map<?, ?> dictionary)) {
            throw new Malformed("it holds no dictionary; a dictionary of tensors by name was expected");
        }
        Map<String, TorchUnpickler.View> views = new TreeMap<>();
        for (Map.Entry<?, ?> entry : dictionary.entrySet()) {
            if (entry.getKey() instanceof String name && entry.getValue() instanceof TorchUnpickler.View view) {
                views.put(name, view);
            }
        }
        return views;
    }

    private static long bytes(TorchUnpickler.Storage storage) throws Malformed {
        try {
            return Math.multiplyExact(storage.elements(), (long) storage.dtype().bytes());
        } catch (ArithmeticException e) {
            throw new Malformed("storage '%s' has %d elements, more than any file", storage.key(), storage.elements());
        }
    }

    private void add(String name, TorchUnpickler.View view, long storageOffset) throws Malformed {
        TorchUnpickler.Storage storage = view.storage();
        if (!fits(view)) {
            throw new Malformed(
                    "tensor '%s' of shape %s, strides %s and offset %d reaches outside its storage of %d elements or repeats some",
                    name,
                    Arrays.toString(view.shape()),
                    Arrays.toString(view.strides()),
                    view.offset(),
                    storage.elements());
        }
        tensors.put(
                name,
                new Tensor(
                        name,
                        storage.dtype(),
                        view.shape(),
                        view.strides(),
                        view.offset(),
                        storage.elements(),
                        storageOffset));
    }

    /** Whether every element lies inside the storage, and there are no more elements than it has (so none is repeated). */
    private static boolean fits(TorchUnpickler.View view) {
        long last = view.offset();
        long elements = 1;
        if (last < 0 || view.shape().length != view.strides().length) {
            return false;
        }
        try {
            for (int i = 0; i < view.shape().length; i++) {
                if (view.shape()[i] < 0 || view.strides()[i] < 0) {
                    return false;
                }
                elements = Math.multiplyExact(elements, view.shape()[i]);
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, view.shape()[i] - 1), view.strides()[i]));
            }
        } catch (ArithmeticException e) {
            return false;
        }
        long most = view.storage().elements();
        return elements == 0 || (elements <= most && last < most);
    }

    @Override
    public Path path() {
        return path;
    }

    /** Tensors by name, sorted by name. */
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public long[] shape(String name) {
        return tensor(name).shape();
    }

    private Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw ToolException.badData("%s has no tensor '%s'", path, name);
        }
        return tensor;
    }

    @Override
    public float[] floats(String name) {
        Tensor tensor = tensor(name);
        long elements = Arrays.stream(tensor.shape()).reduce(1, (a, b) -> a * b);
        if (elements > Integer.MAX_VALUE - 8) {
            throw ToolException.badData(
                    "%s: tensor '%s' has %d elements, too many to be read at once", path, name, elements);
        }
        if (elements == 0) {
            return new float[0];
        }
        float[] values = new float[(int) elements];
        int rank = tensor.shape().length;
        int inner = rank == 0 ? 1 : (int) tensor.shape()[rank - 1];
        long stride = rank == 0 ? 0 : tensor.strides()[rank - 1];
        Elements storage = new Elements(tensor);
        long[] index = new long[rank];
        for (int at = 0; at < values.length; at += inner) {
            long from = tensor.first();
            for (int i = 0; i < rank - 1; i++) {
                from += index[i] * tensor.strides()[i];
            }
            for (int i = 0; i < inner; i++) {
                values[at + i] = storage.get(from + i * stride);
            }
            advance(index, tensor.shape());
        }
        return values;
    }

    /** Steps {@code index} to the next row, as an odometer that ignores the last dimension. */
    private static void advance(long[] index, long[] shape) {
        for (int i = shape.length - 2; i >= 0 && ++index[i] == shape[i]; i--) {
            index[i] = 0;
        }
    }

    /** The elements of a storage, mapped in pieces of 1 GiB. */
    private final class Elements {
        private static final int PIECE_BITS = 30;

        private final Tensor tensor;
        private final ByteBuffer[] pieces;

        Elements(Tensor tensor) {
            this.tensor = tensor;
            long bytes = tensor.storageElements() * tensor.dtype().bytes();
            pieces = new ByteBuffer[(int) ((bytes >>> PIECE_BITS) + 1)];
            for (int i = 0; i < pieces.length; i++) {
                long from = (long) i << PIECE_BITS;
                try {
                    pieces[i] = map(tensor.storageOffset() + from, Math.min(bytes - from, 1L << PIECE_BITS));
                } catch (IOException e) {
                    throw new ToolException(ExitCode.BAD_DATA, path + " cannot be mapped: " + e.getMessage(), e);
                }
            }
        }

        float get(long element) {
            long position = element * tensor.dtype().bytes();
            ByteBuffer piece = pieces[(int) (position >>> PIECE_BITS)];
            int at = (int) (position & ((1 << PIECE_BITS) - 1));
            return switch (tensor.dtype()) {
                case F64 -> (float) piece.getDouble(at);
                case F32 -> piece.getFloat(at);
                case F16 -> Dtype.halfToFloat(piece.getShort(at));
                case BF16 -> Dtype.bfloatToFloat(piece.getShort(at));
                default -> throw ToolException.badData(
                        "%s: tensor '%s' is %s, but floating-point numbers were expected",
                        path, tensor.name(), tensor.dtype());
            };
        }
    }

    private ByteBuffer map(long position, long bytes) throws IOException {
        return channel.map(FileChannel.MapMode.READ_ONLY, position, bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new ToolException(ExitCode.INTERNAL, path + " cannot be closed: " + e.getMessage(), e);
        }
    }
}
