package unit.ablate

import spock.lang.Specification
import universality.ablate.Candidates
import universality.ablate.NeuronSet
import universality.ablate.Plan

/** Which neurons may be controls, and how they are drawn. */
class CandidatesSpec extends Specification {
    static final int WIDTH = 60
    static final NeuronSet SET = new NeuronSet([[1, 2, 3, 50, 51], [], [0, 30, 59]] as int[][])

    boolean[][] inactive = (0..<3).collect { layer -> (0..<WIDTH).collect { it % 7 == 4 } } as boolean[][]
    double[][] effect = (0..<3).collect { layer -> (0..<WIDTH).collect { ((it * 37 + layer * 11) % WIDTH) as double } } as double[][]

    def "controls are alive, outside the set, without repetition, and as many per layer"() {
        given:
        def candidates = candidates('a')

        expect:
        (0..<12).every { draw ->
            [candidates.sameLayer(SET, draw), candidates.matched(SET, draw)].every { drawn ->
                counts(drawn) == [5, 0, 3] && clean(drawn)
            } && clean(candidates.anywhere(SET, draw)) && candidates.anywhere(SET, draw).size() == 8
        }
        (0..<12).collectMany { neurons(candidates.anywhere(SET, it))*.first() }.toSet() == [0, 1, 2] as Set
    }

    def "matched controls are of the same deciles"() {
        given:
        def candidates = candidates('a')

        expect:
        (0..<3).every { candidates.unmatched(SET, it) == 0 }
        (0..<12).every { draw ->
            def drawn = candidates.matched(SET, draw)
            (0..<3).every { deciles(candidates, drawn, it) == deciles(candidates, SET, it) }
        }
        (0..<12).any { draw -> deciles(candidates, candidates.sameLayer(SET, draw), 0) != deciles(candidates, SET, 0) }
    }

    def "a decile that has too few gives all it has; the rest comes from the nearest, the lower first"() {
        given: 'deciles of six neurons each in order of their index; the set holds five of decile 3 and four of decile 4'
        def ranked = [(0..<WIDTH).collect { it as double }] as double[][]
        def set = new NeuronSet([[18, 19, 20, 21, 22, 24, 25, 26, 27]] as int[][])
        def candidates = new Candidates(set, [[false] * WIDTH] as boolean[][], ranked, 'a')

        expect:
        (0..<WIDTH).every { candidates.decile(0, it) == it.intdiv(6) }
        candidates.unmatched(set, 0) == 6
        (0..<10).every { draw ->
            def drawn = candidates.matched(set, draw)
            drawn.of(0).collect { candidates.decile(0, it) }.countBy { it } == [2: 4, 3: 1, 4: 2, 5: 2]
        }
    }

    def "draws are seeded, and a layer's controls are part of those of all layers"() {
        given:
        def a = candidates('a')
        def same = candidates('a')
        def b = candidates('b')
        def last = SET.only { it == 2 }

        expect:
        (0..<10).every { draw ->
            ['sameLayer', 'matched', 'anywhere'].every { a."$it"(SET, draw) == same."$it"(SET, draw) && a."$it"(SET, draw) != b."$it"(SET, draw) } &&
                    a.sameLayer(last, draw) == a.sameLayer(SET, draw).only { it == 2 } &&
                    a.matched(last, draw) == a.matched(SET, draw).only { it == 2 }
        }
        (0..<10).collect { a.sameLayer(SET, it) }.toSet().size() == 10
    }

    def "where there are too few, the control is left out and named"() {
        given: 'layer 0 has four alive neurons outside the set of five'
        def alive = [1, 2, 3, 50, 51, 10, 11, 12, 13]
        inactive[0] = (0..<WIDTH).collect { !(it in alive) } as boolean[]

        when:
        def plan = Plan.of(SET, candidates('a'), 2)

        then:
        plan.conditions().findAll { it.layers() in ['all', '0'] }*.name().unique() == ['universal', 'control_any']
        plan.conditions().findAll { it.layers() == '2' }*.name() == ['universal'] + ['control_layer', 'control_matched', 'control_any'].collectMany { [it] * 2 }
        plan.warnings().count { it.contains('layer 0 has 4 alive neurons outside the set, 5 are needed') } == 2
        plan.warnings().count { it.contains('layers 1 left out') } == 1
    }

    def "the overlap of draws is what random draws have in common"() {
        given:
        def a = candidates('a')
        def common = { Closure draw, int layer ->
            def sets = (0..<300).collect { (draw(it) as NeuronSet).of(layer).toList() }
            def shares = (0..<300).collect { sets[it].intersect(sets[(it + 1) % 300]).size() / (sets[it].size() as double) }
            shares.sum() / 300
        }

        expect:
        Math.abs(a.overlap(SET, 0) - 5 / 47d) < 1e-15
        Math.abs(common({ a.sameLayer(SET, it) }, 0) - a.overlap(SET, 0)) < 0.03
        Math.abs(common({ a.matched(SET, it) }, 0) - a.overlapMatched(SET, 0)) < 0.03
        a.overlapMatched(SET, 0) > a.overlap(SET, 0)
        Math.abs(a.overlapAnywhere(SET) - 8d / (0..2).sum { a.count(it) }) < 1e-12
        Plan.of(SET, a, 5).warnings().count { it.contains('control_matched have') && it.contains('in common') } > 0
        Plan.of(SET, a, 5).warnings().every { !it.contains('control_layer have') && !it.contains('control_any have') }
    }

    private Candidates candidates(String seed) {
        new Candidates(SET, inactive, effect, seed)
    }

    private static List<Integer> counts(NeuronSet set) {
        (0..<3).collect { set.count(it) }
    }

    private static List<List<Integer>> neurons(NeuronSet set) {
        (0..<3).collectMany { layer -> set.of(layer).collect { [layer, it] } }
    }

    private boolean clean(NeuronSet drawn) {
        def all = neurons(drawn)
        all.toSet().size() == all.size() && all.every { layer, neuron -> !inactive[layer][neuron] } && all.intersect(neurons(SET)).empty
    }

    private static List<Integer> deciles(Candidates candidates, NeuronSet set, int layer) {
        set.of(layer).collect { candidates.decile(layer, it) }.sort()
    }
}
