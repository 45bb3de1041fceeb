package universality.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** A table read whole into memory. Immutable. An empty cell is undefined: {@code NaN} as a number, {@code null} as text. */
public final class CsvTable {
    // in a table of one column an empty line is a row with an empty cell
    private static final CSVFormat FORMAT =
            CSVFormat.DEFAULT.builder().setIgnoreEmptyLines(false).get();

    private final Path file;
    private final List<String> header;
    private final Map<String, Integer> columns = new HashMap<>();
    private final List<String[]> rows;

    private CsvTable(Path file, List<String> header, List<String[]> rows) {
        this.file = file;
        this.header = List.copyOf(header);
        this.rows = rows;
        for (int i = 0; i < header.size(); i++) {
            columns.put(header.get(i), i);
        }
    }

    /**
     * Reads {@code file}.
     *
     * @throws ToolException if it is missing, not UTF-8 CSV, ragged, has a column twice, or lacks one of {@code required}
     */
    public static CsvTable read(Path file, String... required) {
        try (CSVParser parser = CSVParser.parse(Files.newBufferedReader(file, StandardCharsets.UTF_8), FORMAT)) {
            List<String[]> rows = new ArrayList<>();
            List<String> header = null;
            for (CSVRecord record : parser) {
                if (header == null) {
                    header = List.of(record.values());
                    continue;
                }
                if (header.size() > 1 && record.size() == 1 && record.get(0).isEmpty()) {
                    continue; // a blank line, as editors leave at the end
                }
                if (record.size() != header.size()) {
                    throw ToolException.badData(
                            "%s, line %d has %d cells, but the header has %d",
                            file, parser.getCurrentLineNumber(), record.size(), header.size());
                }
                rows.add(record.values());
            }
            if (header == null) {
                throw ToolException.badData("%s is empty: a header line was expected", file);
            }
            if (header.stream().distinct().count() != header.size()) {
                throw ToolException.badData("%s has a column twice: %s", file, header);
            }
            CsvTable table = new CsvTable(file, header, rows);
            for (String column : required) {
                table.index(column);
            }
            return table;
        } catch (NoSuchFileException e) {
            throw ToolException.missing("%s is missing", file);
        } catch (IOException | java.io.UncheckedIOException e) {
            throw ToolException.badData("%s cannot be read as UTF-8 CSV: %s", file, e.getMessage());
        }
    }

    public List<String> header() {
        return header;
    }

    public boolean has(String column) {
        return columns.containsKey(column);
    }

    public int size() {
        return rows.size();
    }

    /** The cell, or {@code null} where it is empty. */
    public String text(int row, String column) {
        String cell = rows.get(row)[index(column)];
        return cell.isEmpty() ? null : cell;
    }

    /**
     * The cell as a number, NaN where it is empty.
     *
     * @throws ToolException (bad data) if it is not a finite number; undefined values are empty, never written as NaN
     */
    public double number(int row, String column) {
        String cell = text(row, column);
        if (cell == null) {
            return Double.NaN;
        }
        try {
            double number = Double.parseDouble(cell);
            if (Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw ToolException.badData("%s, row %d: %s is '%s', not a number", file, row + 2, column, cell);
    }

    /**
     * The cell as an integer.
     *
     * @throws ToolException (bad data) if it is empty or not an integer
     */
    public long integer(int row, String column) {
        String cell = text(row, column);
        try {
            return Long.parseLong(cell == null ? "" : cell);
        } catch (NumberFormatException e) {
            throw ToolException.badData(
                    "%s, row %d: %s is '%s', not an integer", file, row + 2, column, cell == null ? "" : cell);
        }
    }

    /** The cell as a truth value, false where it is empty. */
    public boolean flag(int row, String column) {
        String cell = text(row, column);
        if (cell == null || cell.equals("false")) {
            return false;
        }
        if (cell.equals("true")) {
            return true;
        }
        throw ToolException.badData("%s, row %d: %s is '%s', not true or false", file, row + 2, column, cell);
    }

    private int index(String column) {
        Integer index = columns.get(column);
        if (index == null) {
            throw ToolException.badData("%s has no column '%s'; it has %s", file, column, header);
        }
        return index;
    }
}
