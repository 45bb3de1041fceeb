import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.util.zip.CRC32
import java.util.zip.ZipFile

/**
 * Digests of the tools' code, one for each stage. Nextflow does not see tool code as an input, so every process gets the
 * digest of its own stage as a value: a changed tool reruns its stage and what depends on it, and nothing else.
 *
 * <p>The same algorithm as {@code universality.data.StageDigest}, which writes the digest into manifests; a spec holds the two
 * together.
 */
class ToolDigest {
    static final String JAR = 'bin-java/target/universality.jar'

    private static final Set<String> FLOORS = ['model', 'text', 'tensor', 'stats', 'data'] as Set

    /** Whether the tools of {@code project} were ever built. */
    static boolean built(Path project) {
        return Files.isRegularFile(project.resolve(JAR))
    }

    /** The digests of {@code stages} by stage name, from the built jar of {@code project}. */
    static Map<String, String> all(Collection<String> stages, Path project) {
        Path jar = project.resolve(JAR)
        List<String> shared = libraries(jar.resolveSibling('lib')) + launcher(project)
        List<List<String>> entries = entries(jar)
        return stages.collectEntries { String stage ->
            List<String> own = entries.findAll { runs(stage, it[0]) }.collect { it[1] }
            [(stage): sha256((own + shared).toSorted().join('\n') + '\n')]
        }
    }

    /** [name, line] of every file in the jar. */
    private static List<List<String>> entries(Path jar) {
        ZipFile zip = new ZipFile(jar.toFile())
        try {
            return zip.entries()
                    .findAll { !it.directory }
                    .collect { [it.name, "${it.name} ${it.crc} ${it.size}".toString()] }
        } finally {
            zip.close()
        }
    }

    private static boolean runs(String stage, String name) {
        if (!name.startsWith('universality/')) {
            return !name.startsWith('META-INF/') && (!name.startsWith('report/') || stage == 'report')
        }
        String[] parts = name.split('/')
        if (parts.length < 3) {
            return true
        }
        if (parts[1] == 'cli') {
            String type = parts[2].replaceFirst('[.$].*', '')
            return !type.endsWith('Command') || type in ['StageCommand', stage.capitalize() + 'Command']
        }
        return parts[1] in FLOORS || parts[1] == stage
    }

    private static List<String> libraries(Path folder) {
        File[] jars = folder.toFile().listFiles() ?: new File[0]
        return jars.collect { "lib/${it.name} ${it.length()}".toString() }
    }

    private static String launcher(Path project) {
        File file = project.resolve('bin/universality').toFile()
        if (!file.file) {
            return 'launcher absent'
        }
        CRC32 crc = new CRC32()
        crc.update(file.bytes)
        return "launcher ${crc.value} ${file.length()}"
    }

    private static String sha256(String text) {
        return MessageDigest.getInstance('SHA-256').digest(text.getBytes('UTF-8')).encodeHex().toString()
    }
}
