package unit.correlate

import ai.djl.ndarray.NDArray
import ai.djl.ndarray.types.Shape
import org.ejml.data.DMatrixRMaj
import org.ejml.dense.row.CommonOps_DDRM
import spock.lang.IgnoreIf
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import spock.util.environment.RestoreSystemProperties
import unit.support.Processor
import unit.support.TestData
import universality.correlate.CorrelateStage
import universality.correlate.Precision
import universality.correlate.Rotations
import universality.data.ExitCode
import universality.data.CsvTable
import universality.data.Phases
import universality.data.Json
import universality.data.SafetensorsFile
import universality.data.ToolException
import universality.stats.Draws
import universality.stats.Samples
import universality.tensor.Compute
import universality.tensor.Kernel

import java.nio.file.Files
import java.nio.file.Path

import static unit.correlate.Reference.gaussian
import static unit.correlate.Reference.mixed

/** The stage `correlate` against a float64 reference (EJML), on random and on awkward activations. */
class CorrelateSpec extends Specification {
    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    def "all columns agree with the reference for models of different widths and depths"() {
        given:
        def random = new Random(1)
        int n = 900
        double[][] signal = gaussian(random, n, 9)
        def a = [mixed(random, signal, 7, 0.5), mixed(random, signal, 7, 2.0)]
        def b = [mixed(random, signal, 10, 0.7), mixed(random, signal, 10, 0.1), mixed(random, signal, 10, 1.0)]

        when:
        def out = correlate([a: a, b: b], [draws: 3])

        then:
        agrees(out, 'a', 'b', a, b, n)
        agrees(out, 'b', 'a', b, a, n)
        Json.read(out.resolve('summary.json')).path('pairs').size() == 2
    }

    def "awkward neurons: #what"() {
        given:
        def random = new Random(2)
        int n = 700
        double[][] x = gaussian(random, n, 6)
        double[][] y = mixed(random, x, 6, 0.3)
        change(random, x, y)

        when:
        def out = correlate([a: [x], b: [y]], [draws: 2])

        then:
        agrees(out, 'a', 'b', [x], [y], n)
        agrees(out, 'b', 'a', [y], [x], n)

        where:
        what                              | change
        'constant in one model'           | { g, u, v -> u.each { it[2] = 3.25d } }
        'constant in both'                | { g, u, v -> u.each { it[0] = 0d }; v.each { it[5] = -1d } }
        'huge mean, tiny variance'        | { g, u, v -> u.each { it[1] = 16384d + it[1] / 64 }; v.each { it[1] = 8192d + it[1] / 128 } }
        'values of 10^4'                  | { g, u, v -> u.each { row -> (0..5).each { row[it] *= 1e4 } } }
        'tiny values'                     | { g, u, v -> v.each { row -> (0..5).each { row[it] *= 1e-12 } } }
        'sparse'                          | { g, u, v -> u.eachWithIndex { row, i -> row[3] = i % 211 == 0 ? 5d + g.nextDouble() : 0d }
                                              v.eachWithIndex { row, i -> row[4] = u[i][3] > 0 ? 2d : 0d } }
        'active in one document only'     | { g, u, v -> u.eachWithIndex { row, i -> row[3] = i < 32 ? g.nextGaussian() : 0d } }
    }

    def "one kept position has no correlation"() {
        when:
        def out = correlate([a: [[[1d, 2d]] as double[][]], b: [[[3d, 4d]] as double[][]]], [draws: 2])
        def table = CsvTable.read(out.resolve('a__b.csv'))

        then:
        table.size() == 2
        table.header().drop(2).every { column -> (0..1).every { table.text(it, column) == null } }
        Json.read(out.resolve('summary.json')).path('pairs').get(0).path('dead_a').asInt() == 2
    }

    def "of equal partners the lowest is named, and memory does not change the result"() {
        given:
        def random = new Random(3)
        double[][] x = gaussian(random, 600, 4)
        double[][] y = x.collect { [it[1], it[0], it[1], it[0]] } as double[][]

        when:
        def wide = correlate([a: [x, x], b: [y, y]], [draws: 2])
        def narrow = correlate([a: [x, x], b: [y, y]], [draws: 2, memory: 1, name: 'narrow'])
        def table = CsvTable.read(wide.resolve('a__b.csv'))

        then:
        (0..1).collect { [table.integer(it, 'partner_layer'), table.integer(it, 'partner_neuron')] } == [[0, 1], [0, 0]]
        Math.abs(table.number(0, 'max_corr') - 1) < 1e-7
        Files.readString(wide.resolve('a__b.csv')) == Files.readString(narrow.resolve('a__b.csv'))
    }

    @IgnoreIf(value = { data.precision == Precision.INT8 && !Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "of more equal partners than are listed the first are, in one layer and over layers: #precision"() {
        given: 'two layers of b, each of which has the neuron of a forty times, every other one doubled'
        System.setProperty('universality.fast', 'bf16,int8')
        double[][] x = gaussian(new Random(3), 256, 1)
        double[][] y = x.collect { row -> (0..<40).collect { row[0] * (it % 2 + 1) } as double[] } as double[][]

        when:
        def table = CsvTable.read(correlate([a: [x], b: [y, y]], [draws: 1, precision: precision]).resolve('a__b.csv'))

        then:
        [table.integer(0, 'partner_layer'), table.integer(0, 'partner_neuron')] == [0, 0]
        table.text(0, 'top_partners').split(';')*.replaceAll(':.*', '') == ['0.0', '0.1', '0.2']

        where:
        precision << Precision.values()
    }

    def "the analytic baseline agrees with explicitly rotated activations, and rotations are orthogonal"() {
        given:
        def random = new Random(4)
        int n = 800
        double[][] signal = gaussian(random, n, 12)
        def a = [mixed(random, signal, 8, 0.5)]
        def b = [mixed(random, signal, 16, 0.5), mixed(random, signal, 16, 1.5)]
        b.each { layer -> layer.each { row -> (0..<16).each { row[it] *= (1 + it) } } }

        when:
        def out = correlate([a: a, b: b], [draws: 1, baselineSeed: 11])
        def table = CsvTable.read(out.resolve('a__b.csv'))
        def kernel = compute.kernel('correlate')
        def rotations = Class.forName('universality.correlate.Rotations').declaredConstructors[0]
        rotations.accessible = true
        def made = rotations.newInstance(compute.manager(), kernel, 11L, 1L << 20, new Phases())
        def folderB = stored(folder.resolve('b'))
        def rotated = (0..1).collect { layer ->
            float[] values = made.first(compute.manager(), folderB, layer).toFloatArray()
            def r = new DMatrixRMaj(16, 16)
            (0..<256).each { r.set(it, values[it] as double) }
            def product = new DMatrixRMaj(16, 16)
            CommonOps_DDRM.multTransB(r, r, product)
            (0..<256).each { assert Math.abs(product.get(it) - (it % 17 == 0 ? 1 : 0)) < 1e-5 }
            def y = Reference.join([b[layer]], (0..<n) as int[])
            def turned = new DMatrixRMaj(n, 16)
            CommonOps_DDRM.multTransB(y, r, turned)
            turned
        }
        def x = Reference.join(a, (0..<n) as int[])
        def rho = rotated.collect { Reference.correlation(x, it) }

        then:
        (0..<8).every { i ->
            double expected = rho.collect { m -> (0..<16).collect { m.get(i, it) }.max() }.max()
            Math.abs(table.number(i, 'baseline_mean') - expected) < 1e-5
        }

        cleanup:
        made?.close()
        kernel?.close()
    }

    def "with several blocks in each half, maxima and baselines agree with explicit rotations"() {
        given: '9,600 positions: two blocks of 4,096 and a rest in all, one and a rest in each half'
        def random = new Random(14)
        int n = 9600
        double[][] signal = gaussian(random, n, 4)
        def a = [mixed(random, signal, 4, 0.5)]
        def b = [mixed(random, signal, 5, 0.5), mixed(random, signal, 5, 1.5)]
        int[] all = (0..<n) as int[]
        def parts = [all] + (0..1).collect { h -> all.findAll { it.intdiv(32) % 2 == h } as int[] }

        when:
        def table = CsvTable.read(correlate([a: a, b: b], [draws: 4, baselineSeed: 3]).resolve('a__b.csv'))
        def kernel = compute.kernel('correlate')
        def made = Class.forName('universality.correlate.Rotations').declaredConstructors[0].with {
            it.accessible = true
            it.newInstance(compute.manager(), kernel, 3L, 1L << 20, new Phases())
        }
        def folderB = stored(folder.resolve('b'))
        def largest = { DMatrixRMaj x, List<DMatrixRMaj> ys ->
            def rho = ys.collect { Reference.correlation(x, it) }
            (0..<4).collect { i -> rho.collect { m -> (0..<5).collect { m.get(i, it) }.max() }.max() }
        }
        def expected = parts.collect { rows ->
            def x = Reference.join(a, rows)
            def ys = b.collect { Reference.join([it], rows) }
            def draws = (0..<4).collect { draw ->
                largest(x, (0..1).collect { layer ->
                    def turned = new DMatrixRMaj(rows.length, 5)
                    CommonOps_DDRM.multTransB(ys[layer], rotation(made, folderB, layer, draw), turned)
                    turned
                })
            }
            [largest: largest(x, ys), draws: draws]
        }

        then:
        (0..<4).each { i ->
            def drawn = { int part, int count -> (0..<count).collect { expected[part].draws[it][i] } as double[] }
            assert near(table.number(i, 'max_corr'), expected[0].largest[i])
            assert near(table.number(i, 'max_corr_half1'), expected[1].largest[i])
            assert near(table.number(i, 'max_corr_half2'), expected[2].largest[i])
            assert near(table.number(i, 'baseline_mean'), Samples.mean(drawn(0, 4)), 1e-5)
            assert near(table.number(i, 'baseline_std'), Samples.standardDeviation(drawn(0, 4)), 1e-5)
            assert near(table.number(i, 'baseline_half1'), Samples.mean(drawn(1, 2)), 1e-5)
            assert near(table.number(i, 'baseline_half2'), Samples.mean(drawn(2, 2)), 1e-5)
        }

        cleanup:
        made?.close()
        kernel?.close()
    }

    /** S R of a draw, with S written out as a Kronecker product. */
    private DMatrixRMaj rotation(rotations, model, int layer, int draw) {
        def matrix = { NDArray array ->
            int width = array.shape.get(0)
            float[] values = array.toFloatArray()
            new DMatrixRMaj(width, width, true, values.collect { it as double } as double[])
        }
        def first = matrix(rotations.first(compute.manager(), model, layer))
        if (draw == 0) {
            return first
        }
        def factors = rotations.factors(compute.manager(), model, layer, draw, draw + 1)
        def kronecker = new DMatrixRMaj(model.dMlp(), model.dMlp())
        CommonOps_DDRM.kron(matrix(factors.outer().get(0)), matrix(factors.inner().get(0)), kronecker)
        def product = new DMatrixRMaj(model.dMlp(), model.dMlp())
        CommonOps_DDRM.mult(kronecker, first, product)
        product
    }

    def "#draws draws that share a rotation of #d neurons agree with explicit rotations, with #memory bytes for all, the second half #second"() {
        given: 'half of the neurons weak'
        def random = new Random(24)
        int n = 640
        double[][] signal = gaussian(random, n, 6)
        def a = [mixed(random, signal, 3, 0.5)]
        def b = [mixed(random, signal, d, 0.5), mixed(random, signal, d, 1.5)]
        b.each { layer -> layer.each { row -> (0..<d).each { row[it] *= it % 2 ? 0.01 : 1 } } }
        int[] all = (0..<n) as int[]
        def parts = [all] + (0..1).collect { h -> all.findAll { it.intdiv(32) % 2 == h } as int[] }
        if (second == 'constant') {
            b.each { layer -> parts[2].each { Arrays.fill(layer[it], 0.25d) } }
        }

        when:
        def table = CsvTable.read(correlate([a: a, b: b], [draws: draws, baselineSeed: 5, memory: memory]).resolve('a__b.csv'))
        def kernel = compute.kernel('correlate')
        def made = Class.forName('universality.correlate.Rotations').declaredConstructors[0].with {
            it.accessible = true
            it.newInstance(compute.manager(), kernel, 5L, 1L << 20, new Phases())
        }
        def folderB = stored(folder.resolve('b'))
        def explicit = (0..<draws).collect { draw -> (0..1).collect { layer -> rotation(made, folderB, layer, draw) } }
        def expected = parts.withIndex().collect { rows, part ->
            def x = Reference.join(a, rows)
            explicit.take(part == 0 ? draws : ofHalves).collect { rotations ->
                def rho = (0..1).collect { layer ->
                    def turned = new DMatrixRMaj(rows.length, d)
                    CommonOps_DDRM.multTransB(Reference.join([b[layer]], rows), rotations[layer], turned)
                    Reference.correlation(x, turned)
                }
                (0..<3).collect { i -> rho.collect { m -> (0..<d).collect { m.get(i, it) }.max() }.max() }
            }
        }

        then: 'each is a rotation, and no two are the same'
        explicit.flatten().every { r ->
            def product = new DMatrixRMaj(d, d)
            CommonOps_DDRM.multTransB(r, r, product)
            CommonOps_DDRM.subtractEquals(product, CommonOps_DDRM.identity(d))
            CommonOps_DDRM.elementMaxAbs(product) < 1e-5
        }
        (1..<draws).every { k ->
            def both = new DMatrixRMaj(d, d)
            CommonOps_DDRM.multTransB(explicit[k - 1][0], explicit[k][0], both)
            CommonOps_DDRM.elementMaxAbs(both) < 0.9
        }
        and:
        (0..<3).each { i ->
            def drawn = { int part -> expected[part].collect { it[i] } as double[] }
            assert near(table.number(i, 'baseline_mean'), Samples.mean(drawn(0)), 1e-5)
            assert near(table.number(i, 'baseline_std'), Samples.standardDeviation(drawn(0)), 1e-5)
            assert near(table.number(i, 'baseline_half1'), Samples.mean(drawn(1)), 1e-5)
            assert second == 'constant' ? table.text(i, 'baseline_half2') == null : near(table.number(i, 'baseline_half2'), Samples.mean(drawn(2)), 1e-5)
        }

        cleanup:
        made?.close()
        kernel?.close()

        where: '272 = 16 · 17; 257 is prime, and of its draws 15 are made at once'
        d   | draws | ofHalves | memory    | second
        272 | 3     | 2        | 1         | 'varying'
        272 | 3     | 2        | 64L << 20 | 'varying'
        272 | 3     | 2        | 64L << 20 | 'constant'
        257 | 17    | 4        | 64L << 20 | 'varying'
        257 | 17    | 4        | 1         | 'constant'
    }

    def "largest coordinates of one direction in draws that share a rotation are as good as uncorrelated, at #width neurons"() {
        given: 'what R makes of any direction is uniform over directions: 4,000 of them, each in 8 draws'
        def scope = compute.manager().newSubManager()
        def kernel = compute.kernel('correlate')
        def random = Draws.of('directions', width)
        int count = 4000
        def normal = { int... sizes ->
            scope.create((0..<sizes.inject { x, y -> x * y }).collect { random.gaussian() as float } as float[], new Shape(sizes as long[]))
        }
        int p = Rotations.inner(width)
        def direction = normal(count, width)
        direction = direction.div(direction.norm([1] as int[], true))
        def factors = [width.intdiv(p), p].collect { kernel.call(scope, 'haar', normal(7, it, it)).singletonOrThrow() }

        when:
        def draws = [direction] + (0..<7).collect { kernel.call(scope, 'mixed', direction, factors[0].get(it), factors[1].get(it)).singletonOrThrow() }
        def largest = draws.collect { it.max([1] as int[]).toFloatArray().collect { it as double } as double[] }
        def means = largest.collect { Samples.mean(it) }
        def deviations = largest.collect { Samples.standardDeviation(it) }
        def correlations = (0..<8).collectMany { k ->
            (0..<k).collect { l ->
                (0..<count).sum { (largest[k][it] - means[k]) * (largest[l][it] - means[l]) } / count / deviations[k] / deviations[l]
            }
        }

        then: 'the standard error of the mean correlation is 0.003, that of a mean 1.6% of the standard deviation'
        Math.abs(correlations.sum() / correlations.size()) < 0.012
        means.every { Math.abs(it - means[0]) < 0.08 * deviations[0] }

        cleanup:
        kernel?.close()
        scope?.close()

        where:
        width << [256, 384, 514]
    }

    def "the width of small rotations: #width is #inner times the rest, #together of 10 draws at once"() {
        expect:
        Rotations.inner(width) == inner
        Rotations.together(width, 10) == together

        where:
        width | inner | together
        5     | 1     | 10
        255   | 1     | 10
        256   | 16    | 10
        384   | 16    | 10
        3072  | 48    | 10
        4096  | 64    | 10
        1021  | 1     | 1
        2042  | 2     | 3
    }

    def "neurons that rest in somewhat less than half of the positions are correlated as exactly as others"() {
        given: 'a ReLU whose resting value is not the median: not taken out, it moves sums of products to one side'
        def random = new Random(15)
        int n = 40000
        double[][] signal = gaussian(random, n, 3).collect { [*it, 0.5d] as double[] } as double[][]
        def a = [mixed(random, signal, 20, 0.5)]
        def b = [mixed(random, signal, 20, 0.5)]
        int[] all = (0..<n) as int[]

        when:
        def table = CsvTable.read(correlate([a: a, b: b], [draws: 1]).resolve('a__b.csv'))
        def rho = Reference.correlation(Reference.join(a, all), Reference.join(b, all))

        then:
        (0..<20).each { i ->
            double expected = (0..<20).collect { rho.get(i, it) }.max()
            assert Math.abs(table.number(i, 'max_corr') - expected) < 1e-7
        }
    }

    def "a rotated neuron that hardly varies, as in a half of few positions, leaves the baselines defined: oneDNN #oneDnn"() {
        given: 'activations along one direction, to which all rotated neurons but two are orthogonal'
        int d = 520
        def scope = compute.manager().newSubManager()
        def kernel = Kernel.load(scope, 'correlate', oneDnn)
        def rotation = kernel.call(scope, 'haar', scope.create(new Random(4).with { r -> (1..d * d).collect { (float) r.nextGaussian() } } as float[], new Shape(d, d)))
                .singletonOrThrow()
        def direction = rotation.get('1:2').add(rotation.get('2:3')).mul((float) Math.sqrt(d / 2d))
        def covariance = direction.transpose().matMul(direction)
        def room = scope.zeros(new Shape(2 * d))

        when:
        def none = { int width -> scope.create(new float[0], new Shape(0, width, width)) }
        def variance = kernel.call(scope, 'rotated_variances', rotation, none(26), none(20), 1, 1, covariance).singletonOrThrow()
        double least = variance.toDoubleArray().min()
        def one = kernel.call(scope, 'baseline', [direction], rotation, none(26), none(20), variance, room).singletonOrThrow().toDoubleArray()
        def both = kernel.call(scope, 'baselines', [direction], [direction], rotation, none(26), none(20), variance,
                variance.reshape(1, 1, d).repeat(0, 2), scope.create([0.5, 0.5, 0] as double[], new Shape(3, 1)), scope.create(new double[d]), room)
                .singletonOrThrow().toDoubleArray()

        then: 'the two are the direction itself but for their sign'
        least > 0.9e-5
        [*one, *both].every { 1 - 1e-5 < it && it <= 1 }

        cleanup:
        kernel.close()
        scope.close()

        where:
        oneDnn << (Processor.x86() ? [false, true] : [false])
    }

    def "a rotation of 3072 dimensions is orthogonal to 1e-5 and the same each time"() {
        given:
        def kernel = compute.kernel('correlate')
        def scope = compute.manager().newSubManager()
        def random = new SplittableRandom(5)
        float[] values = new float[3072 * 3072]
        (0..<values.length).each { values[it] = (float) random.nextGaussian() }

        when:
        def q = kernel.call(scope, 'haar', scope.create(values, new Shape(3072, 3072))).get(0)
        def product = q.matMul(q.transpose())
        float worst = product.sub(scope.eye(3072)).abs().max().getFloat()

        then:
        worst < 1e-5

        cleanup:
        scope?.close()
        kernel?.close()
    }

    def "controls bring known partners back to nothing"() {
        given: 'two models that are permutations of each other, with autocorrelated and positional neurons'
        def random = new Random(6)
        int n = 6000
        double[][] x = gaussian(random, n, 24)
        x.eachWithIndex { row, i -> row[0] = (i % 16) / 16d + 0.05 * random.nextGaussian() }
        int[] order = (23..0) as int[]
        double[][] y = x.collect { row -> order.collect { row[it] } } as double[][]

        when:
        def study = CsvTable.read(correlate([a: [x], b: [y]], [draws: 5]).resolve('a__b.csv'))
        def control = { String name ->
            CsvTable.read(correlate([a: [x], b: [y]], [draws: 5, control: name, name: name]).resolve('a__b.csv'))
        }
        def excess = { table, int i -> table.number(i, 'max_corr') - table.number(i, 'baseline_mean') }

        then: 'the study finds every partner'
        (0..<24).every { study.integer(it, 'partner_neuron') == 23 - it && study.number(it, 'max_corr') > 0.9999 }
        and: 'a shift by rows and an offset leaves nothing'
        def shifted = control('shifted')
        (0..<24).every { excess(shifted, it) < 0.3 }
        and: 'a shift by whole rows leaves the position neuron alone'
        def rows = control('row_shifted')
        excess(rows, 0) > 0.3
        (1..<24).every { excess(rows, it) < 0.3 }
        and: 'a rotated model leaves nothing'
        def rotated = control('rotated')
        (0..<24).every { Math.abs(excess(rotated, it)) < 0.4 }
        and: 'so does a permutation among equal tokens, since these neurons know no tokens'
        def permuted = control('token_permuted')
        (0..<24).every { excess(permuted, it) < 0.3 }
    }

    def "each neuron with itself between two checkpoints"() {
        given:
        def random = new Random(7)
        int n = 500
        double[][] x = gaussian(random, n, 5)
        double[][] y = mixed(random, x, 5, 0.2)
        x.each { it[4] = 1d }
        def dirs = [[x, 100], [y, 20]].collect { v, step ->
            TestData.activations(folder, "s1-t$step", [v] as List, [step: step, documents: (0..<n).collect { it.intdiv(40) }])
        }

        when:
        def stage = new CorrelateStage(dirs, settings([:]))
        stage.diagonal(compute, folder.resolve('self'), false)
        stage.close()
        def table = CsvTable.read(folder.resolve('self/s1-t20__s1-t100.self.csv'))
        def rho = Reference.correlation(Reference.join([y], (0..<n) as int[]), Reference.join([x], (0..<n) as int[]))

        then:
        (0..<4).every { Math.abs(table.number(it, 'corr') - rho.get(it, it)) < 1e-6 }
        table.text(4, 'corr') == null
    }

    def "bad calls are refused: #problem"() {
        when:
        double[][] x = gaussian(new Random(8), 64, 3)
        def dirs = options.collect { id, o -> TestData.activations(folder, id, [x], o) }
        new CorrelateStage(dirs, settings(more)).withCloseable { it.run(compute, folder.resolve('out'), false) }

        then:
        def e = thrown(ToolException)
        e.code().status() == status
        e.message.contains(text)
        !Files.exists(folder.resolve('out'))
        folder.toFile().list().every { !it.startsWith('.out') }

        where:
        problem            | options                                        | more              | status | text
        'one model'        | [a: [:]]                                       | [:]               | 64     | 'at least two'
        'other tokens'     | [a: [:], b: [tokensDigest: 'b' * 64, seed: 2]] | [:]               | 65     | 'different tokens'
        'other steps'      | [a: [:], b: [step: 5, seed: 2]]                | [:]               | 64     | 'different steps'
        'unknown pair'     | [a: [:], b: [seed: 2]]                         | [pairs: ['a:c']]  | 64     | "--pairs 'a:c'"
        'a pair twice'     | [a: [:], b: [seed: 2]]                         | [pairs: ['a:b', 'b:a']] | 64 | "'b' and 'a' together twice"
        'unknown control'  | [a: [:], b: [seed: 2]]                         | [control: 'none2'] | 64    | "--control 'none2'"
    }

    def "an activation that is not finite is no dead neuron: #value"() {
        given:
        def random = new Random(3)
        def a = gaussian(random, 64, 8)
        a[40][5] = value

        when:
        correlate([a: [gaussian(random, 64, 8)], b: [a]], [:])

        then:
        def e = thrown(ToolException)
        e.code().status() == 65
        e.message.contains("neuron 0.5 of 'b'")
        !Files.exists(folder.resolve('out'))

        where:
        value << [Double.NaN, Double.POSITIVE_INFINITY]
    }

    def "one row cannot be shifted"() {
        given:
        double[][] x = gaussian(new Random(9), 16, 3)

        when:
        correlate([a: [x], b: [x]], [draws: 1, control: control])

        then:
        def e = thrown(ToolException)
        e.code().status() == 65
        e.message.contains('needs at least two rows')

        where:
        control << ['shifted', 'row_shifted']
    }

    def "a stored layer that was damaged is refused, though its size is right"() {
        given:
        double[][] x = gaussian(new Random(10), 64, 3)
        correlate([a: [x], b: [x]], [draws: 1, name: 'whole'])
        Path layer = folder.resolve('b/layer-00.safetensors')
        byte[] bytes = layer.bytes
        bytes[bytes.length - 5] ^= 1
        layer.bytes = bytes

        when:
        correlate([a: [x], b: [x]], [draws: 1])

        then:
        def e = thrown(ToolException)
        e.code().status() == 65
        e.message.contains('layer-00.safetensors')
        !Files.exists(folder.resolve('out'))
    }

    def "a baseline without draws is none"() {
        expect:
        unit.Tool.run('correlate', '--activations', folder, folder, '--baseline-draws', 0, '--out', folder.resolve('out'))
                .refused(64, '--baseline-draws 0', 'expected at least 1')
    }

    def "one neuron a layer, and memory for more of its products than an int counts: #memory"() {
        given:
        double[][] x = gaussian(new Random(31), 96, 1)
        double[][] y = gaussian(new Random(32), 96, 1)

        when:
        def (small, large) = [64L << 20, memory].collect { correlate([a: [x], b: [y]], [memory: it, draws: 3, name: "of $it"]) }

        then:
        ['a__b.csv', 'b__a.csv'].every { small.resolve(it).bytes == large.resolve(it).bytes }
        and: 'a rotation of one dimension is 1 or -1, so each of three draws is the correlation but for its sign'
        with(CsvTable.read(small.resolve('a__b.csv'))) { Math.abs(Math.abs(it.number(0, 'baseline_mean') / it.number(0, 'max_corr')) * 3 % 2 - 1) < 1e-4 }

        where: 'as an int, their number would be negative'
        memory << [64L << 30, 1L << 50]
    }

    def "a control's rotations that take more than half of the memory are refused before they are made"() {
        given: 'of 40 neurons, 6,400 bytes'
        def rows = gaussian(new Random(35), 96, 40)

        when:
        correlate([a: [rows], b: [rows]], [memory: 12_000L, control: 'rotated'])

        then:
        def refused = thrown(ToolException)
        refused.code() == ExitCode.HOST_MEMORY
        refused.message.startsWith('the rotations of the control take 0 MB, more than half of what --memory leaves')
        !Files.exists(folder.resolve('out'))
    }

    def "models of one family and seed, and of different widths, have rotations of their own"() {
        given:
        double[][] x = gaussian(new Random(33), 96, 4)
        double[][] y = gaussian(new Random(34), 96, 6)
        def dirs = [a: x, b: y].collect { id, rows -> TestData.activations(folder, id, [rows], [seed: 1]) }

        when:
        new CorrelateStage(dirs, settings([draws: 2])).withCloseable { it.run(compute, folder.resolve('out'), false) }

        then:
        agrees(folder.resolve('out'), 'a', 'b', [x], [y], 96)
    }

    private Path correlate(Map<String, List<double[][]>> models, Map options) {
        def dirs = []
        int seed = 1
        models.each { id, layers ->
            Path dir = folder.resolve(id)
            dirs << (Files.exists(dir) ? dir : TestData.activations(folder, id, layers, [seed: seed]))
            seed++
        }
        Path out = folder.resolve(options.name ?: 'out')
        new CorrelateStage(dirs, settings(options)).withCloseable { it.run(compute, out, false) }
        out
    }

    /** The folder as `correlate` reads it. */
    private static stored(Path dir) {
        Class.forName('universality.correlate.StoredActivations').getDeclaredConstructor(Path).with {
            it.accessible = true
            it.newInstance(dir)
        }
    }

    private static settings(Map o) {
        new CorrelateStage.Settings(o.pairs ?: [], o.draws ?: 0, o.baselineSeed ?: 0, 3, 3, o.control ?: 'none', null, Precision.EXACT, 16384,
                o.memory ?: (64L << 20))
    }

    /** Every number of A__B.csv against the reference; documents are two rows of 16, halves alternate documents. */
    private static boolean agrees(Path out, String nameA, String nameB, List<double[][]> a, List<double[][]> b, int n) {
        def table = CsvTable.read(out.resolve("${nameA}__${nameB}.csv"))
        int[] all = (0..<n) as int[]
        def halves = (0..1).collect { h -> all.findAll { it.intdiv(32) % 2 == h } as int[] }
        def total = compare(a, b, all)
        def half = halves.collect { compare(a, b, it) }
        int widthA = a[0][0].length
        int widthB = b[0][0].length
        long[] histogram
        SafetensorsFile.open(out.resolve("${nameA}__${nameB}.histogram.safetensors")).withCloseable {
            histogram = it.longs('counts')
        }
        assert table.size() == a.size() * widthA
        (0..<table.size()).each { i ->
            assert table.integer(i, 'layer') == i.intdiv(widthA) && table.integer(i, 'neuron') == i % widthA
            if (!total.rows.contains(i)) {
                assert table.header().drop(2).every { table.text(i, it) == null }
                return
            }
            def values = total.columns.collect { total.rho.get(i, it) }
            double best = values.max()
            assert near(table.number(i, 'max_corr'), best)
            int partner = table.integer(i, 'partner_layer') * widthB + table.integer(i, 'partner_neuron')
            assert near(total.rho.get(i, partner), best)
            assert near(table.number(i, 'neg_corr'), values.min())
            def back = total.rows.collect { total.rho.get(it, partner) }.max()
            assert table.flag(i, 'mutual') == near(back, best)
            halves.indices.each { h ->
                boolean defined = half[h].rows.contains(i)
                assert defined ? near(table.number(i, "max_corr_half${h + 1}"), Reference.largest(half[h].rho, i, half[h].columns))
                        : table.text(i, "max_corr_half${h + 1}") == null
            }
            double mean = values.sum() / values.size()
            def central = { int k -> values.collect { (it - mean)**k }.sum() / values.size() }
            assert near(table.number(i, 'corr_mean'), mean)
            assert near(table.number(i, 'corr_var'), central(2))
            assert near(table.number(i, 'corr_skew'), central(3) / central(2)**1.5, 1e-4)
            assert near(table.number(i, 'corr_kurt'), central(4) / central(2)**2, 1e-4)
            def top = table.text(i, 'top_partners').split(';').collect { it.split(':')[1] as double }
            def sorted = values.sort(false) { -it }.take(3)
            assert top.size() == sorted.size() && [top, sorted].transpose().every { x, y -> near(x, y) }
            def counts = new long[101]
            values.each { v -> counts[(0..<100).count { v > -1 + 2.0d * it / 99 + 1e-9 }]++ }
            def stored = histogram[i * 101..<(i + 1) * 101]
            assert stored.sum() == values.size()
            assert (0..100).sum { Math.abs(stored[it] - counts[it]) } <= 2
        }
        true
    }

    private static Map compare(List<double[][]> a, List<double[][]> b, int[] rows) {
        def x = Reference.join(a, rows)
        def y = Reference.join(b, rows)
        [rho: Reference.correlation(x, y), rows: varying(x), columns: varying(y)]
    }

    private static List<Integer> varying(DMatrixRMaj x) {
        (0..<x.numCols).findAll { j -> (1..<x.numRows).any { x.get(it, j) != x.get(0, j) } }
    }

    private static boolean near(double a, double b, double tolerance = 1e-6) {
        Math.abs(a - b) <= tolerance
    }
}
