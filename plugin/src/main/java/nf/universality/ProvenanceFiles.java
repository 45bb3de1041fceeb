package nf.universality;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import universality.data.Json;
import universality.data.ToolException;

/**
 * What is written when a run has ended: {@code pipeline/run.json}, {@code pipeline/tasks.csv}, {@code pipeline/workflow/} and
 * {@code ro-crate-metadata.json}, all below the folder of the results. Each file is written under another name and renamed.
 */
public final class ProvenanceFiles {
    static final String RECORD = "pipeline/run.json";
    static final String TASKS = "pipeline/tasks.csv";
    static final String TRACE = "pipeline/trace.txt";
    static final String WORKFLOW = "pipeline/workflow/";
    /** Larger records of earlier launches are not read. */
    private static final long MOST_BYTES = 32L << 20;

    private final Path folder;

    /** @param folder the folder of the results */
    public ProvenanceFiles(Path folder) {
        this.folder = folder;
    }

    /**
     * Writes everything.
     *
     * @param attempts in the order in which they ended
     * @param published source of each published file or folder to where it went
     * @return lines about what could not be read
     * @throws IOException if a file cannot be written
     */
    public List<String> write(Run run, List<Attempt> attempts, Map<Path, Path> published) throws IOException {
        List<String> warnings = new ArrayList<>();
        ResultReader reader = new ResultReader(folder, published, warnings);
        List<Result> results = reader.read(attempts);
        Files.createDirectories(folder.resolve(RECORD).getParent());
        replace(TASKS, file -> TaskTable.write(file, attempts, reader));
        String script = copyScript(run.workflow().script());
        RunRecord.Previous previous = previous(warnings);
        Origins origins = new Origins(results);
        RunRecord record = new RunRecord(run, attempts, results, origins, warnings);
        replace(RECORD, file -> Json.write(file, record.content(previous)));
        Crate crate = new Crate(run, attempts, results, origins, script, this::size);
        replace(Crate.NAME, file -> Json.write(file, crate.content()));
        return warnings;
    }

    /** The main script is part of the crate, for it is what was run; null where there is none to copy. */
    private String copyScript(Path script) throws IOException {
        if (script == null || !Files.isRegularFile(script) || Files.size(script) > RunRecord.MOST_BYTES) {
            return null;
        }
        String name = WORKFLOW + script.getFileName();
        Files.createDirectories(folder.resolve(WORKFLOW));
        replace(name, file -> Files.copy(script, file));
        return name;
    }

    private RunRecord.Previous previous(List<String> warnings) {
        Path file = folder.resolve(RECORD);
        try {
            if (!Files.isRegularFile(file)) {
                return null;
            }
            if (Files.size(file) <= MOST_BYTES) {
                return Json.read(file, RunRecord.Previous.class);
            }
            warnings.add("the record of an earlier run is replaced, for it has " + Files.size(file)
                    + " bytes: only records of at most " + MOST_BYTES + " are read");
        } catch (ToolException | IOException e) {
            warnings.add("the record of an earlier run is replaced, for it cannot be read: " + e.getMessage());
        }
        return null;
    }

    /** Bytes of a file of the results, or -1 where it is not there. */
    private long size(String name) {
        try {
            Path file = folder.resolve(name);
            return Files.isRegularFile(file) ? Files.size(file) : -1;
        } catch (IOException e) {
            return -1; // as good as absent
        }
    }

    /** Writes a file. */
    private interface Writing {
        void to(Path file) throws IOException;
    }

    private void replace(String name, Writing writing) throws IOException {
        Path target = folder.resolve(name);
        // another run that ends now, with the number of this process on another host, may write the same file
        Path temporary = target.resolveSibling("." + target.getFileName() + ".tmp-" + UUID.randomUUID());
        try {
            writing.to(temporary);
            move(temporary, target);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void move(Path temporary, Path target) throws IOException {
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
