package universality.tokenize;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.Dtype;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.SafetensorsFile;
import universality.data.SafetensorsFile.Tensor;
import universality.data.ToolException;

/**
 * Token rows made elsewhere: a JSON list of equally long lists, a NumPy array [rows, context] of integers, or the tensor
 * {@code tokens} of a safetensors file. Rows are read one at a time, each id in 0 … vocabulary − 1.
 */
final class IdsFile implements AutoCloseable {
    private static final Pattern NPY = Pattern.compile(
            "\\{\\s*'descr':\\s*'([<|])([iu])([1248])',\\s*'fortran_order':\\s*False,\\s*'shape':\\s*\\((\\d{1,18}),\\s*(\\d{1,18})\\),?\\s*\\}\\s*");

    /** Longer headers than this are no headers. */
    private static final int LONGEST_HEADER = 1 << 16;

    private final Path file;
    private final Source source;
    private final Shape shape;
    private final ByteBuffer buffer;

    /** Where the elements are, row by row. */
    private interface Source extends AutoCloseable {
        /** Fills {@code target} with the bytes from {@code from} on. */
        void read(long from, ByteBuffer target) throws IOException;

        @Override
        void close() throws IOException;
    }

    /** Rows, ids in a row, bytes of an id, and whether the largest bit is a sign. */
    private record Shape(int rows, int context, int bytes, boolean unsigned, ByteOrder order) {}

    private IdsFile(Path file, Source source, Shape shape) {
        this.file = file;
        this.source = source;
        this.shape = shape;
        this.buffer = ByteBuffer.allocate(Math.multiplyExact(shape.context(), shape.bytes()))
                .order(shape.order());
    }

    /**
     * Opens a file and checks all of its ids.
     *
     * @param scratch a file that may be written, and is deleted when this is closed
     * @throws ToolException (missing, bad data) if the file is absent, of another form, or has an id outside the vocabulary
     */
    static IdsFile open(Path file, int vocabulary, Path scratch) {
        if (!Files.isRegularFile(file)) {
            throw ToolException.missing("--ids %s is not a file", file);
        }
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        IdsFile rows = null;
        boolean sound = false;
        try {
            if (name.endsWith(".json")) {
                rows = json(file, scratch);
            } else if (name.endsWith(".npy")) {
                rows = npy(file);
            } else if (name.endsWith(".safetensors")) {
                rows = safetensors(file);
            } else {
                throw ToolException.usage("--ids %s: a .json, .npy or .safetensors file was expected", file);
            }
            rows.check(vocabulary);
            sound = true;
            return rows;
        } catch (IOException e) {
            throw cannotRead(file, e);
        } finally {
            if (!sound && rows != null) {
                rows.close();
            }
        }
    }

    private static ToolException cannotRead(Path file, IOException e) {
        return new ToolException(ExitCode.MISSING_INPUT, file + " cannot be read: " + e.getMessage(), e);
    }

    private void check(int vocabulary) {
        int[] row = new int[shape.context()];
        for (int r = 0; r < shape.rows(); r++) {
            read(r, row);
            for (int id : row) {
                if (id < 0) {
                    throw ToolException.badData("%s: row %d has an id that is negative or too large", file, r);
                }
                if (id >= vocabulary) {
                    throw ToolException.badData(
                            "%s: the id %d in row %d is outside the vocabulary of %d; check --vocabulary",
                            file, id, r, vocabulary);
                }
            }
        }
    }

    int rows() {
        return shape.rows();
    }

    int context() {
        return shape.context();
    }

    /** Reads row {@code row} into {@code ids}, [context]; an id that fits no int becomes −1. */
    void read(int row, int... ids) {
        try {
            source.read((long) row * buffer.capacity(), buffer.clear());
        } catch (IOException e) {
            throw cannotRead(file, e);
        }
        buffer.flip();
        for (int i = 0; i < ids.length; i++) {
            long value =
                    switch (shape.bytes()) {
                        case 1 -> shape.unsigned() ? buffer.get() & 0xFF : buffer.get();
                        case 2 -> shape.unsigned() ? buffer.getShort() & 0xFFFF : buffer.getShort();
                        case 4 -> shape.unsigned() ? buffer.getInt() & 0xFFFFFFFFL : buffer.getInt();
                        default -> buffer.getLong();
                    };
            ids[i] = value < 0 || value > Integer.MAX_VALUE ? -1 : (int) value;
        }
    }

    private static Shape shape(Path file, long rows, long context, int bytes, boolean unsigned, ByteOrder order) {
        if (rows == 0 || context == 0) {
            throw ToolException.badData("%s has no rows", file);
        }
        if (rows > Integer.MAX_VALUE || context > Integer.MAX_VALUE / 8) {
            throw ToolException.badData("%s holds %d × %d ids, more than one token folder holds", file, rows, context);
        }
        return new Shape((int) rows, (int) context, bytes, unsigned, order);
    }

    private static IdsFile json(Path file, Path scratch) throws IOException {
        Shape shape;
        try (JsonParser parser = Json.mapper().getFactory().createParser(file.toFile());
                DataOutputStream ids = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(scratch)))) {
            shape = copy(file, parser, ids);
        } catch (JsonProcessingException e) {
            throw ToolException.badData("%s is not the JSON that was expected: %s", file, e.getOriginalMessage());
        }
        return new IdsFile(file, channel(scratch, 0, true), shape);
    }

    private static Shape copy(Path file, JsonParser parser, DataOutputStream ids) throws IOException {
        JsonToken start = parser.nextToken();
        JsonToken first = start == JsonToken.START_ARRAY ? parser.nextToken() : null;
        if (first != JsonToken.START_ARRAY) {
            throw ToolException.badData("%s: a list of rows, each a list of ids, was expected", file);
        }
        int rows = 0;
        int context = 0;
        for (JsonToken token = first; token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            int n = token == JsonToken.START_ARRAY ? row(file, parser, rows, ids) : 0;
            context = rows == 0 ? n : context;
            if (n != context || token != JsonToken.START_ARRAY) {
                throw ToolException.badData(
                        "%s: row %d has %d ids, but row 0 has %d; rows must be equally long", file, rows, n, context);
            }
            rows++;
        }
        if (parser.nextToken() != null) {
            throw ToolException.badData("%s has something after its list of rows", file);
        }
        return shape(file, rows, context, 4, false, ByteOrder.BIG_ENDIAN);
    }

    private static int row(Path file, JsonParser parser, int row, DataOutputStream ids) throws IOException {
        int n = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                    || parser.getNumberType() != JsonParser.NumberType.INT) {
                throw ToolException.badData("%s: '%s' in row %d is no token id", file, parser.getText(), row);
            }
            ids.writeInt(parser.getIntValue());
            n++;
        }
        return n;
    }

    private static IdsFile npy(Path file) throws IOException {
        byte[] start = new byte[12];
        int n;
        byte[] headerBytes;
        int from;
        try (var in = Files.newInputStream(file)) {
            n = in.readNBytes(start, 0, start.length);
            if (n < start.length || start[0] != (byte) 0x93 || start[1] != 'N') {
                throw ToolException.badData("%s is not a NumPy file", file);
            }
            ByteBuffer sizes = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
            boolean old = start[6] == 1;
            int length = old ? sizes.getShort(8) & 0xFFFF : sizes.getInt(8);
            from = (old ? 10 : 12) + length;
            if (length < 0 || length > LONGEST_HEADER) {
                throw ToolException.badData("%s has a header of %d bytes: it is not a NumPy file", file, length);
            }
            headerBytes = new byte[from];
            System.arraycopy(start, 0, headerBytes, 0, Math.min(from, n));
            if (from > n && in.readNBytes(headerBytes, n, from - n) < from - n) {
                throw ToolException.badData("%s is cut short", file);
            }
            int skip = old ? 10 : 12;
            return npy(file, from, new String(headerBytes, skip, length, StandardCharsets.ISO_8859_1));
        }
    }

    private static IdsFile npy(Path file, int from, String header) throws IOException {
        Matcher matcher = NPY.matcher(header);
        if (!matcher.matches()) {
            throw ToolException.badData(
                    "%s holds %s; a little-endian integer array [rows, context] in C order was expected",
                    file, header.strip());
        }
        int bytes = Integer.parseInt(matcher.group(3));
        boolean unsigned = matcher.group(2).equals("u");
        Shape shape = shape(
                file,
                Long.parseLong(matcher.group(4)),
                Long.parseLong(matcher.group(5)),
                bytes,
                unsigned,
                ByteOrder.LITTLE_ENDIAN);
        long promised = (long) shape.rows() * shape.context() * bytes;
        long found = Files.size(file) - from;
        if (found != promised) {
            throw ToolException.badData("%s has %d bytes of data, but its header promises %d", file, found, promised);
        }
        return new IdsFile(file, channel(file, from, false), shape);
    }

    private static IdsFile safetensors(Path file) {
        SafetensorsFile tensors = SafetensorsFile.open(file);
        boolean sound = false;
        try {
            Tensor tensor = tensors.tensor("tokens");
            long[] size = tensor.shape();
            if (size.length != 2) {
                throw ToolException.badData(
                        "%s: the tensor 'tokens' has %d dimensions; [rows, context] was expected", file, size.length);
            }
            Dtype dtype = tensor.dtype();
            if (dtype == Dtype.BOOL || dtype.name().contains("F")) {
                throw ToolException.badData("%s: the tensor 'tokens' is %s, integers were expected", file, dtype);
            }
            Shape shape = shape(file, size[0], size[1], dtype.bytes(), dtype == Dtype.U8, ByteOrder.LITTLE_ENDIAN);
            sound = true;
            return new IdsFile(file, of(tensors, tensor), shape);
        } finally {
            if (!sound) {
                tensors.close();
            }
        }
    }

    private static Source of(SafetensorsFile tensors, Tensor tensor) {
        return new Source() {
            @Override
            public void read(long from, ByteBuffer target) {
                tensors.read(tensor, from, target);
            }

            @Override
            public void close() {
                tensors.close();
            }
        };
    }

    private static Source channel(Path path, long start, boolean delete) throws IOException {
        FileChannel channel = FileChannel.open(path);
        return new Source() {
            @Override
            public void read(long from, ByteBuffer target) throws IOException {
                while (target.hasRemaining()) {
                    if (channel.read(target, start + from + target.position()) < 0) {
                        throw new IOException("it was cut short while in use");
                    }
                }
            }

            @Override
            public void close() throws IOException {
                channel.close();
                if (delete) {
                    Files.delete(path);
                }
            }
        };
    }

    @Override
    public void close() {
        try {
            source.close();
        } catch (IOException e) {
            throw cannotRead(file, e);
        }
    }
}
