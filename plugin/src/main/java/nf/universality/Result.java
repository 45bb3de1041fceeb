package nf.universality;

import java.nio.file.Path;
import universality.data.Manifest;

/**
 * A folder that a task wrote, by its manifest.
 *
 * @param folder where the task left it
 * @param published its path below the results' folder, or null where it was not published
 * @param attempt the try that wrote it
 * @param parent the folder that it lies in, or null
 */
record Result(Manifest manifest, Path folder, String published, Attempt attempt, Result parent) {
    String digest() {
        return manifest.contentDigest();
    }

    /** Bytes of all its files, by the manifest. */
    long bytes() {
        return manifest.files().stream().mapToLong(Manifest.FileEntry::bytes).sum();
    }
}
