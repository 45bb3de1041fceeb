package pipeline

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import unit.support.SmallDisk

/**
 * A study under fire: it is launched, struck, launched again with -resume, and so on until it is done. After every launch this
 * holds: what a launch before had noted as done is not run again, and no task's folder has a result without its manifest.
 */
class Fire implements Closeable {
    /** Nextflow notes a task in its trace and in its cache at about the same time: this much later it is in both. */
    private static final long NOTED_MILLISECONDS = 1500
    private static final long LIMIT_MINUTES = 10

    final Pipeline pipeline
    /** One line for each blow: what was struck, and when. */
    final List<String> reports = []
    /** The blows that were dealt. */
    final List<Blow> dealt = []
    /** How often the study was launched. */
    int launches
    /** Processes that outlived their Nextflow or their wrapper. */
    final List<ProcessHandle> orphans = []
    private final List<String> arguments
    private final Random random
    private final SmallDisk work
    private final SmallDisk results
    /** Name of each task that a launch noted as done, and its hash. */
    private final Map<String, String> finished = [:]
    /** Those that were when the present launch began. */
    private Map<String, String> before = [:]
    /** Work folders of the tasks that were struck in this launch: each is struck once, for it has three tries. */
    private final Set<Path> struck = []

    /**
     * @param disk the size of the disks of the work folder and of the results; null to have none, and none of the blows to them
     */
    Fire(Pipeline pipeline, List<String> arguments, Random random, String disk) {
        this.pipeline = pipeline
        this.arguments = arguments
        this.random = random
        work = disk == null ? null : new SmallDisk(pipeline.folder.resolve('work'), disk)
        results = disk == null ? null : new SmallDisk(pipeline.folder.resolve('results'), disk)
    }

    /**
     * Runs the study to its end.
     *
     * @param tasks how many it has
     * @param latest blows begin when at most this share of them is done, so that there is something left to strike
     */
    Pipeline.Result under(List<Blow> blows, int tasks, double latest) {
        List<Integer> moments = blows.collect { random.nextInt((int) (tasks * latest) + 1) }.toSorted()
        Process launch = null
        [blows, moments].transpose().each { Blow blow, int moment ->
            launch = launch?.alive ? launch : relaunch(launch)
            long delay = random.nextInt(2000)
            boolean hit = await(launch, moment) && pause(launch, delay) && strike(blow, launch)
            reports << "${hit ? 'dealt ' : 'missed'} ${blow} after ${moment} of ${tasks} tasks and ${delay} ms, launch ${launches}".toString()
            if (hit) {
                dealt << blow
            }
            if (hit && blow.ends) {
                checkLaunch()
                launch = null
            }
        }
        launch = launch?.alive ? launch : relaunch(launch)
        Pipeline.Result last = pipeline.finish(launch)
        last.succeeded()
        checkLaunch()
        orphans.each { it.onExit().get(LIMIT_MINUTES, TimeUnit.MINUTES) }
        last
    }

    /** Starts the study again; if it ended by itself, then because it was done. */
    private Process relaunch(Process ended) {
        if (ended != null) {
            pipeline.finish(ended).succeeded()
            checkLaunch()
            finished.putAll(done())
        }
        launches++
        struck.clear()
        before = new LinkedHashMap<>(finished)
        pipeline.start(*arguments, '-resume')
    }

    /** Waits until so many tasks are done; false if the launch ends before. */
    private boolean await(Process launch, int moment) {
        while (launch.alive && done().size() < moment) {
            Thread.sleep(20)
        }
        launch.alive
    }

    private static boolean pause(Process launch, long milliseconds) {
        !launch.waitFor(milliseconds, TimeUnit.MILLISECONDS)
    }

    private Map<String, String> done() {
        pipeline.tasks().findAll { it.status in ['COMPLETED', 'CACHED'] }.collectEntries { [(it.name): it.hash] }
    }

    /** Deals the blow; false if there was nothing to strike any more. */
    private boolean strike(Blow blow, Process launch) {
        switch (blow) {
            case Blow.TASK: return strikeTask(launch) { [it] + it.descendants().toList() }
            case Blow.WRAPPER: return strikeTask(launch) { task -> orphans.addAll(task.descendants().toList()); [task] }
            case Blow.TOOL: return strikeTask(launch) { task -> task.descendants().filter { isTool(it) }.toList() }
        }
        Map<String, String> noted = done()
        if (!pause(launch, NOTED_MILLISECONDS)) {
            return false
        }
        finished.putAll(noted)
        List<ProcessHandle> below = launch.descendants().toList()
        switch (blow) {
            case Blow.HEAD:
                orphans.addAll(below)
                Pipeline.end([launch.toHandle()])
                return true
            case Blow.MACHINE:
                Pipeline.end([launch.toHandle()] + below)
                return true
            case Blow.TERMINATE:
                launch.destroy()
                orphans.addAll(below)
                assert launch.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)
                return true
            default:
                return spoil(blow == Blow.DISK ? work : results, launch)
        }
    }

    /** Without its disk the launch ends by itself, with an error; then the disk is mended. */
    private boolean spoil(SmallDisk disk, Process launch) {
        disk == work ? disk.fill() : disk.readOnly()
        try {
            assert launch.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES), 'Nextflow does not end without its disk'
        } finally {
            disk.mend()
        }
        if (launch.exitValue() == 0) {
            return false
        }
        // where a task's own words found no room on the full disk, its exit status is all there is
        def reason = disk == work
                ? /(?i)space|terminated with an error exit status \((1|73)\)/
                : /(?i)read-only|failed to (create )?publish/
        List<String> lines = pipeline.folder.resolve('launch.err').text.readLines()
        assert lines.any { it =~ reason }
        finished.putAll(done())
        true
    }

    /** Ends the processes of a running task that {@code chosen} takes from its wrapper, once there are any. */
    private boolean strikeTask(Process launch, Closure<List<ProcessHandle>> chosen) {
        while (launch.alive) {
            List<ProcessHandle> tasks = wrappers(launch).findAll { !(folder(it) in struck) && it.descendants().anyMatch { isTool(it) } }
            if (tasks) {
                ProcessHandle task = tasks[random.nextInt(tasks.size())]
                struck << folder(task)
                List<ProcessHandle> processes = chosen(task)
                Pipeline.end(processes)
                return !processes.empty
            }
            Thread.sleep(20)
        }
        false
    }

    /** The wrappers of the running tasks. Subshells of one look like it, but are not Nextflow's own children. */
    private static List<ProcessHandle> wrappers(Process launch) {
        launch.descendants().filter { line(it).contains('.command.run') }.toList()
                .findAll { !line(it.parent().orElse(it)).contains('.command.run') }
    }

    private static boolean isTool(ProcessHandle process) {
        line(process).contains('universality.jar')
    }

    private static String line(ProcessHandle process) {
        process.info().commandLine().orElse('')
    }

    /** The folder that a process works in; its own number where it has just ended. */
    private static Path folder(ProcessHandle process) {
        Path link = Path.of("/proc/${process.pid()}/cwd")
        try {
            Files.readSymbolicLink(link)
        } catch (IOException e) {
            link
        }
    }

    private void checkLaunch() {
        pipeline.tasks().findAll { it.name in before }.each { task ->
            assert task.status == 'CACHED' && task.hash == before[task.name], "launch ${launches} ran again what was done\n${reports.join('\n')}\n${task}"
        }
        checkFolders()
    }

    /** Results have their names when they are whole, and not before. */
    private void checkFolders() {
        Path root = pipeline.folder.resolve('work')
        root.toFile().listFiles()?.findAll { it.name ==~ /[0-9a-f]{2}/ }?.collectMany { it.listFiles() as List }?.each { File task ->
            File script = new File(task, '.command.run')
            String name = script.exists() ? (script.text =~ /(?m)^(?:# NEXTFLOW TASK: |### name: ')\w+ \((.+?)\)'?$/).with { it ? it[0][1] : '' } : ''
            File result = new File(task, name ?: 'none')
            assert !result.isDirectory() || Files.isSymbolicLink(result.toPath()) || new File(result, 'manifest.json').exists()
        }
    }

    @Override
    void close() {
        Pipeline.end(orphans.findAll { it.alive })
        work?.close()
        results?.close()
    }
}
