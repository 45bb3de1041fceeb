package pipeline

import java.lang.management.ManagementFactory
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** Tasks of one machine never have more of it together than there is: what runs at once is noted by the tasks themselves. */
class LaptopSpec extends Specification {
    @TempDir
    Path folder

    private static final int CORES = Runtime.runtime.availableProcessors()
    private static final long TOTAL = ManagementFactory.operatingSystemMXBean.totalMemorySize >> 20
    private static final List<String> LABELS = ['tables', 'train', 'transfer', 'compute']

    def '#profile #arguments: at most #cores processors and #memory MB at once'() {
        when:
        def result = run(profile, *arguments)
        List<Map> moments = moments()

        then: 'all of them ran, and as many threads as processors were given to each'
        result.succeeded()
        result.tasks.size() == 3 * LABELS.size()
        moments.last() == [tasks: LABELS.collectEntries { [(it): 0] }, cores: 0, memory: 0L]

        and:
        moments*.cores.max() <= cores
        moments*.memory.max() <= memory
        moments*.tasks*.compute.max() == 1
        folder.resolve('moments').readLines().findAll { it.contains(' compute ') }*.split(' ', 3)*.last().toSet() == [heavy.toString()] as Set

        where:
        profile  | arguments                                                        || cores | memory                            | heavy
        'laptop' | []                                                                 || CORES | Math.max(TOTAL - 2048, TOTAL >> 1) | "${CORES} ${Math.min(6144, Math.max(TOTAL - 2048, TOTAL >> 1))}"
        'laptop' | ['--max_cpus', '1', '--max_memory', '3 GB']                        || 1     | 3072                              | '1 3072'
        'laptop' | ['--max_cpus', '4096', '--max_memory', '900 TB']                   || CORES | TOTAL                             | "${CORES} ${Math.min(6144, Math.max(TOTAL - 2048, TOTAL >> 1))}"
        'gpu'    | ['--gpus', '1', '--gpu_memory', '100 MB', '--compute_cpus', '1']   || CORES | TOTAL                             | '1 100'
    }

    private Pipeline.Result run(String profile, String... arguments) {
        folder.resolve('main.nf').text = LABELS.collect { process(it) }.join('\n') + '\nworkflow {\n' +
                LABELS.collect { "    ${it.toUpperCase()}(channel.of(1, 2, 3))\n" }.join('') + '}\n'
        folder.resolve('nextflow.config').text = "includeConfig '${Pipeline.PROJECT}/nextflow.config'\n"
        Pipeline pipeline = new Pipeline(folder, folder)
        pipeline.environment = [MOMENTS: folder.resolve('moments').toString()]
        pipeline.run('-profile', profile, *arguments)
    }

    /** A task that notes when it has begun and before it ends. */
    private static String process(String label) {
        """
        process ${label.toUpperCase()} {
            label '${label}'

            input:
            val number

            script:
            \"\"\"
            [ \\\$UNIVERSALITY_CPUS = \${task.cpus} ]
            [ \\\$UNIVERSALITY_MEMORY = \${task.memory.toMega()} ]
            note() { flock "\\\$MOMENTS.lock" -c "echo '\\\$1 ${label} \${task.cpus} \${task.memory.toMega()}' >>'\\\$MOMENTS'"; }
            note +
            sleep 0.2
            note -
            \"\"\"
        }
        """.stripIndent()
    }

    /** After each note: tasks by label, processors and memory of those that run. */
    private List<Map> moments() {
        Map<String, Integer> tasks = LABELS.collectEntries { [(it): 0] }
        int cores = 0
        long memory = 0
        folder.resolve('moments').readLines().collect { line ->
            def (sign, label, cpus, megabytes) = line.split(' ')
            int one = sign == '+' ? 1 : -1
            tasks[label] += one
            cores += one * cpus.toInteger()
            memory += one * megabytes.toLong()
            [tasks: new HashMap<>(tasks), cores: cores, memory: memory]
        }
    }
}
