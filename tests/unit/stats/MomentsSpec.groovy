package unit.stats

import spock.lang.Specification
import universality.stats.Moments

class MomentsSpec extends Specification {
    static final int DIGITS = 60

    def "any split of a sample merges to the exact moments: #name"() {
        given: 'the sample in parts of uneven size, some empty'
        def parts = parts(values, new Random(7))

        when:
        Moments merged = parts.inject(Moments.EMPTY) { all, part -> all + Moments.of(part as double[]) }
        Moments backwards = parts.reverse().inject(Moments.EMPTY) { all, part -> Moments.of(part as double[]) + all }
        Moments whole = Moments.of(values as double[])

        then: 'against sums in decimal arithmetic of 60 digits'
        def exact = exact(values)
        [merged, backwards, whole].each {
            assert it.n() == values.size()
            assert close(it.mean(), exact.mean, 1e-15, 0)
            assert close(it.m2(), exact.m2, 1e-10, 0)
            assert close(it.m3(), exact.m3, 1e-9, 1e-12 * exact.scale3)
            assert close(it.m4(), exact.m4, 1e-9, 0)
        }

        where:
        name            | values
        'normal'        | (1..400).collect { new Random(it).nextGaussian() }
        'huge mean'     | (1..300).collect { 1e6 + new Random(it).nextGaussian() }
        'sparse'        | (1..500).collect { it % 97 == 0 ? 5.0d * it : 0.0d }
        'two values'    | [1.0d, 4.0d]
        'one value'     | [3.5d]
    }

    def "shape follows the population formulas, and is undefined where nothing varies"() {
        expect:
        with(Moments.of(1, 2, 3, 4)) {
            variance() == 1.25d
            skewness() == 0d
            Math.abs(kurtosis() - 1.64) < 1e-15
        }
        with(Moments.of(0, 0, 0, 1)) {
            Math.abs(variance() - 0.1875) < 1e-16
            Math.abs(skewness() - 2 / Math.sqrt(3)) < 1e-14
            Math.abs(kurtosis() - 7d / 3d) < 1e-14
        }
        with(Moments.of(5, 5, 5)) {
            variance() == 0d
            Double.isNaN(skewness())
            Double.isNaN(kurtosis())
        }
        with(Moments.EMPTY) {
            Double.isNaN(variance())
            Double.isNaN(standardDeviation())
            Double.isNaN(kurtosis())
        }
        Double.isNaN(Moments.of(1e-200d, -1e-200d).kurtosis())

        and: 'the same from sums alone'
        Moments.skewness(4, 0.75, 0.375) == Moments.of(0, 0, 0, 1).skewness()
        Math.abs(Moments.kurtosis(4, 0.75, 0.328125) - 7d / 3d) < 1e-14
        Double.isNaN(Moments.skewness(4, 0, 0)) && Double.isNaN(Moments.kurtosis(4, 0, 0))
        Double.isNaN(Moments.skewness(0, 0, 0)) && Double.isNaN(Moments.kurtosis(4, 0, 1))
    }

    private static List parts(List values, Random random) {
        def parts = [[]]
        int at = 0
        while (at < values.size()) {
            int take = random.nextInt(60)
            parts << values.subList(at, Math.min(values.size(), at + take))
            at += take
        }
        parts << []
    }

    private static Map exact(List values) {
        def context = new java.math.MathContext(DIGITS)
        def decimals = values.collect { new BigDecimal((double) it) }
        def mean = decimals.sum().divide(values.size() as BigDecimal, context)
        def power = { int k -> decimals.collect { (it - mean).pow(k, context) }.sum() }
        [mean: mean, m2: power(2), m3: power(3), m4: power(4),
         scale3: decimals.collect { (it - mean).abs().pow(3, context) }.sum() as double]
    }

    private static boolean close(double found, BigDecimal exact, double relative, double absolute) {
        Math.abs(found - (exact as double)) <= relative * Math.abs(exact as double) + absolute
    }
}
