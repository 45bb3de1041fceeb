package unit.stats

import spock.lang.Specification
import universality.stats.GroupedCorrelation
import universality.stats.Jackknife
import universality.stats.Normal
import universality.stats.Samples

class JackknifeSpec extends Specification {
    def "of a mean it is the standard error of the mean, groups being equal"() {
        given:
        def random = new Random(seed)
        double[] x = (0..<24).collect { 1e6 + random.nextGaussian() } as double[]
        double total = x.sum()
        double[] without = x.collect { (total - it) / 23 } as double[]

        expect:
        Math.abs(Jackknife.standardError(total / 24, without, [7d] * 24 as double[])
                - Samples.standardDeviation(x) / Math.sqrt(24d)) < 1e-8

        where:
        seed << [1, 2, 3]
    }

    def "groups of unequal size: the formula of Busing, Meijer and van der Leeden, term by term"() {
        given:
        double[] size = [3, 10, 4, 25, 8]
        double[] mean = [0.2, -1, 2.5, 0.4, 1]
        double n = size.sum()
        double whole = (0..4).sum { size[it] * mean[it] } / n
        double[] without = (0..4).collect { (whole * n - size[it] * mean[it]) / (n - size[it]) } as double[]
        def h = size.collect { n / it }
        def pseudo = (0..4).collect { h[it] * whole - (h[it] - 1) * without[it] }
        double estimate = 5 * whole - (0..4).sum { (1 - size[it] / n) * without[it] }
        double variance = (0..4).sum { (pseudo[it] - estimate)**2 / (h[it] - 1) } / 5

        expect: 'for a mean the pseudo-values are the group means'
        (0..4).every { Math.abs(pseudo[it] - mean[it]) < 1e-12 }
        Math.abs(Jackknife.standardError(whole, without, size) - Math.sqrt(variance)) < 1e-14
    }

    def "one group, or a value that is undefined, has no error"() {
        expect:
        Double.isNaN(Jackknife.standardError(1, [1] as double[], [5] as double[]))
        Double.isNaN(Jackknife.standardError(1, [] as double[], [] as double[]))
        Double.isNaN(Jackknife.standardError(1, [1, Double.NaN, 1] as double[], [5, 5, 5] as double[]))
        Jackknife.standardError(1, [1, 1, 1] as double[], [5, 6, 7] as double[]) == 0
    }

    def "the normal distribution at #x"() {
        expect:
        Math.abs(Normal.below(x) - p) < 1e-14
        Math.abs(Normal.below(-x) - (1 - p)) < 1e-14

        where:
        x                    | p
        0d                   | 0.5
        1d                   | 0.8413447460685429
        1.959963984540054d   | 0.975
        3.5d                 | 0.9997673709209645
        7.9d                 | 0.9999999999999986
        40d                  | 1
    }

    def "far out and undefined"() {
        expect:
        Normal.below(Double.NEGATIVE_INFINITY) == 0
        Normal.below(Double.POSITIVE_INFINITY) == 1
        Double.isNaN(Normal.below(Double.NaN))
    }

    def "correlations over groups equal those of the observations"() {
        given: 'offsets and unequal groups'
        def random = new Random(seed)
        int[] group = (0..<500).collect { random.nextInt(10) ? random.nextInt(6) : 6 } as int[]
        double[] x = group.collect { 3 + random.nextGaussian() + 0.3 * it } as double[]
        double[] y = x.collect { -5 + 0.6 * it + random.nextGaussian() } as double[]
        double[] z = x.collect { 0.4 * it + random.nextGaussian() } as double[]
        def grouped = new GroupedCorrelation((0..6).collect { g -> (group as List).count { it == g } } as double[])
        def pick = { double[] v, Closure wanted -> (0..<500).findAll { wanted(group[it]) }.collect { v[it] } as double[] }
        def near = { double a, double b -> Math.abs(a - b) < 1e-12 }

        expect:
        near(grouped.whole(sums(x, group), sums(y, group), product(x, y, group)), pearson(x, y))
        def without = grouped.withoutEach(sums(x, group), sums(y, group), product(x, y, group))
        (0..6).every { g -> near(without[g], pearson(pick(x) { it != g }, pick(y) { it != g })) }
        near(grouped.over({ it % 2 == 1 }, sums(x, group), sums(y, group), product(x, y, group)),
                pearson(pick(x) { it % 2 == 1 }, pick(y) { it % 2 == 1 }))
        grouped.count { it % 2 == 1 } == (group as List).count { it % 2 == 1 }

        and: 'pooled with one partner it is the whole; with two it is that of the standardised deviations put together'
        def same = grouped.pooled(sums(x, group), [sums(y, group)] * 7 as GroupedCorrelation.Sums[], [product(x, y, group)] * 7 as double[][])
        near(same, pearson(x, y))
        def partner = { int g -> g < 3 ? y : z }
        def pooled = grouped.pooled(sums(x, group), (0..6).collect { sums(partner(it), group) } as GroupedCorrelation.Sums[],
                (0..6).collect { product(x, partner(it), group) } as double[][])
        def centred = { double[] v ->
            double m = v.sum() / 500
            double sd = Math.sqrt(v.collect { (it - m)**2 }.sum() / 500 as double)
            v.collect { (it - m) / sd } as double[]
        }
        def (cx, cy, cz) = [centred(x), centred(y), centred(z)]
        def mixed = (0..<500).collect { group[it] < 3 ? cy[it] : cz[it] }
        double expected = (0..<500).sum { cx[it] * mixed[it] } / Math.sqrt((0..<500).sum { cx[it]**2 } * (0..<500).sum { mixed[it]**2 })
        near(pooled, expected)

        where:
        seed << [1, 2, 3]
    }

    def "what is silent outside one group has no correlation without it"() {
        given:
        int[] group = (0..<60).collect { it.intdiv(10) } as int[]
        double[] x = (0..<60).collect { it in 20..<30 ? 1e4 * Math.sin(it * it) : 0.1d } as double[]
        double[] y = (0..<60).collect { Math.cos(it * 3) } as double[]

        when:
        def without = new GroupedCorrelation([10d] * 6 as double[]).withoutEach(sums(x, group), sums(y, group), product(x, y, group))

        then:
        (0..5).every { Double.isNaN(without[it]) == (it == 2) }
    }

    def "documents that hang together: the jackknife knows how far the correlation moves, counting tokens does not"() {
        given: '40 documents of 50 tokens, each of a topic that both neurons follow with a strength of its own'
        def random = new Random(11)
        def errors = []
        def naive = []
        double[] found = (0..<120).collect {
            double[] x = new double[2000]
            double[] y = new double[2000]
            int[] group = new int[2000]
            40.times { d ->
                double topic = 1.5 * random.nextGaussian()
                double other = topic * (random.nextInt(4) ? 0.9 : -0.5)
                50.times { t ->
                    int i = 50 * d + t
                    x[i] = topic + 0.5 * random.nextGaussian()
                    y[i] = other + 0.5 * random.nextGaussian()
                    group[i] = d.intdiv(2)
                }
            }
            def grouped = new GroupedCorrelation([100d] * 20 as double[])
            double rho = grouped.whole(sums(x, group), sums(y, group), product(x, y, group))
            errors << Jackknife.standardError(rho, grouped.withoutEach(sums(x, group), sums(y, group), product(x, y, group)), grouped.count())
            naive << (1 - rho * rho) / Math.sqrt(2000d)
            rho
        } as double[]
        double spread = Samples.standardDeviation(found)
        double jackknife = Samples.mean(errors as double[])

        expect:
        jackknife > 0.75 * spread && jackknife < 1.35 * spread
        Samples.mean(naive as double[]) < 0.35 * spread
    }

    /** By the textbook, in two passes. */
    private static double pearson(double[] x, double[] y) {
        double meanX = x.sum() / x.length
        double meanY = y.sum() / y.length
        def product = { int i -> (x[i] - meanX) * (y[i] - meanY) }
        def square = { double[] v, double mean -> v.collect { (it - mean)**2 }.sum() as double }
        (x.indices.collect(product).sum() as double) / Math.sqrt(square(x, meanX) * square(y, meanY))
    }

    private static GroupedCorrelation.Sums sums(double[] x, int[] group) {
        new GroupedCorrelation.Sums(product(x, [1d] * x.length as double[], group), product(x, x, group))
    }

    private static double[] product(double[] x, double[] y, int[] group) {
        double[] total = new double[(group as List).max() + 1]
        group.eachWithIndex { g, i -> total[g] += x[i] * y[i] }
        total
    }
}
