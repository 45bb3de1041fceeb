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
        'leading space'    | ' {}'                                                                              | 0     | 'not a JSON object'
        'byte-order mark'  | '\uFEFF{}'                                                                         | 0     | 'not a JSON object'
        'zeros behind'     | '{}\u0000\u0000'                                                                   | 0     | 'not JSON'
        'tensor null'      | '{"a":null}'                                                                       | 0     | 'lacks dtype'
        'dtype null'       | '{"a":' + tensor('F32', '[1]', 0, 4).replace('"F32"', 'null') + '}'                 | 4     | "dtype 'none'"
        'shape null'       | '{"a":' + tensor('F32', 'null', 0, 4) + '}'                                        | 4     | 'lacks dtype, shape'
        'size null'        | '{"a":' + tensor('F32', '[null]', 0, 4) + '}'                                      | 4     | "'null' where an integer"
        'size a string'    | '{"a":' + tensor('F32', '["1"]', 0, 4) + '}'                                       | 4     | "'1' where an integer"
        'size 1e0'         | '{"a":' + tensor('F32', '[1e0]', 0, 4) + '}'                                       | 4     | "'1e0' where an integer"
        'shape nested'     | '{"a":' + tensor('F32', '[[1]]', 0, 4) + '}'                                       | 4     | "'[' where an integer"
        'offset null'      | '{"a":' + tensor('F32', '[1]', null, 4) + '}'                                      | 4     | "'null' where an integer"
        '65 dimensions'    | '{"a":' + tensor('U8', '[' + '1,' * 64 + '1]', 0, 1) + '}'                         | 1     | 'more than 64 dimensions'
        'U16'              | '{"a":' + tensor('U16', '[1]', 0, 2) + '}'                                         | 2     | "dtype 'U16'; known are [F64, F32"
        'U64'              | '{"a":' + tensor('U64', '[1]', 0, 8) + '}'                                         | 8     | "dtype 'U64'"
        'F4'               | '{"a":' + tensor('F4', '[2]', 0, 1) + '}'                                          | 1     | "dtype 'F4'"
        'metadata null'    | '{"__metadata__":null}'                                                            | 0     | '__metadata__ is not'
        'metadata number'  | '{"__metadata__":{"a":1}}'                                                         | 0     | "metadata 'a' is not a string"
        'metadata twice'   | '{"__metadata__":{},"__metadata__":{}}'                                            | 0     | 'not JSON'
        'metadata key twice' | '{"__metadata__":{"a":"b","a":"b"}}'                                             | 0     | 'not JSON'
        'a comment'        | '{/**/}'                                                                           | 0     | 'not JSON'
        'a comma too many' | '{"a":' + tensor('U8', '[1]', 0, 1) + ',}'                                         | 1     | 'not JSON'
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

    def "a header that is #what is refused, not guessed at"() {
        given:
        def file = dir.resolve('x.safetensors')
        file.toFile().bytes = ByteBuffer.allocate(8 + text.length).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).put(text).array()

        when:
        SafetensorsFile.open(file)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        where:
        what                | says        | text
        'no UTF-8'          | 'not UTF-8' | '{"\u00e9":1}'.getBytes('ISO-8859-1')
        'UTF-16'            | 'not JSON'  | '{}'.getBytes('UTF-16LE')
        'UTF-16, big first' | 'JSON'      | '{}'.getBytes('UTF-16BE')
        'UTF-32'            | 'not JSON'  | '{}'.getBytes('UTF-32LE')
    }

    def "what a header says stays short and on one line"() {
        when:
        SafetensorsFile.open(raw('{"a\\nb\\u001b[31m\\u202e' + 'x' * 10000 + '":' + tensor('F32', '[1]', 4, 8) + '}', 8))

        then:
        def e = thrown(ToolException)
        e.message.contains("tensor 'a b?[31m?xxx")
        e.message.contains('xxx…\'')
        e.message.length() < 600
        !(e.message =~ /[\p{Cc}\p{Cf}]/)
    }

    def "fields that the format may get one day are passed over, as the reference implementation does"() {
        expect:
        SafetensorsFile.open(raw('{"a":' + tensor('U8', '[1]', 0, 1).replace('{', '{"x":[{"y":[1,{}]}],') + '}', 1)).withCloseable { it.names() } ==
            ['a'] as Set
    }

    def "#name cut short anywhere is refused"() {
        given:
        def bytes = Path.of(SafetensorsFileSpec.getResource('/formats').toURI()).resolve(name).toFile().bytes
        def file = dir.resolve('cut')

        expect:
        (0..<bytes.length).findAll { int length ->
            file.toFile().bytes = Arrays.copyOf(bytes, length)
            try {
                SafetensorsFile.open(file).close()
                return true
            } catch (ToolException e) {
                return e.code() != ExitCode.BAD_DATA
            }
        } == []

        where:
        name << ['every-kind.safetensors', 'empty.safetensors']
    }

    def "integers that do not fit are named"() {
        given:
        def path = dir.resolve('i.safetensors')
        new SafetensorsWriter(path).withCloseable { it.declare('a', Dtype.I64, 2).longs(1, 1L << 31) }
        def file = SafetensorsFile.open(path)

        when:
        file.ints('a')

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains("'a' holds 2147483648 at element 1")

        cleanup:
        file.close()
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
        ({ it.doubles('a') })                        | 'floating-point numbers were expected'
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
