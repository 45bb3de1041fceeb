package universality.tokenize;

import universality.data.ToolException;

/** The documents of one file, one after the other. */
interface DocumentReader extends AutoCloseable {
    /**
     * The longest document, in UTF-16 units. A bound is needed so that a small packed file that unpacks without end exhausts
     * no memory.
     */
    int LONGEST = 1 << 24;

    /**
     * The next document, perhaps an empty one.
     *
     * @return {@code null} at the end
     * @throws ToolException (bad data) naming the file and the place where it is malformed
     */
    String next();

    /** The digest of the file as it is on disk; to be called once, when no more documents are wanted. */
    String digest();

    @Override
    void close();
}
