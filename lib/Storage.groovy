import groovy.json.JsonSlurper
import java.nio.file.Path

/**
 * Which activations of a study are written to disk ({@code --activations}), and why. Those of a checkpoint take positions ×
 * neurons × bytes of {@code --dtype}. Where they are not stored, {@code correlate} runs the models itself.
 *
 * <p>The choice is made in the workflow, when the positions are counted and the size of the models is there to be read; it is
 * not part of any task's hash, but what follows from it is: another {@code --max_store} with the same choice reruns nothing.
 */
class Storage {
    private static final Map<String, Integer> WIDTHS = [f32: 4, f16: 2, bf16: 2]
    private static final List<String> UNITS = ['', 'K', 'M', 'G', 'T', 'P']

    /** Ids of the checkpoints whose activations are stored. */
    final Set<String> stored
    /** What was chosen and why, and what is left out because of it: lines for the user. */
    final List<String> lines

    private Storage(Collection<String> stored, List<String> lines) {
        this.stored = stored as LinkedHashSet
        this.lines = lines*.toString()
    }

    /**
     * Chooses.
     *
     * @param shapes by family, all of whose checkpoints have the size of its first one; null or absent where it is not known
     * @param positions kept positions of the split {@code analysis}, or an estimate; null where that is not known
     */
    static Storage of(Study study, Map params, Map<String, Shape> shapes, Long positions) {
        List<String> all = study.checkpoints*.id
        Map<String, Long> sizes = study.checkpoints.collectEntries { meta ->
            [(meta.id): bytes(shapes[(String) meta.family], positions, params.dtype)]
        }
        String limit = "--max_store ${params.max_store}"
        String amount = size(all, sizes)
        if (params.activations == 'live') {
            return left(study, [], ["Activations: live (--activations live): those of ${models(all)} would take ${amount}"])
        }
        if (params.activations == 'stored') {
            return new Storage(all, ["Activations: stored (--activations stored): ${amount} for ${models(all)}"])
        }
        if (amount == UNKNOWN) {
            return new Storage(all, ["Activations: stored (auto): how much they take is not known"])
        }
        if (total(all, sizes) <= bytes(params.max_store)) {
            return new Storage(all, ["Activations: stored (auto): ${amount} for ${models(all)}, within ${limit}"])
        }
        String why = "Activations: live (auto): those of ${models(all)} would take ${amount}, more than ${limit}"
        List<String> permuted = study.permuted()
        if (permuted && total(permuted, sizes) <= bytes(params.max_store)) {
            return left(study, permuted, ["${why}; stored for ${models(permuted)}, ${size(permuted, sizes)}, which the control token_permuted needs"])
        }
        return left(study, [], [why])
    }

    private static final String UNKNOWN = 'an unknown amount'

    private static Storage left(Study study, List<String> stored, List<String> lines) {
        boolean without = !stored.containsAll(study.permuted())
        return new Storage(stored, lines + (without
                ? ['The control token_permuted is left out: it needs stored activations (--activations stored, or auto with a larger --max_store)']
                : []))
    }

    private static String models(List<String> ids) {
        return ids.size() == 1 ? '1 checkpoint' : "${ids.size()} checkpoints"
    }

    private static String size(List<String> ids, Map<String, Long> sizes) {
        return ids.every { sizes[it] != null } ? Plan.size(total(ids, sizes)) : UNKNOWN
    }

    private static long total(List<String> ids, Map<String, Long> sizes) {
        return (long) ids.sum(0L) { sizes[it] }
    }

    /** Bytes of the stored activations of a checkpoint; null where its shape or the positions are not known. */
    static Long bytes(Shape shape, Long positions, Object dtype) {
        return shape == null || positions == null ? null : shape.neurons() * positions * WIDTHS[(String) dtype]
    }

    /** Bytes of a size such as {@code 100 GB}; 1 kB is 1,000 bytes, as in all that is printed. */
    static long bytes(Object size) {
        def (_, number, unit) = (size.toString() =~ /^([0-9.]+?)[ .]?([KMGTP]?)B$/)[0]
        return ((number as BigDecimal) * (1000G ** UNITS.indexOf(unit))).toBigInteger().longValue()
    }

    /** Kept positions that a folder of token rows says to have, or null. */
    static Long positions(Path tokens) {
        return ((Map) new JsonSlurper().parse(tokens.resolve('manifest.json').toFile(), 'UTF-8')).counts?.kept as Long
    }
}
