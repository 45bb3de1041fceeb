package unit.data

import groovy.json.JsonSlurper
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
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
        def lengths = (0..64) + (1..60).collect { (bytes.length * (long) it).intdiv(60) as int } - bytes.length +
            (1..40).collect { bytes.length - it }

        expect:
        lengths.findAll { refusal(Arrays.copyOf(bytes, it))?.code() != ExitCode.BAD_DATA } == []

        where:
        name << PICKLES
    }

    @Timeout(120)
    def "#name with bytes changed gives tensors or one kind of refusal, never another failure"() {
        given:
        def original = fixture(name)
        def random = new Random(20240117)
        def outcomes = [read: 0, refused: 0]

        when:
        300.times {
            byte[] bytes = original.clone()
            (1 + random.nextInt(4)).times {
                // half of the changes hit the description, whose place differs by format
                int at = random.nextBoolean()
                    ? random.nextInt(6000)
                    : random.nextBoolean() ? bytes.length - 1 - random.nextInt(5000) : random.nextInt(bytes.length)
                bytes[at] = (byte) [random.nextInt(256), 0xff, 0, bytes[at] ^ (1 << random.nextInt(8))][random.nextInt(4)]
            }
            try {
                TorchFile.open(file(bytes)).withCloseable { tensors ->
                    tensors.tensors().values().findAll { it.dtype() in [Dtype.F32, Dtype.F16] }.each { tensors.floats(it.name()) }
                }
                outcomes.read++
            } catch (ToolException e) {
                assert e.code() == ExitCode.BAD_DATA
                assert !e.message.contains('\n')
                outcomes.refused++
            }
        }

        then:
        outcomes.read + outcomes.refused == 300
        outcomes.refused > 30

        where:
        name << PICKLES
    }
}
