package pipeline

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** What the user sees of mistakes: one clear line, exit 1, nothing started or nothing half-done. */
class BadInputSpec extends Specification {
    @TempDir
    Path folder

    def 'seen at launch, said alone: #arguments'() {
        given:
        Pipeline pipeline = new Pipeline(folder.resolve('launch'))

        when:
        def result = pipeline.run(*arguments)

        then:
        result.status == 1
        result.errors() == [line]
        result.out.trim().isEmpty()
        !Files.exists(pipeline.folder.resolve('results'))

        where:
        arguments                                    || line
        ['-profile', 'test', '--sedes', '1,2']       || "unknown parameter '--sedes': did you mean '--seeds'? (--help lists all)"
        ['-profile', 'test', '--seeds', '7']         || "the family 'tiny' has the seed 7 only: correlation needs at least two seeds of one family"
        ['-profile', 'test', '--text', 'gone.txt']   || "--text 'gone.txt' is no file that exists"
    }

    def 'what computes nothing leaves no results, and those of a finished study as they are: #arguments'() {
        given: 'without a trace of the test, in whose place the study has its own'
        Pipeline pipeline = new Pipeline(folder.resolve('launch'))
        Path results = pipeline.folder.resolve('results')
        def launch = { pipeline.finish(pipeline.command(['-q', 'run', Pipeline.PROJECT.resolve('main.nf').toString(), '-ansi-log', 'false', '-profile', 'test', *it])) }

        when: 'nothing was there'
        def before = launch(arguments)

        then:
        before.status == status
        !Files.exists(results)

        when: 'a study was there'
        launch(['-stub']).succeeded()
        String trace = results.resolve('pipeline/trace.txt').text
        def after = launch(arguments)

        then:
        trace.readLines().size() == 1 + 25
        after.status == status
        results.resolve('pipeline/trace.txt').text == trace

        when: 'it is run again'
        launch(['-stub', '-resume']).succeeded()

        then:
        results.resolve('pipeline/trace.txt').readLines().tail().every { it.contains('\tCACHED\t') }

        where:
        arguments           || status
        ['--plan']          || 0
        ['--sedes', '1,2']  || 1
    }

    def 'a mistyped profile is named'() {
        when:
        def result = new Pipeline(folder.resolve('launch')).run('-profile', 'tset')

        then:
        result.status == 1
        result.err.contains("Unknown configuration profile: 'tset'")
    }

    def 'tools that were never built'() {
        given:
        Path project = Pipeline.copyOfProject(folder.resolve('project'))
        project.resolve('bin-java').toFile().deleteDir()

        when:
        def result = new Pipeline(folder.resolve('launch'), project).run('-profile', 'test')

        then:
        result.status == 1
        result.errors() == ["the tools are not built: run './nextflow' instead of 'nextflow', or 'mvn -q package -DskipTests' in ${project.toRealPath()}".toString()]
    }

    def 'text with #what stops the run with the line of the tool'() {
        given:
        Pipeline pipeline = new Pipeline(folder.resolve('launch'))
        pipeline.folder.resolve("Anna's book.txt").text = text

        when:
        def result = pipeline.run('-profile', 'test', '--text', "Anna's book.txt")

        then:
        result.status == 1
        result.errors().last().startsWith('universality tokenize: ')
        result.errors().last().contains(said)
        !Files.exists(pipeline.folder.resolve('results/tokenize'))

        where:
        what                  | text        || said
        'nothing in it'       | ' \n'       || 'there is no text in it'
        'less than a row'     | 'Short.\n'  || 'documents for 4 splits'
    }
}
