package nf.universality;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import universality.data.Manifest;

/**
 * Which result an input is, by its digest. That is the digest of a folder, but manifests call some inputs by the one file that
 * was read: rows of tokens, a table of neurons, a file that was fetched. Other files of results do not count, for they may be
 * what the task was given: tokenize puts the user's tokenizer beside its rows, and train that into every checkpoint.
 */
final class Origins {
    private static final String TOKENS = "tokens.safetensors";
    private static final String TABLE = ".csv";

    private final Map<String, Result> origins = new HashMap<>();

    /** @param results of equal ones the first counts */
    Origins(List<Result> results) {
        for (Result result : results) {
            Set<String> read = result.manifest().inputs().stream()
                    .map(Manifest.Input::digest)
                    .collect(Collectors.toSet());
            add(result.digest(), result, read);
            for (Manifest.FileEntry file : result.manifest().files()) {
                if (namedAlone(result.manifest().stage(), file.path())) {
                    add(file.sha256(), result, read);
                }
            }
        }
    }

    private void add(String digest, Result result, Set<String> read) {
        // nothing is made of itself: who takes a part of the rows, and gets all, writes what it read
        if (!read.contains(digest)) {
            origins.putIfAbsent(digest, result);
        }
    }

    private static boolean namedAlone(String stage, String path) {
        return path != null
                && switch (stage) {
                    case "fetch" -> true;
                    case "tokenize" -> path.equals(TOKENS);
                    case "identify" -> path.endsWith(TABLE);
                    default -> false;
                };
    }

    /** The result that an input is, or is a file of; null where no task made it. */
    Result of(Manifest.Input input) {
        return origins.get(input.digest());
    }
}
