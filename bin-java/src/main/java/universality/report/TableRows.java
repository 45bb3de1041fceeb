package universality.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import universality.data.ToolException;

/**
 * A table read row by row, so that 10⁵ neurons × 125 checkpoints never stand in memory together. The row handed out is valid
 * during the call only.
 */
final class TableRows {
    private final Path file;
    private final List<String> header;
    private final Map<String, Integer> columns = new HashMap<>();
    private CSVRecord record;

    private TableRows(Path file, List<String> header) {
        this.file = file;
        this.header = header;
        for (int i = 0; i < header.size(); i++) {
            columns.put(header.get(i), i);
        }
    }

    /**
     * Calls {@code row} for every row of {@code file}.
     *
     * @throws ToolException (bad data) if it is not UTF-8 CSV or ragged
     */
    static void read(Path file, Consumer<TableRows> row) {
        try (CSVParser parser =
                CSVParser.parse(Files.newBufferedReader(file, StandardCharsets.UTF_8), CSVFormat.DEFAULT)) {
            TableRows rows = null;
            for (CSVRecord record : parser) {
                if (rows == null) {
                    rows = new TableRows(file, List.of(record.values()));
                    continue;
                }
                if (record.size() != rows.header.size()) {
                    throw ToolException.badData(
                            "%s, line %d has %d cells, but the header has %d",
                            file, parser.getCurrentLineNumber(), record.size(), rows.header.size());
                }
                rows.record = record;
                row.accept(rows);
            }
        } catch (IOException | UncheckedIOException e) {
            throw ToolException.badData("%s cannot be read as UTF-8 CSV: %s", file, e.getMessage());
        }
    }

    /** The cell, {@code null} where it is empty. */
    String text(String column) {
        Integer index = columns.get(column);
        if (index == null) {
            throw ToolException.badData("%s has no column '%s'; it has %s", file, column, header);
        }
        String cell = record.get(index);
        return cell.isEmpty() ? null : cell;
    }

    /** The cell as a number, NaN where it is empty. */
    double number(String column) {
        String cell = text(column);
        try {
            return cell == null ? Double.NaN : Double.parseDouble(cell);
        } catch (NumberFormatException e) {
            throw ToolException.badData(
                    "%s, row %d: %s is '%s', not a number", file, record.getRecordNumber(), column, cell);
        }
    }

    /** The cell as an integer. */
    long integer(String column) {
        double value = number(column);
        if (value != Math.rint(value)) {
            throw ToolException.badData(
                    "%s, row %d: %s is '%s', not an integer", file, record.getRecordNumber(), column, text(column));
        }
        return (long) value;
    }

    /** Whether the cell is {@code true}. */
    boolean flag(String column) {
        return "true".equals(text(column));
    }
}
