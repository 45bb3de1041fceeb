package pipeline

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import java.util.concurrent.TimeUnit

/** Runs the pipeline as a user does, `./nextflow run PROJECT/main.nf …`, in a launch folder of its own. */
class Pipeline {
    /** The project under test. */
    static final Path PROJECT = Path.of(System.getProperty('basedir', '.')).toAbsolutePath().normalize().parent
    private static final long LIMIT_MINUTES = 15

    final Path folder
    final Path project

    Pipeline(Path folder, Path project = PROJECT) {
        this.folder = Files.createDirectories(folder)
        this.project = project
    }

    /** What a launch left behind. */
    static class Result {
        int status
        String out
        String err
        List<Map<String, String>> tasks

        /** Names of the processes of tasks with this status, sorted, each once. */
        List<String> processes(String status) {
            tasks.findAll { it.status == status }*.process.toSet().toSorted()
        }

        /** Lines on standard error that Nextflow or the pipeline wrote for the user. */
        List<String> errors() {
            err.readLines()*.trim().findAll { it && !it.startsWith('WARN') }
        }

        void succeeded() {
            assert status == 0, "exit ${status}\n${out}\n${err}"
        }
    }

    /** `run main.nf` with these arguments, to its end. */
    Result run(String... arguments) {
        finish(start(arguments))
    }

    /** Starts `run main.nf`; a trace of this launch alone goes to a file of the launch folder. */
    Process start(String... arguments) {
        Files.deleteIfExists(folder.resolve('launch.trace'))
        command(['-q', 'run', project.resolve('main.nf').toString(), '-ansi-log', 'false', '-with-trace', 'launch.trace', *arguments])
    }

    /** Starts `./nextflow` with these arguments. */
    Process command(List<String> arguments) {
        ProcessBuilder builder = new ProcessBuilder([PROJECT.resolve('nextflow').toString(), *arguments])
        builder.directory(folder.toFile())
        builder.redirectInput(ProcessBuilder.Redirect.from(new File('/dev/null')))
        builder.redirectOutput(folder.resolve('launch.out').toFile())
        builder.redirectError(folder.resolve('launch.err').toFile())
        builder.environment().putAll(environment)
        builder.environment().keySet().removeAll(['NXF_DEBUG', 'NXF_WORK', 'NXF_OPTS'])
        builder.start()
    }

    Map<String, String> environment = [:]

    Result finish(Process process) {
        if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
            kill(process)
            throw new IllegalStateException("no end after ${LIMIT_MINUTES} minutes:\n" + folder.resolve('launch.out').text)
        }
        new Result(
                status: process.exitValue(),
                out: folder.resolve('launch.out').text,
                err: folder.resolve('launch.err').text,
                tasks: tasks())
    }

    /** Ends a launch and every task of it without a chance to clean up, as a power cut does. */
    static void kill(Process process) {
        end(process.descendants().toList() + process.toHandle())
    }

    /** Ends processes without a chance to clean up, and waits until they are gone. */
    static void end(List<ProcessHandle> processes) {
        processes*.destroyForcibly()
        processes.each { it.onExit().get(1, TimeUnit.MINUTES) }
    }

    /** The tasks that the launch has ended so far, by the columns of its trace. */
    List<Map<String, String>> tasks() {
        File file = folder.resolve('launch.trace').toFile()
        String text = file.exists() ? file.text : ''
        // what follows the last line end is being written
        List<List<String>> rows = text.take(text.lastIndexOf('\n') + 1).readLines().collect { it.split('\t').toList() }
        rows.drop(1).collect { [rows.head(), it].transpose().collectEntries() }
    }

    /** Content digests of the published results by path, without what differs from run to run. */
    Map<String, String> published(String outdir = 'results') {
        Path root = folder.resolve(outdir)
        Map<String, String> digests = new TreeMap<>()
        root.eachFileRecurse { path ->
            String name = root.relativize(path)
            if (Files.isRegularFile(path) && !name.endsWith('.resources.json') && !name.startsWith('pipeline/') && name != 'ro-crate-metadata.json') {
                digests[name] = path.bytes.sha256()
            }
        }
        digests
    }

    Object json(String path) {
        new JsonSlurper().parse(folder.resolve(path).toFile())
    }

    /** A copy of the project with its built tools, to change something in: sources and libraries are links. */
    static Path copyOfProject(Path target) {
        Files.createDirectories(target)
        PROJECT.toFile().list().findAll { it in ['main.nf', 'nextflow.config', 'nextflow_schema.json', 'modules', 'conf', 'lib', 'bin'] }.each {
            copy(PROJECT.resolve(it), target.resolve(it))
        }
        Path built = Files.createDirectories(target.resolve('bin-java/target'))
        // a link for each jar and none for the folder: a spec that deletes its copy must not delete the project's libraries
        Path libraries = Files.createDirectory(built.resolve('lib'))
        PROJECT.resolve('bin-java/target/lib').eachFile { Files.createSymbolicLink(libraries.resolve(it.fileName), it) }
        Files.copy(PROJECT.resolve('bin-java/target/universality.jar'), built.resolve('universality.jar'))
        target
    }

    private static void copy(Path from, Path to) {
        Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES)
        if (Files.isDirectory(from)) {
            from.eachFile { copy(it, to.resolve(it.fileName.toString())) }
        }
    }
}
