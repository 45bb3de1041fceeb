package unit.model

import ai.djl.ndarray.NDList
import ai.djl.ndarray.types.DataType
import ai.djl.ndarray.types.Shape
import groovy.json.JsonSlurper
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.TestData
import universality.data.CheckpointFolder
import universality.model.Arithmetic
import universality.model.HookPoint
import universality.model.LanguageModel
import universality.tensor.Compute

import java.nio.file.Path

/** Parts of the forward pass, and the forward pass in bfloat16, against the whole one in F32. */
class ArithmeticSpec extends Specification {
    static final NAMES = ['gpt2-safetensors', 'gpt2-inverse-layer-scaled', 'neox-zip-pickle', 'neox-f16-zip-pickle']

    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def scope = compute.manager().newSubManager()
    def models = []
    def tokens
    def kept

    def cleanup() {
        models*.close()
        scope.close()
    }

    def cleanupSpec() {
        compute.close()
    }

    private LanguageModel load(String name, Arithmetic arithmetic) {
        def rows = new JsonSlurper().parse(TestData.fixture(name).resolve('golden.json')).tokens
        tokens = scope.create(rows.flatten() as long[], new Shape(rows.size(), rows[0].size()))
        kept = scope.create((0..<rows.flatten().size()).findAll { it % 5 != 0 } as long[])
        def checkpoint = TestData.checkpoint(folder, name, [id: "$name-$arithmetic".toString()])
        models << LanguageModel.load(compute, CheckpointFolder.open(checkpoint), arithmetic)
        models.last()
    }

    private static List<float[]> values(NDList list) {
        list.collect { it.toFloatArray() }
    }

    def "posts of some layers are those of the whole pass, bit by bit: #name, #arithmetic"() {
        given:
        def model = load(name, arithmetic)
        int layers = model.config().layers()
        def whole = values(model.capture(scope, tokens, kept))

        expect:
        (0..<layers).every { from -> (from + 1..layers).every { to ->
            def posts = values(model.posts(scope, tokens, kept, from, to))
            posts.size() == to - from && posts.indices.every { Arrays.equals(posts[it], whole[2 * (from + it) + 1]) }
        } }

        where:
        [name, arithmetic] << [NAMES, Arithmetic.values() as List].combinations()
    }

    def "layers that are asked for outside the model are refused: #from to #to"() {
        when:
        load(NAMES[0], Arithmetic.F32).posts(scope, tokens, kept, from, to)

        then:
        thrown(IllegalArgumentException)

        where:
        from | to
        -1   | 1
        1    | 1
        0    | 99
    }

    def "layer after layer gives the same bits: #name, #arithmetic"() {
        given:
        def model = load(name, arithmetic)
        int layers = model.config().layers()
        def all = scope.create((0..<tokens.size()) as long[])
        def whole = values(model.capture(scope, tokens, all))

        expect:
        def start = tokens
        (0..<layers).every { layer ->
            def got = model.layer(scope, start, layer)
            assert got.size() == (layer + 1 < layers ? 3 : 2)
            assert (0..1).every { Arrays.equals(got[it].toFloatArray(), whole[2 * layer + it]) }
            start = got.last()
            true
        }

        where:
        [name, arithmetic] << [NAMES, Arithmetic.values() as List].combinations()
    }

    def "bfloat16 is near F32, and is not F32: #name"() {
        given:
        def exact = load(name, Arithmetic.F32)
        def narrow = load(name, Arithmetic.BF16)

        when:
        def a = values(exact.capture(scope, tokens, kept))
        def b = values(narrow.capture(scope, tokens, kept))
        def share = a.indices.collect { i ->
            double mean = a[i].collect { it as double }.sum() / a[i].length
            double spread = Math.sqrt(a[i].collect { (it - mean)**2 }.sum() / a[i].length)
            double error = Math.sqrt(a[i].indices.collect { (a[i][it] as double - b[i][it] as double)**2 }.sum() / a[i].length)
            error / spread
        }

        then: 'hook_pre and hook_post of every layer: the root mean square error in standard deviations'
        share.every { it > 1e-4 && it < 0.02 }

        when:
        def logits = [exact, narrow].collect { it.logits(scope, tokens).toFloatArray() }

        then:
        logits[0].indices.every { Math.abs(logits[0][it] - logits[1][it]) < 0.05 * logits[0].collect { Math.abs(it) }.max() }

        where:
        name << NAMES
    }

    def "every hook is F32 in bfloat16 too, and may be replaced by F32: #name"() {
        given:
        def model = load(name, Arithmetic.BF16)
        def plain = model.forward(tokens).run(scope)

        expect:
        HookPoint.all(model.config()).every { hook ->
            def captured = model.forward(tokens).capture(hook).run(scope).hooks()[hook]
            assert captured.dataType == DataType.FLOAT32
            def again = model.forward(tokens).replace(hook, captured).run(scope).output()
            assert again.dataType == DataType.FLOAT32
            def largest = again.sub(plain.output()).abs().max().getFloat()
            assert largest <= 0.05f * plain.output().abs().max().getFloat()
            true
        }

        where:
        name << NAMES
    }
}
