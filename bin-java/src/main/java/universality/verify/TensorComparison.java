package universality.verify;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import universality.data.SafetensorsFile;
import universality.data.SafetensorsFile.Tensor;
import universality.data.ToolException;

/** Two safetensors files tensor by tensor, a megabyte at a time. */
final class TensorComparison {
    private static final int PIECE_BYTES = 1 << 20;

    private final Tolerance tolerance;
    private final ByteBuffer first = piece();
    private final ByteBuffer second = piece();

    private TensorComparison(Tolerance tolerance) {
        this.tolerance = tolerance;
    }

    private static ByteBuffer piece() {
        return ByteBuffer.allocate(PIECE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Compares two files.
     *
     * @throws IOException if one is no sound safetensors file
     */
    static FileComparison of(Path a, Path b, Tolerance tolerance) throws IOException {
        try (SafetensorsFile one = SafetensorsFile.open(a);
                SafetensorsFile two = SafetensorsFile.open(b)) {
            return new TensorComparison(tolerance).compare(one, two);
        } catch (ToolException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private FileComparison compare(SafetensorsFile one, SafetensorsFile two) {
        FileComparison result = new FileComparison();
        Set<String> names = new TreeSet<>(one.names());
        names.addAll(two.names());
        for (String name : names) {
            if (!one.names().contains(name) || !two.names().contains(name)) {
                String side = one.names().contains(name) ? "first" : "second";
                result.add(Difference.of(name, "a tensor of the %s only", side));
                continue;
            }
            Tensor a = one.tensor(name);
            Tensor b = two.tensor(name);
            if (a.dtype() != b.dtype() || !Arrays.equals(a.shape(), b.shape())) {
                result.add(Difference.of(name, "%s %s and %s %s", a.dtype(), a.shapeText(), b.dtype(), b.shapeText()));
            } else {
                result.add(values(one, a, two, b));
            }
        }
        if (!one.metadata().equals(two.metadata())) {
            result.add(Difference.of("", "metadata %s and %s", one.metadata(), two.metadata()));
        }
        if (result.isEmpty() && tolerance.isExact()) {
            result.add(Difference.of("", "tensors are the same, their order or the header's layout is not"));
        }
        return result;
    }

    private Tally values(SafetensorsFile one, Tensor a, SafetensorsFile two, Tensor b) {
        Tally tally = new Tally(a.name(), tolerance);
        int size = a.dtype().bytes();
        for (long at = 0; at < a.bytes(); at += PIECE_BYTES) {
            int bytes = (int) Math.min(PIECE_BYTES, a.bytes() - at);
            one.read(a, at, first.clear().limit(bytes));
            two.read(b, at, second.clear().limit(bytes));
            if (first.flip().mismatch(second.flip()) >= 0) {
                compare(tally, a, bytes / size);
            }
        }
        return tally;
    }

    private void compare(Tally tally, Tensor tensor, int elements) {
        int size = tensor.dtype().bytes();
        for (int i = 0; i < elements; i++) {
            if (bits(first, i * size, size) == bits(second, i * size, size)) {
                continue;
            }
            double a = tensor.dtype().element(first, i);
            double b = tensor.dtype().element(second, i);
            if (Double.isFinite(a) && Double.isFinite(b)) {
                tally.numbers(a, b);
            } else if (Double.compare(a, b) != 0) { // two of the many kinds of NaN are as good as each other
                tally.undefined();
            }
        }
    }

    private static long bits(ByteBuffer buffer, int at, int size) {
        return switch (size) {
            case 8 -> buffer.getLong(at);
            case 4 -> buffer.getInt(at);
            case 2 -> buffer.getShort(at);
            default -> buffer.get(at);
        };
    }
}
