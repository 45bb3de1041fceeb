package unit.model

import ai.djl.ndarray.NDManager
import ai.djl.ndarray.types.Shape
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import spock.lang.Unroll
import unit.support.TestData
import universality.data.CheckpointFolder
import universality.data.ExitCode
import universality.data.ToolException
import universality.model.Forward
import universality.model.HookPoint
import universality.model.LanguageModel
import universality.tensor.Compute

/** Every component of the forward pass, on small random models, against a float64 implementation that shares nothing. */
class HookSpec extends Specification {
    static final List<int[]> TOKENS = [[3, 1, 4, 1, 5, 9, 2], [6, 5, 3, 5, 8, 9, 7]] as int[][] as List
    static final Map VARIANTS = [
            'GPT-2'                            : [:],
            'GPT-2, tied, exact GELU'          : [tied: true, activation: 'gelu', heads: 4],
            'GPT-2, ReLU, by layer'            : [inverse: true, activation: 'relu', layers: 3],
            'GPT-2, unscaled'                  : [scale: false, width: 6, mlp: 10, epsilon: 1e-3d],
            'GPT-NeoX'                         : [family: 'gpt_neox', activation: 'gelu', width: 16, heads: 2],
            'GPT-NeoX, sequential'             : [family: 'gpt_neox', activation: 'gelu', width: 16, heads: 2, parallel: false, layers: 3],
            'GPT-NeoX, all rotated, tied'      : [family: 'gpt_neox', activation: 'gelu_new', width: 12, heads: 2, rotary: 1.0d, tied: true],
            'GPT-NeoX, no bias, another base'  : [family: 'gpt_neox', activation: 'relu', width: 16, heads: 4, rotary: 0.5d, base: 7d, attentionBias: false],
    ]

    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    NDManager scope = compute.manager().newSubManager()

    def cleanup() {
        scope.close()
    }

    def cleanupSpec() {
        compute.close()
    }

    private ReferenceModel reference(String variant) {
        new ReferenceModel(VARIANTS[variant], new Random(variant.hashCode()))
    }

    private LanguageModel load(ReferenceModel reference) {
        def weights = reference.shapes().collectEntries { name, shape -> [name, [shape as long[], reference.weights[name].toList()]] }
        LanguageModel.load(compute, CheckpointFolder.open(TestData.model(folder, 'model', reference.config(), weights)))
    }

    private tokens() {
        scope.create(TOKENS.collectMany { it.toList() } as long[], new Shape(2, 7))
    }

    /** The hooks of both rows, by name, and the logits. */
    private static List outcome(ReferenceModel reference, List<Map<String, double[]>> replace = [[:], [:]]) {
        def hooks = [:].withDefault { [] }
        def logits = []
        TOKENS.eachWithIndex { row, r ->
            logits.addAll(reference.run(row, replace[r]).toList()*.toList().flatten())
            reference.hooks.each { name, values -> hooks[name].addAll(values.toList()) }
        }
        [hooks, logits]
    }

    private static boolean agree(String what, float[] found, List expected, double tolerance = 2e-5) {
        assert ReferenceModel.difference(found, expected as double[], tolerance) == null: what
        true
    }

    @Unroll
    def "#variant: every hook, the logits, and what the stages use agree"() {
        given:
        def reference = reference(variant)
        def model = load(reference)
        def (expected, logits) = outcome(reference)

        when:
        def all = HookPoint.all(model.config())
        def result = model.forward(tokens()).capture(all).run(scope)

        then: 'all hooks of the reference, in its order'
        all*.toString().toSorted() == expected.keySet().toSorted()
        result.hooks().keySet().toList() == all
        result.hooks().every { hook, array ->
            array.shape.shape == hook.shape(model.config(), 2, 7) && agree(hook.toString(), array.toFloatArray(), expected[hook.toString()])
        }
        agree('logits', result.output().toFloatArray(), logits)
        and: 'one alone, for which other ways may be taken'
        all.every { hook ->
            def one = model.forward(tokens()).capture(hook).run(scope)
            agree(hook.toString(), one.hooks()[hook].toFloatArray(), expected[hook.toString()]) && agree('logits', one.output().toFloatArray(), logits)
        }
        and: 'without hooks'
        agree('logits', model.forward(tokens()).run(scope).output().toFloatArray(), logits)
        agree('logits', model.logits(scope, tokens()).toFloatArray(), logits)
        and: 'what activate and ablate call'
        def kept = scope.create([1, 2, 6, 7, 13] as long[])
        def rows = { String name, int width -> [1, 2, 6, 7, 13].collectMany { expected[name].subList(it * width, (it + 1) * width) } }
        def captured = model.capture(scope, tokens(), kept)
        def trace = model.trace(scope, tokens())
        (0..<reference.layers).every { l ->
            agree('pre', captured.get(2 * l).toFloatArray(), rows("blocks.${l}.mlp.hook_pre".toString(), reference.mlp)) &&
                    agree('post', captured.get(2 * l + 1).toFloatArray(), rows("blocks.${l}.mlp.hook_post".toString(), reference.mlp)) &&
                    agree('resid', trace.get(2 * l).toFloatArray(), expected["blocks.${l}.hook_resid_post".toString()]) &&
                    agree('post', trace.get(2 * l + 1).toFloatArray(), expected["blocks.${l}.mlp.hook_post".toString()])
        }
        agree('last', model.finish(scope, trace, kept).toFloatArray(), rows('ln_final.hook_normalized', reference.width))

        cleanup:
        model?.close()

        where:
        variant << VARIANTS.keySet()
    }

    @Unroll
    def "#variant: replacing at any hook changes what comes after as it should"() {
        given:
        def reference = reference(variant)
        def model = load(reference)
        def (clean, logits) = outcome(reference)
        def random = new Random(1)

        expect:
        HookPoint.all(model.config()).every { hook ->
            def name = hook.toString()
            // scales stay positive, patterns stay patterns, masked scores masked
            def values = clean[name].collect { double x ->
                name.endsWith('scale') ? x * (1.2 + 0.2 * random.nextGaussian()).abs() + 0.1 : name.endsWith('pattern') ? x * 0.5 : x + random.nextGaussian()
            }
            int half = values.size().intdiv(2)
            def (expected, changed) = outcome(reference, [[(name): values.take(half) as double[]], [(name): values.drop(half) as double[]]])
            def array = scope.create(values as float[], new Shape(hook.shape(model.config(), 2, 7)))
            def result = model.forward(tokens()).replace(hook, array).capture(HookPoint.all(model.config())).run(scope)
            def alone = model.forward(tokens()).replace(hook, array).run(scope)
            assert changed != logits: name
            result.hooks().every { h, found -> agree("$name, $h", found.toFloatArray(), expected[h.toString()], 1e-4) } &&
                    agree(name, result.output().toFloatArray(), changed, 1e-4) && agree(name, alone.output().toFloatArray(), changed, 1e-4)
        }

        cleanup:
        model?.close()

        where:
        variant << ['GPT-2', 'GPT-2, ReLU, by layer', 'GPT-NeoX', 'GPT-NeoX, sequential']
    }

    @Unroll
    def "#variant: a pass that stops and one that goes on from there are the whole"() {
        given:
        def model = load(reference(variant))
        int layers = model.config().layers()
        // these do not take another way, so that the bits are the same
        def hooks = HookPoint.all(model.config()).findAll { !(it.toString() =~ /scale|scores|pattern/) }
        def whole = model.forward(tokens()).capture(hooks).run(scope)

        expect:
        (0..<layers).every { layer ->
            def pre = HookPoint.of(HookPoint.Kind.RESID_PRE, layer)
            def stopped = model.forward(tokens()).stopBefore(layer).run(scope).output()
            def later = hooks.findAll { it.layer() >= layer || it.toString().startsWith('ln_final') }
            def rest = model.forward(stopped, layer).capture(later).run(scope)
            stopped.toFloatArray() == whole.hooks()[pre].toFloatArray() &&
                    rest.output().toFloatArray() == whole.output().toFloatArray() &&
                    later.every { rest.hooks()[it].toFloatArray() == whole.hooks()[it].toFloatArray() }
        }
        model.forward(tokens()).stopBefore(layers).run(scope).output().toFloatArray() ==
                whole.hooks()[HookPoint.of(HookPoint.Kind.RESID_POST, layers - 1)].toFloatArray()
        and: 'a stretch in the middle'
        def middle = model.forward(whole.hooks()[HookPoint.of(HookPoint.Kind.RESID_PRE, 1)], 1).stopBefore(2).run(scope).output()
        middle.toFloatArray() == whole.hooks()[HookPoint.of(HookPoint.Kind.RESID_POST, 1)].toFloatArray()

        cleanup:
        model?.close()

        where:
        variant << ['GPT-2, ReLU, by layer', 'GPT-NeoX', 'GPT-NeoX, sequential']
    }

    def "zero, and values that are the same along a dimension"() {
        given:
        def reference = reference('GPT-NeoX')
        def model = load(reference)
        def out = HookPoint.of(HookPoint.Kind.MLP_OUT, 1)
        def post = HookPoint.of(HookPoint.Kind.MLP_POST, 0)
        def values = (0..<reference.mlp).collect { it * 0.1d - 1 }
        def changes = ['blocks.1.hook_mlp_out': new double[7 * reference.width], 'blocks.0.mlp.hook_post': (values * 7) as double[]]
        def (expected, logits) = outcome(reference, [changes, changes])

        expect:
        agree('logits', model.forward(tokens()).zero(out).replace(post, scope.create(values as float[])).run(scope).output().toFloatArray(), logits)

        cleanup:
        model?.close()
    }

    def "weights gather nothing over many passes"() {
        given:
        def model = load(reference('GPT-NeoX'))
        def before = model.weights()[0].manager.managedArrays.size()

        when:
        20.times {
            compute.manager().newSubManager().withCloseable { inner ->
                model.forward(inner.create(new long[7], new Shape(1, 7))).zero(HookPoint.of(HookPoint.Kind.Z, 0))
                        .capture(HookPoint.all(model.config())).run(inner)
            }
        }

        then:
        model.weights()[0].manager.managedArrays.size() == before

        cleanup:
        model?.close()
    }

    def "names are those of TransformerLens, there and back"() {
        given:
        def config = universality.model.ModelConfig.read(universality.data.Json.mapper().valueToTree(reference(variant).config()), 'config.json')
        def names = HookPoint.all(config)*.toString()

        expect:
        names == expected
        names.collect { HookPoint.parse(it, config) } == HookPoint.all(config)

        where:
        variant                | expected
        'GPT-2'                | ['hook_embed', 'hook_pos_embed'] + layers(BLOCK - ['attn.hook_rot_q', 'attn.hook_rot_k']) + FINAL
        'GPT-NeoX'             | ['hook_embed'] + layers(BLOCK - ['hook_resid_mid']) + FINAL
        'GPT-NeoX, sequential' | ['hook_embed'] + layers(BLOCK, 3) + FINAL
    }

    static final List<String> BLOCK = [
            'hook_resid_pre', 'ln1.hook_scale', 'ln1.hook_normalized', 'attn.hook_q', 'attn.hook_k', 'attn.hook_v', 'attn.hook_rot_q',
            'attn.hook_rot_k', 'attn.hook_attn_scores', 'attn.hook_pattern', 'attn.hook_z', 'hook_attn_out', 'hook_resid_mid', 'ln2.hook_scale',
            'ln2.hook_normalized', 'mlp.hook_pre', 'mlp.hook_post', 'hook_mlp_out', 'hook_resid_post']
    static final List<String> FINAL = ['ln_final.hook_scale', 'ln_final.hook_normalized']

    private static List<String> layers(List<String> block, int layers = 2) {
        (0..<layers).collectMany { l -> block.collect { "blocks.${l}.$it".toString() } }
    }

    @Unroll
    def "#name is refused in #variant"() {
        given:
        def config = universality.model.ModelConfig.read(universality.data.Json.mapper().valueToTree(reference(variant).config()), 'config.json')

        when:
        HookPoint.parse(name, config)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.USAGE
        e.message.contains(name)
        e.message.contains(says)
        e.message.readLines().size() == 1

        where:
        variant    | name                               | says
        'GPT-2'    | 'blocks.2.mlp.hook_post'           | 'has 2 layers'
        'GPT-2'    | 'blocks.99999999999.mlp.hook_post' | 'has 2 layers'
        'GPT-2'    | 'blocks.-1.mlp.hook_post'          | 'is not a hook'
        'GPT-2'    | 'blocks.{L}.mlp.hook_post'         | 'is not a hook'
        'GPT-2'    | 'blocks.0.mlp.hook_mid'            | 'blocks.{L}.mlp.hook_post'
        'GPT-2'    | 'mlp.hook_post'                    | 'is not a hook'
        'GPT-2'    | 'blocks.0.hook_embed'              | 'is not a hook'
        'GPT-2'    | 'blocks.0.attn.hook_rot_q'         | 'embedded, not rotated'
        'GPT-NeoX' | 'hook_pos_embed'                   | 'rotated, not embedded'
        'GPT-NeoX' | 'blocks.1.hook_resid_mid'          | 'use_parallel_residual'
    }

    @Unroll
    def "a pass is refused that #what"() {
        given:
        def model = load(reference('GPT-NeoX'))

        when:
        Forward pass = start(this, model)
        pass.run(scope)

        then:
        def e = thrown(type)
        e.message.contains(says)

        cleanup:
        model?.close()

        where:
        what                        | type                     | says                | start
        'begins after the last'     | IllegalArgumentException | 'at layer 2'        | { s, m -> m.forward(s.scope.zeros(new Shape(1, 2, 16)), 2) }
        'begins with another width' | IllegalArgumentException | '(1, 2, 15)'        | { s, m -> m.forward(s.scope.zeros(new Shape(1, 2, 15)), 1) }
        'begins with tokens inside' | IllegalArgumentException | 'at layer 1'        | { s, m -> m.forward(s.tokens(), 1) }
        'is too long'               | IllegalArgumentException | 'at most 7'         | { s, m -> m.forward(s.scope.zeros(new Shape(1, 8, 16)), 0) }
        'stops before it begins'    | IllegalArgumentException | 'before layer 0'    | { s, m -> m.forward(s.scope.zeros(new Shape(1, 2, 16)), 1).stopBefore(0) }
        'does not come by a hook'   | IllegalArgumentException | 'blocks.1.hook_'    | { s, m -> m.forward(s.tokens()).stopBefore(1).capture(HookPoint.of(HookPoint.Kind.RESID_PRE, 1)) }
        'has no embedding'          | IllegalArgumentException | 'hook_embed'        | { s, m -> m.forward(s.scope.zeros(new Shape(1, 2, 16)), 0).capture(HookPoint.of(HookPoint.Kind.EMBED)) }
        'does not come to the end'  | IllegalArgumentException | 'ln_final'          | { s, m -> m.forward(s.tokens()).stopBefore(2).zero(HookPoint.of(HookPoint.Kind.LN_FINAL_SCALE)) }
        'puts in another shape'     | IllegalArgumentException | '[2, 7, 24]'        | { s, m -> m.forward(s.tokens()).replace(HookPoint.of(HookPoint.Kind.MLP_POST, 0), s.scope.zeros(new Shape(2, 7, 23))) }
        'puts in too many'          | IllegalArgumentException | '[2, 7, 24]'        | { s, m -> m.forward(s.tokens()).replace(HookPoint.of(HookPoint.Kind.MLP_POST, 0), s.scope.zeros(new Shape(1, 2, 7, 24))) }
        'asks for what is not there' | ToolException           | 'hook_resid_mid'    | { s, m -> m.forward(s.tokens()).capture(HookPoint.of(HookPoint.Kind.RESID_MID, 0)) }
        'asks for a layer too many' | ToolException            | 'blocks.5.'         | { s, m -> m.forward(s.tokens()).zero(HookPoint.of(HookPoint.Kind.Z, 5)) }
    }
}
