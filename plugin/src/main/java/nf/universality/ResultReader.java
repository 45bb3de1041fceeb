package nf.universality;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.ToolException;

/** Reads the manifests of what tasks wrote. Opens nothing else, and nothing of more than {@link #MOST_BYTES}. */
final class ResultReader {
    static final long MOST_BYTES = 4L << 20;
    /** Folders that are looked at inside one output: the checkpoints of a training, the splits of a text. */
    private static final int MOST_FOLDERS = 1000;

    private final Path results;
    private final Map<Path, Path> published;
    private final List<String> warnings;

    /**
     * @param results the folder to which published paths are relative
     * @param published source of each published file or folder to where it went
     * @param warnings receives a line for each file that could not be used
     */
    ResultReader(Path results, Map<Path, Path> published, List<String> warnings) {
        this.results = results;
        this.published = new HashMap<>(published);
        this.warnings = warnings;
    }

    /** All results of {@code attempts}, in order; the folders inside a result follow it. */
    List<Result> read(List<Attempt> attempts) {
        List<Result> found = new ArrayList<>();
        for (Attempt attempt : attempts) {
            for (Path output : attempt.outputs()) {
                Path folder = there(output);
                Result result = read(folder, attempt, null, place(output));
                if (result != null) {
                    found.add(result);
                    for (Path inside : folders(folder)) {
                        Result nested = read(inside, attempt, result, place(output.resolve(inside.getFileName())));
                        if (nested != null) {
                            found.add(nested);
                        }
                    }
                }
            }
        }
        nameStages(attempts, found);
        return found;
    }

    /** A failed try has no result that names its stage, but the others of its process have; where those differ, none counts. */
    private static void nameStages(List<Attempt> attempts, List<Result> results) {
        Map<String, Set<String>> stages = results.stream()
                .filter(result -> result.parent() == null)
                .collect(Collectors.groupingBy(
                        result -> result.attempt().process(),
                        Collectors.mapping(result -> result.manifest().stage(), Collectors.toSet())));
        for (Attempt attempt : attempts) {
            Set<String> named = stages.getOrDefault(attempt.process(), Set.of());
            if (named.size() == 1) {
                attempt.ofStage(named.iterator().next());
            }
        }
    }

    /** Where an output can be read: where it was published, if the work folder has lost it. */
    private Path there(Path output) {
        if (Files.exists(output)) {
            return output;
        }
        Path target = target(output);
        if (target != null && Files.exists(target)) {
            return target;
        }
        warnings.add(output + " is not there any more, so what it held is not in the record");
        return output;
    }

    private Result read(Path folder, Attempt attempt, Result parent, String place) {
        Path file = folder.resolve(Manifest.NAME);
        try {
            if (!Files.isRegularFile(file)) {
                return null;
            }
            Manifest manifest = small(file) ? Json.read(file, Manifest.class) : null;
            if (manifest == null) {
                return null;
            }
            if (manifest.stage() == null
                    || manifest.id() == null
                    || manifest.inputs().stream().anyMatch(input -> input.digest() == null)) {
                warnings.add(
                        file + " names no stage or id, or no digest of an input: it is not a manifest of these tools");
                return null;
            }
            if ("cuda".equals(manifest.device())) {
                attempt.computedOnDevice();
            }
            return new Result(manifest, folder, place, attempt, parent);
        } catch (ToolException | IOException e) {
            warnings.add(e.getMessage());
            return null;
        }
    }

    private boolean small(Path file) throws IOException {
        long bytes = Files.size(file);
        if (bytes > MOST_BYTES) {
            warnings.add(file + " has " + bytes + " bytes: only manifests of at most " + MOST_BYTES + " are read");
        }
        return bytes <= MOST_BYTES;
    }

    /** Where a folder was published: Nextflow tells of it, of the folder that it is in, or of each file in it. */
    private Path target(Path folder) {
        Path whole = published.get(folder);
        Path manifest = published.get(folder.resolve(Manifest.NAME));
        return whole != null ? whole : manifest != null ? manifest.getParent() : targetOfParent(folder);
    }

    /** The same below the results' folder. */
    private String place(Path folder) {
        Path target = target(folder);
        if (target == null || results == null || !target.startsWith(results)) {
            return null;
        }
        return results.relativize(target).toString().replace('\\', '/');
    }

    private Path targetOfParent(Path folder) {
        Path parent = folder.getParent() == null ? null : published.get(folder.getParent());
        return parent == null ? null : parent.resolve(folder.getFileName().toString());
    }

    private List<Path> folders(Path output) {
        try (Stream<Path> inside = Files.list(output)) {
            List<Path> folders = inside.filter(Files::isDirectory).sorted().toList();
            if (folders.size() > MOST_FOLDERS) {
                warnings.add(output + " holds " + folders.size() + " folders: only the first " + MOST_FOLDERS
                        + " are in the record");
            }
            return folders.subList(0, Math.min(MOST_FOLDERS, folders.size()));
        } catch (IOException | UncheckedIOException e) {
            warnings.add(output + " cannot be listed: " + e.getMessage());
            return List.of();
        }
    }

    /** The record of resources beside a task's results ({@code ID.resources.json}), or null. */
    JsonNode resources(Attempt attempt) {
        for (Path output : attempt.outputs()) {
            if (output.getFileName().toString().endsWith(".resources.json")) {
                try {
                    return Files.isRegularFile(output) && small(output) ? Json.read(output) : null;
                } catch (ToolException | IOException e) {
                    warnings.add(e.getMessage());
                }
            }
        }
        return null;
    }
}
