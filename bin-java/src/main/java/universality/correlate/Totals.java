package universality.correlate;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Sums of a unit by half: F64, or with {@link Precision#BF16} F32. With {@link Precision#INT8} they are I32 ({@code whole}), and F32
 * sums ({@code sums[half]}, {@code null} before) are made when what I32 does not hold is moved to them.
 *
 * @param most what no sum in {@code whole} exceeds
 */
record Totals(NDArray[] sums, NDArray[] whole, double[] most) {
    /** What is to be added up for a set of positions. */
    List<NDArray> of(int set) {
        return IntStream.range(0, 2)
                .filter(half -> set == 0 || half == set - 1)
                .boxed()
                .flatMap(half -> Stream.of(sums[half], whole[half]))
                .filter(Objects::nonNull)
                .toList();
    }
}
