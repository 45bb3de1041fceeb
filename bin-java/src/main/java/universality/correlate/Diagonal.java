package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.List;
import universality.data.CsvWriter;
import universality.data.OutputFolder;
import universality.data.ToolException;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/** Pearson correlation of each neuron's activations with its own at another checkpoint of the same run. */
final class Diagonal {
    /** Positions that are read at once at least. */
    private static final int CHUNK = 128;

    private final Compute compute;
    private final Kernel kernel;
    private final List<Source> sources;

    /** @param sources one for each checkpoint, by step */
    Diagonal(Compute compute, Kernel kernel, List<Source> sources) {
        this.compute = compute;
        this.kernel = kernel;
        this.sources = sources;
        Source first = sources.get(0);
        for (Source source : sources) {
            if (source.layers() != first.layers() || source.width() != first.width()) {
                throw ToolException.badData(
                        "'%s' has %d x %d neurons, but '%s' has %d x %d: they are not of one run",
                        first.model.id(),
                        first.layers(),
                        first.width(),
                        source.model.id(),
                        source.layers(),
                        source.width());
            }
        }
    }

    /** Writes {@code ID1__ID2.self.csv} for every two checkpoints, the earlier one first. */
    void run(OutputFolder folder) {
        int n = sources.size();
        int layers = sources.get(0).layers();
        int width = sources.get(0).width();
        double[][][][] products = new double[n][n][][]; // of each two once: the earlier one first
        for (int a = 0; a < n; a++) {
            for (int b = a + 1; b < n; b++) {
                products[a][b] = new double[layers][width];
            }
        }
        sources.forEach(source -> source.model.expect(0, layers));
        int positions = Source.positions((long) n * layers * width, CHUNK, Source.BLOCK);
        for (Source.Block block : sources.get(0).blocks()) {
            for (Source.Block part : block.parts(positions)) {
                accumulate(products, part);
            }
        }
        for (int a = 0; a < n; a++) {
            for (int b = a + 1; b < n; b++) {
                write(folder, sources.get(a), sources.get(b), products[a][b]);
            }
        }
    }

    private void accumulate(double[][][][] products, Source.Block block) {
        try (NDManager scope = compute.manager().newSubManager()) {
            List<List<NDArray>> blocks = new ArrayList<>();
            for (Source source : sources) {
                blocks.add(source.block(scope, block));
            }
            for (int layer = 0; layer < blocks.get(0).size(); layer++) {
                accumulate(products, layer, block.half(), blocks);
            }
        }
    }

    private void accumulate(double[][][][] products, int layer, int half, List<List<NDArray>> blocks) {
        try (NDManager scope = compute.manager().newSubManager()) {
            for (int a = 0; a < blocks.size(); a++) {
                NDArray x = blocks.get(a).get(layer);
                sources.get(a).addSums(scope, layer, half, x);
                for (int b = a + 1; b < blocks.size(); b++) {
                    double[] added = kernel.call(
                                    scope, "diagonal", x, blocks.get(b).get(layer))
                            .singletonOrThrow()
                            .toDoubleArray();
                    for (int i = 0; i < added.length; i++) {
                        products[a][b][layer][i] += added[i];
                    }
                }
            }
        }
    }

    private static void write(OutputFolder folder, Source a, Source b, double[][] products) {
        String name = a.model.id() + "__" + b.model.id() + ".self.csv";
        boolean[] aliveA = PairWriter.alive(a, 0);
        boolean[] aliveB = PairWriter.alive(b, 0);
        try (CsvWriter writer = new CsvWriter(folder.file(name), List.of("layer", "neuron", "corr"))) {
            for (int layer = 0; layer < a.layers(); layer++) {
                double[] sa = a.sums(layer, 0);
                double[] sb = b.sums(layer, 0);
                for (int i = 0; i < a.width(); i++) {
                    int neuron = layer * a.width() + i;
                    boolean defined = aliveA[neuron] && aliveB[neuron];
                    writer.row(layer, i, defined ? correlation(products[layer][i], sa, sb, i, a.count(0)) : null);
                }
            }
        }
    }

    private static double correlation(double product, double[] a, double[] b, int i, double n) {
        int width = a.length / 2;
        double covariance = product - a[i] * b[i] / n;
        double va = a[width + i] - a[i] * a[i] / n;
        double vb = b[width + i] - b[i] * b[i] / n;
        return Math.max(-1, Math.min(1, covariance / Math.sqrt(va * vb)));
    }
}
