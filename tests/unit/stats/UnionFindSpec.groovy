package unit.stats

import spock.lang.Specification
import universality.stats.UnionFind

class UnionFindSpec extends Specification {
    def "sets are the connected components found by walking the edges"() {
        given:
        def random = new Random(seed)
        int n = 40
        def edges = (1..25).collect { [random.nextInt(n), random.nextInt(n)] }
        def sets = new UnionFind(n)

        when:
        edges.each { sets.join(it[0], it[1]) }

        then:
        sets.sets(1) == components(n, edges)
        sets.sets(3) == components(n, edges).findAll { it.size() >= 3 }

        where:
        seed << (1..20)
    }

    def "joining tells whether the sets were apart"() {
        given:
        def sets = new UnionFind(3)

        expect:
        sets.join(0, 1)
        !sets.join(1, 0)
        sets.find(0) == sets.find(1)
        sets.find(2) == 2
        new UnionFind(0).sets(1) == []
    }

    private static List components(int n, List edges) {
        def seen = [] as Set
        (0..<n).findAll { !(it in seen) }.collect { first ->
            if (first in seen) {
                return null
            }
            def queue = [first] as LinkedList
            def members = [first] as TreeSet
            while (queue) {
                int at = queue.poll()
                edges.each { e ->
                    [[e[0], e[1]], [e[1], e[0]]].each { if (it[0] == at && members.add(it[1])) { queue << it[1] } }
                }
            }
            seen.addAll(members)
            members.toList()
        }.findAll()
    }
}
