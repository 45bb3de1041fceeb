package universality.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;

/** What was built: version and code digests. */
public final class Build {
    /** The stages of a study, in the order in which they run. */
    public static final List<String> STAGES = List.of(
            "fetch",
            "tokenize",
            "train",
            "activate",
            "correlate",
            "describe",
            "identify",
            "persist",
            "ablate",
            "sweep",
            "report");

    private Build() {}

    /** The version of the tools, as in the POM. */
    public static String version() {
        try (InputStream in = Build.class.getResourceAsStream("/universality/version.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The folder or jar that the tools run from. */
    public static Path location() {
        try {
            return Path.of(Build.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Digest of the code that {@code stage} runs; see {@link StageDigest}. Run from class folders (an IDE, the tests) there
     * is no jar to take it from, and the answer is {@code unpackaged}.
     */
    public static String stageDigest(String stage) {
        Path jar = location();
        return Files.isRegularFile(jar) ? StageDigest.of(stage, jar) : "unpackaged";
    }
}
