package universality.tokenize;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import universality.data.ToolException;
import universality.text.Tokenizers;

/**
 * All documents of several files, one after the other; one file is open at a time and one document is held. Empty documents
 * are counted and left out.
 */
final class TextStream implements AutoCloseable {
    /** From this many files of plain text on, each is one document. */
    static final int MANY = 20;

    /** Documents cut from long files have at least so many rows. */
    static final int LEAST_ROWS = 4;

    /**
     * What is read, and how.
     *
     * @param column the column with the text, in files that have columns
     * @param tokenizer its name, for the least size of the documents that plain text is cut into
     * @param context tokens in a row
     */
    record Input(List<TextFile> files, String column, String tokenizer, int context) {
        long plainFiles() {
            return files.stream()
                    .filter(file -> file.kind() == TextFile.Kind.PLAIN)
                    .count();
        }

        private DocumentReader reader(TextFile file) {
            return switch (file.kind()) {
                case PLAIN -> new PlainText(file, plainFiles() < MANY ? cut() : null);
                case JSON_LINES -> new JsonLines(file, column);
                case PARQUET -> new ParquetText(file, column);
            };
        }

        private PlainText.Cut cut() {
            return new PlainText.Cut((long) LEAST_ROWS * context, part -> Tokenizers.leastTokens(tokenizer, part));
        }

        /** One file or several, for a message. */
        String names() {
            List<Path> paths = files.stream().map(TextFile::path).toList();
            return paths.size() == 1 ? paths.get(0).toString() : paths.get(0) + " and " + (paths.size() - 1) + " more";
        }
    }

    /**
     * How far a text was read.
     *
     * @param files files begun
     * @param documents documents that are not empty
     * @param plain those of them that are plain text
     * @param empty empty documents left out
     */
    record Place(int files, long documents, long plain, long empty) {}

    private final Input input;
    private final List<String> digests = new ArrayList<>();
    private final List<Boolean> emptyFiles = new ArrayList<>();
    private DocumentReader reader;
    private int next;
    private long inFile;
    private long documents;
    private long plain;
    private long empty;

    TextStream(Input input) {
        this.input = input;
    }

    /** The next document that is not empty; {@code null} at the end. */
    String next() {
        while (reader != null || next < input.files().size()) {
            if (reader == null) {
                reader = input.reader(input.files().get(next++));
                inFile = 0;
            }
            String document = reader.next();
            if (document == null) {
                endFile();
            } else if (document.isBlank()) {
                empty++;
            } else {
                documents++;
                inFile++;
                plain += file().kind() == TextFile.Kind.PLAIN ? 1 : 0;
                return document;
            }
        }
        return null;
    }

    private TextFile file() {
        return input.files().get(next - 1);
    }

    private void endFile() {
        if (inFile == 0 && file().kind() == TextFile.Kind.PLAIN) {
            empty--; // an empty file has no document, not an empty one
        }
        leaveFile();
    }

    private void leaveFile() {
        String digest = reader.digest();
        String promised = file().sha256();
        if (promised != null && !promised.equals(digest)) {
            throw ToolException.badData(
                    "%s has sha256 %s, but its manifest says %s: it was changed; fetch it again",
                    file().path(), digest, promised);
        }
        digests.add(digest);
        emptyFiles.add(inFile == 0);
        reader.close();
        reader = null;
    }

    /** Ends the reading: the file that was begun is digested to its end, those after it are not opened. */
    void end() {
        if (reader != null) {
            leaveFile();
        }
    }

    /** Where the reading is. */
    Place place() {
        return new Place(next, documents, plain, empty);
    }

    /** The digest of a file that was read, as it is on disk. */
    String digest(int file) {
        return digests.get(file);
    }

    /** Whether a file that was read has no text. */
    boolean emptyFile(int file) {
        return emptyFiles.get(file);
    }

    @Override
    public void close() {
        if (reader != null) {
            reader.close();
            reader = null;
        }
    }
}
