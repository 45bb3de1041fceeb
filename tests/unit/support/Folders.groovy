package unit.support

import java.nio.file.Path
import universality.cli.Main
import universality.data.CsvWriter
import universality.data.OutputFolder

/** Result folders written by hand, and tools run in this process. */
class Folders {
    /** A complete folder of a stage; {@code write} gets the unfinished OutputFolder. */
    static Path folder(Path at, String stage, String id, Map parameters, Closure write) {
        OutputFolder.create(at, false).withCloseable { out ->
            parameters.each { name, value -> out.parameter(name as String, value) }
            write(out)
            out.commit(stage, id)
        }
        at
    }

    /** Writes a table; null is an empty cell. */
    static void csv(Path file, List<String> header, List<List> rows) {
        new CsvWriter(file, header).withCloseable { writer -> rows.each { writer.row(it) } }
    }

    /** A table as a list of maps from column to text. */
    static List<Map<String, String>> rows(Path file) {
        def lines = file.toFile().readLines('UTF-8').collect { it.split(',', -1).toList() }
        lines.tail().collect { [lines[0], it].transpose().collectEntries() }
    }

    /** Runs a tool; status and what it said on standard error. */
    static Map run(Object... arguments) {
        def error = new ByteArrayOutputStream()
        def before = System.err
        System.err = new PrintStream(error, true, 'UTF-8')
        try {
            int status = Main.run(arguments.collect { it.toString() } as String[])
            return [status: status, error: error.toString('UTF-8')]
        } finally {
            System.err = before
        }
    }

    /** The names in a folder, hidden ones included. */
    static List<String> names(Path folder) {
        (folder.toFile().list() ?: []).sort().toList()
    }
}
