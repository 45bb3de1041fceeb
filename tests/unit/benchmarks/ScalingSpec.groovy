package unit.benchmarks

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification

/** docs/scaling.md: the counted operations follow from its formulas, and the hours from the operations and the rates it states. */
class ScalingSpec extends Specification {
    static final TWO_CORES = [product: 280e9, narrow: 700e9, forward: 180e9, narrowForward: 108e9]
    static final H100 = [product: 50e12, narrow: 400e12, forward: 40e12, narrowForward: 300e12]
    static final SIZES = ['GPT-2 small': [12, 3072, 768, 5, 5], 'GPT-2 medium': [24, 4096, 1024, 5, 1], 'Pythia 160M': [12, 3072, 768, 4, 6]]

    static List<List<String>> cells() {
        def text = Files.readString(Path.of(System.getProperty('user.dir')).resolveSibling('docs/scaling.md'))
        text.readLines().findAll { it.startsWith('| ') }.collect { it.split('\\|')*.trim().drop(1) }
    }

    static Map counted(String study, double n) {
        def (double layers, double d, double r, double seeds, double steps) = SIZES[study]*.doubleValue()
        double pairs = seeds * (seeds - 1) / 2
        double neurons = layers * d
        int p = (Math.sqrt(d) as int..1).find { d % it == 0 }
        [products: 2 * neurons * neurons * n * pairs * steps, covariances: 2 * layers * d * d * n * seeds * steps,
         baseline: 4 * layers * layers * d * d * (2 * d + (p + d / p) * (10 + 2 * 2 - 3)) * pairs * steps, forward: 2 * (layers * (4 * r * r + 2 * r * d) - r * d) * n * seeds * steps,
         sketch: 2 * neurons * neurons * 16384 * pairs * steps, stored: 4 * neurons * n]
    }

    static boolean near(String shown, double value, double share) {
        double number = shown.replaceAll('[, GB]', '') as double
        assert Math.abs(number - value) <= share * value
        true
    }

    def "operations and bytes of the papers' studies follow from the formulas"() {
        when:
        def rows = cells().findAll { it.size() == 7 && it[1] ==~ /[15]e\d/ }
        def study = ''

        then:
        rows.size() == 6
        rows.every { row ->
            study = SIZES.keySet().find { row[0].startsWith(it) } ?: study
            def count = counted(study, row[1] as double)
            near(row[2], count.products, 0.005) && near(row[3], count.covariances, 0.005) && near(row[4], count.baseline, 0.005) &&
                    near(row[5], count.forward, 0.005) && near(row[6], count.stored / 1e9, 0.005)
        }
    }

    def "hours are operations over rates"() {
        when:
        def rows = cells().findAll { it.size() == 5 && it[2] ==~ /exact|filter|sketch|forward.*/ }
        def study = ''
        def n = 0d

        then:
        rows.size() == 16
        rows.every { row ->
            study = row[0] ?: study
            n = row[1] ? row[1] as double : n
            def c = counted(study, n)
            [[row[3], TWO_CORES], [row[4], H100]].every { shown, rate ->
                def hours = [exact: [(c.products + c.covariances + c.baseline) / rate.product],
                             filter: [(c.products + c.covariances) / rate.narrow + c.baseline / rate.product],
                             sketch: [(c.sketch + c.baseline) / rate.product],
                             forward: [c.forward / rate.forward, c.forward / rate.narrowForward]][row[2].split(',')[0]]
                [shown.split('/')*.trim(), hours].transpose().every { text, value -> near(text, value / 3600, 0.06) }
            }
        }
    }
}
