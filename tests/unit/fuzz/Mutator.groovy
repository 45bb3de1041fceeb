package unit.fuzz

import groovy.transform.CompileStatic
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.StandardCharsets
import java.util.zip.ZipInputStream
import unit.data.TorchBytes

/**
 * Changes files of weights in ways that keep most of their structure: numbers, names and fields of a safetensors header, the
 * operations of a pickle, the records of a zip archive; and any bytes. The same random numbers give the same changes.
 */
@CompileStatic
class Mutator {
    private static final long[] NUMBERS = [
        0, 1, 2, 3, 4, 8, 16, 64, 65, 127, 128, 255, 256, 0xffff, 0x10000, 1 << 20, Integer.MAX_VALUE, Integer.MIN_VALUE, -1, -2,
        0xffffffffL, 0x100000000L, 1L << 40, 1L << 61, 1L << 62, Long.MAX_VALUE, Long.MAX_VALUE - 7, Long.MIN_VALUE] as long[]
    private static final List<String> TEXTS = [
        'F64', 'F32', 'F16', 'BF16', 'I64', 'I8', 'U8', 'BOOL', 'U16', 'F8_E4M3', 'f32', 'dtype', 'shape', 'data_offsets',
        '__metadata__', '', 'storage', '0', '1', 'cpu', 'a\nb', '\u202e', 'x' * 300, 'torch', 'FloatStorage', 'collections',
        'OrderedDict', 'torch._utils', '_rebuild_tensor_v2', '_rebuild_parameter', 'os', 'system', 'builtins', 'eval']
    private static final List<String> JSON = [
        'null', 'true', '[]', '{}', '[[]]', '1.0', '-1', '-0', '1e3', '""', '"F32"', '[0,0]', '[0]', ',', ':', '}', ']', '{', '[',
        '18446744073709551616', '9223372036854775807', '[1,1,1,1,1,1,1,1]', '"\\u0000"', '\u0000', ' ', '\n', '//']
    private static final String OPCODES = '(0123NJKMGXUT)t]ae}suhjqrcRbQib.FISVLPdlpgoBC'
    private static final int[] WIDE_OPCODES = [
        0x80, 0x81, 0x82, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96] as int[]
    private static final List<byte[]> ZIP_SIGNATURES = [
        [0x50, 0x4b, 1, 2], [0x50, 0x4b, 3, 4], [0x50, 0x4b, 5, 6], [0x50, 0x4b, 6, 6], [0x50, 0x4b, 6, 7]].collect { it as byte[] }

    /** Files stay small, so that there can be many. */
    private static final int MOST_BYTES = 50_000
    private static final int MOST_ADDED = 20_000
    private static final int[] LENGTHS = lengths()

    private final Random random
    private final List<byte[]> seeds
    private final List<List<byte[]>> byFormat

    Mutator(long seed, List<byte[]> seeds) {
        this.random = new Random(seed)
        this.seeds = seeds
        this.byFormat = new ArrayList<>(seeds.groupBy { byte[] file -> file[0] == (byte) 0x50 ? "zip" : file[0] == (byte) 0x80 ? "legacy" : "safetensors" }.values())
    }

    byte[] next() {
        List<byte[]> format = byFormat[random.nextInt(byFormat.size())]
        byte[] file = format[random.nextInt(format.size())]
        int changes = random.nextInt(3) == 0 ? 2 + random.nextInt(4) : 1
        for (int i = 0; i < changes && file.length < MOST_BYTES; i++) {
            file = random.nextInt(4) == 0 ? anyBytes(file) : structured(file)
        }
        file
    }

    private byte[] structured(byte[] file) {
        if (file.length < 16) {
            return anyBytes(file)
        }
        if (file[0] == (byte) 0x50 && file[1] == (byte) 0x4b) {
            return random.nextInt(3) == 0 ? zipRecord(file) : inZip(file)
        }
        if (file[0] == (byte) 0x80) {
            return pickles(file, 5)
        }
        safetensors(file)
    }

    // --- any file

    private byte[] anyBytes(byte[] file) {
        if (file.length == 0) {
            return randomBytes(1 + random.nextInt(40))
        }
        int at = random.nextInt(file.length)
        int length = Math.min(file.length - at, 1 + random.nextInt(random.nextBoolean() ? 8 : 200))
        switch (random.nextInt(9)) {
            case 0:
                return replaced(file, at, 1, [(file[at] ^ (1 << random.nextInt(8)))] as byte[])
            case 1:
                return replaced(file, at, length, randomBytes(length))
            case 2:
                return replaced(file, at, Math.min(file.length - at, 8), number(1 << random.nextInt(4)))
            case 3:
                return replaced(file, at, length, new byte[0])
            case 4:
                return replaced(file, at, 0, randomBytes(length))
            case 5: // once more, often
                return replaced(file, at, 0, many(Arrays.copyOfRange(file, at, at + length)))
            case 6:
                return Arrays.copyOf(file, at)
            case 7:
                return replaced(file, file.length, 0, randomBytes(1 + random.nextInt(30)))
            default: // the head of one, the tail of another
                byte[] other = seeds[random.nextInt(seeds.size())]
                int from = random.nextInt(other.length)
                return replaced(Arrays.copyOf(file, at), at, 0, Arrays.copyOfRange(other, from, other.length))
        }
    }

    private byte[] many(byte[] part) {
        int times = random.nextBoolean() ? 1 : 1 + random.nextInt(Math.max(1, MOST_ADDED.intdiv(part.length)))
        def out = new ByteArrayOutputStream()
        for (int i = 0; i < times; i++) {
            out.write(part)
        }
        out.toByteArray()
    }

    private static byte[] replaced(byte[] file, int at, int length, byte[] by) {
        byte[] result = new byte[file.length - length + by.length]
        System.arraycopy(file, 0, result, 0, at)
        System.arraycopy(by, 0, result, at, by.length)
        System.arraycopy(file, at + length, result, at + by.length, file.length - at - length)
        result
    }

    private byte[] randomBytes(int length) {
        byte[] bytes = new byte[length]
        random.nextBytes(bytes)
        bytes
    }

    private long number() {
        random.nextInt(3) == 0 ? random.nextInt(300) : NUMBERS[random.nextInt(NUMBERS.length)]
    }

    private byte[] number(int bytes) {
        Arrays.copyOf(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number()).array(), bytes)
    }

    private String text() {
        TEXTS[random.nextInt(TEXTS.size())]
    }

    // --- safetensors

    private byte[] safetensors(byte[] file) {
        long told = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong()
        int length = told < 0 || told > file.length - 8 ? file.length - 8 : (int) told
        if (random.nextInt(10) == 0) {
            return replaced(file, 0, 8, number(8))
        }
        String header = new String(file, 8, length, StandardCharsets.UTF_8)
        for (int i = random.nextInt(4) == 0 ? 3 : 1; i > 0; i--) {
            header = changed(header)
        }
        byte[] text = header.getBytes(StandardCharsets.UTF_8)
        byte[] result = replaced(file, 8, length, text)
        boolean right = random.nextInt(10) != 0
        replaced(result, 0, 8, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(right ? text.length : told).array())
    }

    private String changed(String header) {
        String pattern = ['-?\\d+', '"[^"]*"', '\\[[^\\[\\]]*\\]', '\\{[^{}]*\\}', '[,:\\[\\]{}]', '"[^"]*":\\{[^{}]*\\}'][random.nextInt(6)]
        def matcher = java.util.regex.Pattern.compile(pattern).matcher(header)
        List<int[]> found = []
        while (matcher.find()) {
            found << ([matcher.start(), matcher.end()] as int[])
        }
        if (found.isEmpty()) {
            return header + JSON[random.nextInt(JSON.size())]
        }
        int[] place = found[random.nextInt(found.size())]
        int[] other = found[random.nextInt(found.size())]
        String old = header.substring(place[0], place[1])
        String by
        switch (random.nextInt(7)) {
            case 0:
                by = Long.toString(number())
                break
            case 1:
                by = '"' + text() + '"'
                break
            case 2:
                by = JSON[random.nextInt(JSON.size())]
                break
            case 3:
                by = header.substring(other[0], other[1])
                break
            case 4:
                by = old + ',' + old
                break
            case 5:
                int depth = random.nextBoolean() ? 1 : random.nextInt(3000)
                by = '[' * depth + old + ']' * depth
                break
            default:
                by = ''
        }
        header.substring(0, place[0]) + by + header.substring(place[1])
    }

    // --- zip archives

    /** Another value in a field of a record. */
    private byte[] zipRecord(byte[] file) {
        byte[] signature = ZIP_SIGNATURES[random.nextInt(ZIP_SIGNATURES.size())]
        List<Integer> found = []
        for (int i = 0; i < file.length - 4; i++) {
            if (file[i] == signature[0] && file[i + 1] == signature[1] && file[i + 2] == signature[2] && file[i + 3] == signature[3]) {
                found << i
            }
        }
        if (found.isEmpty()) {
            return anyBytes(file)
        }
        int at = found[random.nextInt(found.size())] + random.nextInt(56)
        int width = [1, 2, 4, 8][random.nextInt(4)]
        at + width > file.length ? file : replaced(file, at, width, number(width))
    }

    /** Another description, the archive around it sound. */
    private byte[] inZip(byte[] file) {
        byte[] description = null
        Map<String, byte[]> storages = [:]
        Map<String, byte[]> more = [:]
        try {
            def zip = new ZipInputStream(new ByteArrayInputStream(file))
            for (def entry = zip.nextEntry; entry != null; entry = zip.nextEntry) {
                String name = entry.name.substring(entry.name.indexOf('/') + 1)
                if (name == 'data.pkl') {
                    description = zip.readAllBytes()
                } else if (name.startsWith('data/')) {
                    storages[name.substring(5)] = zip.readAllBytes()
                } else {
                    more['m/' + name] = zip.readAllBytes()
                }
            }
        } catch (IOException | IllegalArgumentException ignored) {
            return anyBytes(file) // too broken already
        }
        if (description == null || description.length == 0) {
            return anyBytes(file)
        }
        try {
            return TorchBytes.zipOf(pickles(description, 1), storages, more)
        } catch (IOException | IllegalArgumentException ignored) {
            return anyBytes(file)
        }
    }

    // --- pickles

    /** Changes operations of the first {@code count} pickles in the bytes. */
    private byte[] pickles(byte[] bytes, int count) {
        List<byte[]> operations = []
        int at = 0
        int stops = 0
        while (at < bytes.length && stops < count) {
            int length = Math.min(operationLength(bytes, at), bytes.length - at)
            operations << Arrays.copyOfRange(bytes, at, at + length)
            stops += bytes[at] == (byte) 0x2e ? 1 : 0
            at += length
        }
        for (int i = random.nextInt(4) == 0 ? 3 : 1; i > 0; i--) {
            change(operations)
        }
        def out = new ByteArrayOutputStream()
        for (byte[] operation : operations) {
            out.write(operation)
        }
        out.write(bytes, at, bytes.length - at)
        out.toByteArray()
    }

    private void change(List<byte[]> operations) {
        if (operations.isEmpty()) {
            operations << operation()
            return
        }
        int at = random.nextInt(operations.size())
        switch (random.nextInt(7)) {
            case 0:
                operations.remove(at)
                break
            case 1:
                operations.add(at, operation())
                break
            case 2:
                operations[at] = operation()
                break
            case 3:
                Collections.swap(operations, at, random.nextInt(operations.size()))
                break
            case 4: // some once more, often
                int length = Math.min(operations.size() - at, 1 + random.nextInt(6))
                List<byte[]> part = new ArrayList<>(operations.subList(at, at + length))
                int bytes = 1
                for (byte[] operation : part) {
                    bytes += operation.length
                }
                int times = random.nextBoolean() ? 1 : random.nextInt(1 + Math.min(3000, MOST_ADDED.intdiv(bytes)))
                List<byte[]> more = []
                for (int i = 0; i < times; i++) {
                    more.addAll(part)
                }
                operations.addAll(at, more)
                break
            default:
                operations[at] = otherArgument(operations[at])
        }
    }

    private byte[] otherArgument(byte[] operation) {
        switch ((char) (operation[0] & 0xff)) {
            case 'K' as char:
                return [operation[0], (byte) number()] as byte[]
            case 'M' as char:
                return replaced(operation, 1, operation.length - 1, number(2))
            case 'J' as char:
                return replaced(operation, 1, operation.length - 1, number(4))
            case 'h' as char:
            case 'q' as char:
                return [operation[0], (byte) random.nextInt(40)] as byte[]
            case 'X' as char:
                return string(text())
            case 'c' as char:
                return "c${text()}\n${text()}\n".getBytes(StandardCharsets.UTF_8)
            default:
                return integer(number())
        }
    }

    private byte[] operation() {
        switch (random.nextInt(6)) {
            case 0:
                return integer(number())
            case 1:
                return string(text())
            case 2:
                return "c${['torch', 'torch._utils', 'collections'][random.nextInt(3)]}\n${text()}\n".getBytes(StandardCharsets.UTF_8)
            case 3:
                return replaced([(byte) WIDE_OPCODES[random.nextInt(WIDE_OPCODES.length)]] as byte[], 1, 0, randomBytes(random.nextInt(4)))
            case 4:
                return [(byte) (random.nextBoolean() ? 0x68 : 0x71), (byte) random.nextInt(40)] as byte[]
            default:
                return [(byte) OPCODES.charAt(random.nextInt(OPCODES.length()))] as byte[]
        }
    }

    private static byte[] integer(long value) {
        withoutProtocol(TorchBytes.pickle().integer(value))
    }

    private static byte[] string(String text) {
        withoutProtocol(TorchBytes.pickle().text(text))
    }

    private static byte[] withoutProtocol(TorchBytes pickle) {
        byte[] bytes = pickle.bytes()
        Arrays.copyOfRange(bytes, 2, bytes.length)
    }

    /** Bytes of the operation at {@code at}, its arguments included. (A switch would be much slower.) */
    private static int operationLength(byte[] bytes, int at) {
        int opcode = bytes[at] & 0xff
        int fixed = LENGTHS[opcode]
        if (fixed > 0) {
            return fixed
        }
        if (opcode == 0x63) { // two lines
            int lines = 0
            int length = 1
            while (lines < 2 && at + length < bytes.length) {
                lines += bytes[at + length++] == (byte) 10 ? 1 : 0
            }
            return length
        }
        int width = opcode == 0x58 || opcode == 0x54 ? 4 : 1
        if (at + width >= bytes.length) {
            return 1 + width
        }
        int argument = width == 1 ? bytes[at + 1] & 0xff : ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(at + 1)
        1 + width + Math.max(0, Math.min(1 << 20, argument))
    }

    private static int[] lengths() {
        int[] lengths = new int[256]
        Arrays.fill(lengths, 1)
        [0x80, 0x4b, 0x68, 0x71].each { int opcode -> lengths[opcode] = 2 } // protocol, byte, get, put
        lengths[0x4d] = 3 // two bytes
        [0x4a, 0x6a, 0x72].each { int opcode -> lengths[opcode] = 5 } // four bytes, get, put
        [0x47, 0x95].each { int opcode -> lengths[opcode] = 9 } // a float, a frame
        [0x8a, 0x8c, 0x55, 0x58, 0x54, 0x63].each { int opcode -> lengths[opcode] = 0 } // with a length or lines
        lengths
    }
}
