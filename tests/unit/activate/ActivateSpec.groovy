package unit.activate

import groovy.json.JsonSlurper
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.TestData
import universality.activate.ActivateStage
import universality.data.ActivationFolder
import universality.data.ActivationMoments
import universality.data.Dtype
import universality.data.OutputFolder
import universality.data.SafetensorsFile
import universality.data.ToolException
import universality.model.Arithmetic
import universality.tensor.Compute

import java.nio.file.Files
import java.nio.file.Path

/** The stage `activate` on checkpoints written by PyTorch: what is stored, summed and picked out is what the model computes. */
class ActivateSpec extends Specification {
    static final NAME = 'gpt2-inverse-layer-scaled'

    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    def "stored activations, moments and examples agree with the golden outputs"() {
        given:
        def golden = golden()
        def mask = golden.tokens.collect { it.indexed().collect { i, t -> i == 0 || t % 7 == 0 ? 0 : 1 } }

        when:
        def out = activate('out', Dtype.F32, mask)
        def activations = ActivationFolder.open(out)
        def moments = ActivationMoments.read(out)
        int[] rows = activations.positions('row')
        int[] pos = activations.positions('pos')
        def stored = (0..<3).collect { floats(activations, it) }

        then: 'positions that count, in row-major order'
        def expected = (0..<3).collectMany { r -> (0..<24).findAll { mask[r][it] }.collect { [r, it] } }
        [rows as List, pos as List].transpose() == expected
        activations.positions('token') as List == expected.collect { r, p -> golden.tokens[r][p] }
        activations.kept() == expected.size()
        and: 'their activations'
        (0..<3).every { l -> expected.indices.every { k -> (0..<4).every { n ->
            Math.abs(stored[l][k][n] - golden.activations_head[l][rows[k]][pos[k]][n]) < 1e-4 } } }
        and: 'moments of exactly these, in double precision'
        (0..<3).every { l -> (0..<128).every { n ->
            def x = stored[l].collect { Float.valueOf(it[n]).doubleValue() }
            double mean = x.sum() / x.size()
            def central = { int k -> x.collect { (it - mean)**k }.sum() as double }
            assert near(moments.post().mean()[l][n], mean) && near(moments.post().m2()[l][n], central(2))
            assert near(moments.post().m3()[l][n], central(3)) && near(moments.post().m4()[l][n], central(4))
            assert moments.postMin()[l][n] == x.min() && moments.postMax()[l][n] == x.max()
            assert near(moments.postAbsMean()[l][n], x.collect { Math.abs(it) }.sum() / x.size())
            assert near(moments.postMeanSquare()[l][n], x.collect { it * it }.sum() / x.size())
            // gelu keeps the sign
            assert moments.prePositive()[l][n] == x.count { it > 0 }
            true
        } }
        and: 'the largest examples, largest first'
        SafetensorsFile.open(out.resolve('examples.safetensors')).withCloseable { file ->
            float[] value = file.floats('value')
            int[] row = file.ints('row')
            int[] at = file.ints('pos')
            (0..<3).every { l -> (0..<128).every { n ->
                def sorted = stored[l].collect { it[n] }.sort(false) { -it }.take(10)
                (0..<10).every { k ->
                    int i = (l * 128 + n) * 10 + k
                    value[i] == sorted[k] && stored[l][expected.indexOf([row[i], at[i]])][n] == value[i]
                }
            } }
        }

        cleanup:
        activations?.close()
    }

    def "half precision is stored if asked for, and nothing if nothing is"() {
        when:
        def half = activate('half', Dtype.F16, null)
        def none = activate('none', null, null)
        def f = ActivationFolder.open(half)

        then:
        f.storedType() == Dtype.F16
        def a = floats(f, 1)
        def full = floats(ActivationFolder.open(activate('full', Dtype.F32, null)), 1)
        a.indices.every { k -> (0..<128).every { n -> Math.abs(a[k][n] - full[k][n]) <= Math.abs(full[k][n]) / 1024 + 1e-7 } }
        Files.exists(none.resolve('moments.safetensors')) && !Files.exists(none.resolve('layer-00.safetensors'))
        Files.mismatch(none.resolve('moments.safetensors'), half.resolve('moments.safetensors')) == -1

        when:
        ActivationFolder.open(none).positions('row')

        then:
        def e = thrown(ToolException)
        e.message.contains('--store all')

        cleanup:
        f?.close()
    }

    def "bfloat16 is stored as the nearest such numbers, and read as F32"() {
        when:
        def f = ActivationFolder.open(activate('bf16', Dtype.BF16, null))
        def full = ActivationFolder.open(activate('full', Dtype.F32, null))

        then:
        f.storedType() == Dtype.F32
        SafetensorsFile.open(folder.resolve('bf16/layer-01.safetensors')).withCloseable { it.dtype('activations') } == Dtype.BF16
        Files.size(folder.resolve('bf16/layer-01.safetensors')) < 0.6 * Files.size(folder.resolve('full/layer-01.safetensors'))
        (0..<3).every { l ->
            def a = floats(f, l)
            def b = floats(full, l)
            a.indices.every { k -> (0..<128).every { n -> a[k][n] == nearest(b[k][n]) } }
        }

        cleanup:
        f?.close()
        full?.close()
    }

    /** The nearest bfloat16; of two equally near the even one. */
    private static float nearest(float x) {
        int bits = Float.floatToRawIntBits(x)
        Float.intBitsToFloat(((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) << 16)
    }

    def "a model that computes in bfloat16 is near the one in F32, and the manifest says so"() {
        when:
        activate('f32', Dtype.F32, null)
        def settings = new ActivateStage.Settings(folder.resolve(NAME), folder.resolve('tokens-f32'), Dtype.F32, Arithmetic.BF16, 1L << 30)
        new ActivateStage(settings, {}).run(compute, folder.resolve('narrow'), false)
        def (a, b) = ['f32', 'narrow'].collect { ActivationMoments.read(folder.resolve(it)) }

        then:
        ['f32', 'narrow'].collect { new JsonSlurper().parse(folder.resolve("$it/manifest.json")).parameters.compute } == ['f32', 'bf16']
        (0..<3).every { l -> (0..<128).every { n ->
            double sd = Math.sqrt(a.post().variance(l, n))
            Math.abs(a.post().mean()[l][n] - b.post().mean()[l][n]) < 0.02 * sd && a.post().mean()[l][n] != b.post().mean()[l][n]
        } }
    }

    def "an activation near the end of the range of #dtype is stored: #bias"() {
        given: 'a neuron whose pre-activation is its bias'
        def checkpoint = tiny(folder, ['h.0.mlp.c_fc.weight': [[2, 3], [0f] * 6], 'h.0.mlp.c_fc.bias': [[3], [1f, bias, 2f]]])
        def tokens = TestData.tokens(folder, 't', [[0, 1]], 4)

        when:
        new ActivateStage(checkpoint, tokens, dtype).run(compute, folder.resolve('out'), false)

        then:
        ActivationFolder.open(folder.resolve('out')).withCloseable { floats(it, 0)[0][1] } == expected

        where:
        dtype      | bias      | expected
        Dtype.F16  | 65519f    | 65504f
        Dtype.BF16 | 65519f    | 65536f
        Dtype.BF16 | 3.39e38f  | Float.intBitsToFloat(0x7f7f0000)
        Dtype.F32  | 3.4e38f   | 3.4e38f
    }

    def "an activation beyond the range of #dtype is refused, naming the neuron"() {
        given:
        def checkpoint = tiny(folder, ['h.0.mlp.c_fc.weight': [[2, 3], [0f] * 6], 'h.0.mlp.c_fc.bias': [[3], [1f, bias, 2f]]])
        def tokens = TestData.tokens(folder, 't', [[0, 1]], 4)

        when:
        new ActivateStage(checkpoint, tokens, dtype).run(compute, folder.resolve('out'), false)

        then:
        def e = thrown(ToolException)
        e.code().status() == 65
        e.message.contains('neuron 0.1') && e.message.contains('--dtype f32')
        folder.toFile().list().every { !it.contains('out') }

        where:
        dtype      | bias
        Dtype.F16  | 65520f
        Dtype.F16  | 1e6f
        Dtype.BF16 | 3.4e38f
    }

    def "neither memory nor the number of threads changes a bit"() {
        given: 'more rows than a block has, some of which count nowhere'
        def random = new Random(5)
        def rows = (0..<1030).collect { (0..<24).collect { random.nextInt(101) } }
        def mask = (0..<1030).collect { r -> (0..<24).collect { r % 9 == 4 || it == 0 ? 0 : 1 } }
        def checkpoint = TestData.checkpoint(folder, NAME)
        def tokens = TestData.tokens(folder, 't', rows, 101, [mask: mask])
        def many = Compute.start('cpu', 3)

        when:
        def said = [:].withDefault { [] }
        [['little', 1L, compute], ['much', 1L << 30, compute], ['many', 1L << 30, many]].each { name, memory, engine ->
            def settings = new ActivateStage.Settings(checkpoint, tokens, Dtype.F32, Arithmetic.F32, memory)
            new ActivateStage(settings, { said[name] << it }).run(engine, folder.resolve(name), false)
        }
        def stored = ActivationFolder.open(folder.resolve('much')).withCloseable { f -> (0..<3).collect { floats(f, it) } }
        def moments = ActivationMoments.read(folder.resolve('much'))

        then:
        said.little.any { it.contains('--memory of 0 MiB is less than') } && !said.much.any { it.contains('--memory') }
        ['little', 'many'].every { name ->
            folder.resolve('much').toFile().list().every { Files.mismatch(folder.resolve("$name/$it"), folder.resolve("much/$it")) == -1 } }
        and: 'sums are of what is stored'
        (0..<3).every { l -> (0..<128).every { n ->
            def x = stored[l].collect { Float.valueOf(it[n]).doubleValue() }
            double mean = x.sum() / x.size()
            near(moments.post().mean()[l][n], mean) && near(moments.post().m2()[l][n], x.sum { (it - mean)**2 })
        } }

        cleanup:
        many?.close()
    }

    def "a model whose neurons are fewer examples than asked for has -1 in their place"() {
        when:
        def mask = (0..<3).collect { r -> (0..<24).collect { r == 0 && it < 4 ? 1 : 0 } }
        def out = activate('few', Dtype.F32, mask)

        then:
        SafetensorsFile.open(out.resolve('examples.safetensors')).withCloseable { file ->
            int[] row = file.ints('row')
            int[] pos = file.ints('pos')
            (0..9).collect { row[it] } == [0] * 4 + [-1] * 6 && (4..9).every { pos[it] == -1 && file.floats('value')[it] == -1 }
        }
    }

    def "unfit inputs are refused and leave nothing behind: #problem"() {
        when:
        def rows = golden().tokens.collect { it as List<Integer> }
        prepare(folder, rows).with { checkpoint, tokens ->
            new ActivateStage(checkpoint, tokens, Dtype.F32).run(compute, folder.resolve('out'), false)
        }

        then:
        def e = thrown(ToolException)
        e.code().status() == status
        e.message.contains(text)
        folder.toFile().list().every { !it.contains('out') }

        where:
        problem              | status | text                    | prepare
        'token beyond'       | 65     | 'outside the vocabulary' | { f, given -> [TestData.checkpoint(f, NAME), TestData.tokens(f, 't', [[5, 101]], 200)] }
        'row too long'       | 65     | 'longer than the 24'    | { f, given -> [TestData.checkpoint(f, NAME), TestData.tokens(f, 't', [[1] * 25], 101)] }
        'nothing counts'     | 65     | 'keeps no position'     | { f, given -> [TestData.checkpoint(f, NAME), TestData.tokens(f, 't', given, 101, [mask: zeros(given)])] }
        'no manifest'        | 66     | 'universality fetch'    | { f, given -> [TestData.fixture(NAME), TestData.tokens(f, 't', given, 101)] }
        'NaN weights'        | 65     | 'h.0.mlp.c_fc.bias'     | { f, given -> [broken(f), TestData.tokens(f, 't', [[0, 1]], 4)] }
        'overflow'           | 65     | 'not finite'            | { f, given -> [overflowing(f), TestData.tokens(f, 't', [[0, 1]], 4)] }
    }

    def "where nothing tells the checkpoint's tokenizer, that is said, and in the manifest"() {
        given:
        def said = []
        def checkpoint = TestData.checkpoint(folder, NAME)
        def tokens = TestData.tokens(folder, 't', golden().tokens, 101, [tokenizer: '{"b": 1}'])

        when:
        new ActivateStage(checkpoint, tokens, Dtype.F32, { said << it }).run(compute, folder.resolve('out'), false)

        then:
        said == ["the tokenizer of '$NAME' is not known: tokens are taken to be its own".toString()]
        new JsonSlurper().parse(folder.resolve('out/manifest.json')).warnings == said
    }

    def "another tokenizer than the checkpoint's is refused: #options"() {
        given:
        Path checkpoint = folder.resolve('c')
        def c = OutputFolder.create(checkpoint, false)
        TestData.fixture(NAME).toFile().listFiles().findAll { it.name != 'golden.json' }.each { Files.copy(it.toPath(), c.file(it.name)) }
        c.file('tokenizer.json').text = '{"a": 1}'
        TestData.commitCheckpoint(c, 'c')
        Path tokens = TestData.tokens(folder, 't', golden().tokens, 101, options)

        when:
        new ActivateStage(checkpoint, tokens, Dtype.F32).run(compute, folder.resolve('out'), false)

        then:
        def e = thrown(ToolException)
        e.code().status() == 65
        e.message.contains('another tokenizer')
        e.message.contains('--tokenizer FILE')

        where:
        options << [[tokenizer: '{"b": 1}'], [name: 'r50k']]
    }

    private Path activate(String name, Dtype dtype, List mask) {
        Path checkpoint = folder.resolve(NAME)
        if (!Files.exists(checkpoint)) {
            TestData.checkpoint(folder, NAME)
        }
        Path tokens = TestData.tokens(folder, "tokens-$name", golden().tokens, 101, mask ? [mask: mask] : [:])
        Path out = folder.resolve(name)
        new ActivateStage(checkpoint, tokens, dtype).run(compute, out, false)
        out
    }

    private static golden() {
        new JsonSlurper().parse(TestData.fixture(NAME).resolve('golden.json'))
    }

    /** [kept][d_mlp], read through the reader that correlate uses. */
    private static List<float[]> floats(ActivationFolder folder, int layer) {
        int[] all = (0..<folder.kept()) as int[]
        def bytes = folder.gather(layer, all, 0, all.length)
        boolean half = folder.storedType() == Dtype.F16
        (0..<folder.kept()).collect { k ->
            (0..<folder.dMlp()).collect { n ->
                int i = k * folder.dMlp() + n
                half ? Dtype.halfToFloat(bytes.getShort(2 * i)) : bytes.getFloat(4 * i)
            } as float[]
        }
    }

    private static List zeros(List rows) {
        rows.collect { row -> row.collect { 0 } }
    }

    /** A one-layer model of width 2 whose weights are all 1, but for a change. */
    private static Path tiny(Path parent, Map<String, List> changes) {
        def weights = [
                'wte.weight': [[4, 2], [1f, 0f, 0f, 1f, 1f, 2f, 3f, 1f]], 'wpe.weight': [[4, 2], [0.1f] * 8],
                'h.0.ln_1.weight': [[2], [1f] * 2], 'h.0.ln_1.bias': [[2], [0f] * 2],
                'h.0.attn.c_attn.weight': [[2, 6], [1f] * 12], 'h.0.attn.c_attn.bias': [[6], [0f] * 6],
                'h.0.attn.c_proj.weight': [[2, 2], [1f] * 4], 'h.0.attn.c_proj.bias': [[2], [0f] * 2],
                'h.0.ln_2.weight': [[2], [1f] * 2], 'h.0.ln_2.bias': [[2], [0f] * 2],
                'h.0.mlp.c_fc.weight': [[2, 3], [1f, 2f, 3f, -1f, 0f, 1f]], 'h.0.mlp.c_fc.bias': [[3], [0f] * 3],
                'h.0.mlp.c_proj.weight': [[3, 2], [1f] * 6], 'h.0.mlp.c_proj.bias': [[2], [0f] * 2],
                'ln_f.weight': [[2], [1f] * 2], 'ln_f.bias': [[2], [0f] * 2]] + changes
        TestData.model(parent, 'tiny', [n_layer: 1, n_head: 1, n_embd: 2, n_inner: 3, vocab_size: 4, n_positions: 4], weights)
    }

    private static Path broken(Path parent) {
        tiny(parent, ['h.0.mlp.c_fc.bias': [[3], [0f, Float.NaN, 0f]]])
    }

    private static Path overflowing(Path parent) {
        tiny(parent, ['h.0.mlp.c_fc.weight': [[2, 3], [3e38f] * 3 + [-3e38f] * 3], 'h.0.mlp.c_fc.bias': [[3], [3e38f] * 3]])
    }

    private static boolean near(double a, double b) {
        Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b))
    }
}
