package unit.correlate

import groovy.transform.CompileStatic
import org.ejml.data.DMatrixRMaj
import org.ejml.dense.row.CommonOps_DDRM

/** Correlations by the textbook, in double precision and with nothing shared with the tools. */
@CompileStatic
class Reference {
    /** Columns of all layers side by side, taken as the F32 values that are stored. */
    static DMatrixRMaj join(List<double[][]> layers, int[] rows) {
        int width = layers.get(0)[0].length
        def joined = new DMatrixRMaj(rows.length, layers.size() * width)
        for (int l = 0; l < layers.size(); l++) {
            for (int i = 0; i < rows.length; i++) {
                for (int j = 0; j < width; j++) {
                    joined.set(i, l * width + j, (double) (float) layers.get(l)[rows[i]][j])
                }
            }
        }
        joined
    }

    /** Columns centred and scaled to norm 1; a constant column becomes 0. */
    static DMatrixRMaj unit(DMatrixRMaj x) {
        def z = x.copy()
        for (int j = 0; j < x.numCols; j++) {
            double mean = 0
            for (int i = 0; i < x.numRows; i++) {
                mean += x.get(i, j)
            }
            mean /= x.numRows
            double square = 0
            for (int i = 0; i < x.numRows; i++) {
                double c = x.get(i, j) - mean
                z.set(i, j, c)
                square += c * c
            }
            double scale = square > 0 ? 1 / Math.sqrt(square) : 0
            for (int i = 0; i < x.numRows; i++) {
                z.set(i, j, z.get(i, j) * scale)
            }
        }
        z
    }

    static DMatrixRMaj correlation(DMatrixRMaj x, DMatrixRMaj y) {
        def rho = new DMatrixRMaj(x.numCols, y.numCols)
        CommonOps_DDRM.multTransA(unit(x), unit(y), rho)
        rho
    }

    /** Largest of a row among chosen columns. */
    static double largest(DMatrixRMaj rho, int row, List<Integer> columns) {
        double best = Double.NEGATIVE_INFINITY
        for (int j : columns) {
            best = Math.max(best, rho.get(row, j))
        }
        best
    }

    static double[][] gaussian(Random random, int n, int width) {
        (0..<n).collect { (0..<width).collect { random.nextGaussian() } as double[] } as double[][]
    }

    /** Random mixtures of a signal's columns with noise, through a rectifier. */
    static double[][] mixed(Random random, double[][] signal, int width, double noise) {
        double[][] mix = gaussian(random, signal[0].length, width)
        signal.collect { row ->
            (0..<width).collect { j ->
                double sum = noise * random.nextGaussian()
                row.eachWithIndex { double v, int k -> sum += v * mix[k][j] }
                Math.max(0d, sum)
            } as double[]
        } as double[][]
    }
}
