package unit.correlate

import org.ejml.data.DMatrixRMaj
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.TestData
import universality.correlate.CorrelateStage
import universality.correlate.Precision
import universality.data.ActivationFolder
import universality.data.CsvTable
import universality.data.ExitCode
import universality.data.Manifest
import universality.data.SafetensorsFile
import universality.data.ToolException
import universality.tensor.Compute

import java.nio.file.Files
import java.nio.file.Path

import static unit.correlate.Reference.gaussian
import static unit.correlate.Reference.mixed

/** Sums by groups of documents, and what token and position explain, against float64 references. */
class SecondPassSpec extends Specification {
    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    def "groups hold the whole: correlations from their sums are those of the table"() {
        given:
        def random = new Random(seed)
        int n = 1500
        double[][] signal = gaussian(random, n, 6)
        def models = [a: [mixed(random, signal, 5, 0.4), mixed(random, signal, 5, 1.0)], b: [mixed(random, signal, 9, 0.6)],
                      c: [mixed(random, signal, 4, 0.2), mixed(random, signal, 4, 0.8), mixed(random, signal, 4, 2.0)]]

        when:
        def out = correlate(models, [:])

        then:
        ['a', 'b', 'c'].each { a -> (['a', 'b', 'c'] - a).each { b -> agrees(out, a, models[a], b, models[b], n) } }
        def manifest = Manifest.read(out, 'correlate')
        manifest.parameter('groups') == '20' && manifest.parameter('group_unit') == 'document' && manifest.parameter('candidates') == '3'
        manifest.warnings().empty

        where:
        seed << [1, 2]
    }

    def "awkward neurons: #what"() {
        given:
        def random = new Random(3)
        int n = 900
        double[][] x = gaussian(random, n, 6)
        double[][] y = mixed(random, x, 6, 0.3)
        change(random, x, y)

        expect:
        def out = correlate([a: [x], b: [y]], [:])
        agrees(out, 'a', [x], 'b', [y], n)
        agrees(out, 'b', [y], 'a', [x], n)

        where:
        what                          | change
        'constant in one model'       | { g, u, v -> u.each { it[2] = 3.25d } }
        'constant in both'            | { g, u, v -> u.each { it[0] = 0d }; v.each { it[5] = -1d } }
        'huge mean, tiny variance'    | { g, u, v -> u.each { it[1] = 16384d + it[1] / 64 }; v.each { it[1] = 8192d + it[1] / 128 } }
        'values of 10^4'              | { g, u, v -> u.each { row -> (0..5).each { row[it] *= 1e4 } } }
        'sparse'                      | { g, u, v -> u.eachWithIndex { row, i -> row[3] = i % 211 == 0 ? 5d + g.nextDouble() : 0d }
                                          v.eachWithIndex { row, i -> row[4] = u[i][3] > 0 ? 2d : 0d } }
        'nothing alive on one side'   | { g, u, v -> v.each { row -> (0..5).each { row[it] = 1d } } }
    }

    def "one kept position: no partner, one group"() {
        when:
        def out = correlate([a: [[[1d, 2d]] as double[][]], b: [[[3d, 4d]] as double[][]]], [:])
        def tensors = read(out.resolve('a__b.candidates.safetensors'))

        then:
        tensors.partner.every { it == -1 } && tensors.product.every { it == 0 }
        Manifest.read(out, 'correlate').parameter('groups') == '1'
    }

    def "fewer neurons than candidates, and a partner that is dead"() {
        given:
        double[][] x = gaussian(new Random(9), 700, 4)
        double[][] y = x.collect { [it[2], 7d] } as double[][]

        when:
        def out = correlate([a: [x], b: [y]], [:])

        then:
        read(out.resolve('a__b.candidates.safetensors')).partner == [0, -1, -1] * 4 as int[]
        agrees(out, 'a', [x], 'b', [y], 700)
        agrees(out, 'b', [y], 'a', [x], 700)
    }

    def "one document is cut by rows, and it says so"() {
        given:
        double[][] x = gaussian(new Random(4), 800, 3)

        when:
        def out = correlate([a: [x], b: [x]], [documents: [5] * 800])
        def manifest = Manifest.read(out, 'correlate')

        then:
        manifest.parameter('group_unit') == 'row'
        manifest.warnings().any { it.contains('fewer than 20 documents') }
        read(out.resolve('a.groups.safetensors')).count.collect { it as int }.every { it % 16 == 0 }
    }

    def "groups are whole documents of about equal size, though documents are not: #sizes"() {
        given:
        def documents = sizes.withIndex().collectMany { size, d -> [d] * size }
        double[][] x = gaussian(new Random(5), documents.size(), 2)

        when:
        def counts = read(correlate([a: [x], b: [x]], [documents: documents]).resolve('a.groups.safetensors')).count
                .collect { it as int }
        def ends = counts.inject([]) { all, c -> all << ((all ? all.last() : 0) + c) }
        def allowed = sizes.inject([]) { all, c -> all << ((all ? all.last() : 0) + c) }

        then:
        counts.size() == 20 && counts.every { it > 0 } && ends.last() == documents.size()
        ends.every { it in allowed }
        counts.max() <= [sizes.max(), 2 * documents.size().intdiv(20)].max()

        where:
        sizes << [[10] * 20, [3] * 59, (1..40) as List, [200] + [1] * 30, [1] * 30 + [200], [1] * 19 + [50]]
    }

    def "memory changes nothing, though sums by token then come range by range"() {
        given: 'more tokens than a range holds, and positions beyond one block'
        def random = new Random(6)
        int n = 5000
        double[][] x = gaussian(random, n, 4)
        double[][] y = mixed(random, x, 4, 0.5)
        def token = (0..<n).collect { random.nextInt(2000) }

        when:
        def wide = correlate([a: [x], b: [y]], [token: token])
        def narrow = correlate([a: [x], b: [y]], [token: token, memory: 1, name: 'narrow'])

        then:
        ['a__b.candidates.safetensors', 'a.groups.safetensors'].every {
            Files.mismatch(wide.resolve(it), narrow.resolve(it)) == -1
        }
        def (first, second) = [wide, narrow].collect { CsvTable.read(it.resolve('a__b.csv')) }
        (0..<4).every { Math.abs(first.number(it, 'corr_token') - second.number(it, 'corr_token')) < 1e-12 }
        agrees(wide, 'a', [x], 'b', [y], n, token)
    }

    def "a neuron of tokens, one of positions and one of the context are told apart"() {
        given:
        def random = new Random(7)
        int n = 6400
        def token = (0..<n).collect { random.nextInt(40) }
        double[] ofToken = gaussian(random, 1, 40)[0]
        double[] context = gaussian(random, 1, n)[0]
        def model = {
            (0..<n).collect { i ->
                [ofToken[token[i]] + 0.05 * random.nextGaussian(), (i % 16) / 4d + 0.05 * random.nextGaussian(),
                 context[i] + 0.05 * random.nextGaussian()] as double[]
            } as double[][]
        }

        when:
        def table = CsvTable.read(correlate([a: [model()], b: [model()]], [token: token]).resolve('a__b.csv'))
        def value = { int i, String column -> table.number(i, column) }

        then:
        (0..2).every { value(it, 'max_corr') > 0.98 && table.integer(it, 'partner_neuron') == it }
        Math.abs(value(0, 'corr_token') - value(0, 'max_corr')) < 0.01 && Math.abs(value(0, 'corr_position')) < 0.05
        Math.abs(value(1, 'corr_position') - value(1, 'max_corr')) < 0.01 && Math.abs(value(1, 'corr_token')) < 0.05
        // chance gives (values - 1) / n of the correlation
        Math.abs(value(2, 'corr_token')) < 0.05 && Math.abs(value(2, 'corr_position')) < 0.05
    }

    def "a pair's files have the same bytes whichever models come with it"() {
        given:
        def random = new Random(9)
        double[][] signal = gaussian(random, 700, 6)
        def models = [x: [mixed(random, signal, 5, 0.3)], a: [mixed(random, signal, 30, 0.4)], b: [mixed(random, signal, 21, 0.6)]]

        when:
        def three = correlate(models, [name: 'three'])
        def two = correlate(models.subMap(['a', 'b']), [name: 'two'])

        then: 'eleven tokens, so that sums of the same neuron begin elsewhere in memory'
        ['a__b.csv', 'b__a.csv', 'a__b.candidates.safetensors', 'b__a.candidates.safetensors'].each {
            assert Files.mismatch(three.resolve(it), two.resolve(it)) == -1
        }
    }

    def "activations that change between the passes are refused, not divided by standard deviations of others"() {
        given:
        double[][] x = gaussian(new Random(9), 640, 3)
        double[][] other = x.collect { row -> [row[0], row[1] * 1.01d, row[2]] as double[] }
        def dirs = [a: x, b: gaussian(new Random(10), 640, 3)].collect { id, rows -> TestData.activations(folder, id, [rows], [seed: id == 'a' ? 1 : 2]) }
        byte[] changed = TestData.activations(folder, 'c', [other]).resolve('layer-00.safetensors').bytes
        def settings = new CorrelateStage.Settings([], 1, 0, 3, 5, 'none', null, Precision.EXACT, 16384, 1L)

        when: 'all products are done, in more than one pass'
        new CorrelateStage(dirs, settings, { if (it.startsWith('activations were gone through')) { Files.write(dirs[0].resolve('layer-00.safetensors'), changed) } })
                .withCloseable { it.run(compute, folder.resolve('out'), false) }

        then:
        def refused = thrown(ToolException)
        refused.code() == ExitCode.BAD_DATA
        refused.message.startsWith("activations of neuron 0.1 of 'a' are not those of the first pass")
        !Files.exists(folder.resolve('out'))
    }

    def "none are made when not asked for, nor for controls"() {
        given:
        double[][] x = gaussian(new Random(8), 640, 3)

        when:
        def out = correlate([a: [x], b: [x]], options)

        then:
        out.toFile().list().every { !it.contains('groups') && !it.contains('candidates') }
        def table = CsvTable.read(out.resolve('a__b.csv'))
        table.header().takeRight(2) == ['corr_token', 'corr_position']
        (0..2).every { table.text(it, 'corr_token') == null && table.text(it, 'corr_position') == null }

        where:
        options << [[candidates: 0], [control: 'rotated'], [control: 'shifted']]
    }

    private Path correlate(Map<String, List<double[][]>> models, Map o) {
        def dirs = []
        models.eachWithIndex { id, layers, i ->
            Path dir = folder.resolve(id)
            dirs << (Files.exists(dir) ? dir : TestData.activations(folder, id, layers, [seed: i + 1] + o.subMap(['documents', 'token'])))
        }
        Path out = folder.resolve(o.name ?: 'out')
        def settings = new CorrelateStage.Settings([], 1, 0, 3, o.candidates == null ? 5 : o.candidates, o.control ?: 'none', null, Precision.EXACT, 16384,
                o.memory ?: (64L << 20))
        new CorrelateStage(dirs, settings).withCloseable { it.run(compute, out, false) }
        out
    }

    private static Map read(Path file) {
        SafetensorsFile.open(file).withCloseable { f ->
            f.names().collectEntries { [it, it == 'partner' ? f.ints(it) : f.doubles(it)] }
        }
    }

    /** Documents are two rows of 16; tokens as TestData makes them, unless given. */
    private static boolean agrees(Path out, String nameA, List<double[][]> a, String nameB, List<double[][]> b, int n,
            List<Integer> token = null) {
        def x = Reference.join(a, (0..<n) as int[])
        def y = Reference.join(b, (0..<n) as int[])
        def rho = Reference.correlation(x, y)
        def table = CsvTable.read(out.resolve("${nameA}__${nameB}.csv"))
        def (sa, sb, pair) = ["${nameA}.groups", "${nameB}.groups", "${nameA}__${nameB}.candidates"]
                .collect { read(out.resolve(it + '.safetensors')) }
        int groups = sa.count.length
        assert sa.count == sb.count && sa.count.sum() == n
        int each = pair.partner.length / x.numCols
        (0..<x.numCols).each { i ->
            boolean defined = table.text(i, 'max_corr') != null
            def partners = pair.partner[i * each..<(i + 1) * each]
            assert defined == (partners[0] >= 0)
            if (!defined) {
                assert table.text(i, 'corr_token') == null && table.text(i, 'corr_position') == null
                return
            }
            assert partners[0] == table.integer(i, 'partner_layer') * b[0][0].length + table.integer(i, 'partner_neuron')
            assert table.text(i, 'top_partners').split(';').size() == partners.count { it >= 0 }
            partners.findAll { it >= 0 }.eachWithIndex { j, c ->
                def product = pair.product[(i * each + c) * groups..<(i * each + c + 1) * groups]
                double found = correlation(n, sa, i, sb, j, product)
                assert Math.abs(found - rho.get(i, j)) < 1e-6
                if (c == 0) {
                    // the products of the first pass are sums of more F32 numbers
                    assert Math.abs(found - table.number(i, 'max_corr')) < 2e-6
                }
            }
            int best = partners[0]
            def tokens = token ?: (0..<n).collect { (it * 7) % 11 }
            assert Math.abs(table.number(i, 'corr_token') - between(x, i, y, best, tokens)) < 1e-6
            assert Math.abs(table.number(i, 'corr_position') - between(x, i, y, best, (0..<n).collect { it % 16 })) < 1e-6
        }
        true
    }

    private static double correlation(int n, Map a, int i, Map b, int j, List<Double> product) {
        int g = product.size()
        def total = { double[] v, int k -> (v[k * g..<(k + 1) * g] as List<Double>).sum() }
        double sx = total(a.sum, i), sxx = total(a.square, i), sy = total(b.sum, j), syy = total(b.square, j)
        (product.sum() - sx * sy / n) / Math.sqrt((sxx - sx * sx / n) * (syy - sy * sy / n))
    }

    /** The correlation that is left when every value is replaced by its mean over a key, in units of the original spreads. */
    private static double between(DMatrixRMaj x, int i, DMatrixRMaj y, int j, List<Integer> key) {
        int n = x.numRows
        double mx = 0, my = 0, vx = 0, vy = 0
        (0..<n).each { mx += x.get(it, i) / n; my += y.get(it, j) / n }
        def u = new HashMap<Integer, double[]>()
        (0..<n).each {
            double dx = x.get(it, i) - mx, dy = y.get(it, j) - my
            vx += dx * dx
            vy += dy * dy
            def sums = u.computeIfAbsent(key[it]) { new double[3] }
            sums[0] += dx; sums[1] += dy; sums[2]++
        }
        u.values().sum { it[0] * it[1] / it[2] } / Math.sqrt(vx * vy)
    }
}
