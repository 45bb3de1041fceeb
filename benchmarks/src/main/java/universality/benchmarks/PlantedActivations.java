package universality.benchmarks;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import universality.data.ActivationFolder;
import universality.data.ActivationMoments;
import universality.data.Digests;
import universality.data.Dtype;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;

/**
 * Activations as {@code activate} stores them, made up: each neuron is max(0, z − ½) of a normal z. In every model a quarter of
 * the neurons of each layer have z = c u + √(1 − c²) e, with u common to all models and c rising from 0.5 to 1 along the layer, in
 * another order in each model. So neurons have partners with correlations from near 0 to near 1, and everything else is noise.
 *
 * @param width neurons of a layer
 * @param kept positions
 */
record PlantedActivations(int layers, int width, int kept) {
    private static final int CONTEXT = 512;
    private static final int ROWS_PER_DOCUMENT = 4;
    private static final int BLOCK = 1024;

    /** The share of neurons that have partners. */
    static final double PLANTED = 0.25;

    /** Writes the activations of one model, as F32. Those of other seeds are of the same tokens. */
    Path write(Path out, int seed) {
        double[][][] sums = new double[5][layers][width];
        try (OutputFolder folder = OutputFolder.create(out, false)) {
            for (int layer = 0; layer < layers; layer++) {
                Path file = folder.file(ActivationFolder.layerFile(layer));
                try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
                    writer.declare("activations", Dtype.F32, kept, width);
                    writeLayer(writer, layer, seed, sums);
                }
            }
            writePositions(folder.file(ActivationFolder.POSITIONS));
            writeMoments(folder.file(ActivationMoments.FILE), sums);
            folder.parameter("family", "planted")
                    .parameter("seed", seed)
                    .parameter("step", 0)
                    .parameter("layers", layers)
                    .parameter("d_mlp", width)
                    .input("tokens", "analysis", Digests.ofText("planted " + kept))
                    .count("kept", kept);
            folder.commit("activate", "planted-s" + seed + "-t0");
        }
        return out;
    }

    private void writeLayer(SafetensorsWriter writer, int layer, int seed, double[][][] sums) {
        SplittableRandom common = new SplittableRandom(1000L + layer);
        SplittableRandom own = new SplittableRandom(1_000_000L * seed + layer);
        int[] source = order(seed, layer);
        int planted = (int) (PLANTED * width);
        float[] u = new float[planted];
        ByteBuffer bytes = ByteBuffer.allocate(BLOCK * width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int from = 0; from < kept; from += BLOCK) {
            int rows = Math.min(BLOCK, kept - from);
            bytes.clear();
            for (int row = 0; row < rows; row++) {
                for (int i = 0; i < planted; i++) {
                    u[i] = normal(common);
                }
                for (int i = 0; i < width; i++) {
                    float z = normal(own);
                    if (source[i] < planted) {
                        float c = 0.5f + 0.5f * source[i] / planted;
                        z = c * u[source[i]] + (float) Math.sqrt(1 - c * c) * z;
                    }
                    float x = Math.max(0, z - 0.5f);
                    bytes.putFloat(x);
                    add(sums, layer, i, x);
                }
            }
            writer.bytes(bytes.flip());
        }
    }

    /** Σx to Σx⁴, and the largest x. */
    private static void add(double[][][] sums, int layer, int i, double x) {
        sums[0][layer][i] += x;
        sums[1][layer][i] += x * x;
        sums[2][layer][i] += x * x * x;
        sums[3][layer][i] += x * x * x * x;
        sums[4][layer][i] = Math.max(sums[4][layer][i], x);
    }

    /** What of the common values each neuron follows; a permutation of its own in each model and layer. */
    private int[] order(int seed, int layer) {
        SplittableRandom random = new SplittableRandom(77L * seed + layer);
        int[] order = new int[width];
        Arrays.setAll(order, i -> i);
        for (int i = width - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int other = order[i];
            order[i] = order[j];
            order[j] = other;
        }
        return order;
    }

    /** Nearly normal with variance 1, and fast: the sum of four uniform values of 16 bits. */
    private static float normal(SplittableRandom random) {
        long bits = random.nextLong();
        long sum = (bits & 0xffff) + (bits >>> 16 & 0xffff) + (bits >>> 32 & 0xffff) + (bits >>> 48);
        return (sum - 131070) * (float) (Math.sqrt(3) / 65536);
    }

    private void writePositions(Path file) {
        SplittableRandom random = new SplittableRandom(5);
        int[] token = new int[kept];
        Arrays.setAll(token, p -> (int) (1000 * Math.pow(random.nextDouble(), 3)));
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            for (String name : List.of("row", "pos", "document", "token")) {
                writer.declare(name, Dtype.I32, kept);
            }
            writer.ints(positions(CONTEXT, false));
            writer.ints(positions(CONTEXT, true));
            writer.ints(positions(CONTEXT * ROWS_PER_DOCUMENT, false));
            writer.ints(token);
        }
    }

    private int[] positions(int length, boolean remainder) {
        int[] values = new int[kept];
        Arrays.setAll(values, p -> remainder ? p % length : p / length);
        return values;
    }

    private void writeMoments(Path file, double[][][] sums) {
        List<String> names = new ArrayList<>();
        List<double[][]> values = new ArrayList<>();
        double[][][] post = moments(sums);
        for (String name : List.of("mean", "m2", "m3", "m4", "min", "max", "abs_mean", "mean_square")) {
            values.add(post[names.size()]);
            names.add("post." + name);
        }
        for (String name : List.of("mean", "m2", "m3", "m4", "positive")) {
            names.add("pre." + name);
            values.add(new double[layers][width]);
        }
        try (SafetensorsWriter writer = new SafetensorsWriter(file)) {
            names.forEach(name -> writer.declare(name, Dtype.F64, layers, width));
            writer.declare("count", Dtype.F64, 1);
            for (double[][] value : values) {
                for (double[] layer : value) {
                    writer.doubles(layer);
                }
            }
            writer.doubles(kept);
        }
    }

    /** Mean, central sums, least, largest, mean of |x| and of x². */
    private double[][][] moments(double[][][] sums) {
        double[][][] post = new double[8][layers][width];
        for (int layer = 0; layer < layers; layer++) {
            for (int i = 0; i < width; i++) {
                double n = kept;
                double mean = sums[0][layer][i] / n;
                double s2 = sums[1][layer][i];
                double s3 = sums[2][layer][i];
                post[0][layer][i] = mean;
                post[1][layer][i] = Math.max(0, s2 - n * mean * mean);
                post[2][layer][i] = s3 - 3 * mean * s2 + 2 * n * mean * mean * mean;
                post[3][layer][i] = Math.max(
                        0, sums[3][layer][i] - 4 * mean * s3 + 6 * mean * mean * s2 - 3 * n * Math.pow(mean, 4));
                post[5][layer][i] = sums[4][layer][i];
                post[6][layer][i] = mean;
                post[7][layer][i] = s2 / n;
            }
        }
        return post;
    }
}
