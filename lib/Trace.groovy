import java.nio.file.AtomicMoveNotSupportedException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption

/**
 * Nextflow starts the trace before it looks at the parameters. Were it written where results are, a launch that is refused, or
 * that only asks for a plan, would empty the trace of a finished study; so it begins beside Nextflow's own files.
 */
class Trace {
    /**
     * Gives the trace its place; Nextflow goes on writing into the file, which is the same one. On another file system it cannot
     * be, and the trace is copied there when Nextflow has ended it.
     */
    static void publish(Path begun, Path published) {
        if (!Files.isRegularFile(begun)) {
            return // -with-trace names another file
        }
        Files.createDirectories(published.parent)
        try {
            Files.move(begun, published, StandardCopyOption.ATOMIC_MOVE)
        } catch (AtomicMoveNotSupportedException ignored) {
            Runtime.runtime.addShutdownHook(new Thread({ Files.copy(begun, published, StandardCopyOption.REPLACE_EXISTING) } as Runnable))
        }
    }
}
