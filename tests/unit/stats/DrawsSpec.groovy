package unit.stats

import spock.lang.Specification
import universality.stats.Draws

class DrawsSpec extends Specification {
    def "draws are what they were when results were first published"() {
        given: 'changing these numbers changes every seeded result'
        def draws = Draws.of('golden', 1)

        expect:
        (1..3).collect { draws.bits() } == GOLDEN_BITS
        (1..8).collect { draws.below(10) } == GOLDEN_BELOW
        draws.gaussian() == GOLDEN_GAUSSIAN
    }

    // from SplitMix64, Lemire's and Marsaglia's methods written down in another language
    static final List GOLDEN_BITS = [7650433452319907143L, -8757507860132243384L, -5010513479301728048L]
    static final List GOLDEN_BELOW = [4, 1, 6, 2, 2, 9, 8, 9]
    static final double GOLDEN_GAUSSIAN = 0.8802541644318874d

    def "equal parts give equal draws, other parts others"() {
        expect:
        Draws.of('a', 1).bits() == Draws.of('a', 1).bits()
        Draws.of('a', 1).bits() != Draws.of('a', 2).bits()
    }

    def "bounded integers are even: chi-square of #bound cells below its 1 in 10,000 quantile"() {
        given:
        def draws = Draws.of('even', bound)
        int n = 2000 * bound
        int[] counts = new int[bound]

        when:
        n.times { counts[draws.below(bound)]++ }

        then:
        counts.collect { (it - 2000d) * (it - 2000d) / 2000d }.sum() < limit

        where:
        bound | limit
        2     | 15.14
        3     | 18.43
        7     | 27.86
        10    | 33.72
    }

    def "a bound of #bound is refused"() {
        when:
        Draws.of(1).below(bound)

        then:
        thrown(IllegalArgumentException)

        where:
        bound << [0, -1]
    }

    def "Gaussians have the moments of a standard normal"() {
        given:
        def draws = Draws.of('normal')
        double[] values = (1..40000).collect { draws.gaussian() }
        def moments = universality.stats.Moments.of(values)

        expect: 'within five standard errors'
        Math.abs(moments.mean()) < 5 / 200
        Math.abs(moments.variance() - 1) < 5 * Math.sqrt(2) / 200
        Math.abs(moments.skewness()) < 5 * Math.sqrt(6) / 200
        Math.abs(moments.kurtosis() - 3) < 5 * Math.sqrt(24) / 200
    }

    def "a sample has no repetition and leaves its pool alone; every member is as likely"() {
        given:
        int[] pool = [3, 5, 8, 13, 21]
        def draws = Draws.of('sample')
        def counts = [:].withDefault { 0 }

        when:
        5000.times {
            int[] sample = draws.sample(pool, 2)
            assert sample.length == 2 && sample[0] != sample[1]
            sample.each { counts[it]++ }
        }

        then:
        pool == [3, 5, 8, 13, 21] as int[]
        counts.keySet() == pool.toList() as Set
        counts.values().every { Math.abs(it - 2000) < 5 * Math.sqrt(5000 * 0.4 * 0.6) }
        draws.sample(pool, 5).toList().sort() == pool.toList()
        draws.sample(pool, 0).length == 0
    }

    def "a shuffle keeps the values, and all orders of three are as likely"() {
        given:
        def draws = Draws.of('shuffle')
        def counts = [:].withDefault { 0 }

        when:
        6000.times {
            int[] values = [1, 2, 3]
            draws.shuffle(values)
            counts[values.toList()]++
        }

        then:
        counts.size() == 6
        counts.values().every { Math.abs(it - 1000) < 5 * Math.sqrt(6000 * (1 / 6) * (5 / 6)) }
    }

    def "more than the pool cannot be drawn"() {
        when:
        Draws.of(1).sample([1, 2] as int[], 3)

        then:
        thrown(IllegalArgumentException)
    }
}
