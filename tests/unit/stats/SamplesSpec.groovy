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
}
