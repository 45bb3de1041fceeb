package universality.tokenize;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import universality.data.ToolException;

/**
 * A file with text.
 *
 * @param id its name, or its path below the folder that was given
 * @param sha256 the digest that a manifest promises, {@code null} where none does
 */
record TextFile(Path path, String id, Kind kind, Packing packing, String sha256) {
    /** What is in it once it is unpacked. */
    enum Kind {
        PLAIN,
        JSON_LINES,
        PARQUET
    }

    /** How it is compressed as a whole. */
    enum Packing {
        NONE,
        GZIP,
        ZSTD
    }

    private static final List<String> PLAIN = List.of(".txt", ".text");
    private static final List<String> JSON_LINES = List.of(".jsonl", ".ndjson", ".json");
    private static final List<String> UNREADABLE = List.of(
            ".bz2",
            ".xz",
            ".lz4",
            ".lzma",
            ".br",
            ".zip",
            ".7z",
            ".rar",
            ".tar",
            ".tgz",
            ".arrow",
            ".feather",
            ".orc",
            ".avro",
            ".csv",
            ".tsv",
            ".pdf",
            ".html");

    /** What the file names of a folder are taken for. */
    static final String KNOWN = ".txt, .jsonl, .ndjson, .json (each also with .gz or .zst) and .parquet";

    /** The file that was named; plain text where its name says nothing else. */
    static TextFile named(Path path) {
        String name = name(path);
        for (String ending : UNREADABLE) {
            if (name.endsWith(ending)) {
                throw ToolException.badData(
                        "%s: files %s cannot be read; what can: plain text, %s", path, ending, KNOWN);
            }
        }
        return of(path, String.valueOf(path.getFileName()), null)
                .orElseGet(
                        () -> new TextFile(path, String.valueOf(path.getFileName()), Kind.PLAIN, packing(name), null));
    }

    /** The file of a folder, absent where its name is not one of {@link #KNOWN}. */
    static Optional<TextFile> of(Path path, String id, String sha256) {
        String name = name(path);
        Packing packing = packing(name);
        String inner = packing == Packing.NONE ? name : name.substring(0, name.lastIndexOf('.'));
        Kind kind = packing == Packing.NONE && inner.endsWith(".parquet")
                ? Kind.PARQUET
                : JSON_LINES.stream().anyMatch(inner::endsWith)
                        ? Kind.JSON_LINES
                        : PLAIN.stream().anyMatch(inner::endsWith) ? Kind.PLAIN : null;
        return Optional.ofNullable(kind == null ? null : new TextFile(path, id, kind, packing, sha256));
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
    }

    private static Packing packing(String name) {
        return name.endsWith(".gz") ? Packing.GZIP : name.endsWith(".zst") ? Packing.ZSTD : Packing.NONE;
    }
}
