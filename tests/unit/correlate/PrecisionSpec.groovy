package unit.correlate

import groovy.transform.CompileStatic
import spock.lang.IgnoreIf
import spock.lang.Requires
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import spock.util.environment.RestoreSystemProperties
import unit.support.Processor
import unit.support.TestData
import universality.correlate.CorrelateStage
import universality.correlate.Precision
import universality.data.CsvTable
import universality.data.ExitCode
import universality.data.Json
import universality.data.ToolException
import universality.tensor.Compute

import java.nio.file.Files
import java.nio.file.Path

import static unit.correlate.Reference.gaussian
import static unit.correlate.Reference.mixed

/** Products in BF16 find the same partners as exact ones, on activations that make it hard. */
class PrecisionSpec extends Specification {
    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    @IgnoreIf(value = { data.precision == Precision.INT8 && !Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "partners and correlations are the exact ones: #precision, #what"() {
        given:
        System.setProperty('universality.fast', 'bf16,int8')
        def random = new Random(5)

        when:
        def models = make(random)
        def exact = correlate('exact', models, Precision.EXACT)
        def fast = correlate('fast', models, precision)
        double rounding = Math.min(4e-3d, rounding(models))

        then: 'a partner differs only within a tie'
        def ids = models.keySet() as List
        [[ids[0], ids[1]], [ids[1], ids[0]]].each { a, b ->
            def x = CsvTable.read(exact.resolve("${a}__${b}.csv"))
            def y = CsvTable.read(fast.resolve("${a}__${b}.csv"))
            assert x.size() == y.size()
            (0..<x.size()).each { i ->
                assert (x.text(i, 'max_corr') == null) == (y.text(i, 'max_corr') == null)
                if (x.text(i, 'max_corr') == null) {
                    return
                }
                assert Math.abs(x.number(i, 'max_corr') - y.number(i, 'max_corr')) < 3e-6
                assert Math.abs(x.number(i, 'neg_corr') - y.number(i, 'neg_corr')) < 3e-6
                assert ['partner_layer', 'partner_neuron'].every { x.text(i, it) == y.text(i, it) } ||
                        secondBest(x, i) > x.number(i, 'max_corr') - 3e-6
                assert Math.abs(x.number(i, 'baseline_mean') - y.number(i, 'baseline_mean')) < (precision == Precision.INT8 ? rounding : 2e-4 + 0.0039 * x.number(i, 'baseline_mean'))
                assert Math.abs(x.number(i, 'max_corr_half1') - y.number(i, 'max_corr_half1')) < (full ? 5e-2 : 5e-3)
                assert Math.abs(x.number(i, 'corr_var') - y.number(i, 'corr_var')) < 1e-3
                assert values(x, i).size() == values(y, i).size() && values(y, i) == values(y, i).sort(false).reverse()
            }
        }

        and: 'what was done is told'
        Json.read(fast.resolve('manifest.json')).path('parameters').path('precision').asText() == precision.name().toLowerCase()
        def told = Json.read(fast.resolve('summary.json')).path('pairs').collect { it.path('refinement') }
        told.every { it.path('rows').asInt() > 0 && it.path('products').asLong() + it.path('full').asLong() > 0 }
        full == null || (told.sum { it.path('full').asInt() } > 0) == full
        Json.read(exact.resolve('summary.json')).path('pairs').every { it.path('refinement').isMissingNode() }

        where:
        [precision, what, full, make] << [
            [Precision.BF16, Precision.INT8],
            [
                ['random mixtures through a rectifier', false, { r -> mixtures(r, 2, 40) }],
                ['two-valued sparse neurons, which BF16 rounds alike', null, { r -> sparse(r) }],
                ['many copies that differ in the fourth digit', true, { r -> nearTies(r) }],
                ['large means beside small variances', false, { r -> shifted(r) }],
                ['one neuron that never varies', false, { r -> dead(r) }],
                ['rare large values beyond the sample', null, { r -> spikes(r) }]
            ]
        ].combinations().collect { p, row -> [p] + row }
    }

    def "sketches find all partners that stand out, and say what they are not sure of"() {
        given:
        def random = new Random(6)
        double[][] signal = gaussian(random, 10000, 12)
        double[][] rare = mixed(random, signal, 4, 0.1d).collect { row -> row.collect { Math.max(0d, it - 9d) } as double[] }
        def models = ['a', 'b'].collectEntries { id ->
            [id, [mixed(random, signal, 40, 0.8d), beside(mixed(random, signal, 36, 3d), rare)]]
        }

        when:
        def exact = correlate('exact', models, Precision.EXACT)
        def sketched = correlate('sketched', models, Precision.SKETCH)

        then: 'what is reported is exact, and at most the upper bound'
        [['a', 'b'], ['b', 'a']].each { a, b ->
            def x = CsvTable.read(exact.resolve("${a}__${b}.csv"))
            def y = CsvTable.read(sketched.resolve("${a}__${b}.csv"))
            (0..<x.size()).each { i ->
                double best = x.number(i, 'max_corr')
                assert y.number(i, 'max_corr') <= best + 3e-6
                assert y.number(i, 'max_corr_upper') >= best - 3e-6
                assert x.number(i, 'max_corr_upper') == best
                if (best > 0.4d) {
                    assert Math.abs(y.number(i, 'max_corr') - best) < 3e-6
                    assert ['partner_layer', 'partner_neuron'].every { x.text(i, it) == y.text(i, it) } ||
                            secondBest(x, i) > best - 3e-6
                }
                assert Math.abs(y.number(i, 'corr_mean') - x.number(i, 'corr_mean')) < 0.08
                assert Math.abs(y.number(i, 'max_corr_half1') - x.number(i, 'max_corr_half1')) < 0.25
            }
        }

        and: 'the rare neurons, the last four, find each other'
        def table = CsvTable.read(sketched.resolve('a__b.csv'))
        (76..<80).every { table.number(it, 'max_corr') > 0.99 && table.flag(it, 'mutual') }

        and:
        def manifest = Json.read(sketched.resolve('manifest.json')).path('parameters')
        manifest.path('precision').asText() == 'sketch' && manifest.path('sketch_size').asInt() == 512
        Math.abs(manifest.path('sketch_error').asDouble() - 1 / Math.sqrt(512)) < 1e-4
        def told = Json.read(sketched.resolve('summary.json')).path('pairs').collect { it.path('refinement') }
        told.every { it.path('rows').asInt() == 80 && it.path('partnerCertain').asInt() >= 4 }
        told.every { it.path('partnerCertain').asInt() <= it.path('partnerCertainEach').asInt() && it.path('partnerCertainEach').asInt() <= 80 }
    }

    def "sketches of some layers at a time, and products of some of these, are the same bytes"() {
        given: 'layers of 520 neurons, whose sketches take 1 MB each, and products of two of them 4 MB'
        def random = new Random(2)
        def models = [a: [gaussian(random, 2100, 520), gaussian(random, 2100, 520)], b: [gaussian(random, 2100, 520)]]

        when:
        def roomy = correlate('roomy', models, Precision.SKETCH)
        def narrow = correlate('narrow', models, Precision.SKETCH, 8L << 20)

        then:
        Json.read(narrow.resolve('manifest.json')).path('parameters').path('precision').asText() == 'sketch'
        ['a__b.csv', 'b__a.csv'].every { roomy.resolve(it).bytes == narrow.resolve(it).bytes }
    }

    def "a sketch that is no shorter than the text is not used, and that is said"() {
        when:
        def out = correlate('sketched', mixtures(new Random(1), 1, 10).collectEntries { id, layers -> [id, layers.collect { it[0..<2000] as double[][] }] }, Precision.SKETCH)

        then:
        def manifest = Json.read(out.resolve('manifest.json'))
        manifest.path('parameters').path('precision').asText() == 'exact'
        manifest.path('warnings').any { it.asText().contains('fewer than 4 times the sketch size 512') }
    }

    def "a text too short for #precision is correlated exactly, and that is said"() {
        when:
        def out = correlate('short', mixtures(new Random(1), 1, 16), precision)

        then:
        def manifest = Json.read(out.resolve('manifest.json'))
        manifest.path('parameters').path('precision').asText() == 'exact'
        manifest.path('warnings').any { it.asText() =~ /fewer than 524288|no ${precision.name().toLowerCase()} matrices faster/ }

        where:
        precision << [Precision.BF16, Precision.INT8]
    }

    private static double[][] beside(double[][] x, double[][] y) {
        (0..<x.length).collect { (x[it] as List) + (y[it] as List) as double[] } as double[][]
    }

    private static Map mixtures(Random random, int layers, int width, int n = 3000) {
        double[][] signal = gaussian(random, n, 12)
        ['a', 'b'].collectEntries { [it, (0..<layers).collect { mixed(random, signal, width, 0.6d) }] }
    }

    private static Map sparse(Random random) {
        int n = 3000
        def events = (0..<20).collect { (0..<n).collect { random.nextInt(40) == 0 } }
        def model = {
            double[][] rows = (0..<n).collect { i ->
                (0..<64).collect { j ->
                    boolean on = events[j % 20][i] ^ (random.nextInt(200) == 0)
                    on ? 1.0039d + 0.001d * j : 0.0d
                } as double[]
            }
            [rows]
        }
        [a: model(), b: model()]
    }

    /** Sixty of the eighty neurons of b are copies of one of a, with a little noise: all within the bound of each other. */
    private static Map nearTies(Random random) {
        int n = 3000
        double[][] a = gaussian(random, n, 48)
        double[][] b = (0..<n).collect { i ->
            (0..<80).collect { j -> j < 60 ? a[i][7] + 0.02d * (1 + j * 1e-3d) * random.nextGaussian() : random.nextGaussian() } as double[]
        }
        [a: [a], b: [b]]
    }

    private static Map shifted(Random random) {
        mixtures(random, 1, 48).collectEntries { id, layers ->
            [id, layers.collect { rows -> rows.collect { row -> row.collect { 100d + it } as double[] } as double[][] }]
        }
    }

    private static Map dead(Random random) {
        def models = mixtures(random, 1, 48)
        models.each { id, layers -> layers[0].each { it[3] = 0.7d } }
        models
    }

    /** Neurons that are small but for a few values of 150 standard deviations, all after the first thousand positions of each half. */
    private static Map spikes(Random random) {
        def models = mixtures(random, 1, 48, 12000)
        models.each { id, layers -> (2100..<12000).step(100) { i -> (0..<48).each { layers[0][i][it] += 150d + it } } }
        models
    }

    /**
     * Six standard deviations of a correlation's error where both neurons are rounded at random to steps of s standard deviations:
     * with fractions spread evenly a value errs with variance s²/6, so the mean of n products of two such values with s / √(3n).
     */
    private static double rounding(Map<String, List<double[][]>> models) {
        double step = 0
        models.values().sum().each { double[][] rows ->
            (0..<rows[0].length).each { j ->
                double mean = rows.sum { it[j] } / rows.length
                double deviation = Math.sqrt((rows.sum { (it[j] - mean) * (it[j] - mean) } as double) / rows.length)
                if (deviation > 1e-9) {
                    step = Math.max(step, (rows.collect { it[j] }.max() - rows.collect { it[j] }.min()) / deviation / 126)
                }
            }
        }
        6 * step / Math.sqrt(3d * models.values().first().first().length)
    }

    @Requires(value = { Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "rare large values beyond the sample are large in a rotated model, too"() {
        given:
        System.setProperty('universality.fast', 'int8')
        def models = spikes(new Random(7))

        when:
        def (x, y) = [Precision.EXACT, Precision.INT8].collect {
            CsvTable.read(correlate(it.name(), models, it, 64L << 20, 'rotated').resolve('a__b.csv'))
        }

        then:
        (0..<x.size()).each { i ->
            assert Math.abs(x.number(i, 'max_corr') - y.number(i, 'max_corr')) < 3e-6
            ['max_corr_half1', 'max_corr_half2', 'baseline_mean'].each { column ->
                assert Math.abs(x.number(i, column) - y.number(i, column)) < 4e-3
            }
        }
    }

    @Requires(value = { Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "an activation beyond what the moments say is refused: it would be cut off"() {
        given:
        System.setProperty('universality.fast', 'int8')
        def models = mixtures(new Random(8), 1, 8, 3000)
        def less = models.b.collect { rows -> rows.collect { row -> row.collect { it * 0.9d } as double[] } }
        TestData.activations(folder, 'b', models.b, [seed: 2, momentsOf: less])

        when:
        correlate('refused', models, Precision.INT8)

        then:
        def refused = thrown(ToolException)
        refused.code() == ExitCode.BAD_DATA
        refused.message ==~ /activations of neuron 0\.\d of 'b' are smaller or larger than its moments say: run activate again/
    }

    @IgnoreIf(value = { data.precision == Precision.INT8 && !Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "more rows in full than fit the memory at once are the same bytes: #precision"() {
        given: 'six times up to 256 rows, 1 MB'
        System.setProperty('universality.fast', 'bf16,int8')
        def random = new Random(6)
        def models = ['a', 'b'].collectEntries { [it, (0..1).collect { gaussian(random, 1500, 264) }] }
        models.each { id, layers -> layers.each { rows -> (1100..<1500).step(40) { i -> (0..<264).each { rows[i][it] += 150d + it } } } }

        when:
        def roomy = correlate('roomy', models, precision)
        def narrow = correlate('narrow', models, precision, 5L << 20)

        then:
        Json.read(roomy.resolve('summary.json')).path('pairs').every { it.path('refinement').path('full').asInt() > 512 }
        ['a__b.csv', 'b__a.csv'].every { roomy.resolve(it).bytes == narrow.resolve(it).bytes }

        where:
        precision << [Precision.BF16, Precision.INT8]
    }

    @Requires(value = { Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "sums of whole numbers beyond 2³¹, where all units are summed together and where each is alone"() {
        given: 'after the first positions, values of 120 steps and more: 44 blocks of a half have squares of 44 · 4096 · 120² at least'
        System.setProperty('universality.fast', 'int8')
        def a = loud(2 * 44 * 4096, new Random(8))
        def b = flipped(a, new Random(9))
        def models = [a: [a], b: [b]]

        when:
        def exact = CsvTable.read(correlate('exact', models, Precision.EXACT).resolve('a__b.csv'))
        def roomy = correlate('roomy', models, Precision.INT8)
        def narrow = correlate('narrow', models, Precision.INT8, 600_000L)

        then:
        def table = CsvTable.read(roomy.resolve('a__b.csv'))
        (0..<8).each { i ->
            ['max_corr', 'max_corr_half1', 'max_corr_half2', 'corr_mean', 'corr_var'].each { column ->
                assert Math.abs(table.number(i, column) - exact.number(i, column)) < 1e-3
            }
        }
        table.number(0, 'max_corr_half1') > 0.999 && table.number(7, 'max_corr_half2') < 0.52
        ['a__b.csv', 'b__a.csv', 'a__b.histogram.safetensors'].every { roomy.resolve(it).bytes == narrow.resolve(it).bytes }
    }

    @IgnoreIf(value = { data.precision == Precision.INT8 && !Processor.sumsInt8() }, reason = Processor.NO_INT8)
    @RestoreSystemProperties
    def "a control, whose models have their blocks in different orders, is the same bytes whatever the memory: #precision"() {
        given: 'values whose sums depend on the order in which they are added up, three blocks of a half'
        System.setProperty('universality.fast', 'bf16,int8')
        def models = [a: [wild(17500, width, new Random(3))], b: [wild(17500, width, new Random(4))]]

        when:
        def (roomy, narrow) = [64L << 20, 2L << 20].collect { correlate("of $it", models, precision, it, 'row_shifted') }

        then:
        ['a__b.csv', 'a__b.histogram.safetensors'].every { roomy.resolve(it).bytes == narrow.resolve(it).bytes }
        (precision == Precision.BF16) == (Json.read(roomy.resolve('summary.json')).path('pairs').sum { it.path('refinement').path('full').asInt() } > 200)

        where:
        precision       | width
        Precision.EXACT | 48
        Precision.INT8  | 48
        Precision.BF16  | 264 // with rows in full, for which there is room in the first pass or not
    }

    @CompileStatic
    private static double[][] wild(int n, int width, Random random) {
        def rows = new double[n][width]
        for (double[] row : rows) {
            for (int j = 0; j < width; j++) {
                row[j] = random.nextGaussian() * Math.pow(10, 4 * random.nextDouble() - 3)
            }
        }
        rows
    }

    @CompileStatic
    private static double[][] loud(int n, Random random) {
        def rows = new double[n][8]
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < 8; j++) {
                rows[i][j] = i < 8192 ? 3.4d * random.nextDouble() - 1.7d : random.nextBoolean() ? 3.6d : -3.6d
            }
        }
        rows
    }

    /** The last four neurons change their sign at a quarter of the positions. */
    @CompileStatic
    private static double[][] flipped(double[][] rows, Random random) {
        def flipped = new double[rows.length][8]
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < 8; j++) {
                flipped[i][j] = j < 4 || random.nextInt(4) > 0 ? rows[i][j] : -rows[i][j]
            }
        }
        flipped
    }

    private static List<Double> values(CsvTable table, int row) {
        table.text(row, 'top_partners').split(';').collect { it.split(':')[1] as double }
    }

    private static double secondBest(CsvTable table, int row) {
        values(table, row)[1]
    }

    private Path correlate(String name, Map<String, List<double[][]>> models, Precision precision, long memory = 64L << 20, String control = 'none') {
        def dirs = []
        models.eachWithIndex { id, layers, i ->
            Path dir = folder.resolve(id)
            dirs << (Files.exists(dir) ? dir : TestData.activations(folder, id, layers, [seed: i + 1]))
        }
        def settings = new CorrelateStage.Settings([], 5, 0, 5, 3, control, null, precision, 512, memory)
        new CorrelateStage(dirs, settings).withCloseable { it.run(compute, folder.resolve(name), false) }
        folder.resolve(name)
    }
}
