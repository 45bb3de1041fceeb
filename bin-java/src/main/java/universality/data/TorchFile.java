package universality.data;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A dictionary of tensors as {@code torch.save} writes it ({@code pytorch_model.bin}), opened for reading. Both formats: the
 * zip archive ({@code NAME/data.pkl} and the stored entries {@code NAME/data/KEY}), and the older sequence of pickles followed
 * by the storages. Nothing in the file is ever run (see {@link TorchUnpickler}). Storages are never loaded whole; offsets are
 * 64-bit. Everything is checked on opening: each tensor lies inside its storage, each storage inside the file.
 * Storages may be shared and tensors may be strided. The caller closes it.
 */
public final class TorchFile implements TensorFile {
    /** The description of the largest models takes less than a megabyte. */
    private static final int MOST_PICKLE_BYTES = 1 << 24;

    private static final String DESCRIPTION = "data.pkl";
    private static final String BIG_ENDIAN =
            "it was saved on a big-endian machine: save it again on a little-endian one";
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

    private final ElementFile file;
    private final Map<String, Tensor> tensors = new TreeMap<>();

    private TorchFile(ElementFile file) {
        this.file = file;
    }

    /**
     * Opens {@code path} and reads what tensors it holds.
     *
     * @throws ToolException if the file is missing, malformed in any way, or asks for anything but tensors
     */
    public static TorchFile open(Path path) {
        TorchFile file = new TorchFile(ElementFile.open(path));
        try {
            file.read();
            return file;
        } catch (Malformed e) {
            file.close();
            throw new ToolException(ExitCode.BAD_DATA, path + " is not a sound PyTorch file: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private void read() throws Malformed {
        if (file.size() >= 4 && file.bytes(0, 4).getInt() == ZIP_MAGIC) {
            readZip();
        } else {
            readLegacy();
        }
    }

    private void readZip() throws Malformed {
        Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(file);
        String root = root(entries.keySet());
        checkByteOrder(entries.get(root + "byteorder"));
        ZipDirectory.Entry description = entries.get(root + DESCRIPTION);
        if (description.bytes() > MOST_PICKLE_BYTES) {
            throw new Malformed(
                    "its %s has %d bytes; a description of tensors has at most %d",
                    description.name(), description.bytes(), MOST_PICKLE_BYTES);
        }
        ByteBuffer pickle = file.bytes(description.offset(), (int) description.bytes());
        Object state = new TorchUnpickler(pickle, false).load();
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

    /** The folder of the archive in which everything lies, with its slash; it may have any name. */
    private static String root(Set<String> names) throws Malformed {
        List<String> roots = names.stream()
                .filter(name -> name.endsWith("/" + DESCRIPTION))
                .map(name -> name.substring(0, name.length() - DESCRIPTION.length()))
                .filter(root -> root.indexOf('/') == root.length() - 1)
                .toList();
        if (roots.size() != 1) {
            throw new Malformed("it is a zip archive with %d NAME/%s; one was expected", roots.size(), DESCRIPTION);
        }
        return roots.get(0);
    }

    private void checkByteOrder(ZipDirectory.Entry entry) throws Malformed {
        if (entry == null) {
            return; // written since PyTorch 2.0; older ones knew little-endian machines only
        }
        byte[] order =
                file.bytes(entry.offset(), (int) Math.min(entry.bytes(), 16)).array();
        String text = new String(order, StandardCharsets.ISO_8859_1);
        if (text.equals("big")) {
            throw new Malformed(BIG_ENDIAN);
        }
        if (!text.equals("little")) {
            throw new Malformed("its byte order is '%s'; 'little' was expected", text);
        }
    }

    private void readLegacy() throws Malformed {
        ByteBuffer start = file.bytes(0, (int) Math.min(file.size(), MOST_PICKLE_BYTES));
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
        if (!(unpickler.load() instanceof Map<?, ?> system)) {
            throw new Malformed("it does not say on what machine it was saved");
        }
        if (Boolean.FALSE.equals(system.get("little_endian"))) {
            throw new Malformed(BIG_ENDIAN);
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
            throws Malformed {
        long size = file.size();
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
            long elements = file.bytes(next, 8).getLong();
            if (elements != storage.elements()) {
                throw new Malformed(
                        "storage '%s' has %d elements, but its tensor says %d", key, elements, storage.elements());
            }
            if (bytes(storage) > size - next - 8) {
                throw new Malformed("it ends at byte %d, inside the storage '%s': it is cut short", size, key);
            }
            if (offsets.put(storage.key(), next + 8) != null) {
                throw new Malformed("it lists the storage '%s' twice", storage.key());
            }
            next += 8 + bytes(storage);
        }
        if (next != size) {
            throw new Malformed("its storages end at byte %d, but it has %d bytes", next, size);
        }
        return offsets;
    }

    /** The tensors of a state dictionary; entries of other kinds say nothing about weights and are left out. */
    private static Map<String, TorchUnpickler.View> views(Object state) throws Malformed {
        Map<String, TorchUnpickler.View> views = viewsOf(state);
        if (views.isEmpty() && state instanceof Map<?, ?> dictionary) {
            for (Map.Entry<?, ?> entry : dictionary.entrySet()) {
                if (!viewsOf(entry.getValue()).isEmpty()) {
                    throw new Malformed(
                            "its tensors are in the dictionary '%s' inside: save that one alone, as torch.save(torch.load(FILE)[%s], FILE)",
                            entry.getKey(), entry.getKey() instanceof String key ? "'" + key + "'" : entry.getKey());
                }
            }
        }
        if (views.isEmpty()) {
            throw new Malformed("it holds no tensor at its top level; a dictionary of tensors by name was expected");
        }
        return views;
    }

    private static Map<String, TorchUnpickler.View> viewsOf(Object value) {
        Map<String, TorchUnpickler.View> views = new TreeMap<>();
        if (value instanceof Map<?, ?> dictionary) {
            for (Map.Entry<?, ?> entry : dictionary.entrySet()) {
                if (entry.getKey() instanceof String name && entry.getValue() instanceof TorchUnpickler.View view) {
                    views.put(name, view);
                }
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
                    "tensor '%s' of shape %s, strides %s and offset %d reaches outside its storage of %d elements",
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

    /** Whether every element lies inside the storage, and their number fits 64 bits. */
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
        return elements == 0 || last < view.storage().elements();
    }

    @Override
    public Path path() {
        return file.path();
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

    @Override
    public Dtype dtype(String name) {
        return tensor(name).dtype();
    }

    private Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw ToolException.badData("%s has no tensor '%s'", path(), name);
        }
        return tensor;
    }

    @Override
    public float[] floats(String name) {
        Tensor tensor = tensor(name);
        requireKind(tensor, tensor.dtype().isReal(), "floating-point numbers");
        int elements = count(tensor);
        if (isContiguous(tensor)) {
            return file.floats(tensor.dtype(), position(tensor), elements);
        }
        float[] values = new float[elements];
        Storage storage = new Storage(tensor);
        gather(tensor, (element, at) -> values[at] = storage.real(element));
        return values;
    }

    @Override
    public void floats(String name, Consumer<FloatBuffer> taker) {
        Tensor tensor = tensor(name);
        if (isContiguous(tensor)) {
            requireKind(tensor, tensor.dtype().isReal(), "floating-point numbers");
            file.floats(tensor.dtype(), position(tensor), count(tensor), taker);
        } else {
            taker.accept(FloatBuffer.wrap(floats(name))); // as few are
        }
    }

    @Override
    public long[] longs(String name) {
        Tensor tensor = tensor(name);
        requireKind(tensor, !tensor.dtype().isReal(), "integers");
        int elements = count(tensor);
        if (isContiguous(tensor)) {
            return file.longs(tensor.dtype(), position(tensor), elements);
        }
        long[] values = new long[elements];
        Storage storage = new Storage(tensor);
        gather(tensor, (element, at) -> values[at] = storage.integer(element));
        return values;
    }

    private void requireKind(Tensor tensor, boolean isOfKind, String kind) {
        if (!isOfKind) {
            throw ToolException.badData(
                    "%s: tensor '%s' is %s, but %s were expected", path(), tensor.name(), tensor.dtype(), kind);
        }
    }

    /** Number of elements; those that a stride of 0 repeats are refused, for a small file could ask for any amount. */
    private int count(Tensor tensor) {
        long elements = elements(tensor);
        if (elements > tensor.storageElements()) {
            throw ToolException.badData(
                    "%s: tensor '%s' of shape %s repeats the %d elements of its storage: save it again after .contiguous()",
                    path(), tensor.name(), Arrays.toString(tensor.shape()), tensor.storageElements());
        }
        if (elements > Integer.MAX_VALUE - 8) {
            throw ToolException.badData(
                    "%s: tensor '%s' has %d elements, too many to be read at once", path(), tensor.name(), elements);
        }
        return (int) elements;
    }

    private static long elements(Tensor tensor) {
        return Arrays.stream(tensor.shape()).reduce(1, (a, b) -> a * b); // does not overflow: see fits
    }

    private static long position(Tensor tensor) {
        return tensor.storageOffset() + tensor.first() * tensor.dtype().bytes();
    }

    /** Whether the elements follow one another in row-major order; dimensions of one element may have any stride. */
    private static boolean isContiguous(Tensor tensor) {
        long expected = 1;
        for (int i = tensor.shape().length - 1; i >= 0; i--) {
            if (tensor.shape()[i] != 1 && tensor.strides()[i] != expected) {
                return elements(tensor) == 0;
            }
            expected *= tensor.shape()[i];
        }
        return true;
    }

    private interface Place {
        /** Element {@code element} of the storage's part that the tensor uses is number {@code at} of the tensor. */
        void put(long element, int at);
    }

    private static void gather(Tensor tensor, Place place) {
        int rank = tensor.shape().length; // at least 1, for a single number is contiguous
        int inner = (int) tensor.shape()[rank - 1];
        long stride = tensor.strides()[rank - 1];
        int elements = (int) elements(tensor);
        long[] index = new long[rank];
        for (int at = 0; at < elements; at += inner) {
            long from = 0;
            for (int i = 0; i < rank - 1; i++) {
                from += index[i] * tensor.strides()[i];
            }
            for (int i = 0; i < inner; i++) {
                place.put(from + i * stride, at + i);
            }
            advance(index, tensor.shape());
        }
    }

    /** Steps {@code index} to the next row, as an odometer that ignores the last dimension. */
    private static void advance(long[] index, long[] shape) {
        for (int i = shape.length - 2; i >= 0 && ++index[i] == shape[i]; i--) {
            index[i] = 0;
        }
    }

    /** The part of a storage from a tensor's first element to its last, mapped in pieces of 1 GiB. */
    private final class Storage {
        private static final int PIECE_BITS = 30;

        private final Dtype dtype;
        private final int elementBits; // of the number of an element within its piece
        private final ByteBuffer[] pieces;

        Storage(Tensor tensor) {
            dtype = tensor.dtype();
            elementBits = PIECE_BITS - Integer.numberOfTrailingZeros(dtype.bytes());
            long last = 0;
            for (int i = 0; i < tensor.shape().length; i++) {
                last += (tensor.shape()[i] - 1) * tensor.strides()[i];
            }
            long bytes = (last + 1) * dtype.bytes();
            pieces = new ByteBuffer[(int) (((bytes - 1) >>> PIECE_BITS) + 1)];
            for (int i = 0; i < pieces.length; i++) {
                long from = (long) i << PIECE_BITS;
                pieces[i] = file.map(position(tensor) + from, Math.min(bytes - from, 1L << PIECE_BITS));
            }
        }

        float real(long element) {
            return (float) ElementFile.real(dtype, piece(element), at(element));
        }

        long integer(long element) {
            return ElementFile.integer(dtype, piece(element), at(element));
        }

        private ByteBuffer piece(long element) {
            return pieces[(int) (element >>> elementBits)];
        }

        private int at(long element) {
            return (int) element & (1 << elementBits) - 1;
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
