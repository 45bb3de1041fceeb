package universality.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a safetensors file in two steps: {@link #declare} every tensor, then append the data in the same order, in pieces of
 * any size. Closing checks that all declared bytes came.
 *
 * <pre>{@code
 * try (var writer = new SafetensorsWriter(file)) {
 *     writer.declare("x", Dtype.F64, 2, 3);
 *     writer.doubles(values);
 * }
 * }</pre>
 */
public final class SafetensorsWriter implements AutoCloseable {
    private record Declared(String name, Dtype dtype, long[] shape, long bytes) {}

    private final Path path;
    private final Map<String, String> metadata = new TreeMap<>();
    private final List<Declared> declared = new ArrayList<>();
    private FileChannel channel;
    private MessageDigest digest;
    private long written;
    private long expected;
    private boolean failed;

    public SafetensorsWriter(Path path) {
        this.path = path;
    }

    /** Has the file's {@link #sha256} taken while it is written; only before the first data. */
    public SafetensorsWriter hashing() {
        requireNoData();
        digest = Digests.sha256();
        return this;
    }

    /** Digest of the whole file, once it is closed; only of a writer that is {@link #hashing}. */
    public String sha256() {
        return Digests.hex(digest.digest());
    }

    /** Adds a string to the header; only before the first data. */
    public SafetensorsWriter metadata(String key, String value) {
        requireNoData();
        metadata.put(key, value);
        return this;
    }

    /** Announces the next tensor; only before the first data. */
    public SafetensorsWriter declare(String name, Dtype dtype, long... shape) {
        requireNoData();
        long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        long bytes = Math.multiplyExact(elements, (long) dtype.bytes());
        declared.add(new Declared(name, dtype, shape.clone(), bytes));
        expected = Math.addExact(expected, bytes);
        return this;
    }

    /** Appends raw little-endian bytes from the buffer's position to its limit. */
    public void bytes(ByteBuffer data) {
        open();
        try {
            written += data.remaining();
            write(data);
        } catch (IOException e) {
            throw cannotWrite(e);
        }
    }

    public void doubles(double... values) {
        ByteBuffer buffer = buffer(values.length, 8);
        for (double value : values) {
            buffer.putDouble(value);
        }
        bytes(buffer.flip());
    }

    public void floats(float... values) {
        ByteBuffer buffer = buffer(values.length, 4);
        buffer.asFloatBuffer().put(values);
        bytes(buffer);
    }

    public void ints(int... values) {
        ByteBuffer buffer = buffer(values.length, 4);
        buffer.asIntBuffer().put(values);
        bytes(buffer);
    }

    public void longs(long... values) {
        ByteBuffer buffer = buffer(values.length, 8);
        buffer.asLongBuffer().put(values);
        bytes(buffer);
    }

    private static ByteBuffer buffer(int elements, int size) {
        return ByteBuffer.allocate(Math.multiplyExact(elements, size)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void requireNoData() {
        if (channel != null) {
            throw new IllegalStateException("the header of " + path + " is written already");
        }
    }

    private void open() {
        if (channel != null) {
            return;
        }
        Map<String, Object> header = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            header.put("__metadata__", metadata);
        }
        long offset = 0;
        for (Declared tensor : declared) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", tensor.dtype().name());
            entry.put("shape", tensor.shape());
            entry.put("data_offsets", new long[] {offset, offset + tensor.bytes()});
            if (header.put(tensor.name(), entry) != null) {
                throw new IllegalStateException("tensor '" + tensor.name() + "' is declared twice");
            }
            offset += tensor.bytes();
        }
        try {
            String json = Json.mapper()
                    .writer()
                    .without(com.fasterxml.jackson.databind.SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                    .writeValueAsString(header);
            // padded with spaces so that the data starts at a multiple of 8, as mapped readers like it
            byte[] text = json.getBytes(StandardCharsets.UTF_8);
            int length = (text.length + 7) / 8 * 8;
            ByteBuffer start = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN);
            start.putLong(length).put(text);
            while (start.hasRemaining()) {
                start.put((byte) ' ');
            }
            start.flip();
            channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            write(start);
        } catch (IOException e) {
            throw cannotWrite(e);
        }
    }

    private void write(ByteBuffer data) throws IOException {
        if (digest != null) {
            digest.update(data.duplicate());
        }
        while (data.hasRemaining()) {
            channel.write(data);
        }
    }

    private ToolException cannotWrite(IOException e) {
        failed = true;
        return new ToolException(ExitCode.CANNOT_WRITE, path + " cannot be written: " + e.getMessage(), e);
    }

    /** Closes the file as far as it came: for whoever gives it up. */
    public void abandon() {
        failed = true;
        close();
    }

    /**
     * Closes the file.
     *
     * @throws IllegalStateException if more or fewer bytes were written than declared
     */
    @Override
    public void close() {
        try {
            if (channel == null && !failed) {
                open();
            }
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            throw cannotWrite(e);
        }
        if (!failed && written != expected) {
            throw new IllegalStateException(path + ": " + written + " bytes written, " + expected + " declared");
        }
    }
}
