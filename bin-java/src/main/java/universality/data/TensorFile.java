package universality.data;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;

/** A file of named tensors, whatever its format. The caller closes it. */
public interface TensorFile extends AutoCloseable {
    /** The file. */
    Path path();

    /** Names of the tensors, sorted. */
    Set<String> names();

    /**
     * Sizes of a tensor's dimensions, outermost first.
     *
     * @throws ToolException (bad data) if there is no tensor of this name
     */
    long[] shape(String name);

    /**
     * Element type of a tensor.
     *
     * @throws ToolException (bad data) if there is no tensor of this name
     */
    Dtype dtype(String name);

    /**
     * A floating-point tensor of at most 2³¹ − 9 elements as F32, row-major. Half precision is widened exactly, F64 rounded.
     *
     * @throws ToolException (bad data) if there is none of this name, or it holds something else
     */
    float[] floats(String name);

    /**
     * {@link #floats(String)} a part at a time, in order, so that there is no array of the tensor's size.
     *
     * @param taker is given parts of some ten thousand elements, from position to limit, which hold until it returns; must not read
     *     this file
     * @throws ToolException (bad data) if there is none of this name, or it holds something else
     */
    void floats(String name, Consumer<FloatBuffer> taker);

    /**
     * A tensor of integers or truth values of at most 2³¹ − 9 elements, row-major. U8 is unsigned, BOOL 0 or 1.
     *
     * @throws ToolException (bad data) if there is none of this name, or it holds something else
     */
    long[] longs(String name);

    @Override
    void close();
}
