package unit.stats

import spock.lang.Specification
import universality.stats.Significance

class SignificanceSpec extends Specification {
    def "p counts the controls that reach the observation, itself included"() {
        expect:
        Significance.pValue(5, 1, 2, 3) == 0.25d
        Significance.pValue(3, 1, 2, 3) == 0.5d
        Significance.pValue(0, 1, 2, 3) == 1d
        Significance.pValue(9, *(1..199).collect { it / 100d }) == 1 / 200d
        Significance.pValue(2, 1, Double.NaN, 3) == 2 / 3d
        Double.isNaN(Significance.pValue(Double.NaN, 1, 2))
        Double.isNaN(Significance.pValue(1))
    }

    def "Holm gives the published values of R's p.adjust"() {
        given:
        double[] p = [0.01, 0.02, 0.03, 0.04, 0.05]

        expect: 'order of the input does not matter'
        close(Significance.holm(p), [0.05, 0.08, 0.09, 0.09, 0.09])
        close(Significance.holm(0.05, 0.01, 0.03, 0.02, 0.04), [0.09, 0.05, 0.09, 0.08, 0.09])
        close(Significance.holm(0.6, 0.7), [1, 1])
    }

    def "the adjustment agrees with its defining formula on random values"() {
        given:
        def random = new Random(seed)
        double[] p = (1..12).collect { random.nextInt(6) / 20d + random.nextInt(2) * 1e-3d }
        def byRank = (0..<12).toList().sort { p[it] }

        when:
        double[] holm = Significance.holm(p)

        then:
        byRank.eachWithIndex { int test, int r ->
            assert Math.abs(holm[test] - (0..r).collect { Math.min(1d, (12 - it) * p[byRank[it]]) }.max()) < 1e-15
        }

        where:
        seed << (1..15)
    }

    def "tests that were not done stay undefined and do not count"() {
        expect:
        close(Significance.holm(0.01, Double.NaN, 0.04), [0.02, null, 0.04])
        Significance.holm().length == 0
    }

    private static boolean close(double[] found, List expected) {
        assert found.length == expected.size()
        expected.indices.every {
            expected[it] == null ? Double.isNaN(found[it]) : Math.abs(found[it] - expected[it]) < 1e-15
        }
    }
}
