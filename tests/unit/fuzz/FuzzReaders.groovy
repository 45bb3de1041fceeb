package unit.fuzz

import groovy.transform.CompileStatic
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.ZipEntry
import java.util.zip.ZipFile
import java.util.zip.ZipInputStream
import unit.data.TorchBytes

/**
 * Feeds changed files to {@link ReaderTarget}: {@code SEEDS_FOLDER RANDOM_SEED COUNT}, or {@code … MINUTESm}; with
 * {@code SEEDS_FOLDER corpus FOLDER} it writes the inputs from which Jazzer starts. What makes a reader fail is left as
 * crash-NUMBER in the folder it runs in. Ends with 0 if there was none, 1 after the first.
 */
@CompileStatic
class FuzzReaders {
    /** Largest seeds: whole checkpoints would only slow it down. */
    private static final int MOST_SEED_BYTES = 20_000
    /** Processor time of one input; ten thousand times what the slowest takes. Only a loop without end gets there. */
    private static final long MOST_NANOSECONDS = 60_000_000_000L

    private static volatile long started
    private static volatile byte[] current

    static void main(String[] arguments) {
        List<byte[]> seeds = seeds(Path.of(arguments[0]))
        if (arguments[1] == 'corpus') {
            writeCorpus(seeds, Path.of(arguments[2]))
            return
        }
        long seed = Long.parseLong(arguments[1])
        watch(Thread.currentThread())
        boolean timed = arguments[2].endsWith('m')
        long most = timed ? Long.MAX_VALUE : Long.parseLong(arguments[2])
        long end = timed ? System.nanoTime() + Long.parseLong(arguments[2] - 'm') * 60_000_000_000L : Long.MAX_VALUE
        def mutator = new Mutator(seed, seeds)
        long done = 0
        while (done < most && System.nanoTime() < end) {
            current = mutator.next()
            started = cpuTime(Thread.currentThread())
            try {
                ReaderTarget.check(current)
            } catch (Throwable e) {
                keep("input $done of seed $seed: $e")
                e.printStackTrace()
                System.exit(1)
            }
            done++
        }
        println "$done inputs, ${ReaderTarget.outcomes}"
        System.exit(0)
    }

    static List<byte[]> seeds(Path folder) {
        Files.walk(folder).withCloseable { files ->
            files.filter { Path file -> file.toString() ==~ /.*\.(bin|safetensors)/ && Files.size(file) <= MOST_SEED_BYTES }
                .sorted().toList()
        }.collectMany { Path file -> file.toString().endsWith('.bin') ? [Files.readAllBytes(file), *plain(file)] : [Files.readAllBytes(file)] }
    }

    /** A zip archive without what {@link ZipInputStream} cannot read, which is what the changes inside take. */
    private static List<byte[]> plain(Path file) {
        if (Files.readAllBytes(file)[0] != (byte) 0x50) {
            return []
        }
        byte[] description = null
        Map<String, byte[]> storages = [:]
        new ZipFile(file.toFile()).withCloseable { zip ->
            for (ZipEntry entry : zip.entries().toList()) {
                String name = entry.name.substring(entry.name.indexOf('/') + 1)
                if (name == 'data.pkl') {
                    description = zip.getInputStream(entry).readAllBytes()
                } else if (name.startsWith('data/')) {
                    storages[name.substring(5)] = zip.getInputStream(entry).readAllBytes()
                }
            }
        }
        [TorchBytes.zipOf(description, storages)]
    }

    private static long cpuTime(Thread thread) {
        ManagementFactory.threadMXBean.getThreadCpuTime(thread.id)
    }

    private static void watch(Thread worker) {
        Thread.startDaemon {
            while (true) {
                Thread.sleep(1000)
                if (current != null && cpuTime(worker) - started > MOST_NANOSECONDS) {
                    keep('an input keeps a reader busy without end')
                    worker.stackTrace.each { System.err.println("  at $it") }
                    Runtime.runtime.halt(1)
                }
            }
        }
    }

    private static void keep(String why) {
        Path file = Path.of("crash-${Integer.toHexString(Arrays.hashCode(current))}")
        Files.write(file, current)
        System.err.println("$why; kept as $file")
    }

    /** Each seed whole, and the part of it that a kind of {@link ReaderTarget#wrapped} puts into a sound file. */
    private static void writeCorpus(List<byte[]> seeds, Path folder) {
        Files.createDirectories(folder)
        seeds.eachWithIndex { byte[] seed, int i ->
            write(folder.resolve("$i-whole"), 0, seed)
            if (seed[0] == (byte) 0x50) {
                byte[] description = description(seed)
                if (description != null) {
                    write(folder.resolve("$i-pickle"), 2, description)
                }
            } else if (seed[0] == (byte) 0x80) {
                int start = ReaderTarget.legacyStart().length
                write(folder.resolve("$i-legacy"), 3, Arrays.copyOfRange(seed, Math.min(start, seed.length), seed.length))
            } else {
                int length = ByteBuffer.wrap(seed).order(ByteOrder.LITTLE_ENDIAN).getLong() as int
                write(folder.resolve("$i-header"), 1, Arrays.copyOfRange(seed, 8, 8 + length))
            }
        }
    }

    /** That of a plain archive, whose first entry it is. */
    private static byte[] description(byte[] archive) {
        try {
            def zip = new ZipInputStream(new ByteArrayInputStream(archive))
            zip.nextEntry?.name == 'm/data.pkl' ? zip.readAllBytes() : null
        } catch (IOException ignored) {
            null
        }
    }

    private static void write(Path file, int kind, byte[] bytes) {
        Files.write(file, ByteBuffer.allocate(1 + bytes.length).put((byte) kind).put(bytes).array())
    }
}
