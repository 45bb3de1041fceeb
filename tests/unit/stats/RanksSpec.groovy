package unit.stats

import spock.lang.Specification
import universality.stats.Ranks

class RanksSpec extends Specification {
    def "ranks agree with counting, on random samples with ties and gaps"() {
        given:
        def random = new Random(seed)
        double[] values = (1..60).collect { random.nextInt(8) == 0 ? Double.NaN : random.nextInt(12) - 6d }

        when:
        double[] ranks = Ranks.average(values)

        then: 'rank = number below + half the number of others equal + 1'
        values.eachWithIndex { double v, int i ->
            if (Double.isNaN(v)) {
                assert Double.isNaN(ranks[i])
            } else {
                assert ranks[i] == values.toList().count { it < v } + (values.toList().count { it == v } - 1) / 2 + 1
            }
        }

        where:
        seed << (1..20)
    }

    def "negative zero and zero are one value"() {
        expect:
        Ranks.average(0d, -0.0d, 1d) == [1.5, 1.5, 3] as double[]
    }

    def "percentiles lie inside (0, 1) and groups are balanced"() {
        given:
        double[] values = (0..<1000).collect { (it * 7919) % 1000 }

        expect:
        Ranks.percentiles(3, 1, 2) == [2.5d / 3, 0.5d / 3, 1.5d / 3] as double[]
        Ranks.groups(10, values).toList().countBy { it } == (0..9).collectEntries { [it, 100] }
        Ranks.groups(4, 1, Double.NaN, 2) == [1, -1, 3] as int[]
    }

    def "quantiles interpolate as type 7 does"() {
        expect:
        Ranks.quantile(0.25, 4, 1, 3, 2) == 1.75d
        Ranks.quantile(0, 4, 1, 3, 2) == 1d
        Ranks.quantile(1, 4, 1, 3, 2) == 4d
        Ranks.quantile(0.5, 5, Double.NaN, 1, 2) == 2d
        Double.isNaN(Ranks.quantile(0.5))
    }

    def "a quantile outside 0 to 1 is refused"() {
        when:
        Ranks.quantile(q, 1, 2)

        then:
        thrown(IllegalArgumentException)

        where:
        q << [-0.1d, 1.1d, Double.NaN]
    }
}
