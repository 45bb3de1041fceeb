package universality.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Two tables cell by cell. Rows are matched by the columns that say what a row is about (checkpoint, layer, neuron, draw …), in
 * tables without such columns by their place. Both are read as streams; only rows that have not found their match are kept.
 */
final class TableComparison {
    /** Columns that say what a row is about; see docs/output.md. */
    private static final Set<String> KEYS = Set.of(
            "combination",
            "id",
            "family",
            "seed",
            "step",
            "step_from",
            "step_to",
            "layer",
            "neuron",
            "condition",
            "layers",
            "replace",
            "control",
            "draw",
            "metric");

    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
    private static final CSVFormat FORMAT =
            CSVFormat.DEFAULT.builder().setIgnoreEmptyLines(false).get();

    private final List<String> header;
    private final int[] places;
    private final boolean[] keys;
    private final Tally[] tallies;
    private final Tolerance tolerance;
    private final Map<String, Deque<String[]>> first = new LinkedHashMap<>();
    private final Map<String, Deque<String[]>> second = new LinkedHashMap<>();
    private boolean moved;

    private TableComparison(List<String> header, List<String> other, Tolerance tolerance) {
        this.header = header;
        this.tolerance = tolerance;
        places = header.stream().mapToInt(other::indexOf).toArray();
        tallies = header.stream().map(column -> new Tally(column, tolerance)).toArray(Tally[]::new);
        keys = new boolean[header.size()];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = places[i] >= 0 && KEYS.contains(header.get(i));
        }
    }

    /**
     * Compares two tables.
     *
     * @throws IOException if one is no table in UTF-8
     */
    static FileComparison of(Path a, Path b, Tolerance tolerance) throws IOException {
        try (CSVParser one = CSVParser.parse(Files.newBufferedReader(a, StandardCharsets.UTF_8), FORMAT);
                CSVParser two = CSVParser.parse(Files.newBufferedReader(b, StandardCharsets.UTF_8), FORMAT)) {
            Iterator<CSVRecord> rows = one.iterator();
            Iterator<CSVRecord> others = two.iterator();
            if (!rows.hasNext() || !others.hasNext()) {
                throw new IOException("a table without a header");
            }
            List<String> header = List.of(rows.next().values());
            List<String> other = List.of(others.next().values());
            TableComparison comparison = new TableComparison(header, other, tolerance);
            comparison.readRows(rows, others, other.size());
            return comparison.result(other);
        } catch (UncheckedIOException | IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private void readRows(Iterator<CSVRecord> rows, Iterator<CSVRecord> others, int otherColumns) throws IOException {
        for (long row = 0; rows.hasNext() || others.hasNext(); row++) {
            String[] a = rows.hasNext() ? cells(rows.next(), header.size()) : null;
            String[] b = others.hasNext() ? aligned(cells(others.next(), otherColumns)) : null;
            String keyA = a == null ? null : key(a, row);
            String keyB = b == null ? null : key(b, row);
            if (Objects.equals(keyA, keyB)) {
                compare(keyA, a, b);
                continue;
            }
            if (a != null) {
                match(keyA, a, second, first, false);
            }
            if (b != null) {
                match(keyB, b, first, second, true);
            }
        }
    }

    private static String[] cells(CSVRecord row, int columns) throws IOException {
        if (row.size() != columns) {
            throw new IOException(
                    "row " + row.getRecordNumber() + " has " + row.size() + " cells, but the header has " + columns);
        }
        return row.values();
    }

    /** The cells of the second table in the order of the first one's columns; null where it has no such column. */
    private String[] aligned(String[] cells) {
        String[] aligned = new String[places.length];
        for (int i = 0; i < places.length; i++) {
            aligned[i] = places[i] < 0 ? null : cells[places[i]];
        }
        return aligned;
    }

    private String key(String[] cells, long row) {
        StringBuilder key = new StringBuilder();
        for (int i = 0; i < keys.length; i++) {
            if (keys[i]) {
                key.append(key.isEmpty() ? "" : ", ")
                        .append(header.get(i))
                        .append(' ')
                        .append(cells[i]);
            }
        }
        return key.isEmpty() ? "row " + (row + 2) : key.toString();
    }

    private void match(
            String key,
            String[] cells,
            Map<String, Deque<String[]>> waiting,
            Map<String, Deque<String[]>> own,
            boolean swap) {
        Deque<String[]> found = waiting.get(key);
        if (found == null) {
            own.computeIfAbsent(key, k -> new ArrayDeque<>()).add(cells);
            return;
        }
        String[] other = found.remove();
        if (found.isEmpty()) {
            waiting.remove(key);
        }
        moved = true;
        compare(key, swap ? other : cells, swap ? cells : other);
    }

    private void compare(String key, String[] a, String[] b) {
        for (int i = 0; i < a.length; i++) {
            if (b[i] != null && !a[i].equals(b[i])) {
                compare(tallies[i], key, a[i], b[i]);
            }
        }
    }

    private static void compare(Tally tally, String key, String a, String b) {
        if (isNumber(a) && isNumber(b)) {
            tally.numbers(Double.parseDouble(a), Double.parseDouble(b));
        } else if (a.isEmpty() || b.isEmpty()) {
            tally.undefined();
        } else if (!compareLists(tally, a.split(";", -1), b.split(";", -1))) {
            tally.texts(key, a, b);
        }
    }

    /** {@code KEY:NUMBER} joined by {@code ;}, as partners are written: their numbers, if the keys are the same. */
    private static boolean compareLists(Tally tally, String[] a, String[] b) {
        boolean same = a.length == b.length;
        for (int i = 0; same && i < a.length; i++) {
            int end = a[i].lastIndexOf(':');
            same = end >= 0
                    && end == b[i].lastIndexOf(':')
                    && a[i].substring(0, end).equals(b[i].substring(0, end))
                    && isNumber(a[i].substring(end + 1))
                    && isNumber(b[i].substring(end + 1));
        }
        for (int i = 0; same && i < a.length; i++) {
            if (!a[i].equals(b[i])) {
                int number = a[i].lastIndexOf(':') + 1;
                tally.numbers(Double.parseDouble(a[i].substring(number)), Double.parseDouble(b[i].substring(number)));
            }
        }
        return same;
    }

    private static boolean isNumber(String cell) {
        return NUMBER.matcher(cell).matches();
    }

    private FileComparison result(List<String> other) {
        FileComparison result = new FileComparison();
        for (String column : header) {
            if (!other.contains(column)) {
                result.add(Difference.of(column, "a column of the first only"));
            }
        }
        Set<String> known = new HashSet<>(header);
        other.stream()
                .filter(column -> !known.contains(column))
                .forEach(column -> result.add(Difference.of(column, "a column of the second only")));
        missing(result, first, "the first");
        missing(result, second, "the second");
        for (Tally tally : tallies) {
            result.add(tally);
        }
        boolean order = moved && first.isEmpty() && second.isEmpty();
        if (tolerance.isExact() && (order || result.isEmpty())) {
            result.add(Difference.of(
                    "",
                    order
                            ? "the same rows in another order"
                            : "cells are the same; the order of columns, line ends or quotes are not"));
        }
        return result;
    }

    private static void missing(FileComparison result, Map<String, Deque<String[]>> rows, String side) {
        long count = rows.values().stream().mapToLong(Deque::size).sum();
        if (count > 0) {
            String text = "rows of " + side + " only, such as "
                    + rows.keySet().iterator().next();
            result.add(new Difference("", count, null, null, count + " " + text));
        }
    }
}
