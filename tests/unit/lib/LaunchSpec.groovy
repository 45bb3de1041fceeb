package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

class LaunchSpec extends Specification {
    static final Path PROJECT = ParametersSpec.PROJECT

    @TempDir
    Path folder

    def 'tools that were never built are missed in one line'() {
        given:
        Files.copy(PROJECT.resolve('nextflow_schema.json'), folder.resolve('nextflow_schema.json'))

        when:
        Launch launch = Launch.of([seeds: '1,2'], folder)

        then:
        launch.problem == "the tools are not built: run './nextflow' instead of 'nextflow', or 'mvn -q package -DskipTests' in ${folder}"
        launch.study == null
    }

    def 'the first problem is the only one'() {
        expect:
        Launch.of([sedes: '1,2'], PROJECT).problem == "unknown parameter '--sedes': did you mean '--seeds'? (--help lists all)"
    }

    def 'help needs no tools and no study'() {
        given:
        Files.copy(PROJECT.resolve('nextflow_schema.json'), folder.resolve('nextflow_schema.json'))

        expect:
        Launch.of([help: true], folder).help.startsWith('Usage: nextflow run main.nf')
    }

    def 'the last line of a message'() {
        expect:
        Launch.lastLine(message) == line

        where:
        message                                            || line
        null                                               || null
        ''                                                 || null
        "warning\nuniversality train: it failed\n\n"       || 'universality train: it failed'
    }

    def 'a quiet failure has no place in a script'() {
        expect:
        Launch.quiet(new RuntimeException('x')).stackTrace.length == 0
    }

    def 'a task gives its tool what the heap leaves; half of it after a device ran out'() {
        expect:
        Tasks.blocks(memory == null ? null : new Memory(memory), previous) == expected

        where:
        memory | previous   || expected
        1500   | null       || "'1125 MB'"
        16384  | null       || "'14336 MB'"
        16384  | [exit: 76] || "'7168 MB'"
        16384  | [exit: 71] || "'14336 MB'"
        null   | null       || "'1536 MB'"
    }

    static class Memory {
        private final long megabytes

        Memory(long megabytes) {
            this.megabytes = megabytes
        }

        long toMega() {
            megabytes
        }
    }

    def 'a stub folder is a valid result'() {
        given:
        File script = folder.resolve('stub.sh').toFile()
        script.text = Stub.folder('identify', 'toy-t0', ['a.csv': Stub.csv('layer,neuron,universal', [universal: true]), 'sub/b.json': '{}'])

        when:
        def process = new ProcessBuilder('bash', '-eu', script.path).directory(folder.toFile()).start()

        then:
        process.waitFor() == 0
        def manifest = universality.data.Manifest.read(folder.resolve('toy-t0'), 'identify')
        manifest.verify(folder.resolve('toy-t0'))
        manifest.files()*.path() == ['a.csv', 'sub/b.json']
        folder.resolve('toy-t0/a.csv').text == 'layer,neuron,universal\n0,0,true\n'
        folder.resolve('toy-t0.resources.json').text.trim() == '{}'
    }
}
