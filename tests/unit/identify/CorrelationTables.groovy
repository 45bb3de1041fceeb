package unit.identify

import groovy.transform.CompileStatic
import java.nio.file.Path
import unit.support.Folders

/**
 * Correlation tables made by the plain formulas in float64, apart from the tools: activations are [tokens][neurons],
 * neurons layer by layer.
 */
@CompileStatic
class CorrelationTables {
    static final List<String> HEADER = ['layer', 'neuron', 'max_corr', 'partner_layer', 'partner_neuron', 'mutual',
        'neg_corr', 'neg_partner_layer', 'neg_partner_neuron', 'baseline_mean', 'baseline_std', 'max_corr_half1',
        'max_corr_half2', 'baseline_half1', 'baseline_half2', 'corr_mean', 'corr_var', 'corr_skew', 'corr_kurt',
        'top_partners']

    /** ρ of every neuron of x with every neuron of y over the tokens from … to; NaN where one does not vary. */
    static double[][] correlate(double[][] x, double[][] y, int from, int to) {
        double[][] a = standardised(x, from, to)
        double[][] b = standardised(y, from, to)
        double[][] rho = new double[a.length][b.length]
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < b.length; j++) {
                double sum = 0
                double[] u = a[i]
                double[] v = b[j]
                for (int t = 0; t < u.length; t++) {
                    sum += u[t] * v[t]
                }
                rho[i][j] = sum
            }
        }
        rho
    }

    /** Neuron by neuron, centred and of norm 1; NaN where it does not vary. */
    private static double[][] standardised(double[][] x, int from, int to) {
        double[][] columns = new double[x[0].length][to - from]
        for (int i = 0; i < columns.length; i++) {
            double mean = 0
            for (int t = from; t < to; t++) {
                mean += x[t][i] / (to - from)
            }
            double square = 0
            for (int t = from; t < to; t++) {
                columns[i][t - from] = x[t][i] - mean
                square += columns[i][t - from] * columns[i][t - from]
            }
            for (int t = 0; t < to - from; t++) {
                columns[i][t] = square > 0 ? columns[i][t] / Math.sqrt(square) : Double.NaN
            }
        }
        columns
    }

    /** Each layer's neurons turned by a random rotation (Gram-Schmidt of a Gaussian matrix). */
    static double[][] rotated(double[][] x, int width, Random random) {
        double[][] result = new double[x.length][x[0].length]
        for (int layer = 0; layer < x[0].length.intdiv(width); layer++) {
            double[][] r = rotation(width, random)
            for (int t = 0; t < x.length; t++) {
                for (int i = 0; i < width; i++) {
                    double sum = 0
                    for (int j = 0; j < width; j++) {
                        sum += r[i][j] * x[t][layer * width + j]
                    }
                    result[t][layer * width + i] = sum
                }
            }
        }
        result
    }

    private static double[][] rotation(int n, Random random) {
        double[][] r = new double[n][n]
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                r[i][j] = random.nextGaussian()
            }
            for (int k = 0; k < i; k++) {
                double dot = 0
                for (int j = 0; j < n; j++) {
                    dot += r[i][j] * r[k][j]
                }
                for (int j = 0; j < n; j++) {
                    r[i][j] -= dot * r[k][j]
                }
            }
            double norm = 0
            for (int j = 0; j < n; j++) {
                norm += r[i][j] * r[i][j]
            }
            for (int j = 0; j < n; j++) {
                r[i][j] /= Math.sqrt(norm)
            }
        }
        r
    }

    /** The rows of A__B.csv, with one rotation as baseline. */
    static List<List> rows(double[][] a, double[][] b, int width, Random random) {
        int tokens = a.length
        double[][] turned = rotated(b, width, random)
        double[][] rho = correlate(a, b, 0, tokens)
        double[][] back = correlate(b, a, 0, tokens)
        List<double[][]> others = [correlate(a, turned, 0, tokens), correlate(a, b, 0, tokens.intdiv(2)),
            correlate(a, b, tokens.intdiv(2), tokens), correlate(a, turned, 0, tokens.intdiv(2)),
            correlate(a, turned, tokens.intdiv(2), tokens)]
        List<List> rows = []
        for (int i = 0; i < rho.length; i++) {
            int best = largest(rho[i])
            if (best < 0) {
                rows << ([i.intdiv(width), i % width] + [null] * 18)
                continue
            }
            double[] most = others.collect { double[][] m -> max(m[i]) } as double[]
            List<Integer> order = (0..<rho[i].length).findAll { int j -> !Double.isNaN(rho[i][j]) }
                .sort { int x, int y -> Double.compare(rho[i][y], rho[i][x]) }
            int worst = order.last()
            rows << ([i.intdiv(width), i % width, rho[i][best], best.intdiv(width), best % width, largest(back[best]) == i,
                rho[i][worst], worst.intdiv(width), worst % width, most[0], 0.01d, most[1], most[2], most[3], most[4],
                null, null, null, null,
                order.take(10).collect { int j -> "${j.intdiv(width)}.${j % width}:${rho[i][j]}" }.join(';')] as List)
        }
        rows
    }

    private static int largest(double[] values) {
        int best = -1
        for (int i = 0; i < values.length; i++) {
            if (!Double.isNaN(values[i]) && (best < 0 || values[i] > values[best])) {
                best = i
            }
        }
        best
    }

    private static double max(double[] values) {
        int best = largest(values)
        best < 0 ? Double.NaN : values[best]
    }

    /** A folder of correlate with every ordered pair of {@code models}, or those that {@code wanted} lets through. */
    static Path folder(Path at, Map<String, double[][]> models, int width, Map parameters,
            Closure<Boolean> wanted = { String a, String b -> true }) {
        Folders.folder(at, 'correlate', 'pairs', [family: 'toy', step: 7, control: 'none'] + parameters) { out ->
            models.each { String a, double[][] x ->
                models.each { String b, double[][] y ->
                    if (a != b && wanted(a, b)) {
                        Folders.csv((out as universality.data.OutputFolder).file("${a}__${b}.csv"), HEADER,
                            rows(x, y, width, new Random((a + b).hashCode())))
                    }
                }
            }
        }
    }
}
