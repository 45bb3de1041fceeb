package unit.correlate

import ai.djl.ndarray.NDArray
import spock.lang.IgnoreIf
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import spock.util.environment.RestoreSystemProperties
import unit.model.ReferenceModel
import unit.support.Processor
import unit.support.TestData
import universality.activate.ActivateStage
import universality.correlate.CorrelateStage
import universality.correlate.LiveActivations
import universality.correlate.Precision
import universality.data.CsvTable
import universality.data.Dtype
import universality.data.Json
import universality.data.SafetensorsFile
import universality.data.TokenRows
import universality.data.ToolException
import universality.model.Arithmetic
import universality.tensor.Compute

import java.nio.file.Files
import java.nio.file.Path

/** Correlating models as they run gives what correlating their stored activations gives. */
class LiveSpec extends Specification {
    private static final List<String> NAMES = ['gpt2-safetensors', 'gpt2-inverse-layer-scaled']

    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    @IgnoreIf(value = { data.options.precision == Precision.INT8 && !Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "all tables are those of stored activations: #what"() {
        given:
        System.setProperty('universality.fast', 'bf16,int8')
        def checkpoints = checkpoints()
        def tokens = tokens()
        def stored = activations(checkpoints, tokens)

        when:
        def settings = settings(options)
        new CorrelateStage(stored, settings).withCloseable { it.run(compute, folder.resolve('stored'), false) }
        new CorrelateStage(checkpoints, tokens, Arithmetic.F32, settings, {}).withCloseable { it.run(compute, folder.resolve('live'), false) }

        then:
        def files = { String name -> Files.list(folder.resolve(name)).collect { it.fileName.toString() }.sort() }
        files('live') == files('stored')
        files('live').findAll { it.endsWith('.csv') }.each { assert same(it) }
        def sums = files('live').findAll { it.endsWith('groups.safetensors') }
        sums.size() == (options.control ? 0 : 2)
        sums.every { name ->
            def (x, y) = ['stored', 'live'].collect { doubles(folder.resolve(it).resolve(name), 'sum') }
            x.length == y.length && x.indices.every { Math.abs(x[it] - y[it]) < 1e-3 }
        }

        and: 'the manifest tells where they come from'
        def manifest = Json.read(folder.resolve('live/manifest.json'))
        manifest.path('parameters').path('activations').asText() == 'live'
        manifest.path('parameters').path('compute').asText() == 'f32'
        manifest.path('inputs').collect { it.path('role').asText() } == ['checkpoint', 'checkpoint', 'tokens']

        where:
        what                              | options
        'the study'                       | [:]
        'sums do not fit into the memory' | [memory: 4L << 20]
        'through a filter in bf16'        | [precision: Precision.BF16]
        'through a filter in int8'        | [precision: Precision.INT8]
        'the control that shifts rows'    | [control: 'row_shifted']
        'the control that rotates'        | [control: 'rotated']
    }

    def "each neuron with itself"() {
        given:
        def checkpoints = [0, 5, 9].collect { step -> TestData.checkpoint(folder, NAMES[step.intdiv(9)], [id: "toy-s1-t$step", seed: 1, step: step]) }.take(2)
        def tokens = tokens()
        def stored = activations(checkpoints, tokens)

        when:
        new CorrelateStage(stored, settings()).withCloseable { it.diagonal(compute, folder.resolve('stored'), false) }
        new CorrelateStage(checkpoints, tokens, Arithmetic.F32, settings(), {}).withCloseable { it.diagonal(compute, folder.resolve('live'), false) }

        then:
        def table = CsvTable.read(folder.resolve('live/toy-s1-t0__toy-s1-t5.self.csv'))
        table.size() == 256
        (0..<256).every { table.number(it, 'corr') > 0.999999 } // one and the same model
        same('toy-s1-t0__toy-s1-t5.self.csv')
    }

    def "reading all layers at once runs every row once, however little may be kept"() {
        given:
        def text = TokenRows.read(tokens())
        def live = new LiveActivations(checkpoints()[0], text, text.keptPositions(), Arithmetic.F32)
        live.start(compute, compute.kernel('correlate'), new LiveActivations.Share(keeps), {})
        int[] which = 0..<live.kept()
        def read = { int[] layers, int from, int count ->
            compute.manager().newSubManager().withCloseable { scope ->
                def values = [:]
                live.read(scope, layers, which, from, count, { int layer, NDArray x -> values[layer] = x.toFloatArray() })
                values
            }
        }

        when: 'in three parts, each of which begins where a batch may not end'
        int third = live.kept().intdiv(3)
        def parts = (0..<3).collect { read([0, 1] as int[], it * third, third) }

        then: 'batches have 85 rows of 240, and at most one of them lies in two parts'
        live.runs() >= 1d && live.runs() < runs

        when: 'and layer by layer'
        live.expect(0, 2)
        def whole = [0, 1].collect { read([it] as int[], 0, 3 * third)[it] }

        then:
        [0, 1].each { layer -> assert parts.collectMany { it[layer].toList() } == whole[layer].toList() }

        cleanup:
        live.close()

        where:
        keeps    | runs
        0        | 1.8d
        16 << 20 | 1.001d
    }

    def "what tokens explain, where there are too many for the memory"() {
        given:
        def random = new Random(5)
        def checkpoints = ['a', 'b'].withIndex().collect { id, i ->
            def model = new ReferenceModel([vocabulary: 700, mlp: 256, context: 24], new Random(i))
            def weights = model.shapes().collectEntries { name, shape -> [name, [shape as long[], model.weights[name].toList()]] }
            TestData.model(folder, id, model.config(), weights, [seed: i + 1])
        }
        def rows = (0..<240).collect { (0..<24).collect { (int) (700 * random.nextDouble()**2) } }
        def tokens = TestData.tokens(folder, 'tokens', rows, 700, [documents: (0..<240).collect { it.intdiv(3) }])
        def stored = activations(checkpoints, tokens)
        def said = []

        when: '256 values at once, a quarter of what is left for 1,024 neurons'
        new CorrelateStage(stored, settings()).withCloseable { it.run(compute, folder.resolve('stored'), false) }
        new CorrelateStage(checkpoints, tokens, Arithmetic.F32, settings([memory: 6L << 20]), { said << it }).withCloseable {
            it.run(compute, folder.resolve('live'), false)
        }

        then:
        same('a__b.csv') && same('b__a.csv')
        CsvTable.read(folder.resolve('live/a__b.csv')).with { table -> (0..<table.size()).any { Math.abs(table.number(it, 'corr_token')) > 0.05 } }

        and: 'of what is kept there is room for about one batch of either model'
        def (passes, runs) = (said.last() =~ /gone through (\d+) times \(models run over the text ([\d.]+) times\)/)[0].tail()*.toDouble()
        passes > 1 && runs < 2.5 * passes
    }

    def "a forward pass in BF16 is another, but a near one"() {
        given:
        def checkpoints = checkpoints()
        def tokens = tokens()

        when:
        Arithmetic.values().each { a ->
            new CorrelateStage(checkpoints, tokens, a, settings(), {}).withCloseable { it.run(compute, folder.resolve(a.toString()), false) }
        }

        then:
        def (x, y) = ['f32', 'bf16'].collect { CsvTable.read(folder.resolve(it).resolve("${NAMES[0]}__${NAMES[1]}.csv")) }
        def moved = (0..<x.size()).collect { Math.abs(x.number(it, 'max_corr') - y.number(it, 'max_corr')) }
        moved.max() > 1e-6 && moved.max() < 0.02
        Json.read(folder.resolve('bf16/manifest.json')).path('parameters').path('compute').asText() == 'bf16'
    }

    def "what cannot be done live is refused: #problem"() {
        when:
        def stage = call.call(checkpoints(), tokens())
        stage.run(compute, folder.resolve('out'), false)

        then:
        def e = thrown(ToolException)
        e.code().status() == code
        e.message.contains(words)

        where:
        problem                | code | words                        | call
        'one checkpoint'       | 64   | 'at least two'               | { c, t -> new CorrelateStage(c.take(1), t, Arithmetic.F32, settings(), {}) }
        'the same one twice'   | 64   | 'given twice'                | { c, t -> new CorrelateStage([c[0], c[0]], t, Arithmetic.F32, settings(), {}) }
        'tokens in any order'  | 64   | 'stored activations'         | { c, t -> new CorrelateStage(c, t, Arithmetic.F32, settings([control: 'token_permuted']), {}) }
        'no room for weights'  | 71   | 'more than half of --memory' | { c, t -> new CorrelateStage(c, t, Arithmetic.F32, settings([memory: 100_000L]), {}) }
    }

    private boolean same(String file) {
        def (x, y) = ['stored', 'live'].collect { CsvTable.read(folder.resolve(it).resolve(file)) }
        assert x.header() == y.header() && x.size() == y.size()
        (0..<x.size()).each { i ->
            x.header().findAll { it != 'top_partners' && it != 'mutual' }.each { column ->
                assert (x.text(i, column) == null) == (y.text(i, column) == null)
                if (x.text(i, column) != null && !column.contains('partner')) {
                    assert Math.abs(x.number(i, column) - y.number(i, column)) < 1e-4
                }
            }
            if (x.header().contains('max_corr') && x.text(i, 'max_corr') != null) {
                assert Math.abs(x.number(i, 'max_corr') - y.number(i, 'max_corr')) < 1e-6
                assert Math.abs(x.number(i, 'baseline_mean') - y.number(i, 'baseline_mean')) < 1e-5
            }
        }
        true
    }

    private List<Path> activations(List<Path> checkpoints, Path tokens) {
        checkpoints.collect { c ->
            Path out = folder.resolve("activations-${c.fileName}")
            new ActivateStage(c, tokens, Dtype.F32).run(compute, out, false)
            out
        }
    }

    private List<Path> checkpoints() {
        NAMES.withIndex().collect { name, i ->
            Files.exists(folder.resolve(name)) ? folder.resolve(name) : TestData.checkpoint(folder, name, [seed: i + 1])
        }
    }

    /** 240 rows of 24, of which the first position and some others do not count; documents are three rows. */
    private Path tokens() {
        def random = new Random(8)
        def rows = (0..<240).collect { (0..<24).collect { random.nextInt(101) } }
        def mask = rows.collect { row -> row.indexed().collect { i, t -> i == 0 || t % 9 == 0 ? 0 : 1 } }
        TestData.tokens(folder, 'tokens', rows, 101, [mask: mask, documents: (0..<240).collect { it.intdiv(3) }])
    }

    private static double[] doubles(Path file, String name) {
        SafetensorsFile.open(file).withCloseable { it.doubles(name) }
    }

    private static settings(Map o = [:]) {
        new CorrelateStage.Settings([], 2, 0, 5, 3, o.control ?: 'none', null, o.precision ?: Precision.EXACT, 512, o.memory ?: (64L << 20))
    }
}
