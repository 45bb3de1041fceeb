package unit.model

import groovy.json.JsonOutput
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import spock.lang.Specification
import spock.lang.TempDir
import unit.data.TorchBytes
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.SafetensorsFile
import universality.data.SafetensorsWriter
import universality.data.ToolException
import universality.model.CheckpointWeights

class CheckpointWeightsSpec extends Specification {
    static final Path FIXTURES = Path.of(CheckpointWeightsSpec.getResource('/checkpoints').toURI())

    @TempDir
    Path temporary

    /** A copy of the safetensors fixture with tensors changed: name → [dtype, shape, values], or null to leave one out. */
    Path changed(Map<String, List> changes, String file = 'model.safetensors', Closure<Boolean> only = { true }) {
        def folder = FIXTURES.resolve('gpt2-safetensors')
        Files.copy(folder.resolve('config.json'), temporary.resolve('config.json'), StandardCopyOption.REPLACE_EXISTING)
        def tensors = [:]
        SafetensorsFile.open(folder.resolve('model.safetensors')).withCloseable { source ->
            source.tensors().each { name, tensor ->
                tensors[name] = [Dtype.F32, tensor.shape() as List, source.floats(name)]
            }
        }
        changes.each { name, value -> value == null ? tensors.remove(name) : tensors.put(name, value) }
        write(temporary.resolve(file), tensors.findAll { only(it.key) })
        temporary
    }

    static void write(Path path, Map<String, List> tensors) {
        new SafetensorsWriter(path).withCloseable { writer ->
            tensors.each { name, t -> writer.declare(name, t[0] as Dtype, t[1] as long[]) }
            tensors.each { name, t -> writer.floats(t[2] as float[]) }
        }
    }

    /** Some weights of the pickled fixture as a pickle. */
    void pickled(String file, Closure<Boolean> only) {
        def specs = []
        def storages = [:]
        CheckpointWeights.open(FIXTURES.resolve('gpt2-zip-pickle')).withCloseable { whole ->
            whole.config().weights().findAll { only(it.key) }.each { name, shape ->
                float[] values = whole.read(name, shape)
                def strides = shape.length == 1 ? [1] : [shape[1], 1]
                specs << ['transformer.' + name, 'FloatStorage', specs.size().toString(), values.length, 0, shape as List, strides]
                storages[specs.last()[2]] = TorchBytes.floats(values as double[])
            }
        }
        Files.write(temporary.resolve(file), TorchBytes.zip(specs, storages))
    }

    static float[] original(String name) {
        SafetensorsFile.open(FIXTURES.resolve('gpt2-safetensors/model.safetensors')).withCloseable { it.floats(name) }
    }

    static ToolException failure(Path folder, Closure use = { it.checkShapes() }) {
        try {
            CheckpointWeights.open(folder).withCloseable { use(it) }
            return null
        } catch (ToolException e) {
            return e
        }
    }

    def "every weight of #fixture is read with the shape of its config"() {
        given:
        def weights = CheckpointWeights.open(FIXTURES.resolve(fixture))

        when:
        weights.checkShapes()
        def sizes = weights.config().weights().collect { name, shape ->
            weights.read(name, shape).length == shape.inject(1L) { a, b -> a * b }
        }

        then: 'the values themselves are compared in TorchFileSpec'
        sizes.size() == others + 12 * layers + 2
        sizes.every()
        weights.unexpected() == []
        !weights.has('h.9.ln_1.weight')

        cleanup:
        weights?.close()

        where:
        fixture                     | layers | others
        'gpt2-safetensors'          | 2      | 2
        'gpt2-zip-pickle'           | 2      | 2
        'gpt2-legacy-pickle'        | 3      | 2
        'gpt2-inverse-layer-scaled' | 3      | 2
        'neox-zip-pickle'           | 2      | 2
        'neox-f16-zip-pickle'       | 3      | 2
    }

    def "shards of #format are put together by their index"() {
        given:
        if (format == 'safetensors') {
            changed([:], 'model-00001-of-00002.safetensors') { it.startsWith('h.0.') }
            changed([:], 'model-00002-of-00002.safetensors') { !it.startsWith('h.0.') }
        } else {
            Files.copy(FIXTURES.resolve('gpt2-zip-pickle/config.json'), temporary.resolve('config.json'))
            pickled('pytorch_model-00001-of-00002.bin') { it.startsWith('h.0.') }
            pickled('pytorch_model-00002-of-00002.bin') { !it.startsWith('h.0.') }
        }
        def index = [weight_map: CheckpointWeights.open(FIXTURES.resolve(fixture)).withCloseable { whole ->
            whole.config().weights().keySet().collectEntries { name ->
                [prefix + name, "$stem-0000${name.startsWith('h.0.') ? 1 : 2}-of-00002.$extension".toString()]
            }
        }]
        Files.writeString(temporary.resolve("${stem}.${extension}.index.json"), JsonOutput.toJson(index))

        when:
        def equal = CheckpointWeights.open(FIXTURES.resolve(fixture)).withCloseable { whole ->
            CheckpointWeights.open(temporary).withCloseable { sharded ->
                assert sharded.files().toSorted() == [
                    "$stem-00001-of-00002.$extension", "$stem-00002-of-00002.$extension",
                    "$stem.${extension}.index.json"]*.toString().toSorted()
                whole.config().weights().collect { name, shape ->
                    Arrays.equals(whole.read(name, shape), sharded.read(name, shape))
                }
            }
        }

        then:
        equal.size() == 28
        equal.every()

        where:
        format        | fixture            | prefix         | stem            | extension
        'safetensors' | 'gpt2-safetensors' | ''             | 'model'         | 'safetensors'
        'PyTorch'     | 'gpt2-zip-pickle'  | 'transformer.' | 'pytorch_model' | 'bin'
    }

    def "an index that says #what is refused"() {
        given:
        changed([:], 'model-1.safetensors')
        Files.writeString(temporary.resolve('model.safetensors.index.json'), index)

        when:
        def e = failure(temporary)

        then:
        e.code() == code
        e.message.contains(says)

        where:
        what                      | index                                                     | code                   | says
        'nothing'                 | '{}'                                                      | ExitCode.BAD_DATA      | 'weight_map'
        'a list'                  | '{"weight_map": ["wte.weight"]}'                          | ExitCode.BAD_DATA      | 'weight_map'
        'a file outside'          | '{"weight_map": {"wte.weight": "../x.safetensors"}}'      | ExitCode.BAD_DATA      | '../x.safetensors'
        'a file elsewhere'        | '{"weight_map": {"wte.weight": "/etc/x.safetensors"}}'    | ExitCode.BAD_DATA      | '/etc/x.safetensors'
        'a file in a folder'      | '{"weight_map": {"wte.weight": "a/x.safetensors"}}'       | ExitCode.BAD_DATA      | 'a/x.safetensors'
        'a backslash'             | '{"weight_map": {"wte.weight": "..\\\\x.safetensors"}}'   | ExitCode.BAD_DATA      | '..\\x.safetensors'
        'a line break'            | '{"weight_map": {"wte.weight": "a\\nx.safetensors"}}'     | ExitCode.BAD_DATA      | 'a x.safetensors'
        'a hidden file'           | '{"weight_map": {"wte.weight": ".x.safetensors"}}'        | ExitCode.BAD_DATA      | "'.x.safetensors'"
        'a file of another kind'  | '{"weight_map": {"wte.weight": "config.json"}}'           | ExitCode.BAD_DATA      | "'config.json'"
        'a number'                | '{"weight_map": {"wte.weight": 1}}'                       | ExitCode.BAD_DATA      | "'1'"
        'a tensor where none is'  | full(x: 'model-1.safetensors')                            | ExitCode.BAD_DATA      | "'x'"
        'a file that is missing'  | full(x: 'model-2.safetensors')                            | ExitCode.MISSING_INPUT | 'model-2.safetensors'
        'too few tensors'         | '{"weight_map": {"wte.weight": "model-1.safetensors"}}'   | ExitCode.BAD_DATA      | 'does not list it'
        'a tensor twice'          | '{"weight_map": {"a": "b.bin", "a": "b.bin"}}'            | ExitCode.BAD_DATA      | 'index.json'
        'no JSON'                 | 'hello'                                                   | ExitCode.BAD_DATA      | 'index.json'
    }

    /** An index that is right but for {@code more}. */
    static String full(Map<String, String> more) {
        def names = SafetensorsFile.open(FIXTURES.resolve('gpt2-safetensors/model.safetensors')).withCloseable { it.names() as List }
        JsonOutput.toJson([weight_map: names.collectEntries { [it, 'model-1.safetensors'] } + more])
    }

    def "a tensor that two shards have is refused, though the index decides for one"() {
        given:
        changed([:], 'model-1.safetensors')
        changed([:], 'model-2.safetensors') { it == 'ln_f.bias' || it == 'wte.weight' }
        Files.writeString(temporary.resolve('model.safetensors.index.json'), full('wte.weight': 'model-2.safetensors'))

        when:
        def e = failure(temporary)

        then:
        e.code() == ExitCode.BAD_DATA
        e.message.contains("tensor 'wte.weight' is in $temporary/model-1.safetensors, but model.safetensors.index.json says")
    }

    def "a snapshot of a Hugging Face cache, whose files are links to blobs elsewhere, is read"() {
        given:
        def source = FIXTURES.resolve('gpt2-safetensors')
        def snapshot = Files.createDirectories(temporary.resolve('models--a--b/snapshots/0123'))
        def blobs = Files.createDirectories(temporary.resolve('models--a--b/blobs'))
        ['config.json', 'model.safetensors'].each {
            Files.copy(source.resolve(it), blobs.resolve("blob-of-$it"))
            def name = it == 'config.json' || whole ? it : 'model-00001-of-00001.safetensors'
            Files.createSymbolicLink(snapshot.resolve(name), Path.of('../../blobs', "blob-of-$it"))
        }
        if (!whole) {
            Files.writeString(
                snapshot.resolve('model.safetensors.index.json'),
                full([:]).replace('model-1.safetensors', 'model-00001-of-00001.safetensors'))
        }

        expect:
        CheckpointWeights.open(snapshot).withCloseable { it.read('ln_f.bias', 32) } == original('ln_f.bias')

        where:
        whole << [true, false]
    }

    def "#value in a weight is exit 65 and names the tensor and the place"() {
        given:
        def values = original('h.1.mlp.c_fc.bias')
        values[5] = value
        changed('h.1.mlp.c_fc.bias': [Dtype.F32, [128], values])

        when:
        def e = failure(temporary) { it.read('h.1.mlp.c_fc.bias', 128) }

        then:
        e.code() == ExitCode.BAD_DATA
        e.message.contains("'h.1.mlp.c_fc.bias' holds $value at element 5")

        where:
        value << [Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY]
    }

    def "a tensor that is absent or of another shape is named with both shapes"() {
        expect:
        def e = failure(changed(changes))
        e.code() == ExitCode.BAD_DATA
        says.every { e.message.contains(it) }

        where:
        changes                                                       | says
        ['h.1.mlp.c_proj.weight': null]                               | ["no tensor 'h.1.mlp.c_proj.weight'", '[128, 32]']
        ['ln_f.bias': [Dtype.F32, [31], new float[31]]]               | ["'ln_f.bias'", '[31]', '[32]']
        ['h.0.mlp.c_fc.weight': [Dtype.F32, [128, 32], new float[4096]]] | ["'h.0.mlp.c_fc.weight'", '[128, 32]', '[32, 128]']
    }

    def "buffers of old checkpoints are no weights, anything else unknown is reported"() {
        given:
        changed(
            'h.0.attn.bias': [Dtype.F32, [1, 1, 2, 2], new float[4]],
            'transformer.h.1.attn.masked_bias': [Dtype.F32, [], new float[1]],
            'lm_head.weight': [Dtype.F32, [101, 32], new float[3232]],
            'h.0.adapter.weight': [Dtype.F32, [1], new float[1]])

        expect:
        CheckpointWeights.open(temporary).withCloseable { it.unexpected() } == ['h.0.adapter.weight']
    }

    def "#what in a block or in the head is refused, since the model would compute with it"() {
        expect:
        def e = failure(changed((tensor): [Dtype.F32, [1], new float[1]]))
        e.code() == ExitCode.BAD_DATA
        e.message.contains("'$tensor'")
        e.message.contains(says)

        where:
        what               | tensor                                   | says
        'a layer too many' | 'h.2.ln_1.weight'                        | 'of layer 2, but config.json has 2 layers'
        'an adapter'       | 'transformer.h.1.attn.c_attn.lora_A.weight' | 'adapters'
        'cross-attention'  | 'h.0.crossattention.q_attn.weight'       | 'cross-attention'
        'a scale'          | 'h.0.mlp.c_fc.SCB'                       | 'quantized'
        "the head's bias"  | 'lm_head.bias'                           | 'plain gpt2'
    }

    /** A small GPT-NeoX, tensors changed as in {@link #changed}. */
    private Path neox(Map<String, List> changes, String prefix = 'gpt_neox.', Map settings = [:]) {
        def model = new ReferenceModel([family: 'gpt_neox', activation: 'gelu', width: 16] + settings, new Random(2))
        def tensors = model.shapes().collectEntries { name, shape -> [name == 'embed_out.weight' ? name : prefix + name, [Dtype.F32, shape, model.weights[name]]] }
        changes.each { name, value -> value == null ? tensors.remove(name) : tensors.put(name, value) }
        Files.writeString(temporary.resolve('config.json'), JsonOutput.toJson(model.config()))
        write(temporary.resolve('model.safetensors'), tensors)
        temporary
    }

    def "a GPT-NeoX is read with and without its prefix, its buffers skipped"() {
        given:
        def buffers = ['attention.bias': [1, 1, 2, 2], 'attention.masked_bias': [], 'attention.rotary_emb.inv_freq': [2]]
                .collectEntries { name, shape -> ["${prefix}layers.1.$name".toString(), [Dtype.F32, shape, new float[shape.inject(1) { a, b -> a * b }]]] }
        def reference = new ReferenceModel([family: 'gpt_neox', activation: 'gelu', width: 16], new Random(2))

        when:
        def weights = CheckpointWeights.open(neox(buffers, prefix))
        weights.checkShapes()

        then:
        weights.unexpected() == []
        weights.config().weights().every { name, shape -> weights.read(name, shape) == reference.weights[name] as float[] }

        cleanup:
        weights?.close()

        where:
        prefix << ['gpt_neox.', '']
    }

    def "neurons read and write the same way in every family"() {
        given:
        def reference = new ReferenceModel([family: 'gpt_neox', activation: 'gelu', width: 16], new Random(2))
        def weights = CheckpointWeights.open(neox([:]))
        double[] into = reference.weights['layers.1.mlp.dense_h_to_4h.weight']
        double[] out = reference.weights['layers.1.mlp.dense_4h_to_h.weight']

        expect: 'stored [d_mlp, d_model] and [d_model, d_mlp], given the other way round'
        (0..<16).every { d -> (0..<24).every { j ->
            weights.mlpIn(1)[d * 24 + j] == into[j * 16 + d] as float && weights.mlpOut(1)[j * 16 + d] == out[d * 24 + j] as float
        } }
        weights.mlpBias(1) == reference.weights['layers.1.mlp.dense_h_to_4h.bias'] as float[]
        weights.mlpNorm(1)[0] == reference.weights['layers.1.post_attention_layernorm.weight'] as float[]
        weights.mlpNorm(1)[1] == reference.weights['layers.1.post_attention_layernorm.bias'] as float[]

        cleanup:
        weights?.close()
    }

    def "a GPT-NeoX whose tensors do not fit is refused by their names"() {
        expect:
        def e = failure(neox(changes, 'gpt_neox.', settings))
        e.code() == ExitCode.BAD_DATA
        says.every { e.message.contains(it) }

        where:
        changes                                                                         | settings               | says
        ['embed_out.weight': null]                                                      | [:]                    | ["no tensor 'embed_out.weight'", '[13, 16]']
        ['gpt_neox.layers.1.attention.query_key_value.weight': [Dtype.F32, [16, 48], new float[768]]] | [:]      | ["query_key_value.weight'", '[16, 48]', '[48, 16]']
        ['gpt_neox.layers.0.attention.dense.bias': null]                                | [:]                    | ["no tensor 'layers.0.attention.dense.bias'"]
        ['gpt_neox.layers.0.attention.dense.bias': [Dtype.F32, [16], new float[16]]]    | [attentionBias: false] | ["'gpt_neox.layers.0.attention.dense.bias'", 'as config.json describes it']
        ['gpt_neox.layers.3.mlp.dense_h_to_4h.bias': [Dtype.F32, [1], new float[1]]]    | [:]                    | ['of layer 3', '2 layers']
    }

    def "a folder without weights, or with Git LFS pointers for them, says so"() {
        given:
        Files.copy(FIXTURES.resolve('gpt2-zip-pickle/config.json'), temporary.resolve('config.json'))
        if (content != null) {
            Files.writeString(temporary.resolve('pytorch_model.bin'), content)
        }

        when:
        def e = failure(temporary)

        then:
        e.code() == code
        e.message.contains(says)

        where:
        content                                                                   | code                   | says
        null                                                                      | ExitCode.MISSING_INPUT | 'model.safetensors, model.safetensors.index.json, pytorch_model.bin'
        'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n'     | ExitCode.BAD_DATA      | 'git lfs pull'
        ''                                                                        | ExitCode.BAD_DATA      | 'neither'
    }

    def "truncated safetensors is exit 65 wherever it is cut"() {
        given:
        def bytes = Files.readAllBytes(FIXTURES.resolve('gpt2-safetensors/model.safetensors'))
        Files.copy(FIXTURES.resolve('gpt2-safetensors/config.json'), temporary.resolve('config.json'))

        expect:
        [0, 1, 7, 8, 9, 100, 2000, bytes.length.intdiv(2), bytes.length - 1].findAll { length ->
            Files.write(temporary.resolve('model.safetensors'), Arrays.copyOf(bytes, length))
            failure(temporary)?.code() != ExitCode.BAD_DATA
        } == []
    }
}
