package unit.data

import groovy.json.JsonSlurper
import groovy.transform.CompileStatic
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import java.security.MessageDigest
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.SafetensorsFile
import universality.data.SafetensorsWriter
import universality.data.TensorFile
import universality.data.ToolException
import universality.data.TorchFile

/** Files that PyTorch and the safetensors library wrote (resources/formats/make.py), against what those libraries read back. */
class FormatsSpec extends Specification {
    static final Path FOLDER = Path.of(FormatsSpec.getResource('/formats').toURI())
    static final Path CHECKPOINTS = Path.of(FormatsSpec.getResource('/checkpoints').toURI())
    static final Map EXPECTED = new JsonSlurper().parse(FOLDER.resolve('expected.json').toFile(), 'UTF-8') as Map

    @TempDir
    Path folder

    static TensorFile open(Path file) {
        file.toString().endsWith('.safetensors') ? SafetensorsFile.open(file) : TorchFile.open(file)
    }

    /** As in expected.json: type, shape, and sha256 of the values, floating-point ones as F32, all others as I64. */
    @CompileStatic
    static Map<String, Object> described(TensorFile file, String name) {
        ByteBuffer bytes
        if (file.dtype(name).isReal()) {
            float[] values = file.floats(name)
            bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN)
            bytes.asFloatBuffer().put(values)
        } else {
            long[] values = file.longs(name)
            bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN)
            bytes.asLongBuffer().put(values)
        }
        String sha256 = MessageDigest.getInstance('SHA-256').digest(bytes.array()).encodeHex()
        [dtype: file.dtype(name).name(), shape: file.shape(name).toList()*.intValue(), sha256: sha256] as Map<String, Object>
    }

    def "#name has the names, types, shapes and values that its own library reads"() {
        given:
        def file = open(FOLDER.resolve(name))

        expect:
        file.names().collectEntries { [it, described(file, it)] } == EXPECTED.files[name]

        cleanup:
        file?.close()

        where:
        name << EXPECTED.files.keySet()
    }

    def "the checkpoint #name has the names, types, shapes and values that PyTorch reads, buffers too"() {
        given:
        def file = open(['model.safetensors', 'pytorch_model.bin'].collect { CHECKPOINTS.resolve(name).resolve(it) }
            .find { Files.exists(it) })

        expect:
        file.names().collectEntries { [it, described(file, it)] } == EXPECTED.checkpoints[name]

        cleanup:
        file?.close()

        where:
        name << EXPECTED.checkpoints.keySet()
    }

    def "nothing is left out of the comparison"() {
        expect:
        EXPECTED.files.size() == 15
        EXPECTED.files.values().every { it instanceof Map }
        EXPECTED.files['zip-protocol-2.bin'].size() == 25
        EXPECTED.files['zip-protocol-2.bin']*.value*.dtype.toSet() == Dtype.values()*.name().toSet()
        EXPECTED.checkpoints.keySet() == CHECKPOINTS.toFile().list() as Set
    }

    def "#name, which PyTorch reads, is refused for what it is"() {
        when:
        TorchFile.open(FOLDER.resolve(name))

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains(name)
        e.message.contains(says)

        where:
        [name, says] << EXPECTED.refused.entrySet().collect { [it.key, it.value] }
    }

    def "a tensor that repeats its storage is refused when it is read, not before"() {
        given:
        def file = TorchFile.open(FOLDER.resolve('expanded.bin'))

        expect:
        file.floats('v').toList() == [0f, 1f, 2f, 3f]

        when:
        file.floats('w')

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains('.contiguous()')

        cleanup:
        file.close()
    }

    def "the writer makes the very bytes of the reference implementation"() {
        given: 'tensors in the order of the reference'
        def reference = FOLDER.resolve('every-kind.safetensors')
        def copy = folder.resolve('copy.safetensors')

        when:
        SafetensorsFile.open(reference).withCloseable { source ->
            def names = namesInOrder(reference)
            new SafetensorsWriter(copy).withCloseable { writer ->
                source.metadata().each { writer.metadata(it.key, it.value) }
                names.each { writer.declare(it, source.tensor(it).dtype(), source.tensor(it).shape()) }
                names.each { writer.bytes(source.map(source.tensor(it), 0, source.tensor(it).bytes())) }
            }
        }
        new SafetensorsWriter(folder.resolve('none')).close()

        then:
        Files.mismatch(reference, copy) == -1
        Files.mismatch(FOLDER.resolve('empty.safetensors'), folder.resolve('none')) == -1
    }

    private static List<String> namesInOrder(Path file) {
        byte[] bytes = Files.readAllBytes(file)
        int length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() as int
        def json = new JsonSlurper().parse(Arrays.copyOfRange(bytes, 8, 8 + length), 'UTF-8') as Map
        (json.keySet() as List) - '__metadata__'
    }

    def "safetensors of more than 4 GiB are read at their end"() {
        given: 'one tensor of 5 GiB, most of it a hole in the file, and one behind it'
        long large = 5L << 30
        def path = folder.resolve('large.safetensors')
        sparse(path, [
            (0L): header([large: [dtype: 'U8', shape: [5, 1L << 30], data_offsets: [0, large]],
                          after: [dtype: 'F16', shape: [2], data_offsets: [large, large + 4]]]),
            (8 + 160L + large - 3): [7, 8, 9, 0, 0x3c, 0, 0xc0] as byte[]])

        when:
        def file = SafetensorsFile.open(path)
        def end = ByteBuffer.allocate(4)
        file.read(file.tensor('large'), large - 4, end)

        then:
        end.array() == [0, 7, 8, 9] as byte[]
        file.map(file.tensor('large'), large - 3, 3).get(2) == (byte) 9
        file.floats('after').toList() == [1f, -2f]

        when:
        file.longs('large')

        then:
        def e = thrown(ToolException)
        e.message.contains('5368709120 elements, too many to be read at once')

        cleanup:
        file?.close()
    }

    private static byte[] header(Map tensors) {
        byte[] json = groovy.json.JsonOutput.toJson(tensors).bytes
        assert json.length <= 160
        ByteBuffer.allocate(168).order(ByteOrder.LITTLE_ENDIAN).putLong(160).put(json).put(' '.multiply(160 - json.length).bytes).array()
    }

    def "a PyTorch file of more than 4 GiB is read at its end: #what"() {
        given: 'a storage of 5 GiB, most of it a hole in the file'
        long elements = 5L << 28
        def specs = [
            ['end', 'FloatStorage', '0', elements, elements - 4, [4], [1]],
            ['strided', 'FloatStorage', '0', elements, elements - 4, [2, 2], [1, 2]],
            ['far', 'FloatStorage', '0', elements, 0, [2, 2], [elements - 2, 1]]]
        def path = folder.resolve('large.bin')
        def start = what == 'zip' ? TorchBytes.sparseZip(specs, elements * 4) : TorchBytes.sparseLegacy(specs, elements)
        long from = start.size
        sparse(path, [(0L): start.bytes, (from + elements * 4 - 16): TorchBytes.floats(1, 2, 3, 4)]
            + (start.end ? [(from + elements * 4): start.end as byte[]] : [:]))

        when:
        def file = TorchFile.open(path)

        then:
        Files.size(path) > 5L << 30
        file.floats('end').toList() == [1f, 2f, 3f, 4f]
        file.floats('strided').toList() == [1f, 3f, 2f, 4f]
        file.floats('far').toList() == [0f, 0f, 3f, 4f]

        cleanup:
        file?.close()

        where:
        what << ['zip', 'legacy']
    }

    private static void sparse(Path path, Map<Long, byte[]> parts) {
        def how = [StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE] as StandardOpenOption[]
        FileChannel.open(path, how).withCloseable { channel ->
            parts.each { at, bytes -> channel.write(ByteBuffer.wrap(bytes), at) }
        }
    }

    def "what is no file is refused without waiting for it: #what"() {
        given:
        def path = folder.resolve('model')
        if (what == 'a pipe') {
            assert ['mkfifo', path.toString()].execute().waitFor() == 0
        } else if (what == 'a device') {
            Files.createSymbolicLink(path, Path.of('/dev/zero'))
        } else if (what == 'a folder') {
            Files.createDirectory(path)
        } else {
            Files.createSymbolicLink(path, folder.resolve('absent'))
        }

        when:
        reader(path)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.MISSING_INPUT
        e.message.startsWith(path.toString())

        where:
        [what, reader] << [['a pipe', 'a device', 'a folder', 'a link to nothing'], [SafetensorsFile.&open, TorchFile.&open]].combinations()
    }

    def "a file that becomes shorter while it is open gives the tool's error"() {
        given:
        def path = folder.resolve('x.safetensors')
        Files.write(path, Files.readAllBytes(FOLDER.resolve('every-kind.safetensors')))
        def file = SafetensorsFile.open(path)
        FileChannel.open(path, StandardOpenOption.WRITE).withCloseable { it.truncate(Files.size(path) - 1) }

        when:
        file.names().each { described(file, it) }

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains('cut short while in use')

        cleanup:
        file?.close()
    }
}
