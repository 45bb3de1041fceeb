package unit.verify

import groovy.json.JsonSlurper
import java.nio.file.Path
import universality.cli.Main

/** Runs `universality verify` in this process. */
class Verify {
    int status
    String answer
    String error
    Map report

    /** The lines of the answer but the last. */
    List<String> findings() {
        answer.readLines().dropRight(1)
    }

    String summary() {
        answer.readLines().last()
    }

    static Verify run(Path json, Object... arguments) {
        def (out, err) = [System.out, System.err]
        def answer = new ByteArrayOutputStream()
        def error = new ByteArrayOutputStream()
        System.out = new PrintStream(answer, true, 'UTF-8')
        System.err = new PrintStream(error, true, 'UTF-8')
        try {
            List<Object> all = ['verify', *arguments] + (json ? ['--json', json, '--overwrite'] : [])
            int status = Main.run(all*.toString() as String[])
            new Verify(
                    status: status,
                    answer: answer.toString('UTF-8'),
                    error: error.toString('UTF-8'),
                    report: json && json.toFile().exists() ? new JsonSlurper().parse(json.toFile()) as Map : null)
        } finally {
            System.out = out
            System.err = err
        }
    }
}
