package unit.docs

import java.nio.file.Files
import java.nio.file.Path
import picocli.CommandLine
import picocli.CommandLine.Model.ArgSpec
import picocli.CommandLine.Model.CommandSpec
import spock.lang.Specification
import universality.cli.Main
import universality.data.ExitCode

/**
 * docs/tools.md is what the commands say of themselves, and the table of exit codes is that of the code.
 * {@code -Ddocs.write=true} writes docs/tools.md anew.
 */
class ToolsSpec extends Specification {
    private static final Path PROJECT = OutputDocs.PROJECT
    private static final Path TOOLS = PROJECT.resolve('docs/tools.md')

    def 'docs/tools.md lists every option of every command'() {
        given:
        String expected = document()
        if (Boolean.getBoolean('docs.write')) {
            Files.writeString(TOOLS, expected)
        }

        expect:
        TOOLS.text.readLines() == expected.readLines()
    }

    private static String document() {
        CommandSpec main = new CommandLine(new Main()).commandSpec
        List<CommandSpec> commands = main.subcommands().values()*.commandSpec.findAll { !it.usageMessage().hidden() }
        """\
        # The tools: every option

        `bin/universality COMMAND OPTIONS…` runs one tool; the pipeline does nothing else. Parameters of the pipeline are in
        [usage.md](usage.md#parameters), files and columns in [output.md](output.md), exit codes in
        [usage.md](usage.md#when-something-fails). `universality --version` prints the version, the digest of each stage's code and
        the engine, `--help` the commands; every command has `--help` and `--debug`, which are not repeated below.

        By hand, these variables size a run (a task of the pipeline sets the first two):

        | variable | default | |
        |---|---|---|
        | `UNIVERSALITY_MEMORY` | 4096 | MB of memory for the whole process: a quarter, at most 8192, is the Java heap. `--memory` is for what is computed, beside it |
        | `UNIVERSALITY_CPUS` | all | processors that are used |
        | `UNIVERSALITY_HEAP` | | the heap itself, such as `2g` |
        | `UNIVERSALITY_JVM` | | options of the Java machine |

        This page is made from the commands themselves, and a test fails where it differs:
        `mvn test -pl bin-java,tests -am -Dtest=ToolsSpec -Dsurefire.failIfNoSpecifiedTests=false -Ddocs.write=true` writes it.
        """.stripIndent() + commands.collect { section(it) }.join('')
    }

    private static String section(CommandSpec command) {
        List<ArgSpec> all = command.positionalParameters() + command.options().findAll { !it.hidden() && !(it.names()[0] in ['--help', '--debug']) }
        "\n## ${command.name()}\n\n${command.usageMessage().description().join(' ')}\n" +
                '\n| option | default | meaning |\n|---|---|---|\n' + all.collect { row(it) }.join('')
    }

    private static String row(ArgSpec argument) {
        String name = argument.positional ? argument.paramLabel() : argument.names().join(', ') + (argument.arity().max() ? ' ' + argument.paramLabel() : '')
        String meaning = argument.description().join(' ').replaceAll(/ \(default: \$\{DEFAULT-VALUE\}\)/, '').replace('${COMPLETION-CANDIDATES}', candidates(argument))
        String fallback = argument.group()?.multiplicity()?.min() == 1 ? '*one of these*' : argument.required() ? '*required*' : argument.defaultValue() && !argument.defaultValue().startsWith('${') ? "`${argument.defaultValue()}`" : ''
        "| `${name.replace('|', '\\|')}` | ${fallback} | ${meaning.replace('|', '\\|')} |\n"
    }

    private static String candidates(ArgSpec argument) {
        argument.completionCandidates()?.join(', ') ?: ''
    }

    def 'no description is left with what only the help can fill in'() {
        expect:
        !TOOLS.text.contains('${')
        TOOLS.text.readLines().findAll { it.startsWith('| `') }.every { it.split(/(?<!\\)\|/)[3].trim() }
    }

    def 'docs/usage.md says what every exit code means and whether a task is tried again'() {
        given:
        List<String> lines = PROJECT.resolve('docs/usage.md').readLines()
        List<String> table = lines.drop(lines.findIndexOf { it.startsWith('| exit code') } + 2).takeWhile { it.startsWith('|') }
        Map<Integer, String> again = table.collectMany { row ->
            def cells = row.split(/\|/)*.trim()
            cells[1].split(',').collect { [it.trim() as int, cells[3]] }
        }.collectEntries { it }
        Set<Integer> retried = (PROJECT.resolve('conf/base.config').text =~ /exitStatus in \[([\d, ]+)\]/)[0][1].split(',')*.trim()*.toInteger()

        expect:
        again.keySet() == (ExitCode.values()*.status() - 0).toSet() + [137, 140, 143, 2147483647]
        again.findAll { it.value != 'no' }.keySet() == retried
    }
}
