import java.nio.file.Path

/** What the tools say about files on the Hugging Face hub, before any task runs. */
class Hub {
    private final Path project
    private final List<String> common

    /** @param cache the folder of the hub's cache, or null for the hub's own */
    Hub(Path project, Object cache, boolean offline) {
        this.project = project
        common = (cache == null ? [] : ['--cache', cache.toString()]) + (offline ? ['--offline'] : [])
    }

    /** Whether the environment asks to contact no hub, as Python's library reads it. */
    static boolean offline(Map<String, String> environment) {
        return ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].any { environment[it]?.toUpperCase(Locale.ROOT) in ['1', 'ON', 'YES', 'TRUE'] }
    }

    /**
     * Every file that checkpoints and text need: {@code [source, revision, commit, path, bytes, download, config]}, the last of
     * config.json only.
     *
     * @param origins {@code [source, revision]} of checkpoints on the hub or in folders
     * @param dataset {@code [source, revision, include]} or null
     * @throws IllegalArgumentException with the tool's line, if the hub says no or, offline, something is missing; of
     *     checkpoints and text both
     */
    List<Map> files(List<Map> origins, Map dataset) {
        List<String> problems = []
        List<Map> files = []
        List<List<String>> calls = []
        if (origins) {
            calls << origins.collectMany { ['--source', address(it)] }
        }
        if (dataset != null) {
            calls << ['--kind', 'dataset', '--source', address(dataset)] + dataset.include.collectMany { ['--include', it] }
        }
        calls.each { call ->
            try {
                files.addAll(rows(call).collect { it + [dataset: '--kind' in call] })
            } catch (IllegalArgumentException e) {
                problems << e.message
            }
        }
        if (problems) {
            throw new IllegalArgumentException(problems.join('; '))
        }
        return files
    }

    private static String address(Map origin) {
        return origin.revision && Study.isRepository((String) origin.source) ? "${origin.source}@${origin.revision}" : origin.source
    }

    private List<Map> rows(List<String> call) {
        Process process = start([project.resolve('bin/universality').toString(), 'fetch-plan', *common, *call])
        process.outputStream.close()
        StringBuilder out = new StringBuilder()
        StringBuilder err = new StringBuilder()
        process.waitForProcessOutput(out, err)
        if (process.exitValue() != 0) {
            throw new IllegalArgumentException(Launch.lastLine(err) ?: "fetch-plan ended with status ${process.exitValue()}")
        }
        List<List<String>> table = Study.rows(out.toString())
        return table.tail().collect { row -> [table.head(), row].transpose().collectEntries() }
    }

    private static Process start(List<String> command) {
        try {
            return new ProcessBuilder(command).start()
        } catch (IOException e) {
            throw new IllegalArgumentException("'${command[0]}' cannot be run: ${e.cause?.message ?: e.message}; make it executable (chmod +x)")
        }
    }
}
