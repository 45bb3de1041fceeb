package pipeline

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.security.SecureRandom
import java.util.concurrent.TimeUnit

/**
 * A SLURM cluster of one node, this machine, with ports, socket, key and state of its own: munged, slurmctld and slurmd are started
 * here and ended by their process ids. Needs root, since slurmd does.
 */
class SlurmCluster implements Closeable {
    static final String MISSING = "no SLURM here: run as root with 'apt-get install slurmctld slurmd slurm-client munge' to have the pipeline tried on a cluster"
    private static final List<String> PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'scontrol', 'sinfo']
    private static final long PATIENCE_SECONDS = 60

    final Path folder
    /** What programs that talk to the cluster need in their environment. */
    final Map<String, String> environment
    private final String node = run(['hostname', '-s'], [:]).out.trim()
    private final Map<String, Process> daemons = [:]

    /** Whether a cluster can be started here. */
    static boolean possible() {
        run(['id', '-u'], [:]).out.trim() == '0' && PROGRAMS.every { program(it) != null }
    }

    /** Starts the cluster, with as many processors as wanted (jobs that wait for something need none), and waits until its node is idle. */
    SlurmCluster(Path folder, int cpus) {
        this.folder = Files.createDirectories(folder)
        environment = [SLURM_CONF: folder.resolve('slurm.conf').toString(), PATH: "${System.getenv('PATH')}:/usr/sbin:/sbin".toString()]
        try {
            configure(cpus)
            daemon('munged', '--foreground', '--force', "--socket=${folder}/munge.socket", "--key-file=${folder}/munge.key",
                    "--pid-file=${folder}/munged.pid", "--log-file=${folder}/munged.log", "--seed-file=${folder}/munge.seed")
            await('a socket of munged') { Files.exists(folder.resolve('munge.socket')) }
            startController()
            daemon('slurmd', '-D', '-f', environment.SLURM_CONF, '-N', node)
            await('an idle node') { nodeState() == 'IDLE' }
        } catch (Throwable e) {
            close()
            throw e
        }
    }

    private void configure(int cpus) {
        byte[] key = new byte[128]
        new SecureRandom().nextBytes(key)
        Path file = Files.write(folder.resolve('munge.key'), key)
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString('r--------'))
        ['state', 'spool'].each { Files.createDirectories(folder.resolve(it)) }
        (0..1).each { folder.resolve("gpu${it}").text = 'no GPU, but slurmd counts only what is a file' }
        folder.resolve('gres.conf').text = "Name=gpu File=${folder}/gpu[0-1]\n"
        folder.resolve('cgroup.conf').text = 'CgroupAutomount=no\n'
        folder.resolve('slurm.conf').text = """\
            ClusterName=universality
            SlurmctldHost=${node}(127.0.0.1)
            SlurmctldPort=${freePort()}
            SlurmdPort=${freePort()}
            AuthType=auth/munge
            AuthInfo=socket=${folder}/munge.socket
            SlurmUser=root
            SlurmdUser=root
            StateSaveLocation=${folder}/state
            SlurmdSpoolDir=${folder}/spool
            SlurmctldPidFile=${folder}/slurmctld.pid
            SlurmdPidFile=${folder}/slurmd.pid
            SlurmctldLogFile=${folder}/slurmctld.log
            SlurmdLogFile=${folder}/slurmd.log
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            SwitchType=switch/none
            MpiDefault=none
            JobAcctGatherType=jobacct_gather/none
            AccountingStorageType=accounting_storage/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU_Memory
            SlurmdParameters=config_overrides
            GresTypes=gpu
            ReturnToService=2
            KillWait=5
            MessageTimeout=5
            PropagateResourceLimits=NONE
            NodeName=${node} NodeAddr=127.0.0.1 CPUs=${cpus} RealMemory=64000 Gres=gpu:2 State=UNKNOWN
            PartitionName=long Nodes=${node} Default=YES MaxTime=INFINITE State=UP
            """.stripIndent()
    }

    void startController() {
        daemon('slurmctld', '-D', '-f', environment.SLURM_CONF)
        await('an answer of slurmctld') { run(['scontrol', 'ping'], environment).with { it.status == 0 && it.out.contains('UP') } }
    }

    /** Ends slurmctld, which notes its state, as before a restart. */
    void stopController() {
        end('slurmctld')
    }

    /** Jobs that run go on, others wait. */
    void drain() {
        command('scontrol', 'update', "NodeName=${node}", 'State=DRAIN', 'Reason=spec')
    }

    void resume() {
        command('scontrol', 'update', "NodeName=${node}", 'State=RESUME')
    }

    /** Such as IDLE, MIXED or MIXED+DRAIN. */
    String nodeState() {
        (run(['scontrol', 'show', 'node', node], environment).out =~ /State=(\S+)/).with { it.find() ? it.group(1) : '' }
    }

    /** Ids of jobs in this state (`PD`, `R` …). */
    List<String> jobs(String state) {
        command('squeue', '--noheader', '-r', '-o', '%i', '-t', state).readLines()
    }

    /** What SLURM knows of a job, `scontrol show job`. */
    String job(String id) {
        command('scontrol', 'show', 'job', id)
    }

    /** Waits until something is so; fails after a minute, with the daemons' last lines. */
    void await(String what, Closure<Boolean> condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)
        while (!condition()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("no ${what} within ${PATIENCE_SECONDS} s\n" + logs())
            }
            Thread.sleep(100)
        }
    }

    private String logs() {
        folder.toFile().listFiles().findAll { it.name.endsWith('.log') || it.name.endsWith('.out') }.toSorted()
                .collect { "${it.name}:\n${it.readLines().takeRight(15).join('\n')}" }.join('\n')
    }

    private String command(String... line) {
        Map result = run(line.toList(), environment)
        assert result.status == 0, "${line.join(' ')}: ${result.out}"
        result.out
    }

    private void daemon(String name, String... arguments) {
        ProcessBuilder builder = new ProcessBuilder([program(name), *arguments])
        builder.environment().putAll(environment)
        builder.redirectErrorStream(true).redirectOutput(folder.resolve("${name}.out").toFile())
        daemons[name] = builder.start()
    }

    private void end(String name) {
        Process process = daemons.remove(name)
        process?.destroy()
        if (process != null && !process.waitFor(20, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor()
        }
    }

    @Override
    void close() {
        if (daemons.slurmctld?.alive && daemons.slurmd?.alive) {
            // slurmd ends the processes of jobs, if there are any left, so it goes after them
            run(['scancel', '--user=root'], environment)
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20)
            while (System.nanoTime() < end && run(['squeue', '--noheader', '-t', 'R,CG'], environment).out.trim()) {
                Thread.sleep(200)
            }
        }
        ['slurmd', 'slurmctld', 'munged'].each { end(it) }
    }

    private static Map run(List<String> line, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(line)
        builder.environment().putAll(environment)
        Process process = builder.redirectErrorStream(true).start()
        process.outputStream.close()
        String out = process.inputStream.text
        [status: process.waitFor(), out: out]
    }

    /** Debian keeps daemons where only root looks. */
    private static String program(String name) {
        (System.getenv('PATH').tokenize(':') + ['/usr/sbin', '/sbin']).collect { "${it}/${name}".toString() }.find { new File(it).canExecute() }
    }

    private static int freePort() {
        new ServerSocket(0).withCloseable { it.localPort }
    }
}
