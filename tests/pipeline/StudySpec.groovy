package pipeline

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir
import universality.data.CsvTable
import universality.data.Manifest

/** The whole study on tiny models, with the real tools: its results, and its relaunch. What becomes of it under fire is in {@link FireSpec}. */
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

    def 'another clone, elsewhere and in another order, gives the same bytes, and all of them are what their manifests say'() {
        given:
        clone = new Pipeline(folder.resolve('elsewhere'), Pipeline.copyOfProject(folder.resolve('another/clone')))
        clone.folder.resolve('order.config').text = "process { withName: 'TRAIN|ACTIVATE|CORRELATE' { maxForks = 1 } }"

        when:
        def other = clone.run('-profile', 'test', '-c', 'order.config', '-work-dir', folder.resolve('another/work').toString())
        Tool one = Tool.launch('verify', results(clone))
        Tool both = Tool.launch('verify', results(unbroken), results(clone))

        then:
        other.succeeded()
        other.tasks*.name.toSet() == first.tasks*.name.toSet()
        one.status == 0
        one.answer ==~ /verify: \d{2,} files, \d{6,} bytes: all as their manifests say; \d+ files left out \(times, hosts, --exclude\)\n/
        both.status == 0
        both.answer ==~ /verify: \d{2,} files, \d{6,} bytes: the same bytes; \d+ files left out \(times, hosts, --exclude\)\n/
    }

    def 'of a whole study, one flipped bit is found, and what it changed is said'() {
        given:
        Path table = results(clone).resolve('identify/tiny-t8/tiny-s2-t8.csv')
        byte[] bytes = table.bytes
        int at = new String(bytes, 'US-ASCII').indexOf(',0.', bytes.length.intdiv(2)) + 3
        bytes[at] ^= 1 // one digit for its neighbour

        when:
        table.bytes = bytes
        Tool one = Tool.launch('verify', results(clone))
        Tool both = Tool.launch('verify', results(unbroken), results(clone))

        then:
        one.status == 65
        one.answer.readLines().size() == 2
        one.answer.startsWith('changed: identify/tiny-t8/tiny-s2-t8.csv: its sha256 is ')
        both.status == 65
        both.answer.readLines()[0] == 'different: identify/tiny-t8/tiny-s2-t8.csv'
        both.answer.readLines()[1] ==~ /  [a-z_0-9]+: 1 by at most 0\.100 \(relative .*\)/
        both.answer.readLines()[2].startsWith('verify: of ')
    }

    /** What docs/output.md says of other numbers of threads; tasks run again as the pipeline ran them. */
    def 'a task of #process gives the same results with two threads, within the documented tolerance'() {
        given:
        Map<String, String> task = first.tasks.find { it.name == "${process} (${id})".toString() }
        Path again = repeat(Path.of(task.workdir), folder.resolve("threads/${process}"))

        when:
        Tool found = Tool.launch('verify', Path.of(task.workdir, id), again.resolve(id), '--tolerance', TOLERANCE)

        then:
        again.resolve('.command.sh').text.contains('--threads 2')
        found.answer.readLines().size() == 1
        found.status == 0

        where:
        process     | id
        'ACTIVATE'  | 'tiny-s1-t8'
        'CORRELATE' | 'tiny-t8'
        'ABLATE'    | 'tiny-s1-t8'
    }

    /** How far numbers may be apart with another number of threads; docs/output.md, Reproducibility. */
    private static final String TOLERANCE = '1e-5'

    /** Of another clone of the project. */
    @Shared
    Pipeline clone

    private static Path results(Pipeline pipeline) {
        pipeline.folder.resolve('results')
    }

    /** Runs a task's script again in a folder of its own, on the same inputs, with two threads. */
    private static Path repeat(Path work, Path folder) {
        Files.createDirectories(folder)
        Files.walk(work).withCloseable { walk ->
            // inputs are links, some of them in folders; the result is neither
            walk.filter { Files.isSymbolicLink(it) }.each {
                Path link = folder.resolve(work.relativize(it).toString())
                Files.createDirectories(link.parent)
                Files.createSymbolicLink(link, Files.readSymbolicLink(it))
            }
        }
        folder.resolve('.command.sh').text = work.resolve('.command.sh').text.replaceAll(/--threads 1\b/, '--threads 2')
        Tool.script(folder)
        folder
    }

    def 'a relaunch computes nothing, and publishes what was asked for since'() {
        when:
        def again = unbroken.run('-profile', 'test', '-resume', '--save_tokens', '--save_activations')

        then:
        again.succeeded()
        again.tasks*.status.toSet() == ['CACHED'] as Set
        again.tasks.size() == first.tasks.size()

        and: 'docs/output.md has every file and column that was written, and no other'
        new unit.docs.OutputDocs().problems(results(unbroken), [
            'generated text, not in train', 'not for r50k and ids made elsewhere', 'where the tokens name one', '--store all',
            'not with --diagonal', 'not with a control, --diagonal or --candidates 0', '--diagonal', 'with sums by groups',
            'from stored activations', 'with controls', 'where they are given', '--self',
        ]) == []
        new unit.docs.OutputDocs().rows.find { it.file == 'pipeline/trace.txt' }.names ==
                unit.docs.OutputDocs.names(unbroken.folder.resolve('launch.trace'), '.txt')

        and:
        Manifest.read(unbroken.folder.resolve('results/activate/tiny-s1-t0'), 'activate').verify(unbroken.folder.resolve('results/activate/tiny-s1-t0'))
        Manifest.read(unbroken.folder.resolve('results/tokenize/tokens/heldout'), 'tokenize')
    }
}
