import groovy.json.JsonOutput
import java.security.MessageDigest

/** What a process writes under {@code -stub}: tiny folders that are complete and parse, without running a tool. */
class Stub {
    /**
     * Shell commands that write the folder {@code id} with these files and a valid manifest, and the record of resources
     * beside it.
     *
     * @param stage name of the stage
     * @param id name of the folder
     * @param files content by relative path
     */
    static String folder(String stage, String id, Map<String, String> files) {
        return nested(stage, id, id, files) + "\necho '{}' > " + Shell.quote(id + '.resources.json')
    }

    /**
     * {@link #folder} as a link into the cache that {@code options} name, where they name one: made once, and left as it is then, so
     * that what follows stays cached.
     */
    static String cached(String stage, String id, String options, Map<String, String> files) {
        String own = Shell.quote(id)
        return [
            'set -- ' + options,
            'cache=',
            'while [ $# -gt 0 ]; do [ "$1" != --cache ] || cache=$2; shift; done',
            folder(stage, id, files),
            'if [ -n "$cache" ]; then',
            '    entry=$cache/checkpoints/' + own + '@stub',
            '    mkdir -p "$cache/checkpoints"',
            '    if [ -e "$entry" ]; then rm -r ' + own + '; else mv ' + own + ' "$entry"; fi',
            '    ln -s "$entry" ' + own,
            'fi',
        ].join('\n')
    }

    /** {@link #folder} at another place and without the record of resources: a folder inside a result. */
    static String nested(String stage, String id, String path, Map<String, String> files) {
        Map<String, String> all = files + ['manifest.json': manifest(stage, id, files)]
        Set<String> folders = all.keySet().collect { new File(path, it).parent } as LinkedHashSet
        List<String> lines = ['mkdir -p ' + folders.collect { Shell.quote(it) }.join(' ')]
        all.each { name, content ->
            lines << "printf %s ${Shell.quote(content)} > ${Shell.quote(path + '/' + name)}".toString()
        }
        return lines.join('\n')
    }

    /** A table of one row: every cell 0 but for those given. */
    static String csv(String header, Map<String, Object> cells = [:]) {
        return header + '\n' + header.split(',').collect { cells.getOrDefault(it, 0) }.join(',') + '\n'
    }

    private static String manifest(String stage, String id, Map<String, String> files) {
        return JsonOutput.prettyPrint(JsonOutput.toJson([
            stage      : stage,
            id         : id,
            version    : 'stub',
            stageDigest: 'stub',
            parameters : [:],
            inputs     : [],
            counts     : [:],
            warnings   : ['written by -stub: no result'],
            files      : files.keySet().toSorted().collect { name ->
                byte[] bytes = files[name].getBytes('UTF-8')
                [path: name, bytes: bytes.length, sha256: MessageDigest.getInstance('SHA-256').digest(bytes).encodeHex().toString()]
            },
        ])) + '\n'
    }
}
