package unit.docs

import groovy.json.JsonSlurper
import groovy.transform.Canonical
import java.nio.file.Files
import java.nio.file.Path
import java.util.regex.Pattern
import universality.data.SafetensorsFile

/**
 * The tables `| file | columns, tensors or keys |` of docs/output.md, set against the files of a results folder in both
 * directions: whatever was written is in a table, and whatever a table promises was written.
 */
class OutputDocs {
    static final Path PROJECT = Path.of(System.getProperty('basedir', '.')).toAbsolutePath().normalize().parent

    /** What stands for anything in the name of a file. */
    private static final Map<String, String> PLACEHOLDERS = [
        STAGE: '[a-z]+',
        SPLIT: 'train|analysis|heldout|examples|all',
        LL: '\\d+',
        NAME: '[A-Za-z0-9._-]+',
        ID: '[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*',
        A: '[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*',
        B: '[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*',
    ]

    /** Keys whose values are maps from names or numbers that a study chooses. */
    private static final List<String> MAPS = ['thresholds', 'controls', 'phase_seconds']

    @Canonical
    static class Row {
        String stage // '' for files that belong to no stage's folder
        String file
        String condition // null: always there
        Set<String> names

        /** Whether a file of the stage's folder is meant. */
        boolean isOf(String path) {
            pattern.matcher(path).matches()
        }

        private Pattern getPattern() {
            Pattern.compile(file.split(/(?=[^A-Za-z])|(?<=[^A-Za-z])/).collect { PLACEHOLDERS[it] ? "(?:${PLACEHOLDERS[it]})" : Pattern.quote(it) }.join(''))
        }
    }

    final List<Row> rows = []

    OutputDocs(String text = Files.readString(PROJECT.resolve('docs/output.md'))) {
        String stage = ''
        boolean table = false
        text.readLines().each { line ->
            if (line.startsWith('## ')) {
                stage = line.substring(3)
            }
            if (line.startsWith('| file')) {
                table = true
            } else if (!line.startsWith('|')) {
                table = false
            } else if (table && !line.startsWith('|---')) {
                rows << row(stage, line)
            }
        }
    }

    private static Row row(String stage, String line) {
        def cells = (line =~ /^\| `([^`]+)`(?: \((.+?)\))? \| (.*) \|$/)
        assert cells.matches(): "a row of docs/output.md is not | `FILE` (when) | names |: ${line}"
        Set<String> names = cells.group(3).findAll(/`([^`]+)`/) { it[1] }.collectMany { it.split(/[,\s]+/).toList() }.toSet()
        new Row(stage, cells.group(1), cells.group(2), names)
    }

    /** Everything in which results and tables disagree; {@code conditions} are those that hold of the study. */
    List<String> problems(Path results, Collection<String> conditions) {
        assert conditions - rows*.condition == []: 'docs/output.md has no such condition'
        List<String> problems = []
        Map<List<String>, Set<String>> written = [:].withDefault { [] as Set }
        Map<String, Path> there = files(results)
        there.each { path, file ->
            List<Row> found = documented(path)
            if (!found) {
                problems << "${path} is not in docs/output.md".toString()
                return
            }
            Set<String> names = found.any { it.names } ? names(file) : [] as Set
            written[[found[0].stage, found[0].file]].addAll(names)
            Set<String> unknown = names - found*.names.flatten()
            if (unknown) {
                problems << "${path} has ${unknown.toSorted()}, which docs/output.md does not have under ${found[0].stage} `${found[0].file}`".toString()
            }
        }
        rows.findAll { it.condition == null || it.condition in conditions }.each { row ->
            if (!row.stage.empty && !there.any { path, _ -> documented(path).any { it.stage == row.stage } }) {
                return // the stage published nothing, or is none
            }
            Set<String> found = written[[row.stage, row.file]]
            if (found.empty && !there.any { path, _ -> documented(path).contains(row) }) {
                problems << "docs/output.md has ${row.stage} `${row.file}`, which was not written".toString()
            } else if (row.names - found) {
                problems << "docs/output.md has ${(row.names - found).toSorted()} under ${row.stage} `${row.file}`, which were not written".toString()
            }
        }
        problems
    }

    /** The rows of the most particular name that fits a path of the results; none where nothing does. */
    private List<Row> documented(String path) {
        List<String> parts = path.split('/').toList()
        String stage = parts[0]
        String inside = parts.drop(stage == 'report' ? 1 : 2).join('/')
        List<Row> found = rows.findAll { it.stage.empty ? it.isOf(path) : it.stage == stage && it.isOf(inside) }
        String best = found*.file.max { it.replaceAll(/\b[A-Z]+\b/, '').length() }
        found.findAll { it.file == best }
    }

    private static Map<String, Path> files(Path results) {
        Map<String, Path> files = new TreeMap<>()
        Files.walk(results).withCloseable { walk -> walk.filter { Files.isRegularFile(it) }.each { files[results.relativize(it).toString()] = it } }
        files
    }

    /** Columns, tensors or keys of a file. */
    static Set<String> names(Path file, String name = file.fileName.toString()) {
        switch (name) {
            case ~/.*\.csv/: return file.withReader { it.readLine() }.split(',') as Set
            case ~/.*\.txt/: return file.withReader { it.readLine() }.split('\t') as Set
            case ~/.*\.safetensors/: return SafetensorsFile.open(file).withCloseable { it.names().toSet() }
            case 'manifest.json':
                def manifest = new JsonSlurper().parse(file.toFile())
                return manifest.parameters.keySet() + manifest.counts.keySet() + manifest.inputs*.role.toSet()
            case ~/.*\.json/: return keys(new JsonSlurper().parse(file.toFile()))
            default: return [] as Set
        }
    }

    private static Set<String> keys(Object node) {
        if (node instanceof Map) {
            return node.collectMany { name, value ->
                boolean chosen = name in MAPS && value instanceof Map
                [name] + (chosen ? value.values().collectMany { keys(it) } : keys(value))
            } as Set
        }
        node instanceof List ? node.collectMany { keys(it) } as Set : [] as Set
    }
}
