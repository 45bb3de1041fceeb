/** How a task shares out what it was given. */
class Tasks {
    private static final int DEVICE_MEMORY = 76

    /** What the engine and its code take besides heap and blocks, in MB (docs/usage.md, Memory of activate). */
    private static final long ENGINE = 400

    /**
     * The tool's {@code --memory}: what is left of the task's memory when the Java heap (bin/universality: a quarter, at most
     * 2 GiB) and the engine are taken off, so that all three stay within what a scheduler enforces; a quarter at least. Half of
     * it after a try that ended for lack of device memory; the tools' results do not depend on it.
     *
     * @param memory the task's memory, or null where nothing limits it
     * @param previous trace of the try before this one, or null
     */
    static String blocks(Object memory, Object previous = null) {
        long megabytes = memory == null ? 2048 : (long) memory.toMega()
        long blocks = Math.max(megabytes - Math.min(2048, megabytes.intdiv(4)) - ENGINE, megabytes.intdiv(4))
        boolean smaller = previous != null && previous.get('exit') == DEVICE_MEMORY
        return Shell.quote("${smaller ? blocks.intdiv(2) : blocks} MB")
    }
}
