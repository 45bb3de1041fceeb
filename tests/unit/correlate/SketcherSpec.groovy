package unit.correlate

import spock.lang.Specification
import universality.correlate.Sketcher
import universality.correlate.Source

class SketcherSpec extends Specification {
    def 'how much larger the error is for neurons that vary in a part of the text: #squares'() {
        expect:
        Math.abs(new Sketcher(100, [900, 100] as long[], 1).unevenness(squares as double[]) - expected) < 1e-12

        where:
        squares   || expected
        [9, 1]    || 1
        [5, 5]    || Math.sqrt(5)
        [0, 3]    || Math.sqrt(10)
        [0, 0]    || 1
    }

    def 'the error of products of sketches has the standard deviation that is said: #share of the variance in the small half'() {
        given:
        int n = 600
        int[] half = [480, 120]
        def random = new Random(1)
        def neuron = {
            double[][] parts = [0, 1].collect { h ->
                double scale = Math.sqrt((h == 1 ? share : 1 - share) / half[h])
                (0..<half[h]).collect { random.nextGaussian() * scale } as double[]
            }
            double norm = Math.sqrt(dot(parts[0], parts[0]) + dot(parts[1], parts[1]))
            parts.collect { part -> part.collect { it / norm } as double[] } as double[][]
        }
        def x = neuron()
        def y = neuron()
        double rho = dot(x[0], y[0]) + dot(x[1], y[1])

        when:
        def errors = (1..600).collect { seed ->
            def sketcher = new Sketcher(50, half.collect { it as long } as long[], seed)
            (double) [0, 1].sum { h -> dot(sketch(sketcher, h, x[h]), sketch(sketcher, h, y[h])) } - rho
        }
        def sketcher = new Sketcher(50, half.collect { it as long } as long[], 1)
        double[] squares = x.collect { dot(it, it) }
        double said = sketcher.error(rho) * sketcher.unevenness(squares)
        double seen = Math.sqrt((errors.sum { it * it } as double) / errors.size())

        then: 'within what 600 draws can tell, and never more than is said'
        Math.abs(errors.sum() / errors.size()) < 4 * seen / Math.sqrt(errors.size())
        seen < 1.1 * said
        seen > 0.7 * said

        where:
        share << [0.2d, 0.5d, 0.9d]
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0
        a.eachWithIndex { value, i -> sum += value * b[i] }
        sum
    }

    private static double[] sketch(Object sketcher, int half, double[] x) {
        double[] sketch = new double[sketcher.buckets(half)]
        sketcher.parts(new Source.Block(half, 0, x.length)).each { part ->
            def places = sketcher.places(part)
            (0..<places.bucket().length).each { i ->
                sketch[(int) places.bucket()[i]] += places.sign()[i] * x[part.from() + i % part.size()]
            }
        }
        sketch
    }
}
