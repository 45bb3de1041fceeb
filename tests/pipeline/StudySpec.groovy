package pipeline

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir
import universality.data.CsvTable
import universality.data.Manifest

/** The whole study on tiny models, with the real tools: its results, its relaunch, and a run that was killed. */
@Stepwise
class StudySpec extends Specification {
    @TempDir
    @Shared
    Path folder

    @Shared
    Pipeline unbroken

    @Shared
    Pipeline.Result first

    def setupSpec() {
        unbroken = new Pipeline(folder.resolve('unbroken'))
        first = unbroken.run('-profile', 'test')
    }

    def 'every stage runs, and every result is whole and says what made it'() {
        expect:
        first.succeeded()
        first.processes('COMPLETED') == ['ABLATE', 'ACTIVATE', 'CORRELATE', 'DESCRIBE', 'IDENTIFY', 'PERSIST', 'REPORT', 'TOKENIZE', 'TRAIN']
        first.tasks*.attempt.toSet() == ['1'] as Set
        first.out.readLines().last() == 'The report: results/report/index.html'

        and: 'manifests name the digest by which the task was keyed'
        Map<String, String> digests = ToolDigest.all(Launch.STAGES, Pipeline.PROJECT)
        List<Path> manifests = []
        unbroken.folder.resolve('results').eachFileRecurse { if (it.fileName.toString() == 'manifest.json') manifests << it }
        manifests.size() > 10
        manifests.each {
            Manifest manifest = Manifest.readAny(it.parent)
            manifest.verify(it.parent)
            assert manifest.stageDigest() == digests[manifest.stage()]
        }

        and: 'tables of all models, a page'
        ['tiny-t0', 'tiny-t8'].each { group ->
            ['s1', 's2'].each { seed ->
                assert Files.exists(unbroken.folder.resolve("results/identify/${group}/tiny-${seed}-${group - 'tiny-'}.csv"))
            }
        }
        unbroken.json('results/identify/tiny-t8/summary.json').controls.keySet() == ['rotated', 'shifted', 'row_shifted', 'token_permuted'] as Set
        unbroken.folder.resolve('results/report/index.html').text.contains('tiny-s1-t8')
    }

    def 'large results stay in the work folder unless asked for'() {
        expect:
        !Files.exists(unbroken.folder.resolve('results/activate/tiny-s1-t0'))
        !Files.exists(unbroken.folder.resolve('results/tokenize/tokens'))
        Files.exists(unbroken.folder.resolve('results/activate/tiny-s1-t0.resources.json'))
        Files.exists(unbroken.folder.resolve('results/train/tiny-s1/tiny-s1-t8/model.safetensors'))
    }

    def 'a relaunch computes nothing, and publishes what was asked for since'() {
        when:
        def again = unbroken.run('-profile', 'test', '-resume', '--save_tokens', '--save_activations')

        then:
        again.succeeded()
        again.tasks*.status.toSet() == ['CACHED'] as Set
        again.tasks.size() == first.tasks.size()
        Manifest.read(unbroken.folder.resolve('results/activate/tiny-s1-t0'), 'activate').verify(unbroken.folder.resolve('results/activate/tiny-s1-t0'))
        Manifest.read(unbroken.folder.resolve('results/tokenize/tokens/heldout'), 'tokenize')
    }

    def 'a run that is killed while it activates and then resumed gives the bytes of an unbroken one'() {
        given:
        Pipeline broken = new Pipeline(folder.resolve('broken'))

        when:
        Process process = broken.start('-profile', 'test')
        Path task = activating(broken, process)
        Pipeline.kill(process)

        then: 'nothing half-written has a final name'
        task != null
        broken.folder.resolve('work').toFile().eachFileRecurse { file ->
            if (file.directory && file.name ==~ /tiny-s\d-t\d/ && !Files.isSymbolicLink(file.toPath())) {
                assert new File(file, 'manifest.json').exists()
            }
        }

        when:
        def resumed = broken.run('-profile', 'test', '-resume', '--save_tokens', '--save_activations')

        then:
        resumed.succeeded()
        resumed.processes('CACHED').containsAll(['TOKENIZE', 'TRAIN'])
        resumed.processes('COMPLETED').contains('ACTIVATE')
        broken.published() == unbroken.published()
    }

    /** Waits until a task of ACTIVATE runs: its folder, or null if the launch ended before. */
    private static Path activating(Pipeline pipeline, Process process) {
        Path work = pipeline.folder.resolve('work')
        while (!process.waitFor(50, TimeUnit.MILLISECONDS)) {
            File script = Files.exists(work) ? running(work) : null
            if (script != null) {
                return script.parentFile.toPath()
            }
        }
        null
    }

    private static File running(Path work) {
        (work.toFile().listFiles() ?: new File[0]).findResult { half ->
            (half.listFiles() ?: new File[0]).findResult { task ->
                File script = new File(task, '.command.sh')
                new File(task, '.command.begin').exists() && script.exists() && script.text.contains("'universality' activate") ? script : null
            }
        }
    }
}
