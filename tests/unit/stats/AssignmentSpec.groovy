package unit.stats

import spock.lang.Specification
import universality.stats.Assignment

class AssignmentSpec extends Specification {
    def "small sparse problems reach the best total of all matchings"() {
        given:
        def random = new Random(seed)
        int rows = 1 + random.nextInt(6)
        int columns = 1 + random.nextInt(6)
        double[][] weights = new double[rows][columns]
        rows.times { i -> columns.times { j ->
            weights[i][j] = random.nextInt(3) == 0 ? Double.NaN : Math.round(20 * random.nextGaussian()) / 10d
        } }

        when:
        int[] match = sparse(weights)

        then:
        valid(match, weights)
        Math.abs(total(match, weights) - best(weights, 0, [] as Set)) < 1e-9

        where:
        seed << (1..300)
    }

    def "larger dense problems satisfy the optimality of linear programming"() {
        given: 'a reference by auction-free Kuhn-Munkres labels, written separately'
        def random = new Random(seed)
        int n = 40
        double[][] weights = new double[n][n]
        n.times { i -> n.times { j -> weights[i][j] = random.nextInt(50) + (seed % 2) * random.nextDouble() } }

        expect:
        Math.abs(total(sparse(weights), weights) - kuhnMunkres(weights)) < 1e-8

        where:
        seed << (1..6)
    }

    def "a planted permutation is found among weaker edges"() {
        given:
        int n = 2000
        def random = new Random(3)
        def planted = (0..<n).toList()
        Collections.shuffle(planted, random)
        def start = [0]
        def columns = []
        def weights = []
        n.times { i ->
            9.times { columns << random.nextInt(n); weights << 0.4d * random.nextDouble() }
            columns << planted[i]
            weights << 0.5d + 0.4d * random.nextDouble()
            start << columns.size()
        }

        expect:
        Assignment.maximise(n, start as int[], columns as int[], weights as double[]).toList() == planted
    }

    def "rows without a good edge stay alone, and the greedy choice is given up where it costs"() {
        expect:
        sparse([[-1, 0]] as double[][]) == [-1] as int[]
        sparse([[0.9, 0.8], [0.85, 0.1]] as double[][]) == [1, 0] as int[]
        sparse([[0.9], [0.95]] as double[][]) == [-1, 0] as int[]
        Assignment.maximise(0, [0] as int[], [] as int[], [] as double[]).length == 0
        Assignment.maximise(3, [0, 0] as int[], [] as int[], [] as double[]) == [-1] as int[]
    }

    /** The matching of a matrix; NaN is no edge. */
    private static int[] sparse(double[][] weights) {
        def start = [0]
        def columns = []
        def values = []
        weights.each { row ->
            row.eachWithIndex { double w, int j ->
                if (!Double.isNaN(w)) {
                    columns << j
                    values << w
                }
            }
            start << columns.size()
        }
        Assignment.maximise(weights[0].length, start as int[], columns as int[], values as double[])
    }

    private static boolean valid(int[] match, double[][] weights) {
        def used = match.findAll { it >= 0 }
        used.toSet().size() == used.size() && match.toList().indices.every { match[it] < 0 || weights[it][match[it]] > 0 }
    }

    private static double total(int[] match, double[][] weights) {
        (match.toList().indices.findAll { match[it] >= 0 }.collect { weights[it][match[it]] }.sum() ?: 0) as double
    }

    /** All matchings, one row after the other. */
    private static double best(double[][] weights, int row, Set used) {
        if (row == weights.length) {
            return 0
        }
        double most = best(weights, row + 1, used)
        weights[row].eachWithIndex { double w, int j ->
            if (!Double.isNaN(w) && w > 0 && !(j in used)) {
                most = Math.max(most, w + best(weights, row + 1, used + j))
            }
        }
        most
    }

    /** Total of the best perfect matching: the classical labels-and-slack form, columns one-based. */
    private static double kuhnMunkres(double[][] w) {
        int n = w.length
        double[] u = new double[n + 1]
        double[] v = new double[n + 1]
        int[] p = new int[n + 1]
        int[] way = new int[n + 1]
        for (int i = 1; i <= n; i++) {
            p[0] = i
            int j0 = 0
            double[] minimum = new double[n + 1]
            Arrays.fill(minimum, Double.MAX_VALUE)
            boolean[] used = new boolean[n + 1]
            while (true) {
                used[j0] = true
                int i0 = p[j0], j1 = 0
                double delta = Double.MAX_VALUE
                for (int j = 1; j <= n; j++) {
                    if (!used[j]) {
                        double slack = -w[i0 - 1][j - 1] - u[i0] - v[j]
                        if (slack < minimum[j]) { minimum[j] = slack; way[j] = j0 }
                        if (minimum[j] < delta) { delta = minimum[j]; j1 = j }
                    }
                }
                for (int j = 0; j <= n; j++) {
                    if (used[j]) { u[p[j]] += delta; v[j] -= delta } else { minimum[j] -= delta }
                }
                j0 = j1
                if (p[j0] == 0) { break }
            }
            while (j0 != 0) { int j1 = way[j0]; p[j0] = p[j1]; j0 = j1 }
        }
        (1..n).collect { w[p[it] - 1][it - 1] }.sum() as double
    }
}
