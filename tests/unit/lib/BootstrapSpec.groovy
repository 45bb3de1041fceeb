package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.TimeUnit
import spock.lang.Specification
import spock.lang.TempDir

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
        script('nextflow-of-the-user/nextflow', "NXF_VER=\${NXF_VER:-'24.10.0'}\necho ran \"\$@\"")
        script('maven/mvn', """
            echo built >>'${folder}/builds'
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

    private Process start() {
        ProcessBuilder builder = new ProcessBuilder(project.resolve('nextflow').toString(), 'run', 'x')
        builder.environment().PATH = "${project}/maven:${project}/nextflow-of-the-user:${System.getenv('PATH')}".toString()
        builder.redirectErrorStream(true).redirectOutput(folder.resolve('said').toFile()).start()
    }

    private List<String> run() {
        Process process = start()
        assert process.waitFor(1, TimeUnit.MINUTES)
        folder.resolve('said').readLines()
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
}
