package pipeline

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import spock.lang.Requires
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir

/** The study on a real SLURM cluster of one node: whatever happens to jobs and to the cluster, results are those of one machine. */
@Requires(value = { SlurmCluster.possible() }, reason = SlurmCluster.MISSING)
@Stepwise
class SlurmSpec extends Specification {
    @TempDir
    @Shared
    Path folder

    @Shared
    SlurmCluster cluster

    @Shared
    Map<String, String> here

    /** What is sourced by every task's script: a try for which a file of the task's name lies ready runs that file first. */
    private static final String FAULTS = '''
        case $0 in *.command.sh) ;; *) return 0 ;; esac
        name=$(sed -nE "s/^### name: '(.*)'/\\1/p" .command.run)
        if mv "$FAULTS/$name" "$FAULTS/$name.begun" 2>/dev/null; then
          source "$FAULTS/$name.begun"
        fi
        unset name
        '''.stripIndent()

    /** Until the job is ended. */
    private static final String SLEEP = 'sleep 300; exit 1'

    /** Until this spec says go on, two minutes at most. */
    private static final String WAIT =
            'touch "$FAULTS/$name.waits"; for i in {1..600}; do [ -e "$FAULTS/$name.waits" ] || break; sleep 0.2; done'

    /** The job's own process is the outermost one of that name; those within are its subshells. */
    private static final String KILL_WRAPPER = '''
        pid=$$ wrapper=
        while [ "$pid" -gt 1 ]; do
          if grep -qz slurm_script "/proc/$pid/cmdline"; then wrapper=$pid; fi
          pid=$(ps -o ppid= -p "$pid" | tr -d ' ')
        done
        kill -KILL "$wrapper"
        exit 1
        '''.stripIndent()

    def setupSpec() {
        Pipeline local = new Pipeline(folder.resolve('here'))
        local.run('-profile', 'test').succeeded()
        here = local.published()
        cluster = new SlurmCluster(folder.resolve('cluster'), 4)
    }

    def cleanupSpec() {
        cluster?.close()
    }

    def 'in job arrays, with GPUs asked for where models run'() {
        given: 'an array whose tasks take longer than they may'
        Pipeline pipeline = launch('arrays')
        List<String> faults = before('arrays', ['TRAIN (tiny-s1)': SLEEP, 'TRAIN (tiny-s2)': SLEEP])

        when: 'GPUs are asked for, and not used'
        def result = pipeline.run(*study('test,gpu,slurm'), *faults, '--device', 'cpu', '--gpu_memory', '1500 MB', '--slurm_array', '2', '--train_time', '1 min')

        then:
        result.succeeded()
        pipeline.published() == here

        and: 'two by two, unless one is left or is tried again, which has more time'
        Map<String, List<String>> jobs = result.tasks.groupBy { it.process }.collectEntries { process, tasks -> [(process): tasks*.native_id] }
        ['ACTIVATE', 'DESCRIBE', 'IDENTIFY', 'ABLATE'].each { process -> assert jobs[process].every { id -> id ==~ /\d+_[01]/ } }
        jobs.REPORT.every { it ==~ /\d+/ }
        tries(result) == [
            'TRAIN (tiny-s1)': ['143: 1.5 GB, 1m', '0: 1.5 GB, 4m'],
            'TRAIN (tiny-s2)': ['143: 1.5 GB, 1m', '0: 1.5 GB, 4m'],
        ]
        jobs.TRAIN*.contains('_').toSorted() == [false, false, true, true]

        and:
        ['ACTIVATE', 'CORRELATE', 'ABLATE'].each { process -> assert jobs[process].every { cluster.job(it).contains('TresPerNode=gres:gpu:1') } }
        ['TRAIN', 'DESCRIBE', 'IDENTIFY', 'PERSIST', 'REPORT'].each { process -> assert !jobs[process].any { cluster.job(it).contains('gres') } }
    }

    def 'tried again as it has to be, whatever happens'() {
        given: 'what happens to the first try of some tasks'
        Pipeline pipeline = launch('faults')
        List<String> faults = before('faults', [
            'TRAIN (tiny-s1)'      : SLEEP,
            'TRAIN (tiny-s2)'      : SLEEP,
            'ACTIVATE (tiny-s1-t0)': 'scancel "$SLURM_JOB_ID"\n' + SLEEP,
            'ACTIVATE (tiny-s2-t0)': 'kill -KILL $$',
            'ACTIVATE (tiny-s1-t8)': KILL_WRAPPER,
            'ACTIVATE (tiny-s2-t8)': 'exit 76',
            'DESCRIBE (tiny-s1-t0)': 'exit 71',
            'DESCRIBE (tiny-s2-t0)': 'exit 75',
            'CORRELATE (tiny-t0)'  : WAIT,
            'IDENTIFY (tiny-t8)'   : WAIT,
        ])

        when:
        Process process = pipeline.start(*study('test,slurm'), *faults, '--train_time', '1 min')

        and: 'the node is drained while a task runs, which goes on; what follows waits'
        untilWaiting(process, 'CORRELATE (tiny-t0)')
        cluster.drain()
        String drained = cluster.nodeState()
        go('CORRELATE (tiny-t0)')
        cluster.await('job that waits for the node') { cluster.jobs('PD') }
        cluster.resume()

        and: 'slurmctld restarts; jobs are submitted while it is away'
        untilWaiting(process, 'IDENTIFY (tiny-t8)')
        cluster.stopController()
        go('IDENTIFY (tiny-t8)')
        cluster.await('submission that fails') { pipeline.folder.resolve('.nextflow.log').text.contains('Unable to contact slurm controller') }
        cluster.startController()
        def result = pipeline.finish(process)

        then: 'the results are those of the run that nothing happened to'
        result.succeeded()
        pipeline.published() == here
        drained.contains('DRAIN')

        and: 'more time after a time limit only, more memory for want of memory only, and no try that is not needed'
        tries(result) == [
            'TRAIN (tiny-s1)'      : ['140: 1.5 GB, 1m', '0: 1.5 GB, 4m'],
            'TRAIN (tiny-s2)'      : ['140: 1.5 GB, 1m', '0: 1.5 GB, 4m'],
            'ACTIVATE (tiny-s1-t0)': ['143: 1.5 GB, 4h', '0: 1.5 GB, 4h'],
            'ACTIVATE (tiny-s2-t0)': ['137: 1.5 GB, 4h', '0: 2.9 GB, 4h'],
            'ACTIVATE (tiny-s1-t8)': ['-: 1.5 GB, 4h', '0: 1.5 GB, 4h'], // so the trace writes 2147483647
            'ACTIVATE (tiny-s2-t8)': ['76: 1.5 GB, 4h', '0: 1.5 GB, 4h'],
            'DESCRIBE (tiny-s1-t0)': ['71: 1.5 GB, 4h', '0: 2.9 GB, 4h'],
            'DESCRIBE (tiny-s2-t0)': ['75: 1.5 GB, 4h', '0: 1.5 GB, 4h'],
        ]
        result.tasks.groupBy { it.name }.every { name, tries -> tries.max { it.attempt }.status == 'COMPLETED' }

        and: 'smaller blocks for want of device memory only'
        blocks(result, 'ACTIVATE (tiny-s2-t8)') == ["'725 MB'", "'362 MB'"]
        blocks(result, 'ACTIVATE (tiny-s2-t0)') == ["'725 MB'", "'1850 MB'"]
        blocks(result, 'ACTIVATE (tiny-s1-t8)') == ["'725 MB'", "'725 MB'"]
    }

    /** Of each task that was tried again: every try's exit code, and what it had asked for. */
    private static Map<String, List<String>> tries(Pipeline.Result result) {
        result.tasks.groupBy { it.name }.findAll { name, tries -> tries.size() > 1 }.collectEntries { name, tries ->
            [(name): tries.toSorted { it.attempt }.collect { "${it.exit}: ${it.memory}, ${it.time}".toString() }]
        }
    }

    /** Options with which these scripts run before the first try of the tasks of these names. */
    private List<String> before(String name, Map<String, String> scripts) {
        Path ready = Files.createDirectories(folder.resolve("${name}.d"))
        scripts.each { task, script -> ready.resolve(task).text = script + '\n' }
        folder.resolve('faults.sh').text = FAULTS
        Path config = folder.resolve("${name}.config")
        config.text = "env { BASH_ENV = '${folder}/faults.sh'; FAULTS = '${ready}' }\n"
        ['-c', config.toString()]
    }

    private static List<String> blocks(Pipeline.Result result, String name) {
        result.tasks.findAll { it.name == name }.toSorted { it.attempt }
                .collect { (Path.of(it.workdir).resolve('.command.sh').text =~ /--memory ('.*?')/).with { it.find() ? it.group(1) : '' } }
    }

    private Pipeline launch(String name) {
        Pipeline pipeline = new Pipeline(folder.resolve(name))
        pipeline.environment = cluster.environment
        pipeline
    }

    /** The smallest study, on a scheduler that is asked often. */
    private static List<String> study(String profiles) {
        ['-profile', profiles, '--compute_cpus', '1', '--compute_memory', '1500 MB', '--slurm_submit_rate', '50/1s', '--slurm_poll_interval', '200ms',
         '--slurm_queue_interval', '1 s', '--slurm_exit_timeout', '3 s']
    }

    private void untilWaiting(Process process, String name) {
        Path waits = folder.resolve("faults.d/${name}.waits")
        while (!Files.exists(waits)) {
            assert !process.waitFor(200, TimeUnit.MILLISECONDS): "the run ended before ${name}"
        }
    }

    private void go(String name) {
        Files.delete(folder.resolve("faults.d/${name}.waits"))
    }
}
