package unit.ablate

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import spock.lang.Unroll
import unit.Tool
import unit.model.ReferenceModel
import unit.support.Folders
import unit.support.TestData
import universality.ablate.AblateStage
import universality.ablate.Candidates
import universality.ablate.NeuronSet
import universality.ablate.Plan
import universality.data.Json
import universality.data.Manifest
import universality.stats.Draws
import universality.stats.Samples
import universality.stats.Significance

/** The stage `ablate`: every condition against a full float64 run, a circuit with known effects, masks, seeds and bad input. */
class AblateSpec extends Specification {
    static final SIZES = [layers: 3, heads: 2, width: 8, mlp: 24, vocabulary: 13, context: 7]
    static final TOKENS = rows(5, 7, 13, 3)
    static final MASK = [[1] * 7, [0, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 0], [1, 0, 1, 0, 1, 0, 1], [0] * 7]
    static final SET = [[2, 5, 11], [0], [7, 20, 21, 22]]

    @TempDir
    Path folder

    @Unroll
    def "#replace: every condition agrees with a run in full that shares nothing"() {
        given:
        def reference = new ReferenceModel(SIZES, new Random(5))
        def checkpoint = save(reference)
        def tokens = TestData.tokens(folder, 'heldout', TOKENS, 13, [mask: MASK, documents: [3, 3, 8, 9, 1]])

        when:
        def out = ablate(checkpoint, tokens, table(SET), '--replace', replace, '--draws', 4, '--seed', 9)
        def rows = Folders.rows(out.resolve('ablation.csv'))

        then: 'the conditions are those that the seed gives'
        def posts = []
        def clean = TOKENS.collect { row -> def p = []; def z = reference.logits(row as int[], p); posts << p; z }
        def plan = plan(reference, posts, 4, 9)
        rows.collect { [it.condition, it.layers, it.draw as int, it.neurons as int] } ==
                plan.conditions().collect { [it.name(), it.layers(), it.draw(), it.neurons().size()] }
        rows.size() == 5 * (1 + 3 * 4)

        and: 'and each of them has the effect of replacing its neurons'
        def means = means(posts)
        int[] donors = AblateStage.donors(5, Draws.of('ablate', 9L, 'toy', 1L, 0L, 'donors'))
        [rows, plan.conditions()].transpose().every { row, condition ->
            def changed = TOKENS.indices.collect { r ->
                reference.logits(TOKENS[r] as int[], null) { int layer, double[][] post ->
                    condition.neurons().of(layer).each { int neuron ->
                        post.eachWithIndex { double[] values, int p ->
                            values[neuron] = replace == 'zero' ? 0d : replace == 'mean' ? means[layer][neuron] : posts[donors[r]][layer][p][neuron]
                        }
                    }
                }
            }
            def expected = ReferenceModel.measure(clean, changed, TOKENS, MASK)
            def undisturbed = ReferenceModel.measure(clean, clean, TOKENS, MASK)
            near(row.loss_clean, undisturbed.loss) && near(row.loss, expected.loss) && near(row.kl, expected.kl) &&
                    near(row.delta_loss, expected.loss - undisturbed.loss) && near(row.delta_entropy, expected.delta_entropy) &&
                    near(row.top1_changed, expected.top1_changed) && row.tokens as int == expected.tokens && row.positions as int == expected.positions
        }

        where:
        replace << ['zero', 'mean', 'resample']
    }

    def "a circuit by hand: one neuron carries a known logit"() {
        given: 'every token writes (1, -1, 0, 0), the neuron (0, 0, 1, -1); token 0 reads the third direction, token 1 the first'
        def zero = { int... shape -> [shape as long[], [0f] * shape.inject(1) { a, b -> a * b }] }
        def one = { int n -> [[n] as long[], [1f] * n] }
        def weights = [
            'wte.weight': [[3, 4] as long[], [1, -1, 0, 0] * 3], 'wpe.weight': zero(4, 4),
            'h.0.ln_1.weight': one(4), 'h.0.ln_1.bias': zero(4),
            'h.0.attn.c_attn.weight': zero(4, 12), 'h.0.attn.c_attn.bias': zero(12),
            'h.0.attn.c_proj.weight': zero(4, 4), 'h.0.attn.c_proj.bias': zero(4),
            'h.0.ln_2.weight': one(4), 'h.0.ln_2.bias': zero(4),
            'h.0.mlp.c_fc.weight': zero(4, 2), 'h.0.mlp.c_fc.bias': [[2] as long[], [2, 0.5]],
            'h.0.mlp.c_proj.weight': [[2, 4] as long[], [0, 0, 0.5, -0.5, 0, 0, 0, 0]], 'h.0.mlp.c_proj.bias': zero(4),
            'ln_f.weight': one(4), 'ln_f.bias': zero(4),
            'lm_head.weight': [[3, 4] as long[], [0, 0, 2, 0, 0.5, 0, 0, 0, 0, 0, 0, 0]],
        ]
        def checkpoint = TestData.model(folder, 'circuit', [n_layer: 1, n_head: 1, n_embd: 4, n_inner: 2, vocab_size: 3,
                n_positions: 4, activation_function: 'relu', layer_norm_epsilon: 1e-12, tie_word_embeddings: false], weights)
        def tokens = TestData.tokens(folder, 'heldout', [[0, 0, 1, 2], [2, 1, 0, 0]], 3)

        when:
        def zeroed = ablate(checkpoint, tokens, table([[0]]))
        def meaned = ablate(checkpoint, tokens, table([[0]]), '--replace', 'mean')
        def row = Folders.rows(zeroed.resolve('ablation.csv'))[0]
        def unchanged = Folders.rows(meaned.resolve('ablation.csv'))[0]

        then: 'with it the stream is (1, -1, 1, -1), without it (1, -1, 0, 0) / sqrt(1/2)'
        def p = ReferenceModel.logSoftmax([2, 0.5, 0] as double[])
        def q = ReferenceModel.logSoftmax([0, 0.5 * Math.sqrt(2), 0] as double[])
        def targets = [0, 1, 2, 1, 0, 0]
        near(row.loss_clean, -targets.sum { p[it] } / 6)
        near(row.loss, -targets.sum { q[it] } / 6)
        near(row.kl, (0..2).sum { Math.exp(p[it]) * (p[it] - q[it]) })
        near(row.delta_entropy, (0..2).sum { Math.exp(p[it]) * p[it] - Math.exp(q[it]) * q[it] })
        row.top1_changed == '1.0' && row.tokens == '6' && row.positions == '8'

        and: 'its mean is its only value: nothing changes at all'
        unchanged.delta_loss == '0.0' && unchanged.kl == '0.0' && unchanged.top1_changed == '0.0'

        and: 'no other neuron is alive, so there is no control, and it says so'
        Folders.rows(zeroed.resolve('ablation.csv'))*.condition.unique() == ['universal']
        Manifest.read(zeroed, 'ablate').warnings().any { it.contains('control_layer') && it.contains('0 alive') }
        Manifest.read(zeroed, 'ablate').warnings().any { it.contains('control_any left out') }
        Folders.rows(zeroed.resolve('summary.csv')).empty
    }

    @Unroll
    def "mask #mask counts #losses losses and #positions distributions"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', [TOKENS[0]], 13, [mask: [mask]])

        when:
        def row = Folders.rows(ablate(checkpoint, tokens, table(SET)).resolve('ablation.csv'))[0]

        then:
        row.tokens as int == losses
        row.positions as int == positions
        row.loss.empty == (losses == 0)
        !row.kl.empty

        where:
        mask                  | losses | positions
        [1, 1, 1, 1, 1, 1, 1] | 6      | 7
        [0, 0, 0, 0, 0, 0, 1] | 1      | 1
        [1, 0, 0, 0, 0, 0, 0] | 0      | 1
        [0, 1, 0, 1, 0, 0, 0] | 2      | 2
    }

    def "the summary follows from the table, and identical sets get identical rows"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', rows(40, 7, 13, 4), 13)

        when: 'a set that leaves layer 1 out'
        def out = ablate(checkpoint, tokens, table([[2, 5, 11], [], [7, 20]]), '--draws', 5)
        def table = Folders.rows(out.resolve('ablation.csv'))
        def summary = Folders.rows(out.resolve('summary.csv'))
        def manifest = Manifest.read(out, 'ablate')

        then:
        summary*.layers.unique() == ['all', 'all_but_0', '0', '2']
        summary.size() == 4 * 3 * 2
        manifest.warnings().any { it.contains('layers 1 left out') }
        manifest.warnings().any { it.contains('1/6') }
        summary.every { row ->
            // a set is measured once, so draws of the same set have the same values
            double[] controls = table.findAll { it.condition == row.control && it.layers == row.layers }.collect { it[row.metric] as double }.toSet()
            boolean spread = controls.length == 5
            double universal = table.find { it.condition == 'universal' && it.layers == row.layers }[row.metric] as double
            near(row.universal, universal, 1e-12) && near(row.control_mean, Samples.mean(controls), 1e-12) &&
                    (controls.length < 2 ? row.control_sd.empty : near(row.control_sd, Samples.standardDeviation(controls), 1e-12)) &&
                    (spread ? near(row.z, Samples.zScore(universal, controls), 1e-6) : row.z.empty && row.p.empty && row.ci_low.empty) &&
                    (!spread || near(row.p, Significance.pValue(universal, controls), 0) && (row.p as double) >= 1 / 6d - 1e-12) &&
                    near(row.difference, universal - Samples.mean(controls), 1e-12) && row.draws == '5' &&
                    (!spread || (row.p_adjusted as double) >= (row.p as double) && (row.p_adjusted as double) <= 1) &&
                    row.distinct as int == controls.length &&
                    (!spread || (row.ci_low as double) < (row.difference as double) && (row.difference as double) < (row.ci_high as double)) &&
                    !row.standardised_difference.empty
        }
        and: 'all_but_0 is layer 2 here: measured once, written twice'
        def part = { String layers -> table.findAll { it.layers == layers }.collect { it - [layers: layers] } }
        part('all_but_0') == part('2')
        summary.findAll { it.layers == 'all_but_0' }.collect { it - [layers: 'all_but_0'] } == summary.findAll { it.layers == '2' }.collect { it - [layers: '2'] }
        manifest.counts().conditions == 4 * 16
        manifest.counts().distinct_sets <= 3 * 16

        and: 'Holm over three distinct parts and two metrics of each control'
        summary.groupBy { it.control }.every { control, rows ->
            def tests = rows.findAll { it.layers != '2' && !it.p.empty }
            def holm = Significance.holm(tests.collect { it.p as double } as double[])
            tests.indices.every { near(tests[it].p_adjusted, holm[it], 1e-12) }
        }
    }

    def "where numbers are written in other digits, nothing is: #language"() {
        given:
        Locale before = Locale.default
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', rows(10, 7, 13, 4), 13)
        def neurons = table([(0..<5).toList(), [], [7]])
        def expected = ablate(checkpoint, tokens, neurons, '--draws', 2)

        when:
        Locale.setDefault(Locale.forLanguageTag(language))
        def out = ablate(checkpoint, tokens, neurons, '--draws', 2)

        then:
        ['ablation.csv', 'summary.csv'].every { out.resolve(it).bytes == expected.resolve(it).bytes }

        and: 'what could not be checked is told'
        Manifest.read(out, 'ablate').warnings().any { it.startsWith('the tokenizer of ') && it.endsWith(' is not known: tokens are taken to be its own') }

        cleanup:
        Locale.setDefault(before)

        where:
        language << ['fa-IR-u-nu-arabext', 'ar-EG-u-nu-arab']
    }

    def "where all draws are the same set there is no spread and no p, and the manifest says so"() {
        given: 'half of layer 0, so that its controls are the other half, and one neuron of layer 2'
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', rows(10, 7, 13, 4), 13)

        when:
        def out = ablate(checkpoint, tokens, table([(0..<12).toList(), [], [7]]), '--draws', 12)
        def table = Folders.rows(out.resolve('ablation.csv'))
        def summary = Folders.rows(out.resolve('summary.csv'))
        def warnings = Manifest.read(out, 'ablate').warnings()
        def row = { String layers, String control, String metric -> summary.find { it.layers == layers && it.control == control && it.metric == metric } }

        then: 'one set, drawn twelve times'
        ['control_layer', 'control_matched'].every { control -> ['delta_loss', 'kl'].every { metric ->
            def one = row('0', control, metric)
            one.draws == '12' && one.distinct == '1' && !one.universal.empty && !one.control_mean.empty && !one.difference.empty &&
                    ['control_sd', 'z', 'p', 'p_adjusted', 'ci_low', 'ci_high'].every { one[it].empty }
        } }
        warnings.any { it == 'layers 0: z, p and the interval of control_layer are empty: its 12 draws are 1 distinct sets, 5 are needed' }
        warnings.any { it.startsWith('layers 0: draws of control_layer have 100% of their neurons of layer 0 in common') }
        warnings.any { it.startsWith('layers all: draws of control_layer have 100% of their neurons of layer 0 in common') }

        and: 'a set that is drawn twice counts once'
        ['delta_loss', 'kl'].every { metric ->
            def one = row('2', 'control_layer', metric)
            double universal = one.universal as double
            def values = table.findAll { it.layers == '2' && it.condition == 'control_layer' }.collect { it[metric] as double }.toSet()
            values.size() < 12 && one.distinct as int == values.size() &&
                    near(one.p, (1 + values.count { it >= universal }) / (1 + values.size() as double), 1e-15) &&
                    near(one.control_mean, Samples.mean(values as double[]), 1e-12) &&
                    near(one.control_sd, Samples.standardDeviation(values as double[]), 1e-12)
        }
        !warnings.any { it.startsWith('layers 2: draws of control_layer') }

        and: 'tests without a p are none for Holm'
        def known = summary.findAll { it.control == 'control_layer' && !it.p.empty && it.layers != 'all_but_0' }
        def holm = Significance.holm(known.collect { it.p as double } as double[])
        known.indices.every { near(known[it].p_adjusted, holm[it], 1e-12) }
    }

    def "equal inputs give equal bytes, another seed other controls"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', TOKENS, 13)

        when:
        def first = ablate(checkpoint, tokens, table(SET), '--draws', 2)
        def second = ablate(checkpoint, tokens, table(SET), '--draws', 2)
        def other = ablate(checkpoint, tokens, table(SET), '--draws', 2, '--seed', 2)

        then:
        ['ablation.csv', 'summary.csv', 'manifest.json'].every { Files.readString(first.resolve(it)) == Files.readString(second.resolve(it)) }
        def a = Folders.rows(first.resolve('ablation.csv'))
        def b = Folders.rows(other.resolve('ablation.csv'))
        a.findAll { it.condition == 'universal' } == b.findAll { it.condition == 'universal' }
        a.findAll { it.condition == 'control_any' }*.kl != b.findAll { it.condition == 'control_any' }*.kl
        def manifest = Json.read(first.resolve('manifest.json'))
        manifest.path('parameters').path('family').asText() == 'toy' && manifest.path('parameters').path('ablation_seed').asLong() == 1
        manifest.path('device').asText() == 'cpu'
        manifest.path('inputs')*.path('role')*.asText() == ['checkpoint', 'tokens', 'neurons']
        manifest.path('inputs').every { it.path('digest').asText() ==~ /[0-9a-f]{64}/ }
    }

    def "results do not depend on memory beyond rounding"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', TOKENS, 13, [mask: MASK])

        when:
        def much = Folders.rows(ablate(checkpoint, tokens, table(SET), '--replace', 'resample').resolve('ablation.csv'))
        def little = Folders.rows(ablate(checkpoint, tokens, table(SET), '--replace', 'resample', '--memory', '1 KB').resolve('ablation.csv'))

        then:
        [much, little].transpose().every { a, b -> ['loss', 'kl', 'delta_entropy'].every { near(a[it], b[it] as double, 1e-6) } }
    }

    def "moments and norms of activate and describe give what a pass over the same tokens gives"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', TOKENS, 13, [mask: MASK])
        def activations = folder.resolve('activations')
        def description = folder.resolve('description')

        when:
        def activate = Tool.run('activate', '--checkpoint', checkpoint, '--tokens', tokens, '--store', 'none', '--device', 'cpu', '--threads', 1, '--out', activations)
        def describe = Tool.run('describe', '--checkpoint', checkpoint, '--activations', activations, '--out', description)
        def own = ablate(checkpoint, tokens, table(SET), '--replace', 'mean', '--draws', 3)
        def given = ablate(checkpoint, tokens, table(SET), '--replace', 'mean', '--draws', 3, '--activations', activations, '--descriptions', description)

        then:
        activate.status == 0 && describe.status == 0
        [Folders.rows(own.resolve('ablation.csv')), Folders.rows(given.resolve('ablation.csv'))].transpose().every { a, b ->
            a.condition == b.condition && near(a.loss, b.loss as double, 1e-6) && near(a.kl, b.kl as double, 1e-6)
        }
        Manifest.read(given, 'ablate').warnings().any { it.contains('held-out') }
        Json.read(given.resolve('manifest.json')).path('inputs')*.path('role')*.asText() == ['checkpoint', 'tokens', 'neurons', 'activations', 'descriptions']

        when: 'those of another checkpoint'
        def other = save(new ReferenceModel(SIZES, new Random(6)), 'other')
        def refused = Tool.run('ablate', '--checkpoint', other, '--tokens', tokens, '--neurons', table(SET), '--activations', activations, '--out', folder.resolve('no'))
        def alsoRefused = Tool.run('ablate', '--checkpoint', other, '--tokens', tokens, '--neurons', table(SET), '--descriptions', description, '--out', folder.resolve('no'))

        then:
        refused.refused(65, 'other', 'this checkpoint')
        alsoRefused.refused(65, 'other', 'this checkpoint')
        !Files.exists(folder.resolve('no'))
    }

    def "only rows that are universal are ablated; none of them gives tables without rows"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', TOKENS, 13)
        def some = folder.resolve('some.csv')
        Folders.csv(some, ['layer', 'neuron', 'universal'], [[0, 1, true], [0, 2, false], [1, 3, null]])
        def none = folder.resolve('none.csv')
        Folders.csv(none, ['layer', 'neuron', 'universal'], [[0, 1, false], [0, 2, false]])

        when:
        def one = ablate(checkpoint, tokens, some, '--draws', 1)
        def empty = ablate(checkpoint, tokens, none)

        then:
        Folders.rows(one.resolve('ablation.csv')).every { it.neurons == '1' && it.layers in ['all', '0'] }
        Files.readAllLines(empty.resolve('ablation.csv')).size() == 1
        Files.readAllLines(empty.resolve('summary.csv')).size() == 1
        Manifest.read(empty, 'ablate').warnings() == ["the tokenizer of 'model' is not known: tokens are taken to be its own", 'the set is empty: there is nothing to ablate']
        Manifest.read(empty, 'ablate').counts().set == 0
    }

    @Unroll
    def "refused: #what"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', TOKENS, 13)
        def neurons = folder.resolve('neurons.csv')
        Folders.csv(neurons, header, rows)

        when:
        def run = Tool.run(*(['ablate', '--checkpoint', checkpoint, '--tokens', tokens, '--neurons', neurons, '--out', folder.resolve('out')] + options))

        then:
        run.refused(status, *parts)
        Folders.names(folder) == ['heldout', 'model', 'neurons.csv']

        where:
        what                    | header              | rows             | options                   || status | parts
        'a layer too many'      | ['layer', 'neuron'] | [[0, 1], [3, 5]] | []                        || 65     | ['row 3', '3.5', 'model', '3 layers of 24']
        'a neuron too many'     | ['layer', 'neuron'] | [[0, 24]]        | []                        || 65     | ['0.24', "'model'"]
        'a negative neuron'     | ['layer', 'neuron'] | [[0, -1]]        | []                        || 65     | ['0.-1']
        'the same neuron twice' | ['layer', 'neuron'] | [[0, 1], [0, 1]] | []                        || 65     | ['0.1', 'twice']
        'no neuron column'      | ['layer', 'unit']   | [[0, 1]]         | []                        || 65     | ["'neuron'", '[layer, unit]']
        'no number'             | ['layer', 'neuron'] | [['x', 1]]       | []                        || 65     | ["'x'", 'integer']
        'no such replacement'   | ['layer', 'neuron'] | [[0, 1]]         | ['--replace', 'noise']    || 64     | ["'noise'", 'zero, mean, resample']
        'no draws'              | ['layer', 'neuron'] | [[0, 1]]         | ['--draws', 0]            || 64     | ['--draws 0']
    }

    def "a missing table, a single row to resample from, tokens of another vocabulary"() {
        given:
        def checkpoint = save(new ReferenceModel(SIZES, new Random(5)))
        def tokens = TestData.tokens(folder, 'heldout', [TOKENS[0]], 13)
        def large = TestData.tokens(folder, 'large', [[0, 99]], 100)
        def run = { Object... more -> Tool.run(*(['ablate', '--checkpoint', checkpoint, '--out', folder.resolve('out')] + more.toList())) }

        expect:
        run('--tokens', tokens, '--neurons', folder.resolve('gone.csv')).refused(66, 'gone.csv')
        run('--tokens', tokens, '--neurons', table(SET), '--replace', 'resample').refused(65, 'heldout', '2')
        run('--tokens', large, '--neurons', table(SET)).refused(65, '99', '13')
        !Files.exists(folder.resolve('out'))
    }

    def "every row takes its values from another, each row gives once"() {
        expect:
        (2..30).every { int n ->
            int[] donors = AblateStage.donors(n, Draws.of('test', n))
            donors.toList().sort() == (0..<n).toList() && (0..<n).every { donors[it] != it }
        }
    }

    private static List<List<Integer>> rows(int rows, int context, int vocabulary, int seed) {
        def random = new Random(seed)
        (0..<rows).collect { (0..<context).collect { random.nextInt(vocabulary) } }
    }

    private Path save(ReferenceModel model, String id = 'model') {
        def weights = model.shapes().collectEntries { name, shape -> [name, [shape as long[], model.weights[name].toList()]] }
        TestData.model(folder, id, model.config(), weights)
    }

    private Path table(List<List<Integer>> set) {
        def file = folder.resolve('set.csv')
        Folders.csv(file, ['layer', 'neuron'], set.withIndex().collectMany { neurons, layer -> neurons.collect { [layer, it] } })
        file
    }

    private int runs = 0

    private Path ablate(Path checkpoint, Path tokens, Path neurons, Object... options) {
        def out = folder.resolve("out${runs++}")
        def run = Tool.run(*(['ablate', '--checkpoint', checkpoint, '--tokens', tokens, '--neurons', neurons, '--device', 'cpu', '--threads', 1, '--out', out] + options.toList()))
        assert run.status == 0: run.error
        out
    }

    /** The conditions of the stage, from float64 activations. */
    private static Plan plan(ReferenceModel model, List posts, int draws, long seed) {
        def effect = (0..<model.layers).collect { layer ->
            (0..<model.mlp).collect { neuron ->
                def values = kept(posts, layer, neuron)
                def out = (0..<model.width).collect { model.weights["h.${layer}.mlp.c_proj.weight".toString()][neuron * model.width + it] }
                double mean = out.sum() / out.size()
                Math.log(Math.sqrt(values.sum { it * it } / values.size()) * Math.sqrt(out.sum { (it - mean)**2 }))
            }
        } as double[][]
        def set = new NeuronSet(SET as int[][])
        Plan.of(set, new Candidates(set, new boolean[model.layers][model.mlp], effect, 'ablate', seed, 'toy', 1L, 0L, 'control'), draws)
    }

    private static List<List<Double>> means(List posts) {
        (0..<SIZES.layers).collect { layer -> (0..<SIZES.mlp).collect { neuron -> def v = kept(posts, layer, neuron); v.sum() / v.size() } }
    }

    private static List<Double> kept(List posts, int layer, int neuron) {
        TOKENS.indices.collectMany { r -> (0..<7).findAll { MASK[r][it] == 1 }.collect { posts[r][layer][it][neuron] as double } }
    }

    private static boolean near(def found, def expected, double tolerance = 1e-6) {
        assert Math.abs((found as double) - (expected as double)) <= tolerance
        true
    }
}
