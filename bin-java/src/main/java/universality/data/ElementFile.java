package universality.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * A file that holds arrays of little-endian numbers somewhere, opened for reading; what lies where is for others to know.
 * Arrays are read through a small buffer, so that there is never a second copy of a large one, and a file that becomes shorter
 * meanwhile gives an error instead of a fault. Positions are 64-bit. The caller closes it.
 */
final class ElementFile implements AutoCloseable {
    /** Small enough to stay in a processor's cache between reading and conversion. */
    private static final int PIECE_BYTES = 1 << 17;

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private ByteBuffer piece; // made when first needed

    private ElementFile(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        this.size = channel.size();
    }

    /**
     * Opens {@code path}; symbolic links are followed.
     *
     * @throws ToolException (missing input) if it is not there, or is a folder, a pipe or a device, or may not be read
     */
    static ElementFile open(Path path) {
        try {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw ToolException.missing("%s is not a file", path); // opening a pipe would wait for ever
            }
            return new ElementFile(path, FileChannel.open(path, StandardOpenOption.READ));
        } catch (NoSuchFileException e) {
            throw ToolException.missing("%s is missing", path);
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, path + " cannot be read: " + e.getMessage(), e);
        }
    }

    Path path() {
        return path;
    }

    /** Bytes in the file when it was opened. */
    long size() {
        return size;
    }

    /** A small part of the file, little-endian, as a copy. */
    ByteBuffer bytes(long position, int length) throws Malformed {
        if (position < 0 || position > size - length) {
            throw new Malformed(
                    "%d bytes at byte %d were expected, but it has %d: it is cut short", length, position, size);
        }
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        read(position, buffer);
        return buffer.flip();
    }

    /** Fills {@code target} from its position to its limit with what the file has from {@code position} on. */
    void read(long position, ByteBuffer target) {
        try {
            long at = position;
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

    /** Maps part of the file, read-only, little-endian; at most 2 GiB − 1. */
    ByteBuffer map(long position, long bytes) {
        if (bytes == 0) {
            return ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, position, bytes).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new ToolException(ExitCode.BAD_DATA, path + " cannot be mapped: " + e.getMessage(), e);
        }
    }

    /** {@code count} floating-point numbers from {@code position} on, as F32. */
    float[] floats(Dtype dtype, long position, int count) {
        FloatBuffer values = FloatBuffer.allocate(count);
        floats(dtype, position, count, values::put);
        return values.array();
    }

    /** The same a part at a time. {@code taker} must not read this file. */
    void floats(Dtype dtype, long position, int count, Consumer<FloatBuffer> taker) {
        int most = dtype == Dtype.F32 ? 0 : Math.min(count, PIECE_BYTES / dtype.bytes());
        short[] bits = new short[dtype.bytes() == 2 ? most : 0];
        float[] values = new float[most];
        forPieces(position, count, dtype.bytes(), (piece, at, n) -> {
            switch (dtype) {
                case F32 -> {
                    taker.accept(piece.asFloatBuffer());
                    return;
                }
                case F16 -> halves(piece, bits, values, n);
                case BF16 -> bfloats(piece, bits, values, n);
                default -> {
                    for (int i = 0; i < n; i++) {
                        values[i] = (float) real(dtype, piece, i);
                    }
                }
            }
            taker.accept(FloatBuffer.wrap(values, 0, n));
        });
    }

    /** The values of all half-precision numbers: looking one up takes half the time of taking it apart. */
    private static final class Halves {
        private static final float[] VALUES = new float[1 << 16];

        static {
            for (int bits = 0; bits < VALUES.length; bits++) {
                VALUES[bits] = Dtype.halfToFloat((short) bits);
            }
        }
    }

    /** By way of an array, which the compiler sees through better than through a buffer. */
    private static void halves(ByteBuffer piece, short[] bits, float[] values, int n) {
        piece.asShortBuffer().get(bits, 0, n);
        for (int i = 0; i < n; i++) {
            values[i] = Halves.VALUES[bits[i] & 0xffff];
        }
    }

    private static void bfloats(ByteBuffer piece, short[] bits, float[] values, int n) {
        piece.asShortBuffer().get(bits, 0, n);
        for (int i = 0; i < n; i++) {
            values[i] = Dtype.bfloatToFloat(bits[i]);
        }
    }

    /** {@code count} floating-point numbers from {@code position} on, exactly. */
    double[] doubles(Dtype dtype, long position, int count) {
        double[] values = new double[count];
        forPieces(position, count, dtype.bytes(), (piece, at, n) -> {
            for (int i = 0; i < n; i++) {
                values[at + i] = real(dtype, piece, i);
            }
        });
        return values;
    }

    /** {@code count} integers from {@code position} on. */
    long[] longs(Dtype dtype, long position, int count) {
        long[] values = new long[count];
        forPieces(position, count, dtype.bytes(), (piece, at, n) -> {
            for (int i = 0; i < n; i++) {
                values[at + i] = integer(dtype, piece, i);
            }
        });
        return values;
    }

    private interface Piece {
        /** {@code n} elements, the first of which is number {@code at} of the array, from the start of the buffer on. */
        void take(ByteBuffer piece, int at, int n);
    }

    private synchronized void forPieces(long position, int count, int elementBytes, Piece taker) {
        if (piece == null && count > 0) {
            piece = ByteBuffer.allocateDirect(PIECE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        }
        int most = PIECE_BYTES / elementBytes;
        for (int at = 0; at < count; at += most) {
            int n = Math.min(most, count - at);
            read(position + (long) at * elementBytes, piece.clear().limit(n * elementBytes));
            taker.take(piece.flip(), at, n);
        }
    }

    /** Element {@code index} of a floating-point array at the start of {@code buffer}. */
    static double real(Dtype dtype, ByteBuffer buffer, int index) {
        return switch (dtype) {
            case F64 -> buffer.getDouble(8 * index);
            case F32 -> buffer.getFloat(4 * index);
            case F16 -> Dtype.halfToFloat(buffer.getShort(2 * index));
            case BF16 -> Dtype.bfloatToFloat(buffer.getShort(2 * index));
            default -> throw new IllegalArgumentException(dtype + " is no floating-point type");
        };
    }

    /** Element {@code index} of an integer array at the start of {@code buffer}; U8 is unsigned, BOOL 0 or 1. */
    static long integer(Dtype dtype, ByteBuffer buffer, int index) {
        return switch (dtype) {
            case I64 -> buffer.getLong(8 * index);
            case I32 -> buffer.getInt(4 * index);
            case I16 -> buffer.getShort(2 * index);
            case I8 -> buffer.get(index);
            case U8 -> buffer.get(index) & 0xff;
            case BOOL -> buffer.get(index) == 0 ? 0 : 1;
            default -> throw new IllegalArgumentException(dtype + " is no integer type");
        };
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
