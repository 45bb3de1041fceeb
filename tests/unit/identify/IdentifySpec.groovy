package unit.identify

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Folders

/** Three models in which some neurons follow the same signal, at places that differ from model to model. */
class IdentifySpec extends Specification {
    static final int WIDTH = 64
    static final int TOKENS = 600
    static final int SIGNALS = 9
    static final List<String> IDS = ['toy-s0-t7', 'toy-s1-t7', 'toy-s2-t7']

    @TempDir
    @Shared
    Path shared

    @TempDir
    Path dir

    @Shared
    Map<String, double[][]> models
    @Shared
    Map<String, List<Integer>> places
    @Shared
    Path correlations

    def setupSpec() {
        def random = new Random(5)
        double[][] signal = gaussians(random, TOKENS, SIGNALS)
        places = IDS.collectEntries { id ->
            def all = (0..<2 * WIDTH).toList()
            Collections.shuffle(all, random)
            [id, all.take(SIGNALS)]
        }
        models = IDS.collectEntries { id ->
            double[][] x = gaussians(random, TOKENS, 2 * WIDTH)
            places[id].eachWithIndex { int neuron, int s ->
                TOKENS.times { t -> x[t][neuron] = signal[t][s] + 0.15 * x[t][neuron] }
            }
            [id, x]
        }
        // one neuron never fires
        TOKENS.times { models[IDS[0]][it][dead()] = 0d }
        correlations = CorrelationTables.folder(shared.resolve('all'), models, WIDTH, [:])
    }

    static double[][] gaussians(Random random, int rows, int columns) {
        (0..<rows).collect { (0..<columns).collect { random.nextGaussian() } as double[] } as double[][]
    }

    int dead() {
        (0..<2 * WIDTH).find { !(it in places[IDS[0]]) }
    }

    def "exactly the planted neurons are universal, each with its planted partners"() {
        when:
        def run = Folders.run('identify', '--correlations', correlations, '--out', dir.resolve('out'))

        then:
        run.status == 0
        IDS.eachWithIndex { id, s ->
            def rows = Folders.rows(dir.resolve("out/${id}.csv"))
            assert rows.size() == 2 * WIDTH
            assert rows.indices.findAll { rows[it].universal == 'true' } as Set == places[id] as Set
            places[id].eachWithIndex { int neuron, int signal ->
                def partners = rows[neuron].partners.split(';').collect { it.split(':').take(2).join(':') }
                assert partners == (IDS - id).collect { "${it}:${name(places[it][signal])}" as String }
                assert rows[neuron].mutual == '2'
                assert rows[neuron].state == 'alive'
            }
        }
        def summary = new JsonSlurper().parse(dir.resolve('out/summary.json'))
        summary.checkpoints.every { it.universal == SIGNALS && it.universal_mutual == SIGNALS && it.universal_one_to_one == SIGNALS }
        summary.cliques.universal == SIGNALS
        summary.cliques.neurons as Set == (0..<SIGNALS).collect { s -> IDS.collect { name(places[it][s]) } } as Set
    }

    static String name(int neuron) {
        "${neuron.intdiv(WIDTH)}.${neuron % WIDTH}"
    }

    def "columns follow their definitions from the tables, recomputed here"() {
        given:
        Folders.run('identify', '--correlations', correlations, '--out', dir.resolve('out'))
        def id = IDS[1]
        def pairs = (IDS - id).collect { Folders.rows(correlations.resolve("${id}__${it}.csv")) }
        def found = Folders.rows(dir.resolve("out/${id}.csv"))

        expect:
        found.indices.every { i ->
            def corr = pairs.collect { it[i].max_corr as double }
            def base = pairs.collect { it[i].baseline_mean as double }
            assert close(found[i].mean_corr, corr.sum() / 2)
            assert close(found[i].max_corr, corr.max()) && close(found[i].min_corr, corr.min())
            assert close(found[i].mean_baseline, base.sum() / 2)
            assert close(found[i].max_baseline, base.max()) && close(found[i].min_baseline, base.min())
            assert close(found[i].excess_corr, corr.sum() / 2 - base.sum() / 2)
            assert close(found[i].excess_strict, corr.min() - base.max())
            assert close(found[i].neg_corr, pairs.collect { it[i].neg_corr as double }.min())
            assert found[i].mutual as int == pairs.count { it[i].mutual == 'true' }
            assert close(found[i].baseline_std, 0.01)
            [1, 2].each { h ->
                assert close(found[i]["excess_half$h"], pairs.collect {
                    (it[i]["max_corr_half$h"] as double) - (it[i]["baseline_half$h"] as double) }.sum() / 2)
            }
            assert found[i].universal == "${corr.sum() / 2 - base.sum() / 2 > 0.5}"
            assert found[i].universal_strict == "${corr.min() - base.max() > 0.5}"
            assert found[i].n_eff == '' && found[i].w_in_norm == '' && found[i].vocab_kurt == ''
            true
        }
    }

    def "what sketches leave open is bounded and counted, and what is certain"() {
        given: 'the same tables, in which other neurons than the planted ones may have better partners'
        List<Double> more = [0d, 0.05d, 0.6d]
        Path sketched = Folders.folder(dir.resolve('sketched'), 'correlate', 'pairs', [family: 'toy', step: 7, control: 'none', precision: 'sketch', activations: 'live']) { out ->
            correlations.toFile().list().findAll { it.endsWith('.csv') }.each { name ->
                def rows = Folders.rows(correlations.resolve(name))
                Folders.csv(out.file(name), CorrelationTables.HEADER + 'max_corr_upper', rows.withIndex().collect { row, i ->
                    def cells = CorrelationTables.HEADER.collect { row[it] ?: null }
                    cells + (row.max_corr ? Math.min(1d, (row.max_corr as double) + more[i % 3]) : null)
                })
            }
        }

        when:
        def run = Folders.run('identify', '--correlations', sketched, '--out', dir.resolve('out'))
        def plain = Folders.run('identify', '--correlations', correlations, '--out', dir.resolve('plain'))

        then:
        run.status == 0 && plain.status == 0
        def summary = new JsonSlurper().parse(dir.resolve('out/summary.json'))
        summary.precision == 'sketch' && summary.activations == 'live'
        IDS.eachWithIndex { id, s ->
            def rows = Folders.rows(dir.resolve("out/${id}.csv"))
            def pairs = (IDS - id).collect { Folders.rows(sketched.resolve("${id}__${it}.csv")) }
            rows.eachWithIndex { row, i ->
                assert row.state == 'alive' ? close(row.excess_upper, pairs.sum { it[i].max_corr_upper as double } / 2 - (row.mean_baseline as double)) : row.excess_upper == ''
            }
            def alive = rows.findAll { it.state == 'alive' }
            def entry = summary.checkpoints[s]
            assert entry.certainly_universal == SIGNALS
            assert entry.open == alive.count { it.universal == 'false' && (it.excess_upper as double) > 0.5 }
            assert entry.open > 10
            assert entry.certainly_universal + entry.certainly_not + entry.open == alive.size()
        }

        and: 'tables without the column tell nothing, and the universal neurons are the same'
        def untold = new JsonSlurper().parse(dir.resolve('plain/summary.json'))
        untold.precision == null && untold.activations == 'stored'
        untold.checkpoints.every { it.open == null && it.certainly_universal == null && it.certainly_not == null }
        IDS.every { id ->
            def (rows, others) = ['out', 'plain'].collect { Folders.rows(dir.resolve("${it}/${id}.csv")) }
            others*.excess_upper.every { it == '' } && rows*.universal == others*.universal
        }
    }

    static boolean close(String found, double expected) {
        Math.abs((found as double) - expected) < 1e-12
    }

    def "a dead neuron is inactive, empty, and counted, and shares are of all and of the alive"() {
        given:
        Folders.run('identify', '--correlations', correlations, '--out', dir.resolve('out'))
        def row = Folders.rows(dir.resolve("out/${IDS[0]}.csv"))[dead()]
        def summary = new JsonSlurper().parse(dir.resolve('out/summary.json')).checkpoints[0]
        def manifest = new JsonSlurper().parse(dir.resolve('out/manifest.json'))

        expect:
        row.state == 'inactive'
        row.universal == 'false'
        ['max_corr', 'excess_corr', 'excess_half1', 'excess_strict', 'baseline_std', 'neg_corr', 'mutual', 'partners',
            'excess_one_to_one'].every { row[it] == '' }
        summary.id == IDS[0] && summary.seed == 0 && summary.step == 7 && summary.family == 'toy'
        summary.neurons == 2 * WIDTH && summary.inactive == 1 && summary.alive == 2 * WIDTH - 1 && summary.undetermined == 0
        Math.abs(summary.share - SIGNALS / (2 * WIDTH)) < 1e-9
        Math.abs(summary.share_alive - SIGNALS / (2 * WIDTH - 1)) < 1e-9
        summary.layers*.neurons == [WIDTH, WIDTH]
        summary.layers*.alive.sum() == 2 * WIDTH - 1
        summary.layers*.universal.sum() == SIGNALS
        summary.thresholds.keySet() == ['0.3', '0.4', '0.5'] as Set
        manifest.counts == [checkpoints: 3, neurons: 6 * WIDTH, universal: 3 * SIGNALS, inactive: 1, undetermined: 0]
        manifest.warnings.size() == 2 && manifest.warnings[0].contains('without sums by groups')
        manifest.warnings[1].contains('n_eff is unknown')
    }

    def "pairs may lie in several folders, and the results are the same bytes"() {
        given:
        def part = { String name, Closure<Boolean> wanted ->
            Folders.folder(dir.resolve(name), 'correlate', name, [family: 'toy', step: 7, control: 'none']) { out ->
                Folders.names(correlations).findAll { it.endsWith('.csv') && wanted(it) }.each {
                    Files.copy(correlations.resolve(it), out.file(it))
                }
            }
        }
        def first = part('a') { it.contains(IDS[2]) }
        def second = part('b') { !it.contains(IDS[2]) }

        when:
        Folders.run('identify', '--correlations', correlations, '--out', dir.resolve('whole'))
        Folders.run('identify', '--correlations', first, second, '--out', dir.resolve('parts'))

        then:
        (IDS.collect { "${it}.csv" } + 'summary.json').each {
            assert dir.resolve('whole').resolve(it).toFile().bytes == dir.resolve('parts').resolve(it).toFile().bytes
        }
    }

    def "the same computation on a row-shifted control finds nothing"() {
        given: 'one model against the others shifted by 100 tokens'
        def shifted = [(IDS[0]): models[IDS[0]]] + (IDS - IDS[0]).collectEntries { id ->
            [id, (0..<TOKENS).collect { models[id][(it + 100) % TOKENS] } as double[][]]
        }
        def control = CorrelationTables.folder(dir.resolve('control'), shifted, WIDTH, [control: 'row_shifted']) { a, b ->
            a == IDS[0]
        }

        when:
        def run = Folders.run('identify', '--correlations', correlations, '--controls', control, '--threshold', 0.45,
            '--out', dir.resolve('out'))

        then:
        run.status == 0
        def controls = new JsonSlurper().parse(dir.resolve('out/summary.json')).controls
        controls.keySet() == ['row_shifted'] as Set
        with(controls.row_shifted) {
            it*.id == [IDS[0]]
            it[0].neurons == 2 * WIDTH
            it[0].universal == 0
            it[0].share == 0
            it[0].max_excess < 0.2
            Math.abs(it[0].mean_excess) < 0.05
            it[0].thresholds.keySet() == ['0.3', '0.4', '0.45', '0.5'] as Set
        }
    }

    def "rare neurons are undetermined where descriptions tell their kurtosis"() {
        given: 'the first planted neuron of the first model has 1,000 positions and kurtosis 25: 40 effective ones'
        def rare = places[IDS[0]][0]
        def activations = Folders.folder(dir.resolve('activations'), 'activate', IDS[0], [family: 'toy', seed: 0, step: 7]) { out ->
            out.count('kept', 1000)
            moments(out.file('moments.safetensors'), 1000)
        }
        def description = Folders.folder(dir.resolve('description'), 'describe', IDS[0], [:]) { out ->
            Folders.csv(out.file("${IDS[0]}.csv"), ['layer', 'neuron', 'w_in_norm', 'skew', 'post_kurt', 'inactive'],
                (0..<2 * WIDTH).collect {
                    [it.intdiv(WIDTH), it % WIDTH, 2.5d, 0.25d, it == rare ? 25d : it == places[IDS[0]][1] ? null : 20d,
                     it == places[IDS[0]][2]]
                })
        }

        when:
        def run = Folders.run('identify', '--correlations', correlations, '--activations', activations, '--descriptions',
            description, '--out', dir.resolve('out'))
        def rows = Folders.rows(dir.resolve("out/${IDS[0]}.csv"))
        def summary = new JsonSlurper().parse(dir.resolve('out/summary.json')).checkpoints[0]

        then: 'it is never universal; unknown kurtosis decides nothing; what describe calls inactive is so'
        run.status == 0
        rows[rare].state == 'undetermined' && rows[rare].universal == 'false' && rows[rare].n_eff == '40.0'
        rows[rare].excess_corr != ''
        rows[places[IDS[0]][1]].state == 'alive' && rows[places[IDS[0]][1]].n_eff == ''
        rows[places[IDS[0]][2]].state == 'inactive' && rows[places[IDS[0]][2]].max_corr == ''
        rows[places[IDS[0]][3]].n_eff == '50.0' && rows[places[IDS[0]][3]].universal == 'true'
        summary.undetermined == 1 && summary.inactive == 2 && summary.universal == SIGNALS - 2

        and: 'columns of describe win, the moments fill what it does not have'
        rows[0].w_in_norm == '2.5' && rows[0].skew == '0.25'
        rows[0].mean == '1.5' && rows[0].var == '4.0' && rows[0].sparsity == '0.125' && rows[0].kurt == '5.0'
    }

    def "a control's mean and largest excess are over the neurons that are counted"() {
        given: 'a control that leaves everything in place, and too few effective positions for what is planted'
        def control = CorrelationTables.folder(dir.resolve('control'), models, WIDTH, [control: 'row_shifted']) { a, b ->
            a == IDS[0]
        }
        def activations = Folders.folder(dir.resolve('activations'), 'activate', IDS[0], [family: 'toy', seed: 0, step: 7]) { out ->
            out.count('kept', 1000)
            moments(out.file('moments.safetensors'), 1000)
        }
        def description = Folders.folder(dir.resolve('description'), 'describe', IDS[0], [:]) { out ->
            Folders.csv(out.file("${IDS[0]}.csv"), ['layer', 'neuron', 'post_kurt'],
                (0..<2 * WIDTH).collect { [it.intdiv(WIDTH), it % WIDTH, it in places[IDS[0]] ? 25d : 20d] })
        }

        when:
        Folders.run('identify', '--correlations', correlations, '--controls', control, '--activations', activations,
            '--descriptions', description, '--out', dir.resolve('out'))
        def found = new JsonSlurper().parse(dir.resolve('out/summary.json')).controls.row_shifted[0]
        def pairs = (IDS - IDS[0]).collect { Folders.rows(control.resolve("${IDS[0]}__${it}.csv")) }
        def excess = (0..<2 * WIDTH).findAll { it != dead() }.collectEntries { i ->
            [i, pairs.collect { (it[i].max_corr as double) - (it[i].baseline_mean as double) }.sum() / 2]
        }
        def counted = excess.findAll { i, e -> !(i in places[IDS[0]]) }.values()

        then:
        excess.values().max() > 0.5
        found.universal == 0
        Math.abs(found.max_excess - counted.max()) < 1e-12 && found.max_excess < 0.3
        Math.abs(found.mean_excess - counted.sum() / counted.size()) < 1e-12
    }

    def "from moments alone, what does not vary has no shape, and rounding is no variance"() {
        given: 'a constant pre-activation, and a constant activation, up to rounding'
        def activations = Folders.folder(dir.resolve('activations'), 'activate', IDS[0], [family: 'toy', seed: 0, step: 7]) { out ->
            out.count('kept', 1000)
            moments(out.file('moments.safetensors'), 1000, ['pre.m2': [70, 1e-18d], 'pre.m3': [70, 1e-27d], 'pre.m4': [70, 1e-35d],
                'post.m2': [71, 1e-18d], 'post.m4': [71, 1e-35d]])
        }

        when:
        def run = Folders.run('identify', '--correlations', correlations, '--activations', activations, '--out', dir.resolve('out'))
        def rows = Folders.rows(dir.resolve("out/${IDS[0]}.csv"))

        then:
        run.status == 0
        rows[70].skew == '' && rows[70].kurt == '' && rows[70].mean == '1.5' && rows[70].n_eff != ''
        rows[71].n_eff == '' && rows[71].state == 'inactive' && rows[71].kurt == '5.0'
        rows[72].skew == '0.0' && rows[72].kurt == '5.0' && (rows[72].n_eff as double) > 300
    }

    /** Moments alike for all neurons, but for those of {@code other}: name to [neuron, value]. */
    private static void moments(Path file, long count, Map other = [:]) {
        def writer = new universality.data.SafetensorsWriter(file)
        def values = ['count': [count], 'post.mean': 0, 'post.m2': count, 'post.m3': 0, 'post.m4': 3 * count,
            'post.min': -1, 'post.max': 1, 'post.abs_mean': 1, 'post.mean_square': 1,
            'pre.mean': 1.5, 'pre.m2': 4 * count, 'pre.m3': 0, 'pre.m4': 80 * count, 'pre.positive': count / 8]
        values.each { name, v ->
            name == 'count' ? writer.declare(name, universality.data.Dtype.F64, 1L)
                : writer.declare(name, universality.data.Dtype.F64, 2L, (long) WIDTH)
        }
        values.each { name, v ->
            def all = (name == 'count' ? v : [v] * (2 * WIDTH)).collect { it as double }
            if (other[name]) {
                all[other[name][0]] = other[name][1]
            }
            writer.doubles(all as double[])
        }
        writer.close()
    }

    def "bad input stops with status #status and one line that says: #line"() {
        given:
        def folders = input(dir)

        when:
        def run = Folders.run(*(['identify', '--out', dir.resolve('out')] + folders))

        then:
        run.status == status
        run.error.trim().readLines().size() == 1
        run.error.contains(line)
        !run.error.contains('internal error')
        Folders.names(dir).every { !it.startsWith('out') && !it.startsWith('.out') }

        where:
        status | line                                                   | input
        64     | "Missing required option: '--correlations"             | { d -> [] }
        64     | '--threshold is 1.5'                                   | { d -> ['--correlations', correlations, '--threshold', '1.5'] }
        66     | 'no folder of --correlations has toy-s1-t7__toy-s0-t7.csv' | { d -> ['--correlations', some(d, [:]) { a, b -> a != IDS[1] || b != IDS[0] }] }
        65     | 'one seed alone cannot be correlated'                  | { d -> ['--correlations', some(d, [:]) { a, b -> false }] }
        65     | "has the step '8'"                                     | { d -> ['--correlations', correlations, some(d, [step: 8]) { a, b -> false }] }
        65     | "has the family 'other'"                               | { d -> ['--correlations', correlations, some(d, [family: 'other']) { a, b -> false }] }
        65     | 'give it once'                                         | { d -> ['--correlations', correlations, some(d, [:]) { a, b -> a == IDS[0] && b == IDS[1] }] }
        64     | "made with the control 'shifted'"                      | { d -> ['--correlations', some(d, [control: 'shifted']) { a, b -> true }] }
        64     | 'is no control'                                        | { d -> ['--correlations', correlations, '--controls', correlations] }
        65     | "is of family 'toy' at step 9"                         | { d -> ['--correlations', correlations, '--controls', some(d, [step: 9, control: 'shifted']) { a, b -> a == IDS[0] }] }
        66     | 'is not a folder'                                      | { d -> ['--correlations', d.resolve('absent')] }
        65     | "written by the stage 'describe'"                      | { d -> ['--correlations', Folders.folder(d.resolve('x'), 'describe', 'x', [:]) { }] }
        65     | 'another table of'                                     | { d -> ['--correlations', edited(d) { rows -> rows.take(4) }] }
        65     | 'every neuron once, layer by layer'                    | { d -> ['--correlations', edited(d) { rows -> [rows[1], rows[0]] + rows.drop(2) }] }
        65     | 'a row for every neuron'                               | { d -> ['--correlations', edited(d) { rows -> rows.dropRight(1) }] }
        65     | 'but that model has 2 layers of 4 neurons'            | { d -> ['--correlations', edited(d) { rows -> rows.collect { r -> def c = r.clone(); c[3] = 2; c } }] }
        65     | 'a correlation lies between -1 and 1'                  | { d -> ['--correlations', edited(d) { rows -> rows.collect { r -> def c = r.clone(); c[2] = 1.5d; c } }] }
        65     | 'LAYER.NEURON:CORRELATION was expected'                | { d -> ['--correlations', edited(d) { rows -> rows.collect { r -> def c = r.clone(); c[19] = 'rubbish'; c } }] }
    }

    /** The first eight neurons of every model on eight tokens, as two layers of four. */
    private Map<String, double[][]> tiny() {
        models.collectEntries { id, x -> [id, x.toList().take(8).collect { it.toList().take(8) as double[] } as double[][]] }
    }

    private Path some(Path d, Map parameters, Closure<Boolean> wanted) {
        CorrelationTables.folder(d.resolve('some'), tiny(), 4, parameters, wanted)
    }

    /** All pairs, with the rows of one table changed. */
    private Path edited(Path d, Closure<List> change) {
        def models = tiny()
        Folders.folder(d.resolve('edited'), 'correlate', 'pairs', [family: 'toy', step: 7]) { out ->
            models.each { a, x -> models.each { b, y ->
                if (a != b) {
                    def rows = CorrelationTables.rows(x, y, 4, new Random(1))
                    Folders.csv(out.file("${a}__${b}.csv"), CorrelationTables.HEADER,
                        a == IDS[1] && b == IDS[2] ? change(rows) : rows)
                }
            } }
        }
    }

    def "a table changed after it was written is refused"() {
        given:
        def folder = some(dir, [:]) { a, b -> true }
        def file = folder.resolve("${IDS[0]}__${IDS[1]}.csv").toFile()
        def text = file.text
        file.text = text.replaceFirst(/0\.(\d)/) { all, digit -> "0.${(digit as int) % 9 + 1}" }

        when:
        def run = Folders.run('identify', '--correlations', folder, '--out', dir.resolve('out'))

        then:
        file.length() == text.length()
        run.status == 65
        run.error.contains('it was changed; rerun the stage')
    }
}
