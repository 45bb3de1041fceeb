package universality.tokenize;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import universality.data.Dtype;
import universality.data.ExitCode;
import universality.data.OutputFolder;
import universality.data.SafetensorsWriter;
import universality.data.TokenRows;
import universality.data.ToolException;

/**
 * Writes the rows of one split as they come. A safetensors file has one tensor after the other and its header first, so each
 * tensor goes to a file of its own until {@link #finish} puts them together.
 */
final class RowWriter implements AutoCloseable {
    /** What the stages that read rows can hold: arrays of one Java array's length. */
    private static final long MOST = Integer.MAX_VALUE - 64;

    private final OutputFolder folder;
    private final int context;
    private final List<String> features;
    private final Part tokens;
    private final Part mask;
    private final Part documents;
    private final Part planted;
    private int rows;
    private long kept;
    private int lastDocument = -1;

    /** @param features names of planted features; {@code null} where rows have none */
    RowWriter(OutputFolder folder, int context, List<String> features) {
        this.folder = folder;
        this.context = context;
        this.features = features;
        this.tokens = new Part(folder.file("tokens.part"));
        this.mask = new Part(folder.file("mask.part"));
        this.documents = new Part(folder.file("document.part"));
        this.planted = features == null ? null : new Part(folder.file("planted.part"));
    }

    /**
     * Adds a row, whose arrays are copied.
     *
     * @param ids token ids, [context]
     * @param counts 1 where the position counts
     * @param document number of the document of each position, ascending over all rows, from 0, without gaps
     * @param planted features as bits; ignored where there are none
     */
    void row(int[] ids, byte[] counts, int[] document, long[] plantedBits) {
        if ((rows + 1L) * context > MOST) {
            throw ToolException.badData(
                    "one split holds at most %d tokens: ask for fewer with --split or --tokens", MOST);
        }
        tokens.ints(ids);
        documents.ints(document);
        mask.bytes(counts);
        if (planted != null) {
            for (long bits : plantedBits) {
                planted.bits(bits, features.size());
            }
        }
        for (byte counted : counts) {
            kept += counted;
        }
        lastDocument = document[context - 1];
        rows++;
    }

    int rows() {
        return rows;
    }

    /** Rows, tokens, positions that count, documents. */
    Map<String, Long> counts() {
        return Map.of(
                "rows", (long) rows, "tokens", (long) rows * context, "kept", kept, "documents", lastDocument + 1L);
    }

    /** Makes the files of the token folder. */
    void finish() {
        try (SafetensorsWriter writer = new SafetensorsWriter(folder.file(TokenRows.FILE))) {
            writer.declare("tokens", Dtype.I32, rows, context);
            writer.declare("mask", Dtype.U8, rows, context);
            writer.declare("document", Dtype.I32, rows, context);
            tokens.moveTo(writer);
            mask.moveTo(writer);
            documents.moveTo(writer);
        }
        if (planted != null) {
            try (SafetensorsWriter writer = new SafetensorsWriter(folder.file("planted.safetensors"))) {
                writer.metadata("names", String.join(",", features));
                writer.declare("features", Dtype.U8, rows, context, features.size());
                planted.moveTo(writer);
            }
        }
    }

    /** Closes the files; without {@link #finish} they are left to the folder, which removes them. */
    @Override
    public void close() {
        tokens.close();
        mask.close();
        documents.close();
        if (planted != null) {
            planted.close();
        }
    }

    /** One tensor in the making. */
    private static final class Part {
        private final Path path;
        private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        private final FileChannel channel;

        Part(Path path) {
            this.path = path;
            try {
                channel = FileChannel.open(
                        path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
            } catch (IOException e) {
                throw cannotWrite(e);
            }
        }

        void ints(int... values) {
            for (int from = 0; from < values.length; ) {
                room(4);
                int n = Math.min(buffer.remaining() / 4, values.length - from);
                buffer.asIntBuffer().put(values, from, n);
                buffer.position(buffer.position() + 4 * n);
                from += n;
            }
        }

        void bytes(byte... values) {
            for (int from = 0; from < values.length; ) {
                room(1);
                int n = Math.min(buffer.remaining(), values.length - from);
                buffer.put(values, from, n);
                from += n;
            }
        }

        /** The lowest bits as one byte each. */
        void bits(long bits, int count) {
            for (int i = 0; i < count; i++) {
                room(1);
                buffer.put((byte) (bits >>> i & 1));
            }
        }

        private void room(int bytes) {
            if (buffer.remaining() < bytes) {
                flush();
            }
        }

        private void flush() {
            buffer.flip();
            try {
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            } catch (IOException e) {
                throw cannotWrite(e);
            }
            buffer.clear();
        }

        /** Hands the content on and deletes the file. */
        void moveTo(SafetensorsWriter writer) {
            flush();
            try {
                channel.position(0);
                while (channel.read(buffer.clear()) >= 0) {
                    writer.bytes(buffer.flip());
                }
                channel.close();
                Files.delete(path);
            } catch (IOException e) {
                throw cannotWrite(e);
            }
        }

        private ToolException cannotWrite(IOException e) {
            return new ToolException(ExitCode.CANNOT_WRITE, path + " cannot be written: " + e.getMessage(), e);
        }

        void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw cannotWrite(e);
            }
        }
    }
}
