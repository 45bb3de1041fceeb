package unit.data

import groovy.transform.CompileStatic
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

/**
 * Writes what {@code torch.save} would, opcode by opcode, so that files no PyTorch would write can be made as well. A tensor is
 * {@code [name, storage class, storage key, storage elements, offset, shape, strides]}.
 */
@CompileStatic
class TorchBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream()

    static TorchBytes pickle() {
        new TorchBytes().op(0x80, 2)
    }

    TorchBytes op(int... bytes) {
        for (int value : bytes) {
            out.write(value)
        }
        this
    }

    TorchBytes text(String text) {
        op('X' as char as int).int32(text.bytes.length)
        out.write(text.bytes)
        this
    }

    TorchBytes int32(long value) {
        out.write(little(4).putInt((int) value).array())
        this
    }

    TorchBytes global(String module, String name) {
        op('c' as char as int)
        out.write("$module\n$name\n".bytes)
        this
    }

    TorchBytes integer(long value) {
        if (value >= Integer.MIN_VALUE && value <= Integer.MAX_VALUE) {
            return op('J' as char as int).int32(value)
        }
        op(0x8a, 8)
        out.write(little(8).putLong(value).array())
        this
    }

    TorchBytes tuple(List<Long> values) {
        op('(' as char as int)
        values.each { integer(it) }
        op('t' as char as int)
    }

    TorchBytes tensor(List spec, boolean legacy) {
        text(spec[0] as String).global('torch._utils', '_rebuild_tensor_v2').op('(' as char as int)
        op('(' as char as int).text('storage').global('torch', spec[1] as String).text(spec[2] as String).text('cpu')
        integer(spec[3] as long)
        if (legacy) {
            op('N' as char as int)
        }
        op('t' as char as int, 'Q' as char as int).integer(spec[4] as long)
        tuple(spec[5] as List<Long>).tuple(spec[6] as List<Long>).op(0x89)
        global('collections', 'OrderedDict').op(')' as char as int, 'R' as char as int)
        op('t' as char as int, 'R' as char as int)
    }

    TorchBytes stop() {
        op('.' as char as int)
    }

    byte[] bytes() {
        out.toByteArray()
    }

    static ByteBuffer little(int size) {
        ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN)
    }

    static byte[] floats(double... values) {
        def buffer = little(4 * values.length)
        values.each { buffer.putFloat((float) it) }
        buffer.array()
    }

    static byte[] stateDict(List<List> tensors, boolean legacy) {
        def pickle = pickle().op('}' as char as int, '(' as char as int)
        tensors.each { pickle.tensor(it, legacy) }
        pickle.op('u' as char as int).stop().bytes()
    }

    /** The zip format; storages by key. */
    static byte[] zip(List<List> tensors, Map<String, byte[]> storages) {
        zipOf(stateDict(tensors, false), storages)
    }

    static byte[] zipOf(byte[] pickle, Map<String, byte[]> storages, Map<String, byte[]> more = [:]) {
        def out = new ByteArrayOutputStream()
        def zip = new ZipOutputStream(out)
        def entries = ['m/data.pkl': pickle, 'm/byteorder': 'little'.bytes]
        storages.each { key, data -> entries["m/data/$key" as String] = data }
        (entries + more).each { name, data ->
            def entry = new ZipEntry(name)
            entry.method = ZipEntry.STORED
            entry.size = data.length
            entry.crc = new CRC32().tap { update(data) }.value
            zip.putNextEntry(entry)
            zip.write(data)
            zip.closeEntry()
        }
        zip.close()
        out.toByteArray()
    }

    /** The same archive with every size, offset and count moved into ZIP64 records. */
    static byte[] zip64(byte[] zip) {
        def source = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN)
        int end = zip.length - 22
        int entries = source.getShort(end + 10)
        int start = source.getInt(end + 16)
        def directory = new ByteArrayOutputStream()
        int at = start
        entries.times {
            int name = source.getShort(at + 28)
            def extra = little(28).putShort((short) 1).putShort((short) 24).putLong(source.getInt(at + 24)).putLong(source.getInt(at + 20))
                .putLong(source.getInt(at + 42)).array()
            def fixed = little(46).put(zip, at, 46)
            fixed.putInt(20, -1).putInt(24, -1).putInt(42, -1).putShort(30, (short) extra.length)
            directory.write(fixed.array())
            directory.write(zip, at + 46, name)
            directory.write(extra)
            at += 46 + name + source.getShort(at + 30) + source.getShort(at + 32)
        }
        def out = new ByteArrayOutputStream()
        out.write(zip, 0, start)
        out.write(directory.toByteArray())
        out.write(little(56).putInt(0x06064b50).putLong(44).putInt(0).putInt(0).putInt(0).putLong(entries).putLong(entries)
            .putLong(directory.size()).putLong(start).array())
        out.write(little(20).putInt(0x07064b50).putInt(0).putLong(start + directory.size()).putInt(1).array())
        out.write(little(22).putInt(0x06054b50).putInt(0).putInt(-1).putInt(-1).putInt(-1).putShort((short) 0).array())
        out.toByteArray()
    }

    /** The format of before PyTorch 1.6; storages by key, with their numbers of elements. */
    static byte[] legacy(List<List> tensors, Map<String, byte[]> storages, Map<String, Long> elements) {
        legacyOf(stateDict(tensors, true), storages, elements)
    }

    static byte[] legacyOf(byte[] state, Map<String, byte[]> storages, Map<String, Long> elements) {
        def out = new ByteArrayOutputStream()
        byte[] magic = '6cfc9c46f9206aa85019'.decodeHex() // 0x1950a86a20f9469cfc6c, little-endian
        out.write(pickle().op(0x8a, magic.length).bytes())
        out.write(magic)
        out.write('.'.bytes)
        out.write(pickle().integer(1001).stop().bytes())
        out.write(pickle().op('}' as char as int).text('little_endian').op(0x88, 's' as char as int).stop().bytes())
        out.write(state)
        def keys = pickle().op(']' as char as int, '(' as char as int)
        storages.keySet().each { keys.text(it) }
        out.write(keys.op('e' as char as int).stop().bytes())
        storages.each { key, data ->
            out.write(little(8).putLong(elements[key]).array())
            out.write(data)
        }
        out.toByteArray()
    }

    /** Start, size of the start, and end of a zip archive with one storage of this many bytes between them, by ZIP64 records. */
    static Map sparseZip(List<List> tensors, long bytes) {
        def entries = ['m/data.pkl': stateDict(tensors, false), 'm/data/0': new byte[0]]
        def start = new ByteArrayOutputStream()
        def directory = new ByteArrayOutputStream()
        entries.each { name, data ->
            long at = start.size()
            long size = data.length ?: bytes
            def extra = little(20).putShort((short) 1).putShort((short) 16).putLong(size).putLong(size).array()
            start.write(little(30).putInt(0x04034b50).putShort((short) 45).putInt(0).putInt(0).putInt(0).putInt(-1).putInt(-1)
                .putShort((short) name.length()).putShort((short) 20).array())
            start.write(name.bytes)
            start.write(extra)
            start.write(data)
            directory.write(little(46).putInt(0x02014b50).putInt(45).putInt(0).putInt(0).putInt(0).putInt(-1).putInt(-1)
                .putShort((short) name.length()).putShort((short) 20).putShort((short) 0).putInt(0).putInt(0).putInt((int) at).array())
            directory.write(name.bytes)
            directory.write(extra)
        }
        long from = start.size() + bytes
        def end = new ByteArrayOutputStream()
        end.write(directory.toByteArray())
        end.write(little(56).putInt(0x06064b50).putLong(44).putInt(0).putInt(0).putInt(0).putLong(2).putLong(2)
            .putLong(directory.size()).putLong(from).array())
        end.write(little(20).putInt(0x07064b50).putInt(0).putLong(from + directory.size()).putInt(1).array())
        end.write(little(22).putInt(0x06054b50).putInt(0).putInt(-1).putInt(-1).putInt(-1).putShort((short) 0).array())
        [bytes: start.toByteArray(), size: start.size(), end: end.toByteArray()]
    }

    /** Everything before the one storage of this many elements. */
    static Map sparseLegacy(List<List> tensors, long elements) {
        byte[] bytes = legacy(tensors, ['0': new byte[0]], ['0': elements])
        [bytes: bytes, size: bytes.length, end: null]
    }
}
