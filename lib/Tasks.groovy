/** How a task shares out what it was given. */
class Tasks {
    private static final int DEVICE_MEMORY = 76

    /** What the engine and its code take besides heap and blocks, in MB (docs/usage.md, Memory of activate). */
    private static final long ENGINE = 400

    /** The largest heap that bin/universality takes, in MB. */
    private static final long MOST_HEAP = 8192

    /**
     * The tool's {@code --memory}: what is left of the task's memory when the Java heap (bin/universality: a quarter, at most
     * 8 GiB) and the engine are taken off, so that all three stay within what a scheduler enforces; a quarter at least. Half of
     * that after a try that ended for lack of device memory, and as many times smaller in every try after it: the tools'
     * results do not depend on it.
     *
     * @param memory the task's memory, or null where nothing limits it
     * @param previous trace of the try before this one, or null
     */
    static String blocks(Object memory, Object previous = null) {
        int halvings = previous == null ? 0 : halvings(previous) + (previous.get('exit') == DEVICE_MEMORY ? 1 : 0)
        return Shell.quote("${whole(memory?.toMega()) >> halvings} MB")
    }

    private static long whole(Long megabytes) {
        long all = megabytes == null ? 2048 : megabytes
        return Math.max(all - Math.min(MOST_HEAP, all.intdiv(4)) - ENGINE, all.intdiv(4))
    }

    /** How often the blocks of a try were halved: its script says what they were. */
    private static int halvings(Object previous) {
        def given = (previous.get('script') ?: '') =~ /--memory '(\d+) MB'/
        if (!given.find()) {
            return 0
        }
        Long memory = (Long) previous.get('memory')
        long blocks = whole(memory == null ? null : memory.intdiv(1 << 20))
        return (0..30).find { blocks >> it <= (given.group(1) as long) }
    }
}
