package universality.data;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A safetensors file opened for reading: eight bytes of header length (little-endian), a JSON header, then the tensors. Data
 * is read or mapped in parts, never loaded whole; offsets are 64-bit. The header is checked completely on opening: known
 * dtypes, shape × size = extent, no hole, no overlap, nothing behind the end. The caller closes it; maps stay valid after that.
 */
public final class SafetensorsFile implements TensorFile {
    /** That of the reference implementation. */
    private static final long MOST_HEADER_BYTES = 100_000_000;

    /**
     * One tensor.
     *
     * @param offset first byte, counted from the start of the file
     * @param bytes extent
     */
    public record Tensor(String name, Dtype dtype, long[] shape, long offset, long bytes) {
        /** Number of elements. */
        public long elements() {
            return bytes / dtype.bytes();
        }

        /** The shape as {@code [2, 3]}. */
        public String shapeText() {
            return Arrays.toString(shape);
        }
    }

    private final ElementFile file;
    private final SafetensorsHeader header;

    private SafetensorsFile(ElementFile file, SafetensorsHeader header) {
        this.file = file;
        this.header = header;
    }

    /**
     * Opens {@code path} and checks its header.
     *
     * @throws ToolException if the file is missing or malformed in any way
     */
    public static SafetensorsFile open(Path path) {
        ElementFile file = ElementFile.open(path);
        try {
            return new SafetensorsFile(file, header(file));
        } catch (Malformed e) {
            file.close();
            throw new ToolException(ExitCode.BAD_DATA, path + " is not a sound safetensors file: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static SafetensorsHeader header(ElementFile file) throws Malformed {
        long size = file.size();
        if (size < 8) {
            throw new Malformed("it has %d bytes, fewer than the 8 of the header length: it is cut short", size);
        }
        long length = file.bytes(0, 8).getLong();
        if (length < 2 || length > MOST_HEADER_BYTES || length > size - 8) {
            throw new Malformed(
                    "its header is said to be %d bytes long, but 2 to %d were expected: it is cut short or no safetensors file",
                    length, Math.min(size - 8, MOST_HEADER_BYTES));
        }
        return SafetensorsHeader.parse(file.bytes(8, (int) length).array(), 8 + length, size);
    }

    @Override
    public Path path() {
        return file.path();
    }

    /** Tensors by name, sorted by name. */
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(header.tensors());
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(header.tensors().keySet());
    }

    @Override
    public long[] shape(String name) {
        return tensor(name).shape();
    }

    @Override
    public Dtype dtype(String name) {
        return tensor(name).dtype();
    }

    /** The header's string metadata. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /**
     * The tensor called {@code name}.
     *
     * @throws ToolException (bad data) if there is none
     */
    public Tensor tensor(String name) {
        Tensor tensor = header.tensors().get(name);
        if (tensor == null) {
            throw ToolException.badData("%s has no tensor '%s'", path(), name);
        }
        return tensor;
    }

    /**
     * {@link #tensor(String)}, of this dtype and shape.
     *
     * @param shape expected sizes; -1 stands for any
     * @throws ToolException (bad data) naming both shapes if it differs
     */
    public Tensor tensor(String name, Dtype dtype, long... shape) {
        Tensor tensor = tensor(name);
        boolean fits = tensor.dtype() == dtype && tensor.shape().length == shape.length;
        for (int i = 0; fits && i < shape.length; i++) {
            fits = shape[i] < 0 || shape[i] == tensor.shape()[i];
        }
        if (!fits) {
            throw ToolException.badData(
                    "%s: tensor '%s' is %s %s, but %s %s was expected",
                    path(), name, tensor.dtype(), tensor.shapeText(), dtype, Arrays.toString(shape));
        }
        return tensor;
    }

    /**
     * Reads part of a tensor into {@code target}, from its position to its limit.
     *
     * @param from first byte within the tensor
     * @throws ToolException (bad data) if the file cannot be read or has become shorter
     */
    public void read(Tensor tensor, long from, ByteBuffer target) {
        if (from < 0 || from > tensor.bytes() - target.remaining()) {
            throw new IllegalArgumentException("bytes " + from + " + " + target.remaining() + " of tensor '"
                    + tensor.name() + "', which has " + tensor.bytes());
        }
        file.read(tensor.offset() + from, target);
    }

    /**
     * Maps part of a tensor, read-only, little-endian, position 0 at byte {@code from} of the tensor.
     *
     * @param from first byte within the tensor
     * @param bytes extent, at most 2 GiB − 1
     */
    public ByteBuffer map(Tensor tensor, long from, long bytes) {
        if (from < 0 || bytes < 0 || from > tensor.bytes() - bytes || bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("bytes " + from + " + " + bytes + " of tensor '" + tensor.name()
                    + "', which has " + tensor.bytes());
        }
        return file.map(tensor.offset() + from, bytes);
    }

    @Override
    public float[] floats(String name) {
        Tensor tensor = real(name);
        return file.floats(tensor.dtype(), tensor.offset(), count(tensor));
    }

    @Override
    public void floats(String name, Consumer<FloatBuffer> taker) {
        Tensor tensor = real(name);
        file.floats(tensor.dtype(), tensor.offset(), count(tensor), taker);
    }

    /** A floating-point tensor of at most 2³¹ − 9 elements as F64, row-major; exact. */
    public double[] doubles(String name) {
        Tensor tensor = real(name);
        return file.doubles(tensor.dtype(), tensor.offset(), count(tensor));
    }

    private Tensor real(String name) {
        Tensor tensor = tensor(name);
        if (!tensor.dtype().isReal()) {
            throw notOfKind(tensor, "floating-point numbers");
        }
        return tensor;
    }

    @Override
    public long[] longs(String name) {
        Tensor tensor = tensor(name);
        if (tensor.dtype().isReal()) {
            throw notOfKind(tensor, "integers");
        }
        return file.longs(tensor.dtype(), tensor.offset(), count(tensor));
    }

    /**
     * {@link #longs} for a tensor whose values fit 32 bits.
     *
     * @throws ToolException (bad data) naming the value and its place if one does not
     */
    public int[] ints(String name) {
        long[] longs = longs(name);
        int[] values = new int[longs.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (int) longs[i];
            if (values[i] != longs[i]) {
                throw ToolException.badData(
                        "%s: tensor '%s' holds %d at element %d; 32-bit integers were expected",
                        path(), name, longs[i], i);
            }
        }
        return values;
    }

    private int count(Tensor tensor) {
        if (tensor.elements() > Integer.MAX_VALUE - 8) {
            throw ToolException.badData(
                    "%s: tensor '%s' has %d elements, too many to be read at once",
                    path(), tensor.name(), tensor.elements());
        }
        return (int) tensor.elements();
    }

    private ToolException notOfKind(Tensor tensor, String kind) {
        return ToolException.badData(
                "%s: tensor '%s' is %s, but %s were expected", path(), tensor.name(), tensor.dtype(), kind);
    }

    @Override
    public void close() {
        file.close();
    }
}
