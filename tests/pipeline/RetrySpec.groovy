package pipeline

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** Which exit codes are tried again, and with what: the rules of conf/base.config, and of conf/slurm.config for time, on tasks that fail as tools do. */
class RetrySpec extends Specification {
    @TempDir
    Path folder

    static final String WORKFLOW = '''
        process TOOL {
            tag "${code}"
            memory { task.previousTrace ? task.previousTrace.memory * (task.previousTrace.exit in [71, 137] ? 2 : 1) : 100.MB }

            input:
            val code

            output:
            stdout

            script:
            """
            if [ ${task.attempt} = 1 ]; then exit ${code}; fi
            echo "${code} ${task.memory.toMega()} ${task.time.toHours()} \\$UNIVERSALITY_MEMORY ${Tasks.blocks(task.memory, task.previousTrace)}"
            """
        }

        workflow {
            TOOL(channel.fromList(params.codes.toString().split(',').collect { code -> code as Integer }))
            TOOL.out.view()
        }
        '''

    def 'tried again with more memory, more time, smaller blocks, or unchanged'() {
        when:
        def result = run('71,75,76,137,140,143')

        then:
        result.status == 0
        result.out.readLines()*.trim().findAll().toSorted() == [
            "137 200 4 200 '150 MB'".toString(),
            "140 100 16 100 '75 MB'".toString(),
            "143 100 4 100 '75 MB'".toString(),
            "71 200 4 200 '150 MB'".toString(),
            "75 100 4 100 '75 MB'".toString(),
            "76 100 4 100 '37 MB'".toString(),
        ].toSorted()
    }

    def '#code is final'() {
        when:
        def result = run(code)

        then:
        result.status == 1
        result.tasks*.attempt == ['1']

        where:
        code << ['65', '70']
    }

    private Pipeline.Result run(String codes) {
        folder.resolve('main.nf').text = WORKFLOW.stripIndent()
        folder.resolve('lib').toFile().mkdirs()
        folder.resolve('lib/Tasks.groovy').text = Pipeline.PROJECT.resolve('lib/Tasks.groovy').text
        folder.resolve('lib/Shell.groovy').text = Pipeline.PROJECT.resolve('lib/Shell.groovy').text
        folder.resolve('nextflow.config').text = """
            params { codes = null; max_cpus = null; max_memory = null; max_time = null; outdir = 'results'; publish_mode = 'copy'
                     save_tokens = false; save_checkpoints = false; save_activations = false }
            includeConfig '${Pipeline.PROJECT}/conf/base.config'
            process { ${times()} }
            """
        new Pipeline(folder, folder).run('--codes', codes)
    }

    /** The rule for time, which only the cluster's profile has. */
    private static String times() {
        Pipeline.PROJECT.resolve('conf/slurm.config').readLines()*.trim().find { it.startsWith('time ') }
    }
}
