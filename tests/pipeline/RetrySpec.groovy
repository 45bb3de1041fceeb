package pipeline

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** Which exit codes are tried again, and with what: the rules of the profile slurm, on tasks that fail as tools do and run here. */
class RetrySpec extends Specification {
    @TempDir
    Path folder

    static final List<String> LABELS = ['tables', 'train', 'transfer', 'compute']

    def 'tried again with more memory, more time, smaller blocks, or unchanged'() {
        when:
        def result = run('71,75,76,137,140,143')

        then: 'for memory twice the memory, for time four times the time, nothing else for anything else'
        result.status == 0
        Map<String, List<String>> seen = result.out.readLines()*.trim().findAll().collect { it.split(' ', 3) }.groupBy { it[0] }
                .collectEntries { label, lines -> [(label): lines.collect { "${it[1]} ${it[2]}".toString() }.toSorted()] }
        seen.keySet() == LABELS as Set
        ['train', 'transfer', 'compute'].each {
            assert seen[it] == [
                "137 200 4 200 --memory '50 MB'",
                "140 100 16 100 --memory '25 MB'",
                "143 100 4 100 --memory '25 MB'",
                "71 200 4 200 --memory '50 MB'",
                "75 100 4 100 --memory '25 MB'",
                "76 100 4 100 --memory '12 MB'",
            ]
        }
        seen.tables == [
            "137 1600 4 1600 --memory '800 MB'",
            "140 800 16 800 --memory '200 MB'",
            "143 800 4 800 --memory '200 MB'",
            "71 1600 4 1600 --memory '800 MB'",
            "75 800 4 800 --memory '200 MB'",
            "76 800 4 800 --memory '100 MB'",
        ]
    }

    def 'what a try was given stays given, whatever the next one ends with: #first, then #second'() {
        when:
        def result = run(first, second)

        then:
        result.status == 0
        result.out.readLines()*.trim().findAll { it.startsWith('train ') }.toSorted() == expected
        result.tasks*.attempt.toSet() == ['1', '2', '3'] as Set

        where:
        first    | second || expected
        '137'    | '140'  || ["train 137 200 16 200 --memory '50 MB'"]
        '76'     | '143'  || ["train 76 100 4 100 --memory '12 MB'"]
        '76,137' | '76'   || ["train 137 200 4 200 --memory '25 MB'", "train 76 100 4 100 --memory '6 MB'"]
    }

    def 'a task is tried three times at most, and what runs beside it comes to its end'() {
        when:
        def result = run('137,0', '137', '137')

        then:
        result.status == 1
        result.tasks*.attempt*.toInteger().max() == 3
        result.tasks.find { it.name == 'TABLES (0)' }.status == 'COMPLETED'
    }

    def '#code is final'() {
        when:
        def result = run(code)

        then:
        result.status == 1
        result.tasks*.attempt.toSet() == ['1'] as Set

        where:
        code << ['65', '70']
    }

    /**
     * A task for each label and code; later tries end with the other codes, and then well. Of the tasks with the code 0, which end
     * well, one does so some time after one of the others has begun its third try.
     */
    private Pipeline.Result run(String codes, String... later) {
        folder.resolve('main.nf').text = LABELS.collect { process(it, later.toList()) }.join('\n') + """
            workflow {
                def codes = channel.fromList(params.codes.toString().split(',').collect { code -> code as Integer })
            """.stripIndent() + LABELS.collect { "    ${it.toUpperCase()}(codes)\n    ${it.toUpperCase()}.out.view()\n" }.join('') + '}\n'
        folder.resolve('lib').toFile().mkdirs()
        ['Tasks', 'Shell'].each { folder.resolve("lib/${it}.groovy").text = Pipeline.PROJECT.resolve("lib/${it}.groovy").text }
        folder.resolve('nextflow.config').text = "includeConfig '${Pipeline.PROJECT}/nextflow.config'\n"
        folder.resolve('here.config').text = '''
            process {
                executor = 'local'
                withLabel: transfer { executor = 'local' }
            }
            '''
        List<String> memory = LABELS.collectMany { ["--${it}_memory".toString(), it == 'tables' ? '800 MB' : '100 MB'] }
        new Pipeline(folder, folder).run('-profile', 'slurm', '-c', folder.resolve('here.config').toString(), '--codes', codes, *memory, '--compute_cpus', '1')
    }

    private String process(String label, List<String> later) {
        String ends = later.withIndex().collect { code, i -> "if [ \${task.attempt} = ${i + 2} ]; then exit ${code}; fi" }.join('\n            ')
        """
        process ${label.toUpperCase()} {
            tag "\${code}"
            label '${label}'

            input:
            val code

            output:
            stdout

            script:
            \"\"\"
            if [ \${task.attempt} = 3 ]; then touch '${folder}/third'; fi
            if [ \${code} = 0 ] && [ ${label} = tables ]; then until [ -e '${folder}/third' ]; do sleep 0.1; done; sleep 2; fi
            if [ \${task.attempt} = 1 ]; then exit \${code}; fi
            ${ends}
            echo "${label} \${code} \${task.memory.toMega()} \${task.time.toHours()} \\\$UNIVERSALITY_MEMORY --memory \${Tasks.blocks(task.memory, task.previousTrace)}"
            \"\"\"
        }
        """.stripIndent()
    }
}
