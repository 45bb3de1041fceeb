package unit.persist

import groovy.json.JsonSlurper
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Folders

/** Neuron tables written by hand; every figure is computed again here from sets. */
class PersistSpec extends Specification {
    static final int LAYERS = 2
    static final int WIDTH = 20
    static final List<Long> STEPS = [0L, 10L, 100L, 400L]
    static final List<Long> SEEDS = [0L, 1L, 2L]
    static final List<String> HEADER = ['layer', 'neuron', 'excess_corr', 'excess_half1', 'excess_half2', 'universal',
        'partners', 'state']

    @TempDir
    Path dir

    /** A random study: [seed][step] → list of neurons as maps. */
    static Map study(int seed) {
        def random = new Random(seed)
        SEEDS.collectEntries { s -> [s, STEPS.collectEntries { t ->
            [t, (0..<LAYERS * WIDTH).collect { i ->
                double excess = 0.5 + 0.15 * random.nextGaussian() - (t == 0 ? 1 : 0) + (i % 5 == 0 ? 0.1 : 0)
                def state = random.nextInt(15) == 0 ? 'inactive' : random.nextInt(15) == 0 ? 'undetermined' : 'alive'
                def partners = (SEEDS - s).collect { o ->
                    "m-s${o}-t${t}:0.${random.nextInt(2) == 0 ? i % WIDTH : random.nextInt(WIDTH)}:0.9" }.join(';')
                state == 'inactive'
                    ? [excess: null, halves: [null, null], universal: false, partners: null, state: state]
                    : [excess: excess, halves: (0..1).collect { excess + 0.02 * random.nextGaussian() },
                       universal: state == 'alive' && excess > 0.5, partners: partners, state: state]
            }]
        }] }
    }

    Path step(Path at, long t, Map study, Map parameters = [:], List<Long> seeds = SEEDS) {
        Folders.folder(at, 'identify', "m-t$t", [family: 'm', step: t, threshold: 0.5d] + parameters) { out ->
            seeds.each { s ->
                Folders.csv(out.file("m-s${s}-t${t}.csv"), HEADER, study[s][t].withIndex().collect { n, i ->
                    [i.intdiv(WIDTH), i % WIDTH, n.excess, n.halves[0], n.halves[1], n.universal, n.partners, n.state]
                })
            }
            universality.data.Json.write(out.file('summary.json'),
                [checkpoints: seeds.collect { s -> [id: "m-s${s}-t${t}" as String, family: 'm', seed: s, step: t] }])
        }
    }

    List<Path> steps(Map study) {
        STEPS.collect { step(dir.resolve("step$it"), it, study) }
    }

    def "persistence follows its definitions for every seed, layer and pair of steps"() {
        given:
        def study = study(1)
        def run = Folders.run('persist', '--neurons', *steps(study), '--self', self(dir, study), '--out', dir.resolve('out'))
        def rows = Folders.rows(dir.resolve('out/persistence.csv'))

        expect: 'a row for each of 6 pairs of steps, 3 seeds and all, 2 layers and all'
        run.status == 0
        rows.size() == 6 * 4 * 3
        rows.each { row ->
            long from = row.step_from as long
            long to = row.step_to as long
            def cells = cells(study, row)
            def u = { t -> cells.collect { s, i -> study[s][t][i].universal ? [s, i] : null }.findAll() as Set }
            def (a, b) = [u(from), u(to)]
            assert row.family == 'm'
            assert row.consecutive == "${STEPS.indexOf(to) == STEPS.indexOf(from) + 1}"
            assert [row.universal_from, row.universal_to, row.both]*.toInteger() == [a.size(), b.size(), common(a, b).size()]
            check(row.persistence, common(a, b).size(), a.size())
            check(row.jaccard, common(a, b).size(), (a + b).size())
            check(row.chance, a.groupBy { [it[0], it[1].intdiv(WIDTH)] }.collect { key, members ->
                members.size() * b.count { [it[0], it[1].intdiv(WIDTH)] == key } / (WIDTH as double) }.sum() ?: 0, a.size())
            def h = { t -> cells.findAll { s, i -> hysteresis(study[s], t, i) } as Set }
            check(row.persistence_hysteresis, common(h(from), h(to)).size(), h(from).size())
            def clear = cells.findAll { s, i -> clear(study[s][from], i) && clear(study[s][to], i) } as Set
            check(row.persistence_clear, common(common(a, b), clear).size(), common(a, clear).size())
            def pairs = common(a, b).collectMany { s, i -> (SEEDS - s).collect { o ->
                partner(study[s][from][i], o) == partner(study[s][to][i], o) } }
            check(row.partner_kept, pairs.count(true), pairs.size())
            def half = { k -> cells.findAll { s, i -> inHalf(study[s][from][i], k) } as Set }
            check(row.half_noise, 2 * common(half(0), half(1)).size(), half(0).size() + half(1).size())
            def selfs = { wanted -> cells.findAll(wanted).collect { s, i -> selfCorr(s, from, to, i) }.findAll { it != null } }
            check(row.self_corr_universal, selfs { it in a }.sum() ?: 0, selfs { it in a }.size())
            check(row.self_corr_kept, selfs { it in a && it in b }.sum() ?: 0, selfs { it in a && it in b }.size())
            check(row.self_corr_other, selfs { !(it in a) }.sum() ?: 0, selfs { !(it in a) }.size())
        }

        and: 'the first step has nothing universal: empty, not 0 or 1'
        rows.findAll { it.step_from == '0' }.every { it.persistence == '' && it.chance == '' && it.universal_from == '0' }
    }

    /** Not Groovy's own intersect, which takes lists with equal hash codes for equal. */
    private static Set common(Set a, Set b) {
        a.findAll { it in b }
    }

    /** Neurons that a row is about, as [seed, index]. */
    private static List cells(Map study, Map row) {
        def seeds = row.seed == 'all' ? SEEDS : [row.seed as long]
        def range = row.layer == 'all' ? (0..<LAYERS * WIDTH)
            : ((row.layer as int) * WIDTH..<(row.layer as int) * WIDTH + WIDTH)
        seeds.collectMany { s -> range.collect { i -> [s, i] } }
    }

    private static void check(String cell, Number part, Number whole) {
        if (whole == 0) {
            assert cell == ''
        } else {
            assert Math.abs((cell as double) - (part as double) / (whole as double)) < 1e-12
        }
    }

    private static boolean hysteresis(Map ofSeed, long t, int i) {
        boolean inside = false
        STEPS.findAll { it <= t }.each {
            def n = ofSeed[it][i]
            inside = n.universal || (inside && n.state == 'alive' && n.excess > 0.45)
        }
        inside
    }

    def "clear cases go by the standard error where there is one, else by the halves"() {
        given: 'two neurons well above the threshold by either measure, but for a large error; one without an error'
        def header = HEADER + 'excess_se'
        def folders = [0L, 10L].collect { t ->
            Folders.folder(dir.resolve("e$t"), 'identify', "m-t$t", [family: 'm', step: t, threshold: 0.5d]) { out ->
                Folders.csv(out.file("m-s0-t${t}.csv"), header, [
                    [0, 0, 0.7d, 0.71d, 0.69d, true, null, 'alive', 0.01d], [0, 1, 0.7d, 0.7d, 0.7d, t == 0, null, 'alive', 0.2d],
                    [0, 2, t == 0 ? 0.7d : 0.3d, 0.5d, 0.5d, t == 0, null, 'alive', null], [0, 3, null, null, null, false, null, 'inactive', null]])
                universality.data.Json.write(out.file('summary.json'),
                    [checkpoints: [[id: "m-s0-t${t}" as String, family: 'm', seed: 0, step: t]]])
            }
        }

        when:
        def run = Folders.run('persist', '--neurons', *folders, '--out', dir.resolve('errors'))
        def row = Folders.rows(dir.resolve('errors/persistence.csv')).find { it.seed == '0' && it.layer == 'all' }
        def summary = new JsonSlurper().parse(dir.resolve('errors/summary.json').toFile())

        then: 'of the clear ones, one stays and one goes'
        run.status == 0
        (row.persistence_clear as double) == 0.5d
        summary.clear_by == [excess_se: 4, halves: 2]
    }

    private static boolean clear(List neurons, int i) {
        def n = neurons[i]
        if (n.state == 'inactive') {
            return true
        }
        int layer = i.intdiv(WIDTH)
        def errors = neurons.subList(layer * WIDTH, (layer + 1) * WIDTH).findAll { it.excess != null }
            .collect { (it.halves[0] - it.halves[1]) / 2 as double }
        double common = Math.sqrt(errors.collect { it * it }.sum() / errors.size())
        n.state == 'alive' && Math.abs(n.excess - 0.5) > 2 * Math.max(common, Math.abs(n.halves[0] - n.halves[1]) / 2 as double)
    }

    private static boolean inHalf(Map n, int k) {
        n.state == 'alive' && n.halves[k] > 0.5
    }

    private static String partner(Map n, long other) {
        n.partners.split(';').find { it.startsWith("m-s$other-") }.split(':')[1]
    }

    private static Double selfCorr(long s, long from, long to, int i) {
        s == 1 || i % 7 == 3 ? null : ((s * 31 + from * 7 + to * 3 + i) % 100) / 100d
    }

    /** Self-correlations of the seeds 0 and 2. */
    private static Path self(Path at, Map study) {
        Folders.folder(at.resolve('self'), 'correlate', 'self', [family: 'm']) { out ->
            [0L, 2L].each { s -> STEPS.each { from -> STEPS.findAll { it > from }.each { to ->
                Folders.csv(out.file("m-s${s}-t${from}__m-s${s}-t${to}.self.csv"), ['layer', 'neuron', 'corr'],
                    (0..<LAYERS * WIDTH).collect { [it.intdiv(WIDTH), it % WIDTH, selfCorr(s, from, to, it)] })
            } } }
        }
    }

    def "seeds are the units of the spread"() {
        given:
        Folders.run('persist', '--neurons', *steps(study(2)), '--out', dir.resolve('out'))
        def rows = Folders.rows(dir.resolve('out/persistence.csv'))

        expect:
        rows.findAll { it.seed == 'all' }.each { row ->
            def values = rows.findAll { it.seed != 'all' && ['layer', 'step_from', 'step_to'].every { c -> row[c] == it[c] } }
                *.persistence.findAll { it != '' }*.toDouble()
            assert row.seeds as int == values.size()
            if (values.size() < 2) {
                assert row.persistence_sd == ''
            } else {
                double mean = values.sum() / values.size()
                assert Math.abs((row.persistence_sd as double)
                    - Math.sqrt(values.collect { (it - mean) ** 2 }.sum() / (values.size() - 1))) < 1e-12
            }
        }
        rows.findAll { it.seed != 'all' }.every { it.seeds == '' && it.persistence_sd == '' && it.self_corr_universal == '' }
    }

    def "emergence counts each layer and all of them"() {
        given:
        def study = study(3)
        Folders.run('persist', '--neurons', *steps(study), '--out', dir.resolve('out'))
        def rows = Folders.rows(dir.resolve('out/emergence.csv'))

        expect:
        rows.size() == SEEDS.size() * STEPS.size() * 3
        rows.each { row ->
            def of = cells(study, row).collect { s, i -> study[s][row.step as long][i] }
            assert row.id == "m-s${row.seed}-t${row.step}"
            assert row.neurons as int == of.size()
            assert row.alive as int == of.count { it.state == 'alive' }
            assert row.universal as int == of.count { it.universal }
            check(row.share, of.count { it.universal }, of.size())
            check(row.share_alive, of.count { it.universal }, of.count { it.state == 'alive' })
        }
    }

    def "lifetimes of a neuron universal at #at"() {
        given: 'neuron 1.3 of seed 0 with this history, all others never universal'
        def none = { [excess: 0.1, halves: [0.1, 0.1], universal: false, partners: null, state: 'alive'] }
        def study = SEEDS.collectEntries { s -> [s, STEPS.collectEntries { t -> [t, (0..<LAYERS * WIDTH).collect(none)] }] }
        at.each { study[0L][it as long][WIDTH + 3].universal = true }

        when:
        Folders.run('persist', '--neurons', *steps(study), '--out', dir.resolve('out'))
        def rows = Folders.rows(dir.resolve('out/lifetimes.csv'))

        then:
        rows.size() == 1
        with(rows[0]) {
            [it.family, it.seed, it.layer, it.neuron] == ['m', '0', '1', '3']
            [it.birth_step, it.birth_after, it.last_step, it.death_step, it.lifetime_steps] == dates
            [it.checkpoints_universal as int, it.interruptions as int] == [at.size(), gaps]
            [it.censored_left, it.censored_right, it.universal_at_end] == [left, right, right]
        }

        where:
        at               | dates                             | gaps | left    | right
        [0]              | ['0', '', '0', '10', '0']         | 0    | 'true'  | 'false'
        [10]             | ['10', '0', '10', '100', '0']     | 0    | 'false' | 'false'
        [10, 100]        | ['10', '0', '100', '400', '90']   | 0    | 'false' | 'false'
        [10, 400]        | ['10', '0', '400', '', '390']     | 1    | 'false' | 'true'
        [0, 10, 100, 400]| ['0', '', '400', '', '400']       | 0    | 'true'  | 'true'
        [400]            | ['400', '100', '400', '', '0']    | 0    | 'false' | 'true'
    }

    def "the summary holds the pooled figures, retention and the noise of halves"() {
        given:
        def study = study(4)
        def run = Folders.run('persist', '--neurons', *steps(study), '--out', dir.resolve('out'))
        def summary = new JsonSlurper().parse(dir.resolve('out/summary.json'))
        def manifest = new JsonSlurper().parse(dir.resolve('out/manifest.json'))
        def rows = Folders.rows(dir.resolve('out/persistence.csv')).findAll { it.seed == 'all' && it.layer == 'all' }

        expect:
        run.status == 0
        summary.steps == STEPS && summary.seeds == SEEDS && summary.family == 'm'
        Math.abs(summary.leave - 0.45) < 1e-12
        summary.pooled.collect { [it.step_from, it.step_to] } == [[0, 10], [10, 100], [100, 400]]
        summary.pooled[0].persistence == null
        summary.pooled[1].persistence as double == rows.find { it.step_from == '10' && it.step_to == '100' }.persistence as double
        summary.retention*.step == [0, 10, 100]
        summary.retention[2].of_final as double ==
            (rows.find { it.step_from == '100' }.both as double) / (rows.find { it.step_from == '100' }.universal_to as double)
        summary.emergence*.universal == STEPS.collect { t -> SEEDS.collect { s -> study[s][t].count { it.universal } }.sum() }
        summary.noise_floor.each { floor ->
            def all = SEEDS.collectMany { study[it][floor.step as long] }
            def (a, b) = (0..1).collect { k -> all.count { inHalf(it, k) } }
            int both = all.count { inHalf(it, 0) && inHalf(it, 1) }
            assert a + b == 0 ? floor.persistence == null : Math.abs(floor.persistence - 2d * both / (a + b)) < 1e-12
            assert Math.abs(floor.flip_rate - (a + b - 2 * both) / (all.count { it.excess != null } as double)) < 1e-12
        }
        manifest.id == 'm' && manifest.warnings == []
        manifest.inputs*.role == ['neurons'] * 4
        manifest.counts.ever_universal == Folders.rows(dir.resolve('out/lifetimes.csv')).size()
    }

    def "a neuron that one half of the tokens does not define has not flipped"() {
        given: 'of 40 neurons two are universal by the first half only, one of them because the second is undefined'
        def none = { [excess: 0.1, halves: [0.1, 0.1], universal: false, partners: null, state: 'alive'] }
        def study = SEEDS.collectEntries { s -> [s, STEPS.collectEntries { t -> [t, (0..<LAYERS * WIDTH).collect(none)] }] }
        study[0L][10L][3].halves = [0.9, 0.1]
        study[0L][10L][4].halves = [0.9, null]

        when:
        Folders.run('persist', '--neurons', *steps(study), '--out', dir.resolve('out'))
        def floor = new JsonSlurper().parse(dir.resolve('out/summary.json')).noise_floor.find { it.step == 10 }

        then: 'it is no part of the whole, and no part of what flips'
        Math.abs(floor.flip_rate - 1 / (SEEDS.size() * LAYERS * WIDTH - 1d)) < 1e-15
    }

    def "the order of the folders does not matter, but for the record of inputs"() {
        given:
        def folders = steps(study(5))

        when:
        Folders.run('persist', '--neurons', *folders, '--out', dir.resolve('a'))
        Folders.run('persist', '--neurons', *folders.reverse(), '--out', dir.resolve('b'))

        then:
        ['emergence.csv', 'persistence.csv', 'lifetimes.csv', 'summary.json'].every {
            dir.resolve("a/$it").toFile().bytes == dir.resolve("b/$it").toFile().bytes
        }
    }

    def "a seed that lacks a step is said to, and pooled where it is"() {
        given:
        def study = study(6)
        def folders = [step(dir.resolve('x'), 10, study), step(dir.resolve('y'), 100, study, [:], [0L, 2L])]

        when:
        def run = Folders.run('persist', '--neurons', *folders, '--out', dir.resolve('out'))
        def rows = Folders.rows(dir.resolve('out/persistence.csv'))

        then:
        run.status == 0
        rows*.seed.toUnique() == ['0', '2', 'all']
        rows.find { it.seed == 'all' && it.layer == 'all' }.universal_from as int ==
            [0L, 2L].collect { s -> study[s][10L].count { it.universal } }.sum()
        new JsonSlurper().parse(dir.resolve('out/manifest.json')).warnings == [
            'seed 1 has the steps [10] of [10, 100]: pooled figures of other steps leave it out']
    }

    def "bad input stops with status #status and one line that says: #line"() {
        when:
        def run = Folders.run(*(['persist', '--out', dir.resolve('out')] + input(dir)))

        then:
        run.status == status
        run.error.trim().readLines().size() == 1
        run.error.contains(line)
        !run.error.contains('internal error')
        Folders.names(dir).every { !it.startsWith('out') && !it.startsWith('.out') }

        where:
        status | line                                    | input
        64     | "Missing required option: '--neurons"   | { d -> [] }
        65     | "has only step 10 of 'm'"               | { d -> ['--neurons', step(d.resolve('a'), 10, study(1))] }
        65     | 'is given twice'                        | { d -> ['--neurons', step(d.resolve('a'), 10, study(1)), step(d.resolve('b'), 10, study(1))] }
        65     | "has the family 'other'"                | { d -> ['--neurons', step(d.resolve('a'), 10, study(1)), step(d.resolve('b'), 100, study(1), [family: 'other'])] }
        65     | "has the threshold '0.4'"               | { d -> ['--neurons', step(d.resolve('a'), 10, study(1)), step(d.resolve('b'), 100, study(1), [threshold: 0.4d])] }
        65     | 'has 1 layers of 20 neurons'            | { d -> ['--neurons', step(d.resolve('a'), 10, study(1)), step(d.resolve('b'), 100, cut(study(1)))] }
        65     | 'a checkpoint that --neurons does not have' | { d -> ['--neurons', step(d.resolve('a'), 10, study(1)), step(d.resolve('b'), 100, study(1)), '--self', self(d, study(1))] }
        65     | "'x', not a number"                     | { d -> ['--neurons', step(d.resolve('a'), 10, study(1), [threshold: 'x'])] }
        66     | 'is not a folder'                       | { d -> ['--neurons', d.resolve('absent')] }
        65     | "written by the stage 'correlate'"      | { d -> ['--neurons', self(d, study(1))] }
    }

    private static Map cut(Map study) {
        study.collectEntries { s, steps -> [s, steps.collectEntries { t, n -> [t, n.take(WIDTH)] }] }
    }
}
