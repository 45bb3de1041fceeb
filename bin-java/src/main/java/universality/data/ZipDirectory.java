package universality.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the entries of a zip archive lie in its file, so that stored ones can be mapped; the JDK's own reader only streams
 * them. Reads the central directory (ZIP64 included) and the local headers; entries must be stored, not compressed.
 *
 * <p>Checksums are not compared: PyTorch itself ignores them and can be told to write wrong ones ({@code
 * torch.serialization.set_crc32_options}), and a checkpoint's manifest has the sha256 of the whole file.
 */
final class ZipDirectory {
    /** A stored entry's data in the file. */
    record Entry(String name, long offset, long bytes) {}

    private static final int END = 0x06054b50;
    private static final int END_64 = 0x06064b50;
    private static final int LOCATOR_64 = 0x07064b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int LOCAL = 0x04034b50;
    private static final int LOCAL_BYTES = 30;

    /** The flag of entries whose header was written before their size was known. */
    private static final int SIZE_FOLLOWS = 8;

    private static final long MOST_DIRECTORY_BYTES = 1 << 24;
    private static final long NARROW = 0xffffffffL;

    private final ElementFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private ZipDirectory(ElementFile file) {
        this.file = file;
    }

    /** Entries by name, in the directory's order. */
    static Map<String, Entry> read(ElementFile file) throws Malformed {
        ZipDirectory directory = new ZipDirectory(file);
        directory.readEntries();
        return directory.entries;
    }

    private void readEntries() throws Malformed {
        long end = findEnd();
        ByteBuffer record = file.bytes(end, 22);
        long count = record.getShort(10) & 0xffff;
        long length = record.getInt(12) & NARROW;
        long start = record.getInt(16) & NARROW;
        long directoryEnd = end;
        if (count == 0xffff || length == NARROW || start == NARROW) {
            directoryEnd = locateEnd64(end);
            ByteBuffer wide = file.bytes(directoryEnd, 56);
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
        ByteBuffer directory = file.bytes(start, (int) length);
        for (long i = 0; i < count; i++) {
            Entry entry = entry(directory, start);
            if (entries.put(entry.name(), entry) != null) {
                throw new Malformed("its zip directory names '%s' twice", entry.name());
            }
        }
        if (directory.hasRemaining()) {
            throw new Malformed("its zip directory has more entries than the %d it tells", count);
        }
    }

    /** Position of the end record: the last place whose signature and comment length fit the end of the file. */
    private long findEnd() throws Malformed {
        long size = file.size();
        int window = (int) Math.min(size, 22 + 0xffff);
        ByteBuffer tail = file.bytes(size - window, window);
        for (int at = window - 22; at >= 0; at--) {
            if (tail.getInt(at) == END && (tail.getShort(at + 20) & 0xffff) == window - 22 - at) {
                return size - window + at;
            }
        }
        throw new Malformed("it begins as a zip archive but has no zip directory at its end: it is cut short");
    }

    private long locateEnd64(long end) throws Malformed {
        ByteBuffer locator = end < 20 ? null : file.bytes(end - 20, 20);
        if (locator == null || locator.getInt(0) != LOCATOR_64) {
            throw new Malformed("its ZIP64 locator is missing");
        }
        return locator.getLong(8);
    }

    private Entry entry(ByteBuffer directory, long directoryStart) throws Malformed {
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
        requireStored(name, fixed.getShort(8), fixed.getShort(10));
        if (wide[0] != wide[1]) {
            throw new Malformed("its entry '%s' is stored in %d bytes, but has %d", name, wide[1], wide[0]);
        }
        return located(name, nameBytes, wide[0], wide[2], directoryStart);
    }

    private static void requireStored(String name, int flags, int method) throws Malformed {
        if ((flags & 1) != 0 || method != 0) {
            throw new Malformed(
                    "its entry '%s' is %s; torch.save only stores: save it again",
                    name, method == 8 ? "deflated" : method != 0 ? "compressed" : "encrypted");
        }
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

    /** The data of an entry lies behind its local header, which must be of the same entry: other readers go by that one. */
    private Entry located(String name, byte[] nameBytes, long length, long header, long directoryStart)
            throws Malformed {
        if (header < 0 || header > directoryStart - LOCAL_BYTES) {
            throw new Malformed("its entry '%s' starts at %d, which is not inside the file", name, header);
        }
        ByteBuffer local = file.bytes(header, LOCAL_BYTES);
        if (local.getInt(0) != LOCAL) {
            throw new Malformed("its entry '%s' has no header at byte %d", name, header);
        }
        requireStored(name, local.getShort(6), local.getShort(8));
        int nameLength = local.getShort(26) & 0xffff;
        long offset = header + LOCAL_BYTES + nameLength + (local.getShort(28) & 0xffff);
        if (length < 0 || offset > directoryStart - length) {
            throw new Malformed("its entry '%s' of %d bytes at %d is cut short", name, length, offset);
        }
        if (nameLength != nameBytes.length
                || !Arrays.equals(file.bytes(header + LOCAL_BYTES, nameLength).array(), nameBytes)) {
            throw new Malformed("its entry '%s' has another name in its own header", name);
        }
        long told = local.getInt(22) & NARROW;
        if ((local.getShort(6) & SIZE_FOLLOWS) == 0 && told != NARROW && told != length) {
            throw new Malformed("its entry '%s' has %d bytes, but %d in its own header", name, length, told);
        }
        return new Entry(name, offset, length);
    }
}
