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

class SafetensorsFileSpec extends Specification {
    @TempDir
    Path dir

    /** Header length, header, data. */
    Path raw(String header, int dataBytes) {
        raw(header.getBytes('UTF-8').length, header, dataBytes)
    }

    Path raw(long length, String header, int dataBytes) {
        byte[] text = header.getBytes('UTF-8')
        def buffer = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN)
        buffer.putLong(length).put(text)
        def file = dir.resolve('x.safetensors')
        file.toFile().bytes = buffer.array()
        file
    }

    static String tensor(String dtype, String shape, Object from, Object to) {
        "{\"dtype\":\"$dtype\",\"shape\":$shape,\"data_offsets\":[$from,$to]}"
    }

    def "a sound file opens: #what"() {
        when:
        def file = SafetensorsFile.open(raw(header, bytes))

        then:
        file.tensors().keySet() == names as Set
        file.close()

        where:
        what             | header                                                                         | bytes | names
        'no tensor'      | '{}'                                                                           | 0     | []
        'padding'        | '{"a":' + tensor('F32', '[2]', 0, 8) + '}   '                                  | 8     | ['a']
        'a scalar'       | '{"a":' + tensor('F64', '[]', 0, 8) + '}'                                      | 8     | ['a']
        'an empty one'   | '{"b":' + tensor('F32', '[0,3]', 8, 8) + ',"a":' + tensor('I64', '[1]', 0, 8) + '}' | 8 | ['a', 'b']
        'only metadata'  | '{"__metadata__":{"k":"v"}}'                                                   | 0     | []
    }

    def "a malformed file is refused: #what"() {
        when:
        SafetensorsFile.open(raw(header, bytes))

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains('x.safetensors is not a sound safetensors file')
        e.message.contains(says)

        where:
        what               | header                                                                             | bytes | says
        'overlap'          | '{"a":' + tensor('F32', '[2]', 0, 8) + ',"b":' + tensor('F32', '[2]', 4, 12) + '}'  | 12    | 'overlap or leave a hole'
        'hole'             | '{"a":' + tensor('F32', '[1]', 0, 4) + ',"b":' + tensor('F32', '[1]', 8, 12) + '}'  | 12    | 'overlap or leave a hole'
        'hole at start'    | '{"a":' + tensor('F32', '[1]', 4, 8) + '}'                                         | 8     | 'overlap or leave a hole'
        'the same twice'   | '{"a":' + tensor('F32', '[1]', 0, 4) + ',"b":' + tensor('F32', '[1]', 0, 4) + '}'   | 4     | 'overlap or leave a hole'
        'rubbish behind'   | '{"a":' + tensor('F32', '[1]', 0, 4) + '}'                                         | 9     | 'rubbish behind'
        'cut data'         | '{"a":' + tensor('F32', '[4]', 0, 16) + '}'                                        | 15    | 'it is cut short'
        'unknown dtype'    | '{"a":' + tensor('F8_E4M3', '[4]', 0, 4) + '}'                                     | 4     | "dtype 'F8_E4M3'"
        'lower-case dtype' | '{"a":' + tensor('f32', '[1]', 0, 4) + '}'                                         | 4     | "dtype 'f32'"
        'dtype a number'   | '{"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}}'                               | 4     | "dtype '4'"
        'size mismatch'    | '{"a":' + tensor('F32', '[3]', 0, 8) + '}'                                         | 8     | 'needs 12 bytes'
        'negative size'    | '{"a":' + tensor('F32', '[-2]', 0, 8) + '}'                                        | 8     | "'-2' where an integer from 0"
        'two negatives'    | '{"a":' + tensor('F32', '[-1,-2]', 0, 8) + '}'                                     | 8     | "'-1' where"
        'negative offset'  | '{"a":' + tensor('F32', '[1]', -4, 0) + '}'                                        | 4     | "'-4' where"
        'end before start' | '{"a":' + tensor('F32', '[1]', 8, 4) + '}'                                         | 8     | 'its offsets are 8 to 4'
        'shape overflow'   | '{"a":' + tensor('F32', '[4294967296,4294967296]', 0, 0) + '}'                     | 0     | 'overflows'
        'byte overflow'    | '{"a":' + tensor('F64', '[2305843009213693952]', 0, 0) + '}'                       | 0     | 'overflows'
        'offset overflow'  | '{"a":' + tensor('U8', '[1]', Long.MAX_VALUE - 1, Long.MAX_VALUE) + '}'            | 1     | 'behind the end of any file'
        'beyond 64 bits'   | '{"a":' + tensor('U8', '[1]', 0, '18446744073709551617') + '}'                     | 1     | 'where an integer'
        'a fraction'       | '{"a":' + tensor('U8', '[1.0]', 0, 1) + '}'                                        | 1     | 'where an integer'
        'duplicate tensor' | '{"a":' + tensor('U8', '[1]', 0, 1) + ',"a":' + tensor('U8', '[1]', 0, 1) + '}'    | 1     | 'not JSON'
        'duplicate field'  | '{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}'               | 1     | 'not JSON'
        'three offsets'    | '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}'                          | 1     | 'lacks dtype, shape or data_offsets'
        'no shape'         | '{"a":{"dtype":"U8","data_offsets":[0,1]}}'                                        | 1     | 'lacks dtype, shape or data_offsets'
        'tensor a list'    | '{"a":[]}'                                                                         | 0     | 'lacks dtype'
        'metadata a list'  | '{"__metadata__":[]}'                                                              | 0     | '__metadata__ is not'
        'metadata nested'  | '{"__metadata__":{"a":{}}}'                                                        | 0     | "metadata 'a' is not a string"
        'not JSON'         | '{"a":'                                                                            | 0     | 'not JSON'
        'two documents'    | '{}{}'                                                                             | 0     | 'not JSON'
        'a list'           | '[1]'                                                                              | 0     | 'not a JSON object'
        'blank'            | '        '                                                                         | 0     | 'not a JSON object'
        'null'             | 'null'                                                                             | 0     | 'not a JSON object'
        'deep nesting'     | '{"a":{"x":' + '[' * 5000 + ']' * 5000 + '}}'                                      | 0     | 'not JSON'
    }

    def "a header said to be #length bytes long is refused"() {
        when:
        SafetensorsFile.open(raw(length, '{}', 4))

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains("$length bytes long")

        where:
        length << [7L, 100L, 0L, 1L, -1L, Long.MAX_VALUE, Long.MIN_VALUE, 100_000_001L]
    }

    def "a file of #bytes bytes is refused, an absent one is missing, a folder is no file"() {
        given:
        def file = dir.resolve('short')
        file.toFile().bytes = new byte[bytes]

        when:
        SafetensorsFile.open(file)

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.code() == ExitCode.BAD_DATA

        when:
        SafetensorsFile.open(dir.resolve('absent'))

        then:
        def secondFailure = thrown(ToolException)
        secondFailure.code() == ExitCode.MISSING_INPUT

        when:
        SafetensorsFile.open(dir)

        then:
        thrown(ToolException)

        where:
        bytes << [0, 1, 7]
    }

    def "#mutants mutants of a sound file give a tool's error or success, never another failure"() {
        given:
        def sound = dir.resolve('sound.safetensors')
        new SafetensorsWriter(sound).withCloseable {
            it.metadata('names', 'a,b')
            it.declare('weights', Dtype.F32, 3, 5).declare('half', Dtype.F16, 4).declare('ids', Dtype.I64, 2, 1)
            it.floats((1..15).collect { i -> i / 3f } as float[])
            it.bytes(ByteBuffer.wrap([0, 60, 0, 124, 1, 0, 0, 128] as byte[]))
            it.longs(7L, -9L)
        }
        byte[] original = sound.toFile().bytes
        def random = new Random(11)
        int refused = 0

        when:
        mutants.times {
            def file = dir.resolve('mutant')
            file.toFile().bytes = mutate(original, random)
            try {
                SafetensorsFile.open(file).withCloseable { readAll(it) }
            } catch (ToolException e) {
                assert e.code() == ExitCode.BAD_DATA
                assert e.message.startsWith(file.toString())
                refused++
            }
        }

        then: 'most are refused; flipped data bytes are not for a header to notice'
        refused > mutants / 3
        refused < mutants

        where:
        mutants = 4000
    }

    private static void readAll(SafetensorsFile file) {
        file.tensors().each { name, tensor ->
            assert tensor.elements() * tensor.dtype().bytes() == tensor.bytes()
            boolean real = tensor.dtype() in [Dtype.F64, Dtype.F32, Dtype.F16, Dtype.BF16]
            assert (real ? file.doubles(name) : file.longs(name)).length == tensor.elements()
        }
    }

    private static byte[] mutate(byte[] original, Random random) {
        byte[] bytes = original.clone()
        int header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() as int
        switch (random.nextInt(6)) {
            case 0:
                return Arrays.copyOf(bytes, random.nextInt(bytes.length))
            case 1:
                return Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(20))
            case 2: // any bytes
                (1 + random.nextInt(4)).times { bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256) }
                return bytes
            case 3: // the length
                bytes[random.nextInt(8)] ^= (byte) (1 << random.nextInt(8))
                return bytes
            case 4: // digits and punctuation of the header, which stays JSON more often
                def pool = '0123456789,:[]{}"-.eE '.bytes
                (1 + random.nextInt(3)).times { bytes[8 + random.nextInt(header)] = pool[random.nextInt(pool.length)] }
                return bytes
            default: // a digit for a digit
                def digits = (8..<8 + header).findAll { Character.isDigit((char) original[it]) }
                (1 + random.nextInt(2)).times {
                    bytes[digits[random.nextInt(digits.size())]] = (byte) (48 + random.nextInt(10))
                }
                return bytes
        }
    }

    def "a tensor of another name, kind or shape is refused by name"() {
        given:
        def file = SafetensorsFile.open(raw('{"a":' + tensor('I32', '[2,3]', 0, 24) + '}', 24))

        when:
        ask(file)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        cleanup:
        file.close()

        where:
        ask                                          | says
        ({ it.tensor('b') })                         | "has no tensor 'b'"
        ({ it.tensor('a', Dtype.F32, 2, 3) })        | "'a' is I32 [2, 3], but F32 [2, 3] was expected"
        ({ it.tensor('a', Dtype.I32, 3, 2) })        | "'a' is I32 [2, 3], but I32 [3, 2] was expected"
        ({ it.tensor('a', Dtype.I32, 6) })           | 'but I32 [6] was expected'
        ({ it.floats('a') })                         | 'floating-point numbers were expected'
    }

    def "any size is written -1, and parts are mapped without the rest"() {
        given:
        def path = dir.resolve('m.safetensors')
        new SafetensorsWriter(path).withCloseable { it.declare('a', Dtype.I32, 2, 3).ints(1, 2, 3, 4, 5, 6) }

        expect:
        SafetensorsFile.open(path).withCloseable {
            def tensor = it.tensor('a', Dtype.I32, -1, 3)
            def part = it.map(tensor, 8, 8)
            assert part.isReadOnly() && part.remaining() == 8
            assert part.getInt(0) == 3 && part.getInt(4) == 4
            assert it.map(tensor, 24, 0).remaining() == 0
            true
        }

        when:
        SafetensorsFile.open(path).withCloseable { it.map(it.tensor('a'), 20, 8) }

        then:
        thrown(IllegalArgumentException)
    }
}
