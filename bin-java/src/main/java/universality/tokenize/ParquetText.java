package universality.tokenize;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.ToolException;

/** One document for each row of a Parquet file, from one column of text; no other column is read. */
final class ParquetText implements DocumentReader {
    private final TextFile file;
    private final String column;
    private final ParquetFileReader reader;
    private final MessageType schema;
    private int group = -1;
    private ColumnReader values;
    private long row;
    private long rows;

    /**
     * Opens a file and checks that its column can be read.
     *
     * @throws ToolException (bad data) if it is no Parquet file, is encrypted, or has no such column of text
     */
    ParquetText(TextFile file, String column) {
        this.file = file;
        this.column = column;
        ParquetFileReader opened = null;
        boolean usable = false;
        try {
            opened = ParquetFileReader.open(
                    new LocalInputFile(file.path()),
                    ParquetReadOptions.builder(new PlainParquetConfiguration())
                            .withCodecFactory(new ParquetCodecs())
                            .build());
            reader = opened;
            schema = new MessageType("text", type(reader.getFileMetaData().getSchema()));
            check(reader.getRowGroups());
            reader.setRequestedSchema(schema);
            usable = true;
        } catch (IOException | RuntimeException e) {
            throw refused(e);
        } finally {
            if (!usable) {
                close(opened);
            }
        }
    }

    private Type type(MessageType all) {
        if (!all.containsField(column)) {
            List<String> columns = all.getFields().stream().map(Type::getName).toList();
            throw ToolException.badData(
                    "%s has no column '%s'; it has %s: name the one with the text by --text-column",
                    file.path(), column, columns);
        }
        Type type = all.getType(column);
        boolean text = type.isPrimitive()
                && !type.isRepetition(Type.Repetition.REPEATED)
                && type.getLogicalTypeAnnotation() instanceof LogicalTypeAnnotation.StringLogicalTypeAnnotation;
        if (!text) {
            throw ToolException.badData(
                    "%s: the column '%s' is '%s', text (a string) was expected",
                    file.path(), column, type.toString().replaceAll("\\s+", " "));
        }
        return type;
    }

    private void check(List<BlockMetaData> groups) {
        long most = Runtime.getRuntime().maxMemory() / 3;
        for (int g = 0; g < groups.size(); g++) {
            ColumnChunkMetaData chunk = chunk(groups.get(g));
            if (!ParquetCodecs.knows(chunk.getCodec())) {
                throw ToolException.badData(
                        "%s: its text is compressed by %s; what can be read is %s",
                        file.path(), chunk.getCodec(), ParquetCodecs.KNOWN);
            }
            if (chunk.getTotalSize() > most) {
                throw new ToolException(
                        ExitCode.HOST_MEMORY,
                        String.format(
                                "%s: the text of row group %d has %d bytes, of which a third of the Java heap (%d) can be"
                                        + " held: raise the task's memory",
                                file.path(), g, chunk.getTotalSize(), most));
            }
        }
    }

    private ColumnChunkMetaData chunk(BlockMetaData blockMetaData) {
        return blockMetaData.getColumns().stream()
                .filter(chunk -> chunk.getPath().toDotString().equals(column))
                .findFirst()
                .orElseThrow(() -> ToolException.badData("%s has a row group without '%s'", file.path(), column));
    }

    @Override
    public String next() {
        try {
            while (row == rows) {
                if (!nextGroup()) {
                    return null;
                }
            }
            row++;
            boolean there =
                    values.getCurrentDefinitionLevel() == values.getDescriptor().getMaxDefinitionLevel();
            String text = there ? decode(values.getBinary()) : "";
            values.consume();
            return text;
        } catch (IOException | RuntimeException e) {
            throw refused(e);
        }
    }

    private boolean nextGroup() throws IOException {
        PageReadStore pages = reader.readNextRowGroup();
        if (pages == null) {
            return false;
        }
        group++;
        row = 0;
        rows = pages.getRowCount();
        ColumnDescriptor descriptor = schema.getColumns().get(0);
        String writer = reader.getFileMetaData().getCreatedBy();
        values = rows == 0
                ? null
                : new ColumnReadStoreImpl(pages, new Ignored(), schema, writer).getColumnReader(descriptor);
        return true;
    }

    private String decode(Binary value) {
        if (value.length() > LONGEST) {
            throw ToolException.badData(
                    "%s: the text in row %d of row group %d has %d bytes, a document may have %d",
                    file.path(), row - 1, group, value.length(), LONGEST);
        }
        ByteBuffer bytes = value.toByteBuffer();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw ToolException.badData(
                    "%s: the text in row %d of row group %d is not UTF-8 at its byte %d",
                    file.path(),
                    row - 1,
                    group,
                    bytes.position() - value.toByteBuffer().position());
        }
    }

    private RuntimeException refused(Exception e) {
        if (e instanceof ToolException tool) {
            return tool;
        }
        String name = e.getClass().getSimpleName();
        if (name.contains("Crypto") || String.valueOf(e.getMessage()).contains("encrypted")) {
            return ToolException.badData("%s is encrypted: decrypt it first", file.path());
        }
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return new ToolException(
                ExitCode.BAD_DATA,
                file.path() + " is cut short or no Parquet file: "
                        + (cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()),
                e);
    }

    @Override
    public String digest() {
        try {
            return Digests.ofFile(file.path());
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, file.path() + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        close(reader);
    }

    private static void close(ParquetFileReader reader) {
        try {
            if (reader != null) {
                reader.close();
            }
        } catch (IOException e) {
            // nothing was written, so nothing is lost
        }
    }

    /** The library wants to know where values go even where they are asked for one by one. */
    private static final class Ignored extends GroupConverter {
        @Override
        public Converter getConverter(int field) {
            return new PrimitiveConverter() {
                @Override
                public void addBinary(Binary value) {
                    // asked for by getBinary
                }
            };
        }

        @Override
        public void start() {
            // rows are counted by the reader
        }

        @Override
        public void end() {
            // rows are counted by the reader
        }
    }
}
