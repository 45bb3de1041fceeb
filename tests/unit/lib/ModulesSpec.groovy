package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification

/** One stage, one name: folder, process, command, package; and what every process must have. */
class ModulesSpec extends Specification {
    static final Path PROJECT = ParametersSpec.PROJECT

    def 'every stage has a module, and every module is a stage'() {
        expect:
        PROJECT.resolve('modules').toFile().list().toList().toSorted() == Launch.STAGES.toSorted()
    }

    def 'the process of #stage is whole'() {
        given:
        String text = PROJECT.resolve("modules/${stage}/main.nf").text
        List<String> lines = text.readLines()*.trim()

        expect: 'its name, a tag, a label, its digest, a stub'
        text.findAll(/(?m)^process (\w+)/) == ["process ${stage.toUpperCase()}".toString()]
        lines.contains('tag "${meta.id}"')
        lines.any { it.startsWith('label ') }
        lines.contains('val digest')
        lines.contains('script:') && lines.contains('stub:')

        and: "its tool, quoted so that Nextflow does not hash the launcher's time"
        text.contains("'universality' ${stage} ")
        text.contains('--out ${meta.id} --overwrite\n')

        and: 'no parameter from outside, no time, no absolute path'
        !(text =~ /params\.|new Date|launchDir|projectDir|workflow\./)
        !lines.any { it =~ /'\// }

        and: 'no staged file as a condition: it would be false, see Shell.files'
        !(text =~ /\$\{\w+ \?/)

        where:
        stage << Launch.STAGES
    }

    def 'every stage has a command and a digest in --version'() {
        expect:
        universality.cli.Main.getAnnotation(picocli.CommandLine.Command).subcommands()*.simpleName.toSet()
                .containsAll(Launch.STAGES.collect { it.capitalize() + 'Command' })

        when:
        def before = System.out
        def bytes = new ByteArrayOutputStream()
        System.out = new PrintStream(bytes, true, 'UTF-8')
        int status
        try {
            status = universality.cli.Main.run('--version')
        } finally {
            System.out = before
        }
        def lines = bytes.toString('UTF-8').readLines()

        then:
        status == 0
        lines.first() == "universality ${universality.data.Build.version()}"
        lines.last() ==~ /engine PyTorch \d+\.\d+\.\d+/
        lines.drop(1).dropRight(1)*.tokenize(' ')*.first() as Set == Launch.STAGES as Set
    }
}
