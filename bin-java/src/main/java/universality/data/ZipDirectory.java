package universality.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the entries of a zip archive lie in its file, so that stored ones can be mapped; the JDK's own reader only streams
 * them. Reads the central directory (ZIP64 included) and the local headers; entries must be stored, not compressed.
 */
final class ZipDirectory {
    /** A stored entry's data in the file. */
    record Entry(String name, long offset, long bytes) {}

    private static final int END = 0x06054b50;
    private static final int END_64 = 0x06064b50;
    private static final int LOCATOR_64 = 0x07064b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int LOCAL = 0x04034b50;
    private static final long MOST_DIRECTORY_BYTES = 1 << 24;
    private static final long NARROW = 0xffffffffL;

    private final FileChannel channel;
    private final long size;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private ZipDirectory(FileChannel channel) throws IOException {
        this.channel = channel;
        this.size = channel.size();
    }

    /** Entries by name, in the directory's order. */
    static Map<String, Entry> read(FileChannel channel) throws IOException, Malformed {
        ZipDirectory directory = new ZipDirectory(channel);
        directory.readEntries();
        return directory.entries;
    }

    private void readEntries() throws IOException, Malformed {
        long end = findEnd();
        ByteBuffer record = bytes(end, 22);
        long count = record.getShort(10) & 0xffff;
        long length = record.getInt(12) & NARROW;
        long start = record.getInt(16) & NARROW;
        long directoryEnd = end;
        if (count == 0xffff || length == NARROW || start == NARROW) {
            directoryEnd = locateEnd64(end);
            ByteBuffer wide = bytes(directoryEnd, 56);
            if (wide.getInt(0) != END_64) {
                throw new Malformed("its ZIP64 end record is missing");
            }
            count = wide.getLong(32);
            length = wide.getLong(40);
            start = wide.getLong(48);
        }
        if (length < 0 || length > MOST_DIRECTORY_BYTES || start < 0 || start > directoryEnd - length) {
            throw new Malformed(
                    "its zip directory is said to be %d bytes at %d, which is not inside the file", length, start);
        }
        ByteBuffer directory = bytes(start, (int) length);
        for (long i = 0; i < count; i++) {
            Entry entry = entry(directory, start);
            if (entries.put(entry.name(), entry) != null) {
                throw new Malformed("its zip directory names '%s' twice", entry.name());
            }
        }
    }

    /** Position of the end record: the last place whose signature and comment length fit the end of the file. */
    private long findEnd() throws IOException, Malformed {
        int window = (int) Math.min(size, 22 + 0xffff);
        ByteBuffer tail = bytes(size - window, window);
        for (int at = window - 22; at >= 0; at--) {
            if (tail.getInt(at) == END && (tail.getShort(at + 20) & 0xffff) == window - 22 - at) {
                return size - window + at;
            }
        }
        throw new Malformed("it begins as a zip archive but has no zip directory at its end: it is cut short");
    }

    private long locateEnd64(long end) throws IOException, Malformed {
        ByteBuffer locator = end < 20 ? null : bytes(end - 20, 20);
        if (locator == null || locator.getInt(0) != LOCATOR_64) {
            throw new Malformed("its ZIP64 locator is missing");
        }
        return locator.getLong(8);
    }

    private Entry entry(ByteBuffer directory, long directoryStart) throws IOException, Malformed {
        if (directory.remaining() < 46 || directory.getInt(directory.position()) != CENTRAL) {
            throw new Malformed("its zip directory ends early");
        }
        ByteBuffer fixed = directory.slice(directory.position(), 46).order(ByteOrder.LITTLE_ENDIAN);
        int nameLength = fixed.getShort(28) & 0xffff;
        int extraLength = fixed.getShort(30) & 0xffff;
        int commentLength = fixed.getShort(32) & 0xffff;
        directory.position(directory.position() + 46);
        if (directory.remaining() < nameLength + extraLength + commentLength) {
            throw new Malformed("its zip directory ends early");
        }
        byte[] nameBytes = new byte[nameLength];
        directory.get(nameBytes);
        String name = new String(nameBytes, StandardCharsets.UTF_8);
        long[] wide = {fixed.getInt(24) & NARROW, fixed.getInt(20) & NARROW, fixed.getInt(42) & NARROW};
        widen(directory.slice(directory.position(), extraLength).order(ByteOrder.LITTLE_ENDIAN), wide);
        directory.position(directory.position() + extraLength + commentLength);
        if ((fixed.getShort(8) & 1) != 0 || fixed.getShort(10) != 0 || wide[0] != wide[1]) {
            throw new Malformed("its entry '%s' is compressed or encrypted; torch.save only stores", name);
        }
        return located(name, wide[0], wide[2], directoryStart);
    }

    /** Replaces those of size, stored size and offset that are 2³² − 1 by the ZIP64 extra field's, which come in this order. */
    private static void widen(ByteBuffer extra, long[] values) throws Malformed {
        while (extra.remaining() >= 4) {
            int tag = extra.getShort() & 0xffff;
            int length = extra.getShort() & 0xffff;
            if (length > extra.remaining()) {
                return; // padding, not a field
            }
            ByteBuffer field = extra.slice(extra.position(), length).order(ByteOrder.LITTLE_ENDIAN);
            extra.position(extra.position() + length);
            for (int i = 0; tag == 1 && i < values.length; i++) {
                if (values[i] == NARROW) {
                    if (field.remaining() < 8) {
                        throw new Malformed("its zip directory has a short ZIP64 field");
                    }
                    values[i] = field.getLong();
                }
            }
        }
    }

    private Entry located(String name, long length, long header, long directoryStart) throws IOException, Malformed {
        if (header < 0 || header > directoryStart - 30) {
            throw new Malformed("its entry '%s' starts at %d, which is not inside the file", name, header);
        }
        ByteBuffer local = bytes(header, 30);
        if (local.getInt(0) != LOCAL) {
            throw new Malformed("its entry '%s' has no header at byte %d", name, header);
        }
        long offset = header + 30 + (local.getShort(26) & 0xffff) + (local.getShort(28) & 0xffff);
        if (length < 0 || offset > directoryStart - length) {
            throw new Malformed("its entry '%s' of %d bytes at %d is cut short", name, length, offset);
        }
        return new Entry(name, offset, length);
    }

    private ByteBuffer bytes(long position, int length) throws IOException, Malformed {
        if (position < 0 || position > size - length) {
            throw new Malformed("a zip record at byte %d is not inside the file", position);
        }
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new Malformed("it ends at byte %d", position + buffer.position());
            }
        }
        return buffer.flip();
    }
}
