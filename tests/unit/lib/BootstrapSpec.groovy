package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.FileTime
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.TimeUnit
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.OutputFolder

/** The script {@code nextflow} before it becomes Nextflow: when it builds the tools, with a Maven and a Nextflow that only say so. */
class BootstrapSpec extends Specification {
    static final Path PROJECT = ParametersSpec.PROJECT

    @TempDir
    Path folder

    Path project

    def setup() {
        project = Files.createDirectories(folder.resolve('project'))
        Files.createDirectories(project.resolve('bin-java/src'))
        Files.copy(PROJECT.resolve('nextflow'), project.resolve('nextflow'))
        project.resolve('pom.xml').text = '<nextflow.version>24.10.0</nextflow.version>'
        project.resolve('bin-java/pom.xml').text = ''
        script('bin/universality', '')
        ['plugin/src', 'lib'].each { Files.createDirectories(project.resolve(it)) }
        ['plugin/pom.xml', 'nextflow_schema.json'].each { project.resolve(it).text = '' }
        script('nextflow-of-the-user/nextflow', """
            NXF_VER=\${NXF_VER:-'24.10.0'}
            echo ran "\$@"
            if [ -n "\${NXF_PLUGINS_DIR:-}" ]; then cd "\$NXF_PLUGINS_DIR"; for plugin in *; do echo "\$plugin is \$(cat "\$plugin/name")"; done; fi
            """.stripIndent())
        script('maven/mvn', """
            echo built >>'${folder}/builds'
            case " \$* " in *' -pl plugin '*)
                mkdir -p '${project}/plugin/target/plugins/nf-universality-0.1.0'
                echo whole >'${project}/plugin/target/nf-universality-plugin-0.1.0.jar'
                echo ours >'${project}/plugin/target/plugins/nf-universality-0.1.0/name'
                exit ;;
            esac
            mkdir -p '${project}/bin-java/target/lib'
            echo half >'${project}/bin-java/target/universality.jar'
            if [ -f '${folder}/stall' ]; then echo stalls >>'${folder}/stalled'; sleep 60; fi
            echo whole >'${project}/bin-java/target/universality.jar'
            """.stripIndent())
    }

    private void script(String path, String body) {
        Path file = project.resolve(path)
        Files.createDirectories(file.parent)
        file.text = '#!/usr/bin/env bash\n' + body
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString('rwxr-xr-x'))
    }

    private Process start(List<String> arguments = ['run', 'x'], Path home = folder.resolve('home'), String said = 'said') {
        ProcessBuilder builder = new ProcessBuilder([project.resolve('nextflow').toString(), *arguments])
        builder.environment().NXF_HOME = home.toString()
        builder.environment().remove('NXF_PLUGINS_DIR')
        builder.environment().PATH = "${project}/maven:${project}/nextflow-of-the-user:${System.getenv('PATH')}".toString()
        builder.redirectErrorStream(true).redirectOutput(folder.resolve(said).toFile()).start()
    }

    private List<String> run(Object... how) {
        Process process = start(*how)
        assert process.waitFor(1, TimeUnit.MINUTES)
        folder.resolve('said').readLines()
    }

    private static void install(Path home, String plugin) {
        Files.createDirectories(home.resolve("plugins/${plugin}")).resolve('name').text = "${plugin} of ${home.fileName}"
    }

    /** Every file of the project that the launcher can have made, and when. */
    private Map<String, Object> made() {
        Map<String, Object> found = [:]
        project.eachFileRecurse { found[project.relativize(it).toString()] = Files.getLastModifiedTime(it) }
        found
    }

    private int builds() {
        Path file = folder.resolve('builds')
        Files.exists(file) ? file.readLines().size() : 0
    }

    def 'the tools are built once, and again when their sources are newer'() {
        expect:
        run() == ['nextflow: building the tools', 'nextflow: warming up the tools', 'ran run x']
        run() == ['ran run x']
        builds() == 1

        when:
        project.resolve('bin-java/src/New.java').toFile().with {
            text = ''
            lastModified = System.currentTimeMillis() + 60_000
        }

        then:
        run().contains('nextflow: building the tools')
        builds() == 2
    }

    def 'what was written at one tick of the clock with the jar is not older than it'() {
        given:
        run()
        Path archive = project.resolve('bin-java/target/universality.jsa')
        Path jar = project.resolve('bin-java/target/universality.jar')

        when:
        Files.setLastModifiedTime(archive, Files.getLastModifiedTime(jar))

        then:
        run() == ['ran run x']

        when: 'the jar is of later'
        Files.setLastModifiedTime(jar, FileTime.fromMillis(Files.getLastModifiedTime(jar).toMillis() + 60_000))

        then:
        run() == ['nextflow: warming up the tools', 'ran run x']
    }

    def 'a build that was ended by force is made anew, for what it left may be half a jar'() {
        given:
        folder.resolve('stall').text = ''
        Process process = start()
        while (!Files.exists(folder.resolve('stalled'))) {
            assert process.alive
            Thread.sleep(20)
        }
        List<ProcessHandle> all = process.descendants().toList() + process.toHandle()
        all*.destroyForcibly()
        all.each { it.onExit().get(1, TimeUnit.MINUTES) }
        Files.delete(folder.resolve('stall'))
        Path leftover = Files.writeString(project.resolve('bin-java/target/lib/half.jar'), 'half')

        expect:
        project.resolve('bin-java/target/universality.jar').text.trim() == 'half'
        run() == ['nextflow: building the tools', 'nextflow: warming up the tools', 'ran run x']
        project.resolve('bin-java/target/universality.jar').text.trim() == 'whole'
        !Files.exists(leftover)
        run() == ['ran run x']
    }

    static final List<String> RECORDED = ['run', 'x', '-plugins', 'nf-universality@0.1.0']

    def 'the plugin is offered beside those that are installed, and the project learns nothing of them'() {
        given:
        Path mine = folder.resolve('mine')
        Path theirs = folder.resolve('theirs')
        install(mine, 'nf-x-1')
        install(theirs, 'nf-y-2')
        install(theirs, 'nf-universality-0.1.0')

        expect: 'this one, where another of its name is installed'
        run(RECORDED, mine).contains('nextflow: building the plugin')
        builds() == 2
        Map<String, Object> before = made()
        run(RECORDED, mine).drop(1) == ['nf-universality-0.1.0 is ours', 'nf-x-1 is nf-x-1 of mine']
        run(RECORDED, theirs).drop(1) == ['nf-universality-0.1.0 is ours', 'nf-y-2 is nf-y-2 of theirs']

        when: 'one is installed, another is gone'
        install(mine, 'nf-z-3')
        mine.resolve('plugins/nf-x-1').deleteDir()

        then:
        run(RECORDED, mine).drop(1) == ['nf-universality-0.1.0 is ours', 'nf-z-3 is nf-z-3 of mine']

        when: 'a home that is gone with its job, and two launches at once in the next'
        OutputFolder.deleteTree(theirs) // not what its links point to
        Path next = folder.resolve('next')
        install(next, 'nf-y-2')
        List<Process> both = ['one', 'two'].collect { start(RECORDED, next, it) }

        then:
        both.every { it.waitFor(1, TimeUnit.MINUTES) && it.exitValue() == 0 }
        ['one', 'two'].every { folder.resolve(it).readLines().drop(1) == ['nf-universality-0.1.0 is ours', 'nf-y-2 is nf-y-2 of next'] }

        and: 'nothing was written into the project, which need not be the user\'s'
        made() == before
    }

    def 'nothing is asked of a project that is built and may not be written; what must be built there is said in one line'() {
        given: 'a lock that cannot be opened, by root either'
        run(RECORDED)
        Path lock = project.resolve('.nextflow-bootstrap.lock')
        Files.deleteIfExists(lock)
        Files.createDirectory(lock)

        expect:
        run(RECORDED) == ['ran run x -plugins nf-universality@0.1.0', 'nf-universality-0.1.0 is ours']

        when:
        Files.delete(project.resolve('plugin/target/nf-universality-plugin-0.1.0.jar'))

        then:
        run(RECORDED) == ["nextflow: '${lock}' cannot be written, but something must be built there: who may write there runs './nextflow' with these arguments"]
    }
}
