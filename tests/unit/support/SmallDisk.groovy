package unit.support

import java.nio.file.FileStore
import java.nio.file.Files
import java.nio.file.Path

/**
 * A disk of a test's own, in memory (tmpfs), which can be made full or read-only at any moment. Mounting one is for root in a
 * virtual machine, or a container that may; elsewhere specs that need it are skipped, see {@link #allowed}.
 */
class SmallDisk implements Closeable {
    /** The folder that is the disk. */
    final Path folder
    private final String size

    /** @param size as mount reads it, such as 64m */
    SmallDisk(Path folder, String size) {
        this.folder = Files.createDirectories(folder)
        this.size = size
        assert mount('-t', 'tmpfs', '-o', "size=${size}", 'tmpfs', folder.toString()) == 0
    }

    /** Whether a disk can be mounted here; a line on standard error says so where it cannot. */
    static boolean allowed() {
        POSSIBLE
    }

    private static final boolean POSSIBLE = probe()

    private static boolean probe() {
        Path folder = Files.createTempDirectory('mount')
        try {
            if (mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder.toString()) == 0) {
                run('umount', folder.toString())
                return true
            }
            System.err.println('specs with a small disk are skipped: mounting a tmpfs is not allowed here; run them as root')
            false
        } finally {
            Files.delete(folder)
        }
    }

    /** From now on nothing more fits, not even a page, until {@link #mend}. */
    void fill() {
        FileStore store = Files.getFileStore(folder)
        // somebody may be writing: what is used now may be too little a moment later
        assert inTime { remount("size=${Math.max(store.totalSpace - store.unallocatedSpace, 4096)}") }
    }

    /** From now on nothing can be written, until {@link #mend}; waits for those who have a file open. */
    void readOnly() {
        assert inTime { remount('ro') }
    }

    /** As it was at first. */
    void mend() {
        assert remount("rw,size=${size}")
    }

    /** Its files are gone then. */
    @Override
    void close() {
        run('umount', '-l', folder.toString())
    }

    private static boolean inTime(Closure<Boolean> done) {
        for (int tries = 0; tries < 200; tries++) {
            if (done()) {
                return true
            }
            Thread.sleep(50)
        }
        false
    }

    private boolean remount(String options) {
        mount('-o', "remount,${options}", folder.toString()) == 0
    }

    private static int mount(Object... arguments) {
        run('mount', *arguments)
    }

    private static int run(Object... command) {
        try {
            new ProcessBuilder(command*.toString()).redirectErrorStream(true).start().tap { it.inputStream.bytes }.waitFor()
        } catch (IOException e) {
            -1 // no such program
        }
    }
}
