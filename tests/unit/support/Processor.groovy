package unit.support

import java.nio.file.Files
import java.nio.file.Path

/** What the processor is able to do, so that specs of what it is not are skipped. */
class Processor {
    static final String NO_INT8 = 'this processor has no VNNI instructions: it cuts sums of 8-bit products off'

    private static final Path DESCRIPTION = Path.of('/proc/cpuinfo')

    static boolean x86() {
        System.getProperty('os.arch') == 'amd64'
    }

    /** Whether oneDNN stands in for the engine's products when nothing is asked for: its sums are known for such processors. */
    static boolean takesOneDnn() {
        has('AuthenticAMD') && has('avx512f')
    }

    /** Whether sums of products of 8-bit integers are not cut off at 16 bits, as they are by x86 without VNNI. */
    static boolean sumsInt8() {
        !x86() || ['avx512_vnni', 'avx_vnni', 'amx_int8'].any { has(it) }
    }

    private static boolean has(String flag) {
        Files.exists(DESCRIPTION) && DESCRIPTION.text =~ /\b$flag\b/
    }
}
