package universality.correlate;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import universality.data.ActivationFolder;
import universality.data.ActivationMoments;
import universality.data.Dtype;
import universality.data.Manifest;
import universality.data.ToolException;

/** Activations that the stage {@code activate} stored. */
final class StoredActivations implements Activations {
    /** Below this, what rounding to F16 changes no longer shrinks with the number. */
    private static final double HALF_NORMAL = 0x1p-14;

    private final ActivationFolder folder;

    /** @throws ToolException if {@code path} is not a complete folder of {@code activate} */
    StoredActivations(Path path) {
        folder = ActivationFolder.open(path);
    }

    @Override
    public String id() {
        return folder.id();
    }

    @Override
    public String family() {
        return folder.family();
    }

    @Override
    public long seed() {
        return folder.seed();
    }

    @Override
    public long step() {
        return folder.step();
    }

    @Override
    public int layers() {
        return folder.layers();
    }

    @Override
    public int dMlp() {
        return folder.dMlp();
    }

    @Override
    public int kept() {
        return folder.kept();
    }

    @Override
    public String tokensDigest() {
        return folder.tokensDigest();
    }

    @Override
    public RowPlan.Positions positions() {
        return new RowPlan.Positions(
                folder.positions("row"),
                folder.positions("pos"),
                folder.positions("document"),
                folder.positions("token"));
    }

    @Override
    public Manifest manifest() {
        return folder.manifest();
    }

    @Override
    public String role() {
        return "activations";
    }

    /** Of its moments, which are those of activations before they were rounded to be stored. */
    @Override
    public Optional<Extremes> extremes() {
        ActivationMoments moments = folder.moments();
        if (moments.layers() != layers() || moments.dMlp() != dMlp()) {
            throw ToolException.badData(
                    "the moments of activations '%s' are of %d layers of %d neurons, its manifest says %d of %d",
                    id(), moments.layers(), moments.dMlp(), layers(), dMlp());
        }
        double error = folder.roundingError();
        return Optional.of(new Extremes(widened(moments.postMin(), -error), widened(moments.postMax(), error)));
    }

    private static double[][] widened(double[][] values, double error) {
        return Arrays.stream(values)
                .map(layer -> Arrays.stream(layer)
                        .map(x -> x + error * (Math.abs(x) + HALF_NORMAL))
                        .toArray())
                .toArray(double[][]::new);
    }

    @Override
    public boolean costsWhatLiesBetween() {
        return false;
    }

    @Override
    public void expect(int from, int to) {
        // reading one layer costs the same whatever else is read
    }

    @Override
    public void read(NDManager scope, int[] layers, int[] which, int from, int count, LayerConsumer consumer) {
        DataType type = folder.storedType() == Dtype.F32 ? DataType.FLOAT32 : DataType.FLOAT16;
        for (int layer : layers) {
            ByteBuffer bytes = folder.gather(layer, which, from, count);
            consumer.accept(layer, scope.create(bytes, new Shape(count, dMlp()), type));
        }
    }

    @Override
    public void close() {
        folder.close();
    }
}
