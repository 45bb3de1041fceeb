package pipeline

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** Runs the tools as tasks and users do, by bin/universality. */
class Tool {
    int status
    /** What it wrote to standard output. */
    String answer
    String error

    /** `universality` with these arguments. */
    static Tool launch(Object... arguments) {
        run([Pipeline.PROJECT.resolve('bin/universality').toString(), *arguments*.toString()], Path.of('.'), [:])
    }

    /** The script of a task, `.command.sh` of a folder, with two processors. */
    static void script(Path folder) {
        Tool done = run(['bash', '-euo', 'pipefail', '.command.sh'], folder, [
            PATH: "${Pipeline.PROJECT.resolve('bin')}:${System.getenv('PATH')}".toString(),
            UNIVERSALITY_CPUS: '2',
            UNIVERSALITY_MEMORY: '1500',
        ])
        assert done.status == 0, done.error
    }

    private static Tool run(List<String> command, Path folder, Map<String, String> environment) {
        Path out = Files.createTempFile('tool', '.out')
        Path err = Files.createTempFile('tool', '.err')
        try {
            ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile())
            builder.environment() << [UNIVERSALITY_JVM: '-XX:TieredStopAtLevel=1'] + environment
            Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start()
            if (!process.waitFor(3, TimeUnit.MINUTES)) {
                Pipeline.kill(process)
            }
            new Tool(status: process.exitValue(), answer: out.text, error: err.text)
        } finally {
            [out, err].each { Files.delete(it) }
        }
    }
}
