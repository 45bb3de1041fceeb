package unit.data

import groovy.json.JsonSlurper
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import spock.lang.Specification
import spock.lang.TempDir
import spock.lang.Timeout
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.SafetensorsFile
import universality.data.TensorFile
import universality.data.ToolException
import universality.data.TorchFile

class TorchFileSpec extends Specification {
    static final Path FIXTURES = Path.of(TorchFileSpec.getResource('/checkpoints').toURI())
    static final List<String> PICKLES = [
        'gpt2-zip-pickle', 'gpt2-inverse-layer-scaled', 'gpt2-legacy-pickle', 'neox-zip-pickle', 'neox-f16-zip-pickle']

    @TempDir
    Path temporary

    Path file(byte[] bytes) {
        Files.write(temporary.resolve('pytorch_model.bin'), bytes)
    }

    static byte[] fixture(String name) {
        Files.readAllBytes(FIXTURES.resolve(name).resolve('pytorch_model.bin'))
    }

    ToolException refusal(byte[] bytes) {
        try {
            def tensors = TorchFile.open(file(bytes))
            tensors.close()
            return null
        } catch (ToolException e) {
            return e
        }
    }

    /** sha256 over names (without prefix) and F32 bytes of all floating-point tensors but buffers, in order of name. */
    static String digest(TensorFile file, Closure<Boolean> isFloat) {
        def sha = MessageDigest.getInstance('SHA-256')
        def names = file.names().findAll { isFloat(it) && !it.endsWith('.attn.bias') && !it.endsWith('masked_bias') }
        names.sort(false) { it.replace('transformer.', '') }.each { name ->
            sha.update(name.replace('transformer.', '').bytes)
            float[] values = file.floats(name)
            def buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN)
            buffer.asFloatBuffer().put(values)
            sha.update(buffer.array())
        }
        sha.digest().encodeHex().toString()
    }

    def "#name holds the very weights that Python's own pickle module finds in it"() {
        given:
        def path = FIXTURES.resolve(name)
        def tensors = name == 'gpt2-safetensors'
            ? SafetensorsFile.open(path.resolve('model.safetensors'))
            : TorchFile.open(path.resolve('pytorch_model.bin'))

        expect:
        digest(tensors) { !(tensors instanceof TorchFile) || tensors.tensors()[it].dtype() in [Dtype.F32, Dtype.F16] } == expected

        cleanup:
        tensors?.close()

        where: 'digests computed by a script with numpy, separate from this code'
        name                        | expected
        'gpt2-inverse-layer-scaled' | '6a9bbcf01c44ec44976114a3bc473ca68b53b827eccf04e3e45d93c8b6126da8'
        'gpt2-legacy-pickle'        | '920062e87cf6beb9265acf366fda6ef91336098da1ac33aef43c93433b6e6165'
        'gpt2-safetensors'          | 'b9c115b0cdb93546ba3c67350be6eeaeafdfd1da4acc7f9b7e1b8366fa2b6f2e'
        'gpt2-zip-pickle'           | 'df6b55d9296a468867224ded477ca8750659214100c0fb85180eb9ca58978e2c'
        'neox-f16-zip-pickle'       | '267d90230c64269f770ae95a37a6f9de8df87835bede392f11395d987d367f4f'
        'neox-zip-pickle'           | 'a5e141453f7668e5e9ad8f8a5abb20c77fef049306c67ce36f9fd8be6889eac4'
    }

    def "#name, written by PyTorch 1.13, has the values that PyTorch read back: strided, shared, of every float type"() {
        given:
        def folder = Path.of(TorchFileSpec.getResource('/torch').toURI())
        def expected = new JsonSlurper().parse(folder.resolve('expected.json').toFile())
        def tensors = TorchFile.open(folder.resolve(name))

        expect:
        tensors.names() == expected.keySet() + ['mask', 'flags', 'numbers']
        expected.size() == 12
        expected.every { tensor, e ->
            tensors.shape(tensor).toList() == e.shape*.longValue() && tensors.floats(tensor).toList() == e.values*.floatValue()
        }

        cleanup:
        tensors?.close()

        where:
        name << ['zip-protocol-2.bin', 'zip-protocol-5.bin', 'legacy-protocol-2.bin', 'legacy-protocol-4.bin']
    }

    def "ZIP64 records, as archives of more than 4 GiB have them, are read"() {
        given:
        def specs = [['x', 'FloatStorage', '0', 3, 0, [3], [1]]]
        def tensors = TorchFile.open(file(TorchBytes.zip64(TorchBytes.zip(specs, ['0': TorchBytes.floats(1, 2, 3)]))))

        expect:
        tensors.floats('x').toList() == [1f, 2f, 3f]

        cleanup:
        tensors?.close()
    }

    def "tensors may share a storage and be transposed, sliced, empty or a single number: #format"() {
        given: 'one storage 0 … 11'
        def specs = [
            ['whole', 'FloatStorage', '0', 12, 0, [3, 4], [4, 1]],
            ['transposed', 'FloatStorage', '0', 12, 0, [4, 3], [1, 4]],
            ['slice', 'FloatStorage', '0', 12, 5, [2, 2], [4, 1]],
            ['cube', 'FloatStorage', '0', 12, 0, [2, 3, 2], [1, 4, 2]],
            ['scalar', 'FloatStorage', '0', 12, 7, [], []],
            ['empty', 'FloatStorage', '0', 12, 0, [0, 4], [4, 1]]]
        def storages = ['0': TorchBytes.floats((0..11) as double[])]
        def bytes = format == 'zip' ? TorchBytes.zip(specs, storages) : TorchBytes.legacy(specs, storages, ['0': 12L])

        when:
        def tensors = TorchFile.open(file(bytes))

        then:
        tensors.names() == ['cube', 'empty', 'scalar', 'slice', 'transposed', 'whole'] as Set
        tensors.floats('whole').toList() == (0..11).collect { it as float }
        tensors.floats('transposed').toList() == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].collect { it as float }
        tensors.floats('slice').toList() == [5, 6, 9, 10].collect { it as float }
        tensors.floats('cube').toList() == [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11].collect { it as float }
        tensors.floats('scalar').toList() == [7f]
        tensors.floats('empty').length == 0
        tensors.shape('transposed').toList() == [4L, 3L]

        cleanup:
        tensors?.close()

        where:
        format << ['zip', 'legacy']
    }

    def "element type #storage is read exactly"() {
        given:
        def buffer = TorchBytes.little(bits.size() * size)
        bits.each { size == 2 ? buffer.putShort((short) it) : buffer.putDouble(it as double) }
        def tensors = TorchFile.open(file(TorchBytes.zip([['x', storage, '0', 3, 0, [3], [1]]], ['0': buffer.array()])))

        expect:
        tensors.floats('x').toList() == values.collect { it as float }

        cleanup:
        tensors.close()

        where:
        storage           | size | bits                     | values
        'HalfStorage'     | 2    | [0x3c00, 0xc500, 0x0001] | [1, -5, 5.9604644775390625E-8]
        'BFloat16Storage' | 2    | [0x3f80, 0xc0a0, 0x3dcd] | [1, -5, 0.10009765625]
        'DoubleStorage'   | 8    | [1, -5, 0.1]             | [1, -5, 0.1]
    }

    def "parameters, attributes of the dictionary and entries that are no tensors are understood or left out"() {
        given:
        def rebuilt = TorchBytes.pickle().global('collections', 'OrderedDict').op(0x29, 0x52, 0x28)
            .text('w').global('torch._utils', '_rebuild_parameter').op(0x28)
            .global('torch._utils', '_rebuild_tensor_v2').op(0x28)
            .op(0x28).text('storage').global('torch', 'FloatStorage').text('0').text('cpu').integer(2).op(0x74, 0x51)
            .integer(0).tuple([2L]).tuple([1L]).op(0x89).global('collections', 'OrderedDict').op(0x29, 0x52, 0x74, 0x52)
            .op(0x88).global('collections', 'OrderedDict').op(0x29, 0x52, 0x74, 0x52)
            .text('step').integer(7).op(0x75)
            .op(0x7d).text('_metadata').op(0x4e, 0x73, 0x62).stop().bytes()
        def tensors = TorchFile.open(file(TorchBytes.zipOf(rebuilt, ['0': TorchBytes.floats(1.5, -2)])))

        expect:
        tensors.names() == ['w'] as Set
        tensors.floats('w').toList() == [1.5f, -2f]

        cleanup:
        tensors.close()
    }

    def "a pickle that asks for #name is refused by that name: #how"() {
        when:
        def e = refusal(bytes)

        then:
        e.code() == ExitCode.BAD_DATA
        e.message.contains("'$name'")
        !e.message.contains('\n')

        where:
        name              | how                   | bytes
        'os.system'       | 'zip'                 | TorchBytes.zipOf('cos\nsystem\n(S"true"\ntR.'.bytes, [:])
        'os.system'       | 'legacy'              | TorchBytes.legacyOf('cos\nsystem\n(S"true"\ntR.'.bytes, [:], [:])
        'os.system'       | 'class instance'      | TorchBytes.zipOf('(ios\nsystem\n.'.bytes, [:])
        'posix.system'    | 'from the stack'      | TorchBytes.zipOf(TorchBytes.pickle().text('posix').text('system').op(0x93).stop().bytes(), [:])
        'builtins.eval'   | 'inside a dictionary' | TorchBytes.zipOf(TorchBytes.pickle().op(0x7d).text('w').global('builtins', 'eval').op(0x73).stop().bytes(), [:])
        'torch._utils._rebuild_qtensor' | 'torch, unlisted' | TorchBytes.zipOf(TorchBytes.pickle().global('torch._utils', '_rebuild_qtensor').stop().bytes(), [:])
    }

    @Timeout(20)
    def "a hostile file is refused quickly: #what"() {
        when:
        def e = refusal(bytes)

        then:
        e?.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        where:
        what | says | bytes
        'a list that holds itself as a storage key' | 'storage' | TorchBytes.legacyOf(
            (TorchBytes.stateDict([['x', 'FloatStorage', '0', 1, 0, [1], [1]]], true).toList()
                + TorchBytes.pickle().op(0x5d, 0x71, 0, 0x68, 0, 0x61).stop().bytes().toList()) as byte[],
            ['0': TorchBytes.floats(1)], ['0': 1L])
        'a dictionary that is its own key' | 'key' | TorchBytes.zipOf(TorchBytes.pickle().op(0x7d, 0x71, 0, 0x68, 0, 0x4e, 0x73).stop().bytes(), [:])
        'a string of 4 GiB' | 'cut short' | TorchBytes.zipOf(TorchBytes.pickle().op(0x58).int32(-1).stop().bytes(), [:])
        'a string of 2^63 bytes' | 'cut short' | TorchBytes.zipOf(TorchBytes.pickle().op(0x8d).int32(-1).int32(-1).stop().bytes(), [:])
        'a storage of 2^62 elements' | 'more than any file' | TorchBytes.zip([['x', 'FloatStorage', '0', 1L << 62, 0, [1], [1]]], ['0': TorchBytes.floats(1)])
        'a storage larger than its entry' | 'it has 4' | TorchBytes.zip([['x', 'FloatStorage', '0', 1L << 40, 0, [1], [1]]], ['0': TorchBytes.floats(1)])
        'a shape whose size overflows' | 'outside its storage' | TorchBytes.zip([['x', 'FloatStorage', '0', 1, 0, [1L << 40, 1L << 40], [0, 0]]], ['0': TorchBytes.floats(1)])
        'a tensor that reaches behind its storage' | 'outside its storage' | TorchBytes.zip([['x', 'FloatStorage', '0', 4, 1, [2, 2], [2, 1]]], ['0': TorchBytes.floats(1, 2, 3, 4)])
        'a tensor before its storage' | 'outside its storage' | TorchBytes.zip([['x', 'FloatStorage', '0', 4, -1, [2], [1]]], ['0': TorchBytes.floats(1, 2, 3, 4)])
        'a negative size' | 'outside its storage' | TorchBytes.zip([['x', 'FloatStorage', '0', 4, 0, [-1], [1]]], ['0': TorchBytes.floats(1, 2, 3, 4)])
        'strides of another rank' | 'outside its storage' | TorchBytes.zip([['x', 'FloatStorage', '0', 4, 0, [2, 2], [1]]], ['0': TorchBytes.floats(1, 2, 3, 4)])
        'ten million operations' | 'operations' | TorchBytes.zipOf(new byte[10_000_000].tap { Arrays.fill(it, (byte) 0x4e) }, [:])
        'one list made into a dictionary again and again' | 'operations' | TorchBytes.zipOf(manyDictionaries(), [:])
        'one pair of forty thousand made into a dictionary again and again' | 'of a dictionary of 40000 values' | TorchBytes.zipOf(longPairs(), [:])
        'a tensor of a thousand dimensions' | 'dimensions' | TorchBytes.zip([['x', 'FloatStorage', '0', 4, 0, [1L] * 1000, [1L] * 1000]], ['0': TorchBytes.floats(1, 2, 3, 4)])
        'one storage described in two ways' | 'two ways' | TorchBytes.zip([['x', 'FloatStorage', '0', 1, 0, [1], [1]], ['y', 'IntStorage', '0', 1, 0, [1], [1]]], ['0': TorchBytes.floats(1)])
        'no dictionary' | 'dictionary' | TorchBytes.zipOf(TorchBytes.pickle().integer(3).stop().bytes(), [:])
        'no tensor' | 'no tensor' | TorchBytes.zipOf(TorchBytes.pickle().op(0x7d).stop().bytes(), [:])
        'a big-endian file' | 'big-endian' | TorchBytes.zipOf(TorchBytes.pickle().op(0x7d).stop().bytes(), [:], ['m/byteorder': 'big'.bytes])
        'another zip archive' | 'data.pkl' | TorchBytes.zipOf(new byte[0], [:]).with { new String(it, 'ISO-8859-1').replace('data.pkl', 'data.txt').getBytes('ISO-8859-1') }
        'text' | 'neither' | 'hello'.bytes
        'nothing' | 'neither' | new byte[0]
        'some other pickle' | 'not one of torch.save' | TorchBytes.pickle().integer(3).stop().bytes()
    }

    /** One pair as long as the rest of the file, given again and again. */
    private static byte[] longPairs() {
        def pickle = TorchBytes.pickle().op(0x5d, 0x5d, 0x71, 0, 0x28)
        20_000.times { pickle.op(0x4b, 1, 0x4e) }
        pickle.op(0x65, 0x61, 0x71, 1)
        20_000.times { pickle.global('collections', 'OrderedDict').op(0x68, 1, 0x85, 0x52, 0x30) }
        pickle.stop().bytes()
    }

    private static byte[] manyDictionaries() {
        def pickle = TorchBytes.pickle().op(0x5d, 0x71, 0, 0x28)
        2000.times { pickle.op(0x5d, 0x28).text("k$it").op(0x4e, 0x65) }
        pickle.op(0x65)
        5000.times { pickle.global('collections', 'OrderedDict').op(0x68, 0, 0x85, 0x52, 0x30) }
        pickle.stop().bytes()
    }

    def "integers are not taken for weights"() {
        given:
        def tensors = TorchFile.open(file(TorchBytes.zip([['x', 'IntStorage', '0', 1, 0, [1], [1]]], ['0': TorchBytes.floats(1)])))

        when:
        tensors.floats('x')

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains("'x' is I32")

        cleanup:
        tensors.close()
    }

    def "#name cut short anywhere is refused"() {
        given:
        def bytes = fixture(name)
        def lengths = [0, 1, 2, 4, 64] + (1..<20).collect { (bytes.length * (long) it).intdiv(20) as int } + [22, 4, 1].collect { bytes.length - it }

        expect:
        lengths.findAll { refusal(Arrays.copyOf(bytes, it))?.code() != ExitCode.BAD_DATA } == []

        where:
        name << PICKLES
    }

    def "a small file cut short at any byte is refused: #name"() {
        given:
        def bytes = Files.readAllBytes(Path.of(TorchFileSpec.getResource('/formats').toURI()).resolve(name))

        expect:
        (0..<bytes.length).findAll { refusal(Arrays.copyOf(bytes, it))?.code() != ExitCode.BAD_DATA } == []

        where:
        name << ['zip-module.bin', 'legacy-module.bin']
    }

    static final List SPEC = [['x', 'FloatStorage', '0', 2, 0, [2], [1]]]

    /** A sound archive with bytes changed: at the signature's n-th place, so many bytes on. */
    static byte[] zipWith(int signature, int nth, int on, int width, long value) {
        def bytes = ByteBuffer.wrap(TorchBytes.zip(SPEC, ['0': TorchBytes.floats(1, 2)])).order(ByteOrder.LITTLE_ENDIAN)
        def places = (0..<bytes.capacity() - 4).findAll { bytes.getInt(it) == signature }
        int at = places[nth] + on
        width == 2 ? bytes.putShort(at, (short) value) : bytes.putInt(at, (int) value)
        bytes.array()
    }

    static byte[] deflated() {
        def out = new ByteArrayOutputStream()
        new ZipOutputStream(out).withCloseable { zip ->
            zip.putNextEntry(new ZipEntry('m/data.pkl'))
            zip.write(TorchBytes.stateDict(SPEC, false))
            zip.closeEntry()
        }
        out.toByteArray()
    }

    def "a zip archive is refused that has #what"() {
        when:
        def e = refusal(bytes)

        then:
        e?.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        where: 'the central records of m/data.pkl, m/byteorder, m/data/0 and their local ones'
        what                                  | says                          | bytes
        'a deflated entry'                    | "'m/data.pkl' is deflated"    | deflated()
        'another kind of compression'         | 'is compressed'               | zipWith(0x02014b50, 2, 10, 2, 99)
        'an encrypted entry'                  | 'is encrypted'                | zipWith(0x02014b50, 2, 8, 2, 1)
        'a local header that says deflated'   | "'m/data/0' is deflated"      | zipWith(0x04034b50, 2, 8, 2, 8)
        'two sizes of one entry'              | 'is stored in 9 bytes, but has 8' | zipWith(0x02014b50, 2, 20, 4, 9)
        'another size in the local header'    | 'but 9 in its own header'     | zipWith(0x04034b50, 2, 22, 4, 9)
        'an entry behind the end'             | 'is not inside the file'      | zipWith(0x02014b50, 2, 42, 4, 0x7fffffff)
        'an entry where none is'              | 'has no header at byte'       | zipWith(0x02014b50, 2, 42, 4, 3)
        'an entry in place of another'        | 'has another name in its own header' | zipWith(0x02014b50, 2, 42, 4, 0)
        'a name twice'                        | "names 'm/data/0' twice"      | twice()
        'more entries than it tells'          | 'more entries than the 2'     | zipWith(0x06054b50, 0, 10, 2, 2)
        'fewer entries than it tells'         | 'zip directory ends early'    | zipWith(0x06054b50, 0, 10, 2, 4)
        'a directory outside'                 | 'is not inside the file'      | zipWith(0x06054b50, 0, 16, 4, 0x7fffffff)
        'ZIP64 sizes without their record'    | 'short ZIP64 field'           | zip64Without()
        'a ZIP64 directory that is not there' | 'ZIP64 locator is missing'    | zipWith(0x06054b50, 0, 16, 4, -1)
        'two descriptions'                    | '2 NAME/data.pkl'             | TorchBytes.zipOf(TorchBytes.stateDict(SPEC, false), ['0': TorchBytes.floats(1, 2)], ['n/data.pkl': new byte[1]])
        'a byte order of its own'             | "byte order is 'middle'"      | TorchBytes.zipOf(TorchBytes.stateDict(SPEC, false), ['0': TorchBytes.floats(1, 2)], ['m/byteorder': 'middle'.bytes])
    }

    /** The name of the second storage changed to that of the first, everywhere. */
    private static byte[] twice() {
        def specs = SPEC + [['y', 'FloatStorage', '1', 2, 0, [2], [1]]]
        def bytes = TorchBytes.zip(specs, ['0': TorchBytes.floats(1, 2), '1': TorchBytes.floats(1, 2)])
        new String(bytes, 'ISO-8859-1').replace('m/data/1', 'm/data/0').getBytes('ISO-8859-1')
    }

    private static byte[] zip64Without() {
        def zip = ByteBuffer.wrap(TorchBytes.zip64(TorchBytes.zip(SPEC, ['0': TorchBytes.floats(1, 2)]))).order(ByteOrder.LITTLE_ENDIAN)
        int central = (0..<zip.capacity() - 4).find { zip.getInt(it) == 0x02014b50 }
        zip.putShort(central + 46 + 'm/data.pkl'.length() + 2, (short) 8)
        zip.array()
    }

    def "an archive whose folder has any name is read, with a comment behind it"() {
        given:
        def zip = new String(TorchBytes.zip(SPEC, ['0': TorchBytes.floats(1, 2)]), 'ISO-8859-1').replace('m/', 'Q/').getBytes('ISO-8859-1')
        def commented = Arrays.copyOf(zip, zip.length + 3)
        commented[zip.length - 2] = (byte) 3

        expect:
        TorchFile.open(file(commented)).withCloseable { it.floats('x') } == [1f, 2f] as float[]
    }

    def "an older file is refused that #what"() {
        when:
        def e = refusal(bytes)

        then:
        e?.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        where:
        what                          | says                    | bytes
        'has another magic number'    | 'not one of torch.save' | LEGACY.clone().tap { it[5] = 0 }
        'is of another version'       | 'another format version' | replacedIn(LEGACY, TorchBytes.pickle().integer(1001).bytes(), TorchBytes.pickle().integer(1002).bytes())
        'is of another machine'       | 'big-endian'            | replacedIn(LEGACY, [0x88, 0x73] as byte[], [0x89, 0x73] as byte[])
        'does not say of what machine' | 'on what machine'      | replacedIn(LEGACY, TorchBytes.pickle().op(0x7d).text('little_endian').op(0x88, 0x73).bytes(), TorchBytes.pickle().op(0x4e).bytes())
        'has more behind'             | 'its storages end at'   | Arrays.copyOf(LEGACY, LEGACY.length + 1)
        'has another number of elements' | 'but its tensor says 2' | LEGACY.clone().tap { it[it.length - 16] = 3 }
        'lists a storage twice'       | "storage '0' twice"     | TorchBytes.legacyOf(
            (TorchBytes.stateDict(SPEC, true).toList() + TorchBytes.pickle().op(0x5d, 0x28).text('0').text('0').op(0x65).stop().bytes().toList()
                + [2, 0, 0, 0, 0, 0, 0, 0] * 2 + [2, 0, 0, 0, 0, 0, 0, 0] * 2) as byte[], [:], [:])
    }

    static final byte[] LEGACY = TorchBytes.legacy([['x', 'FloatStorage', '0', 2, 0, [2], [1]]], ['0': TorchBytes.floats(1, 2)], ['0': 2L])

    private static byte[] replacedIn(byte[] bytes, byte[] old, byte[] by) {
        def text = new String(bytes, 'ISO-8859-1')
        def oldText = new String(old, 'ISO-8859-1')
        assert text.contains(oldText)
        text.replaceFirst(java.util.regex.Pattern.quote(oldText), java.util.regex.Matcher.quoteReplacement(new String(by, 'ISO-8859-1'))).getBytes('ISO-8859-1')
    }

    def "arguments of a tensor are what they should be: #what"() {
        when: 'one that is right but for the changed part'
        def e = refusal(TorchBytes.zipOf(replacedIn(TorchBytes.stateDict(SPEC, false), old as byte[], by as byte[]), ['0': TorchBytes.floats(1, 2)]))

        then:
        e?.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        where: 'it ends with: (2) (1) False OrderedDict() t R'
        what                       | says                            | old                                        | by
        'one too few'              | 'a tensor of 5 values'          | [0x89, 0x63]                               | [0x63]
        'three too many'           | 'a tensor of 9 values'          | [0x89, 0x63]                               | [0x89, 0x89, 0x89, 0x89, 0x63]
        'no truth value'           | 'a boolean was expected'        | [0x89, 0x63]                               | [0x4e, 0x63]
        'hooks that are none'      | 'a map was expected'            | [0x29, 0x52, 0x74, 0x52]                   | [0x29, 0x52, 0x30, 0x4e, 0x74, 0x52]
        'a metadata dictionary'    | 'negated or conjugated'         | [0x29, 0x52, 0x74, 0x52]                   | [0x29, 0x52, 0x7d, 0x4b, 0, 0x4e, 0x73, 0x74, 0x52]
        'a list for a storage'     | 'a storage was expected'        | [0x74, 0x51]                               | [0x74, 0x30, 0x5d]
        'a size that is a text'    | "'' where a long was expected"  | [0x28, 0x4a, 2, 0, 0, 0, 0x74, 0x28]       | [0x28, 0x58, 0, 0, 0, 0, 0x74, 0x28]
        'a size beyond 64 bits'    | 'a BigInteger where a long'     | [0x28, 0x4a, 2, 0, 0, 0, 0x74, 0x28]       | [0x28, 0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x74, 0x28]
        'a negative stride'        | 'outside its storage'           | [0x28, 0x4a, 1, 0, 0, 0, 0x74, 0x89]       | [0x28, 0x4a, 0xff, 0xff, 0xff, 0xff, 0x74, 0x89]
        'something called'         | 'a callable was expected'       | [0x29, 0x52, 0x74, 0x52]                   | [0x29, 0x52, 0x74, 0x52, 0x29, 0x52]
    }
}
