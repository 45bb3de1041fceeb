package unit.stats

import spock.lang.Specification
import universality.stats.Bootstrap
import universality.stats.Draws

class BootstrapSpec extends Specification {
    def "the estimate is the ratio of sums, and equal seeds give equal intervals"() {
        given:
        double[] sums = [2, 3, 10]
        double[] weights = [1, 2, 2]

        when:
        def a = Bootstrap.ratio(sums, weights, 200, 0.9d, Draws.of('b', 1))
        def b = Bootstrap.ratio(sums, weights, 200, 0.9d, Draws.of('b', 1))

        then:
        a == b
        a.estimate() == 3d
        a.low() <= a.estimate() && a.estimate() <= a.high()
        a.low() >= 1.5d && a.high() <= 5d
    }

    def "the interval of a mean is as wide as theory says"() {
        given: '400 groups of weight 1 with variance 4'
        def random = Draws.of('width')
        double[] sums = (1..400).collect { random.gaussian() * 2 }
        double[] ones = (1..400).collect { 1d }

        when:
        def interval = Bootstrap.ratio(sums, ones, 2000, 0.95d, random)

        then: '± 1.96 · 2 / √400, within a tenth or so'
        Math.abs((interval.high() - interval.low()) / 2 - 0.196) < 0.025
    }

    def "groups are drawn whole: copies of a token inside its group do not narrow the interval"() {
        given:
        def random = Draws.of('clusters')
        double[] values = (1..50).collect { random.gaussian() }

        when:
        def single = Bootstrap.ratio(values, [1d] * 50 as double[], 1000, 0.95d, Draws.of('same'))
        def hundredfold = Bootstrap.ratio(values.collect { 100 * it } as double[], [100d] * 50 as double[], 1000, 0.95d,
                Draws.of('same'))

        then:
        Math.abs(single.low() - hundredfold.low()) < 1e-12
        Math.abs(single.high() - hundredfold.high()) < 1e-12
    }

    def "pairing takes what both conditions share out of the interval"() {
        given: 'conditions that differ by exactly 1 in every group, among groups that differ much'
        double[] first = (1..30).collect { it * it + 1d }
        double[] second = (1..30).collect { it * it * 1d }

        when:
        def interval = Bootstrap.paired(first, second, [1d] * 30 as double[], 500, 0.95d, Draws.of('pair'))

        then:
        interval == new Bootstrap.Interval(1d, 1d, 1d)
    }

    def "one group has an estimate and no interval; none has neither"() {
        expect:
        with(Bootstrap.ratio([6] as double[], [3] as double[], 100, 0.95d, Draws.of(1))) {
            estimate() == 2d
            Double.isNaN(low()) && Double.isNaN(high())
        }
        Double.isNaN(Bootstrap.ratio([] as double[], [] as double[], 100, 0.95d, Draws.of(1)).estimate())
    }

    def "draws that hit only empty groups are left out"() {
        when:
        def interval = Bootstrap.ratio([4, 0] as double[], [2, 0] as double[], 100, 0.95d, Draws.of(2))

        then:
        interval == new Bootstrap.Interval(2d, 2d, 2d)
    }
}
