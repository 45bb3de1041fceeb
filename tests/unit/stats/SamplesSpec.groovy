package unit.stats

import spock.lang.Specification
import universality.stats.Samples

class SamplesSpec extends Specification {
    def "means keep their digits beside a large offset"() {
        expect:
        Samples.mean(1e15d + 1, 1e15d + 2, 1e15d + 3) == 1e15d + 2
        Double.isNaN(Samples.mean())
    }

    def "spread, z and standardised difference of worked examples"() {
        expect:
        Math.abs(Samples.standardDeviation(2, 4, 4, 4, 5, 5, 7, 9) - Math.sqrt(32d / 7d)) < 1e-14
        Math.abs(Samples.zScore(9, 1, 3, 5) - 3) < 1e-14
        Double.isNaN(Samples.zScore(9, 3, 3, 3))
        Double.isNaN(Samples.zScore(9, 3))
        // variances 1 and 4, difference of means 3
        Math.abs(Samples.standardisedDifference([4, 5, 6] as double[], [0, 2, 4] as double[]) - 3 / Math.sqrt(2.5)) < 1e-14
        Samples.standardisedDifference([1, 1] as double[], [1, 1] as double[]) == 0
        Double.isNaN(Samples.standardisedDifference([1, 1] as double[], [2, 2] as double[]))
        Double.isNaN(Samples.standardisedDifference([1] as double[], [2, 3] as double[]))
    }

    def "correlation of worked examples, and none where a side does not vary"() {
        given:
        double[] x = [1, 2, 3, 4, 5]

        expect:
        Math.abs(Samples.pearson(x, [2, 1, 4, 3, 5] as double[]) - 0.8) < 1e-15
        Math.abs(Samples.pearson(x, x.collect { 1e9 - 3 * it } as double[]) + 1) < 1e-15
        Math.abs(Samples.spearman(x, x.collect { Math.exp(it) } as double[]) - 1) < 1e-15
        Math.abs(Samples.spearman([1, 2, 2, 3] as double[], [1, 2, 3, 4] as double[]) - 0.9486832980505138) < 1e-15
        Double.isNaN(Samples.pearson(x, [7, 7, 7, 7, 7] as double[]))
        Double.isNaN(Samples.pearson([1] as double[], [1] as double[]))
    }

    def "samples of different length are refused"() {
        when:
        Samples.pearson([1, 2] as double[], [1] as double[])

        then:
        def e = thrown(IllegalArgumentException)
        e.message == 'samples of 2 and 1 values'
    }
}
