package unit.data

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.SafetensorsFile
import universality.data.SafetensorsWriter
import universality.data.ToolException

class SafetensorsWriterSpec extends Specification {
    @TempDir
    Path dir

    def "every dtype comes back as it was written"() {
        given:
        def file = dir.resolve('x')
        def raw = { int... bytes -> ByteBuffer.wrap(bytes as byte[]) }

        when:
        new SafetensorsWriter(file).withCloseable {
            it.metadata('names', 'α,b "quoted"')
            Dtype.values().each { dtype -> it.declare("t.$dtype", dtype, 2, 1) }
            it.doubles(Math.PI, -0.0d)
            it.floats(1.1f, Float.MIN_VALUE)
            it.bytes(raw(0, 0x3c, 1, 0x80)) // F16: 1, −2⁻²⁴
            it.bytes(raw(0x80, 0x3f, 0, 0xc0)) // BF16: 1, −2
            it.longs(Long.MIN_VALUE, Long.MAX_VALUE)
            it.ints(Integer.MIN_VALUE, 7)
            it.bytes(raw(0xfe, 0xff, 0xff, 0x7f)) // I16: −2, 32767
            it.bytes(raw(0xff, 5)) // I8: −1
            it.bytes(raw(0xff, 5)) // U8: 255
            it.bytes(raw(1, 0))
        }

        then:
        SafetensorsFile.open(file).withCloseable {
            assert it.metadata() == [names: 'α,b "quoted"']
            assert it.tensors().size() == Dtype.values().length
            assert it.tensors().values().every { t -> t.shape() == [2, 1] as long[] }
            assert it.doubles('t.F64') == [Math.PI, -0.0d] as double[]
            assert it.floats('t.F64')[0] == (float) Math.PI
            assert it.floats('t.F32') == [1.1f, Float.MIN_VALUE] as float[]
            assert it.doubles('t.F32')[0] == (double) 1.1f
            assert it.floats('t.F16') == [1f, -(float) Math.pow(2, -24)] as float[]
            assert it.floats('t.BF16') == [1f, -2f] as float[]
            assert it.longs('t.I64') == [Long.MIN_VALUE, Long.MAX_VALUE] as long[]
            assert it.ints('t.I32') == [Integer.MIN_VALUE, 7] as int[]
            assert it.longs('t.I16') == [-2, 32767] as long[]
            assert it.longs('t.I8') == [-1, 5] as long[]
            assert it.longs('t.U8') == [255, 5] as long[]
            assert it.ints('t.BOOL') == [1, 0] as int[]
            true
        }
    }

    def "data starts at a multiple of 8, and equal content gives equal bytes"() {
        given:
        def write = { String name, List keys ->
            def file = dir.resolve(name)
            new SafetensorsWriter(file).withCloseable { writer ->
                keys.each { writer.metadata(it, it) }
                writer.declare('z', Dtype.F32, 1).declare('a', Dtype.F32, 1).floats(1f, 2f)
            }
            file.toFile().bytes
        }

        expect:
        (1..9).every {
            def bytes = write("f$it", ['k' * it])
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8 == 0
        }
        write('one', ['x', 'y']) == write('two', ['y', 'x'])
    }

    def "data may come in pieces, and no tensor is a file too"() {
        given:
        def file = dir.resolve('x')
        def empty = dir.resolve('empty')

        when:
        new SafetensorsWriter(file).withCloseable { writer ->
            writer.declare('a', Dtype.F64, 3).declare('none', Dtype.F32, 0)
            (1..3).each { writer.doubles(it as double) }
        }
        new SafetensorsWriter(empty).close()

        then:
        SafetensorsFile.open(file).withCloseable { it.doubles('a') } == [1, 2, 3] as double[]
        SafetensorsFile.open(file).withCloseable { it.floats('none') }.length == 0
        SafetensorsFile.open(empty).withCloseable { it.tensors() }.isEmpty()
    }

    def "a writer that is misused says so: #what"() {
        when:
        def writer = new SafetensorsWriter(dir.resolve('x'))
        writer.declare('a', Dtype.F32, 2)
        misuse(writer)
        writer.close()

        then:
        def e = thrown(IllegalStateException)
        e.message.contains(says)

        where:
        what             | says               | misuse
        'too few bytes'  | '4 bytes written, 8 declared'  | { it.floats(1f) }
        'too many bytes' | '12 bytes written, 8 declared' | { it.floats(1f, 2f, 3f) }
        'late tensor'    | 'is written already'           | { it.floats(1f); it.declare('b', Dtype.F32, 1) }
        'late metadata'  | 'is written already'           | { it.floats(1f); it.metadata('b', 'c') }
        'twice'          | "'a' is declared twice"        | { it.declare('a', Dtype.F32, 1); it.floats(1f, 2f, 3f) }
    }

    def "a file that cannot be written is status 73"() {
        when:
        def writer = new SafetensorsWriter(dir.resolve('absent/x'))
        writer.declare('a', Dtype.F32, 1).floats(1f)

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.code() == ExitCode.CANNOT_WRITE
    }
}
