package unit.identify

import spock.lang.Specification
import universality.identify.Copies

class CopiesSpec extends Specification {
    def "no two variables correlate less than the bound from a third allows"() {
        given: 'random samples: the bound must hold for each, and be reached in the plane'
        def random = new Random(seed)
        def vector = { unit((1..5).collect { random.nextGaussian() }) }
        def (p, i, j) = [vector(), vector(), vector()]

        expect:
        dot(i, j) >= Copies.bound(dot(i, p), dot(j, p)) - 1e-12
        Math.abs(Copies.bound(Math.cos(0.3d), Math.cos(0.4d)) - Math.cos(0.7d)) < 1e-12
        Copies.bound(1, 1) == 1d

        where:
        seed << (1..50)
    }

    private static List unit(List v) {
        double norm = Math.sqrt(dot(v, v))
        v.collect { it / norm }
    }

    private static double dot(List a, List b) {
        [a, b].transpose().collect { it[0] * it[1] }.sum()
    }
}
