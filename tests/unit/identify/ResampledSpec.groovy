package unit.identify

import groovy.json.JsonSlurper
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import unit.support.Folders
import unit.support.TestData
import universality.data.CsvTable
import universality.stats.Normal

/** From activations to standard errors, against plain float64 computations from the activations. */
class ResampledSpec extends Specification {
    static final int GROUP = 64
    static final int N = 20 * GROUP
    static final int WIDTH = 6

    @TempDir
    @Shared
    Path folder

    @Shared
    Map<String, double[][]> models = [:]

    def setupSpec() {
        def random = new Random(1)
        double[][] signal = (0..<N).collect { i -> (0..<4).collect { random.nextGaussian() } as double[] } as double[][]
        // topics of documents: two rows of 16 each, so a group of 64 is two documents
        N.times { i -> signal[i][0] += 2 * Math.sin(97 * i.intdiv(32)) }
        (1..3).each { seed ->
            models["toy-s$seed-t7" as String] = (0..<N).collect { i ->
                [signal[i][0] + 0.6 * random.nextGaussian(), signal[i][1] + 0.8 * random.nextGaussian(),
                 signal[i][2] + 1.5 * random.nextGaussian(), random.nextGaussian(),
                 // speaks in one group only, in every model alike
                 i.intdiv(GROUP) == 7 ? signal[i][3] : 0d, seed == 2 ? 1d : signal[i][3] + random.nextGaussian()] as double[]
            } as double[][]
        }
        int seed = 0
        models.each { id, x -> TestData.activations(folder, id, [x], [seed: ++seed, step: 7]) }
        run('correlate', '--candidates', '4', '--baseline-draws', '2', '--threads', '1', '--device', 'cpu', '--activations', *paths(), '--out', folder.resolve('corr'))
        run('identify', '--threshold', '0.3', '--correlations', folder.resolve('corr'), '--activations', *paths(), '--out', folder.resolve('found'))
    }

    private List paths() { models.keySet().collect { folder.resolve(it) } }

    private static void run(Object... words) {
        def result = Tool.run(*words.collect { it.toString() })
        assert result.status == 0: result.error
    }

    def "errors, probabilities and held-out maxima are those of the activations"() {
        expect:
        models.keySet().each { id ->
            def table = CsvTable.read(folder.resolve("found/${id}.csv"))
            (0..<WIDTH).each { i ->
                def others = (models.keySet() - id).findAll { partners(id, it, i) }
                if (others.empty) {
                    assert ['excess_se', 'p_universal', 'excess_heldout', 'corr_token'].every { table.text(i, it) == null }
                    return
                }
                double baseline = table.number(i, 'mean_baseline')
                def without = (0..<20).collect { g -> mean(others) { best(id, it, i, 'not ' + g) } }
                if (without.any { Double.isNaN(it) }) {
                    assert i == 4
                    assert ['excess_se', 'p_universal', 'excess_heldout'].every { table.text(i, it) == null }
                    return
                }
                double average = without.sum() / 20
                double error = Math.sqrt(19 / 20d * (without.collect { (it - average)**2 }.sum() as double))
                assert Math.abs(table.number(i, 'excess_se') - error) < 2e-6
                double p = Normal.below((table.number(i, 'excess_corr') - 0.3) / table.number(i, 'excess_se'))
                assert table.text(i, 'state') == 'alive' ? Math.abs(table.number(i, 'p_universal') - p) < 1e-12 : table.text(i, 'p_universal') == null
                assert Math.abs(table.number(i, 'excess_heldout') - (mean(others) { heldOut(id, it, i) } - baseline)) < 2e-6
                assert table.number(i, 'excess_heldout') <= table.number(i, 'excess_corr') + 1e-5
                def token = others.collect { CsvTable.read(folder.resolve("corr/${id}__${it}.csv")).number(i, 'corr_token') }
                assert Math.abs(table.number(i, 'corr_token') - token.sum() / token.size()) < 1e-12
            }
        }
    }

    def "the summary counts what the tables say"() {
        given:
        def summary = new JsonSlurper().parse(folder.resolve('found/summary.json').toFile())

        expect:
        summary.checkpoints.each { entry ->
            def rows = Folders.rows(folder.resolve("found/${entry.id}.csv"))
            def known = rows.findAll { it.p_universal }
            def far = { it.excess_se && it.state == 'alive' && Math.abs((it.excess_corr as double) - 0.3) > 2 * (it.excess_se as double) }
            assert entry.with_error == known.size()
            assert entry.clearly_universal == rows.count { far(it) && it.universal == 'true' }
            assert entry.clearly_not == rows.count { far(it) && it.universal == 'false' }
            assert Math.abs(entry.expected_universal - known.sum { it.p_universal as double }) < 1e-9
            assert entry.universal_heldout == rows.count { it.state == 'alive' && it.excess_heldout && (it.excess_heldout as double) > 0.3 }
            assert entry.against_positions*.positions == [N / 4, N / 2, N]
            // over all groups it is the table, and over the halves and quarters that of those positions
            assert Math.abs(entry.against_positions[2].mean_excess - entry.mean_excess) < 1e-5
            assert entry.against_positions[2].share == entry.share
            [4, 2].eachWithIndex { m, k ->
                def values = (0..<m).collectMany { r ->
                    (0..<WIDTH).findAll { rows[it].state != 'inactive' }.collect { i ->
                        def others = (models.keySet() - entry.id).findAll { partners(entry.id, it, i) }
                        mean(others) { best(entry.id, it, i, m + ':' + r) } - (rows[i].mean_baseline as double)
                    }
                }.findAll { !Double.isNaN(it) }
                assert Math.abs(entry.against_positions[k].mean_excess - values.sum() / values.size()) < 1e-5
            }
        }
    }

    def "without sums the columns are empty, and the manifest says why"() {
        when:
        run('correlate', '--candidates', '0', '--baseline-draws', '2', '--threads', '1', '--device', 'cpu', '--activations', *paths(), '--out', folder.resolve('plain'))
        run('identify', '--correlations', folder.resolve('plain'), '--activations', *paths(), '--out', folder.resolve('plainly'))
        def rows = Folders.rows(folder.resolve('plainly/toy-s1-t7.csv'))
        def summary = new JsonSlurper().parse(folder.resolve('plainly/summary.json').toFile())

        then:
        rows.every { row -> ['excess_se', 'p_universal', 'excess_heldout', 'corr_token', 'corr_position'].every { row[it] == '' } }
        universality.data.Manifest.read(folder.resolve('plainly'), 'identify').warnings().any { it.contains('--candidates 0') }
        summary.checkpoints.every { it.expected_universal == null && it.clearly_universal == null && it.against_positions == [] }
    }

    // the reference

    private static double mean(Collection<String> others, Closure<Double> value) {
        others.sum { value(it) } / others.size()
    }

    /** Positions by name: all, not GROUP, MODULUS:RESIDUE. */
    @Shared
    Map<String, int[]> positions = [all: (0..<N) as int[]] +
        (0..<20).collectEntries { g -> ['not ' + g, (0..<N).findAll { it.intdiv(GROUP) != g } as int[]] } +
        [2, 4].collectMany { m -> (0..<m).collect { r -> [m, r] } }.collectEntries { m, r ->
            [m + ':' + r, (0..<N).findAll { it.intdiv(GROUP) % m == r } as int[]] }

    @Shared
    Map<List, Double> known = [:]
    @Shared
    Map<List, List<Integer>> knownPartners = [:]

    private double rho(String a, int i, String b, int j, String which) {
        known.computeIfAbsent([a, i, b, j, which]) { pearson(models[a], i, models[b], j, positions[which]) }
    }

    /** The candidates that the table lists: four at most; none where the neuron is constant. */
    private List<Integer> partners(String a, String b, int i) {
        knownPartners.computeIfAbsent([a, b, i]) {
            (0..<WIDTH).findAll { !Double.isNaN(rho(a, i, b, it, 'all')) }.sort { -rho(a, i, b, it, 'all') }.take(4)
        }
    }

    private double best(String a, String b, int i, String which) {
        def values = partners(a, b, i).collect { rho(a, i, b, it, which) }.findAll { !Double.isNaN(it) }
        values ? values.max() : Double.NaN
    }

    /** Deviations of x and of each group's own partner, in units of its spread, put together. */
    private double heldOut(String a, String b, int i) {
        def x = standard(models[a], i)
        double xy = 0, xx = 0, yy = 0
        (0..<20).each { g ->
            int j = partners(a, b, i).findAll { !Double.isNaN(rho(a, i, b, it, 'not ' + g)) }.max { rho(a, i, b, it, 'not ' + g) }
            def y = standard(models[b], j)
            (g * GROUP..<(g + 1) * GROUP).each { xy += x[it] * y[it]; xx += x[it] * x[it]; yy += y[it] * y[it] }
        }
        xy / Math.sqrt(xx * yy)
    }

    @groovy.transform.CompileStatic
    private static double[] standard(double[][] x, int i) {
        double mean = 0, square = 0
        for (double[] row : x) { mean += (double) (float) row[i] / N }
        for (double[] row : x) { square += ((double) (float) row[i] - mean) * ((double) (float) row[i] - mean) / N }
        double[] z = new double[N]
        for (int p = 0; p < N; p++) { z[p] = ((double) (float) x[p][i] - mean) / Math.sqrt(square) }
        z
    }

    @groovy.transform.CompileStatic
    private static double pearson(double[][] x, int i, double[][] y, int j, int[] at) {
        double mx = 0, my = 0
        for (int p : at) { mx += (double) (float) x[p][i] / at.length; my += (double) (float) y[p][j] / at.length }
        double xy = 0, xx = 0, yy = 0
        for (int p : at) {
            double u = (double) (float) x[p][i] - mx, v = (double) (float) y[p][j] - my
            xy += u * v; xx += u * u; yy += v * v
        }
        xx > 1e-12 && yy > 1e-12 ? xy / Math.sqrt(xx * yy) : Double.NaN
    }
}
