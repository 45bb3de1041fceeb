package universality.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A safetensors file opened for reading: eight bytes of header length (little-endian), a JSON header, then the tensors. Data
 * is mapped, never loaded whole; offsets are 64-bit. The header is checked completely on opening: known dtypes, shape ×
 * size = extent, no hole, no overlap, nothing behind the end. The caller closes it; maps stay valid after that.
 */
public final class SafetensorsFile implements TensorFile {
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

    private final Path path;
    private final FileChannel channel;
    private final Map<String, Tensor> tensors = new TreeMap<>();
    private final Map<String, String> metadata = new TreeMap<>();

    private SafetensorsFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Opens {@code path} and checks its header.
     *
     * @throws ToolException if the file is missing or malformed in any way
     */
    public static SafetensorsFile open(Path path) {
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw ToolException.missing("%s is missing", path);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, path + " cannot be read: " + e.getMessage(), e);
        }
        SafetensorsFile file = new SafetensorsFile(path, channel);
        try {
            file.readHeader();
            return file;
        } catch (IOException e) {
            file.close();
            throw new ToolException(ExitCode.BAD_DATA, path + " cannot be read: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private void readHeader() throws IOException {
        long size = channel.size();
        if (size < 8) {
            throw malformed("it has %d bytes, fewer than the 8 of the header length: it is cut short", size);
        }
        long length = read(0, 8).getLong();
        if (length < 2 || length > MOST_HEADER_BYTES || length > size - 8) {
            throw malformed(
                    "its header is said to be %d bytes long, but 2 to %d were expected: it is cut short or no safetensors file",
                    length, Math.min(size - 8, MOST_HEADER_BYTES));
        }
        byte[] json = new byte[(int) length];
        read(8, json.length).get(json);
        JsonNode header;
        try {
            header = Json.mapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw malformed("its header is not JSON: %s", e.getOriginalMessage());
        } catch (IOException e) {
            throw malformed("its header is not UTF-8");
        }
        if (header == null || !header.isObject()) {
            throw malformed("its header is not a JSON object");
        }
        for (Map.Entry<String, JsonNode> field : header.properties()) {
            if (field.getKey().equals("__metadata__")) {
                readMetadata(field.getValue());
            } else {
                Tensor tensor = tensor(field.getKey(), field.getValue(), 8 + length);
                tensors.put(tensor.name(), tensor);
            }
        }
        checkExtents(8 + length, size);
    }

    private void readMetadata(JsonNode node) {
        if (!node.isObject()) {
            throw malformed("its __metadata__ is not a JSON object");
        }
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            if (!field.getValue().isTextual()) {
                throw malformed("its metadata '%s' is not a string", field.getKey());
            }
            metadata.put(field.getKey(), field.getValue().textValue());
        }
    }

    private Tensor tensor(String name, JsonNode node, long dataStart) {
        JsonNode dtypeNode = node.path("dtype");
        JsonNode shapeNode = node.path("shape");
        JsonNode offsets = node.path("data_offsets");
        if (!dtypeNode.isTextual() || !shapeNode.isArray() || !offsets.isArray() || offsets.size() != 2) {
            throw malformed("tensor '%s' lacks dtype, shape or data_offsets", name);
        }
        Dtype dtype;
        try {
            dtype = Dtype.valueOf(dtypeNode.textValue());
        } catch (IllegalArgumentException e) {
            throw malformed(
                    "tensor '%s' has dtype '%s'; known are %s",
                    name, dtypeNode.textValue(), Arrays.toString(Dtype.values()));
        }
        long[] shape = new long[shapeNode.size()];
        long expected = dtype.bytes();
        try {
            for (int i = 0; i < shape.length; i++) {
                shape[i] = integer(name, shapeNode.get(i));
                expected = Math.multiplyExact(expected, shape[i]);
            }
        } catch (ArithmeticException e) {
            throw malformed("tensor '%s' has a shape whose size overflows: %s", name, shapeNode);
        }
        long begin = integer(name, offsets.get(0));
        long end = integer(name, offsets.get(1));
        if (end < begin || end - begin != expected) {
            throw malformed(
                    "tensor '%s' of shape %s and dtype %s needs %d bytes, but its offsets are %d to %d",
                    name, shapeNode, dtype, expected, begin, end);
        }
        if (end > Long.MAX_VALUE - dataStart) {
            throw malformed("tensor '%s' ends at %d, which is behind the end of any file", name, end);
        }
        return new Tensor(name, dtype, shape, dataStart + begin, expected);
    }

    private long integer(String name, JsonNode node) {
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
            throw malformed("tensor '%s' has '%s' where an integer of at least 0 was expected", name, node);
        }
        return node.longValue();
    }

    private void checkExtents(long dataStart, long size) {
        List<Tensor> byOffset = new ArrayList<>(tensors.values());
        byOffset.sort(Comparator.comparingLong(Tensor::offset).thenComparingLong(Tensor::bytes));
        long next = dataStart;
        for (Tensor tensor : byOffset) {
            if (tensor.offset() != next) {
                throw malformed(
                        "tensor '%s' starts at byte %d, but %d was expected: tensors overlap or leave a hole",
                        tensor.name(), tensor.offset(), next);
            }
            next = tensor.offset() + tensor.bytes();
        }
        if (next != size) {
            throw malformed(
                    "its tensors end at byte %d, but it has %d bytes: it is cut short or has rubbish behind",
                    next, size);
        }
    }

    private ToolException malformed(String format, Object... arguments) {
        return ToolException.badData(
                "%s is not a sound safetensors file: %s", path, String.format(Locale.ROOT, format, arguments));
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

    /** The header's string metadata. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /**
     * The tensor called {@code name}.
     *
     * @throws ToolException (bad data) if there is none
     */
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw ToolException.badData("%s has no tensor '%s'", path, name);
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
                    path, name, tensor.dtype(), tensor.shapeText(), dtype, Arrays.toString(shape));
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
        try {
            long at = tensor.offset() + from;
            while (target.hasRemaining()) {
                int got = channel.read(target, at);
                if (got < 0) {
                    throw ToolException.badData("%s ends at byte %d: it was cut short while in use", path, at);
                }
                at += got;
            }
        } catch (IOException e) {
            throw new ToolException(ExitCode.BAD_DATA, path + " cannot be read: " + e.getMessage(), e);
        }
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
        if (bytes == 0) {
            return ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, tensor.offset() + from, bytes)
                    .order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new ToolException(ExitCode.BAD_DATA, path + " cannot be mapped: " + e.getMessage(), e);
        }
    }

    @Override
    public float[] floats(String name) {
        Tensor tensor = tensor(name);
        float[] values = new float[count(tensor)];
        forChunks(tensor, (buffer, at, n) -> {
            for (int i = 0; i < n; i++) {
                values[at + i] = switch (tensor.dtype()) {
                    case F64 -> (float) buffer.getDouble(8 * i);
                    case F32 -> buffer.getFloat(4 * i);
                    case F16 -> Dtype.halfToFloat(buffer.getShort(2 * i));
                    case BF16 -> Dtype.bfloatToFloat(buffer.getShort(2 * i));
                    default -> throw notOfKind(tensor, "floating-point numbers");
                };
            }
        });
        return values;
    }

    /** A floating-point tensor of at most 2³¹ − 1 elements as F64, row-major. */
    public double[] doubles(String name) {
        Tensor tensor = tensor(name);
        if (tensor.dtype() != Dtype.F64) {
            float[] floats = floats(name);
            double[] values = new double[floats.length];
            Arrays.setAll(values, i -> floats[i]);
            return values;
        }
        double[] values = new double[count(tensor)];
        forChunks(tensor, (buffer, at, n) -> {
            for (int i = 0; i < n; i++) {
                values[at + i] = buffer.getDouble(8 * i);
            }
        });
        return values;
    }

    /** An integer tensor of at most 2³¹ − 1 elements, row-major. U8 is unsigned, BOOL 0 or 1. */
    public long[] longs(String name) {
        Tensor tensor = tensor(name);
        long[] values = new long[count(tensor)];
        forChunks(tensor, (buffer, at, n) -> {
            for (int i = 0; i < n; i++) {
                values[at + i] = switch (tensor.dtype()) {
                    case I64 -> buffer.getLong(8 * i);
                    case I32 -> buffer.getInt(4 * i);
                    case I16 -> buffer.getShort(2 * i);
                    case I8 -> buffer.get(i);
                    case U8, BOOL -> buffer.get(i) & 0xff;
                    default -> throw notOfKind(tensor, "integers");
                };
            }
        });
        return values;
    }

    /** {@link #longs} for a tensor whose values fit 32 bits. */
    public int[] ints(String name) {
        long[] longs = longs(name);
        int[] values = new int[longs.length];
        Arrays.setAll(values, i -> Math.toIntExact(longs[i]));
        return values;
    }

    private interface Chunk {
        void read(ByteBuffer buffer, int at, int elements);
    }

    private void forChunks(Tensor tensor, Chunk chunk) {
        int elements = count(tensor);
        int most = 1 << 24;
        for (int at = 0; at < elements; at += most) {
            int n = Math.min(most, elements - at);
            int size = tensor.dtype().bytes();
            chunk.read(map(tensor, (long) at * size, (long) n * size), at, n);
        }
    }

    private int count(Tensor tensor) {
        if (tensor.elements() > Integer.MAX_VALUE - 8) {
            throw ToolException.badData(
                    "%s: tensor '%s' has %d elements, too many to be read at once",
                    path, tensor.name(), tensor.elements());
        }
        return (int) tensor.elements();
    }

    private ToolException notOfKind(Tensor tensor, String kind) {
        return ToolException.badData(
                "%s: tensor '%s' is %s, but %s were expected", path, tensor.name(), tensor.dtype(), kind);
    }

    private ByteBuffer read(long position, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw malformed("it ends at byte %d", position + buffer.position());
            }
        }
        return buffer.flip();
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
