package unit.fuzz

import com.code_intelligence.jazzer.api.FuzzedDataProvider
import com.sun.management.ThreadMXBean
import groovy.transform.CompileStatic
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import unit.data.TorchBytes
import universality.data.ExitCode
import universality.data.SafetensorsFile
import universality.data.TensorFile
import universality.data.ToolException
import universality.data.TorchFile

/**
 * What must hold of both readers of weights whatever the bytes of a file: they give tensors or the one kind of error, in one line
 * with the file's name, and allocate in proportion to the file. Jazzer calls {@link #fuzzerTestOneInput}; see tests/fuzz.
 */
@CompileStatic
class ReaderTarget {
    /** Allocated on opening: an empty file, and each byte (a dictionary in a pickle takes one byte there, 56 and more here). */
    static final long OPEN_BASE = 400_000
    static final long OPEN_PER_BYTE = 200
    /** Allocated on reading a tensor: the piece read at a time, and each byte of the file (F16 is read as F32, BOOL as I64). */
    static final long READ_BASE = 400_000
    static final long READ_PER_BYTE = 24

    /** What is allocated once only, for loading classes, says nothing. */
    private static final int ATTEMPTS = 5
    private static final int MOST_TENSORS = 40
    private static final ThreadMXBean THREADS = ManagementFactory.threadMXBean as ThreadMXBean
    private static final byte[] LEGACY_START = legacyStart()

    private static Path path
    private static FileChannel channel

    /** How many inputs were read as a file of tensors, and how many refused, by reader. */
    static final Map<String, Integer> outcomes = new TreeMap<>()

    /** The first byte tells what the others are put into, so that a change inside does not break everything around it. */
    static void fuzzerTestOneInput(FuzzedDataProvider data) {
        byte[] input = data.consumeRemainingAsBytes() // as an argument it would be variadic in Groovy, which Jazzer takes amiss
        if (input.length > 0) {
            byte[] rest = Arrays.copyOfRange(input, 1, input.length)
            check(wrapped(input[0] & 3, rest))
        }
    }

    static byte[] wrapped(int kind, byte[] bytes) {
        switch (kind) {
            case 1: // the header of safetensors, in front of 64 bytes
                return ByteBuffer.allocate(72 + bytes.length).order(java.nio.ByteOrder.LITTLE_ENDIAN).putLong(bytes.length).put(bytes).array()
            case 2: // a pickle in a zip archive with three storages
                return TorchBytes.zipOf(bytes, ['0': new byte[240], '1': new byte[48], '2': new byte[16]] as Map<String, byte[]>)
            case 3: // what follows the first three pickles of the older format
                return ByteBuffer.allocate(LEGACY_START.length + bytes.length).put(LEGACY_START).put(bytes).array()
            default:
                return bytes
        }
    }

    /** Magic number, version and machine: what every file of the older format begins with. */
    static byte[] legacyStart() {
        byte[] whole = TorchBytes.legacyOf(new byte[0], [:], [:])
        Arrays.copyOf(whole, whole.length - TorchBytes.pickle().op(0x5d, 0x28, 0x65, 0x2e).bytes().length)
    }

    static void check(byte[] file) {
        write(file)
        for (String reader : ['safetensors', 'torch']) {
            for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
                try {
                    openAndRead(reader, file.length)
                    break
                } catch (AssertionError e) {
                    if (attempt == ATTEMPTS) {
                        throw e
                    }
                }
            }
        }
    }

    private static void openAndRead(String reader, int length) {
        long before = allocated()
        TensorFile tensors = null
        try {
            tensors = reader == 'torch' ? TorchFile.open(path) : SafetensorsFile.open(path)
        } catch (ToolException e) {
            require(e)
        }
        bounded("opening it as $reader", allocated() - before, OPEN_BASE + OPEN_PER_BYTE * length)
        outcomes.merge(reader + (tensors == null ? ' refused' : ' read'), 1, Integer::sum)
        if (tensors != null) {
            try {
                readAll(tensors, length)
            } finally {
                tensors.close()
            }
        }
    }

    private static void readAll(TensorFile tensors, int length) {
        int left = MOST_TENSORS
        for (String name : tensors.names()) {
            if (--left < 0) {
                return
            }
            long elements = 1
            for (long size : tensors.shape(name)) {
                elements *= size
            }
            long before = allocated()
            try {
                int count = tensors.dtype(name).isReal() ? tensors.floats(name).length : tensors.longs(name).length
                if (count != elements) {
                    throw new AssertionError("tensor '$name' has $elements elements, but $count were read" as Object)
                }
            } catch (ToolException e) {
                require(e)
            }
            bounded("reading the tensor '$name'", allocated() - before, READ_BASE + READ_PER_BYTE * length)
        }
    }

    private static void require(ToolException e) {
        String text = e.message
        if (e.code() != ExitCode.BAD_DATA || !text.startsWith(path.toString()) || text.length() > 6000
                || text =~ /\p{Cc}/) {
            throw new AssertionError("not an error of bad data in one line with the file's name: ${e.code()} $text".toString(), e)
        }
    }

    private static void bounded(String what, long bytes, long most) {
        if (bytes > most) {
            throw new AssertionError("$what allocated $bytes bytes, more than $most" as Object)
        }
    }

    private static long allocated() {
        THREADS.getThreadAllocatedBytes(Thread.currentThread().id)
    }

    private static void write(byte[] file) {
        if (path == null) {
            Path memory = Path.of('/dev/shm')
            path = Files.isWritable(memory) ? Files.createTempFile(memory, 'fuzz', '') : Files.createTempFile('fuzz', '')
            path.toFile().deleteOnExit()
            channel = FileChannel.open(path, StandardOpenOption.WRITE)
        }
        channel.truncate(0)
        channel.write(ByteBuffer.wrap(file), 0)
    }
}
