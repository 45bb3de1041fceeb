package universality.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/**
 * A table: header, comma, UTF-8, {@code \n}. Numbers carry enough digits to round-trip; {@code null}, NaN and infinities are
 * undefined and written empty.
 */
public final class CsvWriter implements AutoCloseable {
    private static final CSVFormat FORMAT =
            CSVFormat.DEFAULT.builder().setRecordSeparator('\n').get();

    private final CSVPrinter printer;
    private final int columns;
    private final Path file;

    /** Opens {@code file} and writes the header. */
    public CsvWriter(Path file, List<String> header) {
        this.file = file;
        this.columns = header.size();
        try {
            printer = new CSVPrinter(Files.newBufferedWriter(file, StandardCharsets.UTF_8), FORMAT);
            printer.printRecord(header);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e.getMessage(), e);
        }
    }

    /** Writes one row, one value for each column of the header. */
    public void row(Object... values) {
        if (values.length != columns) {
            throw new IllegalArgumentException(
                    file.getFileName() + " has " + columns + " columns, but a row of " + values.length + " was given");
        }
        try {
            for (Object value : values) {
                printer.print(text(value));
            }
            printer.println();
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e.getMessage(), e);
        }
    }

    /** {@link #row(Object...)} for a list. */
    public void row(List<?> values) {
        row(values.toArray());
    }

    private static Object text(Object value) {
        if (value instanceof Double d) {
            return Double.isFinite(d) ? Double.toString(d) : null;
        }
        if (value instanceof Float f) {
            return Float.isFinite(f) ? Float.toString(f) : null;
        }
        return value;
    }

    @Override
    public void close() {
        try {
            printer.close(true);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e.getMessage(), e);
        }
    }
}
