package pipeline

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** What is added to a finished study reruns what depends on it, and nothing else: tasks counted, with stubs. docs/usage.md has the counts. */
class AddingSpec extends Specification {
    private static final List<String> STUDY =
            ['-profile', 'test', '-stub', '-resume', '--seeds', '1,2,3', '--steps', '0,8', '--correlate_group', 'seed', '--controls', 'rotated']

    @TempDir
    Path folder

    Pipeline pipeline

    def setup() {
        pipeline = new Pipeline(folder.resolve('launch'))
    }

    def 'a threshold, then a seed, then a step of models that are trained'() {
        when:
        def first = pipeline.run(*STUDY)

        then:
        first.succeeded()
        ran(first) == [TOKENIZE: 1, TRAIN: 3, ACTIVATE: 6, DESCRIBE: 6, CORRELATE: 8, IDENTIFY: 2, PERSIST: 1, ABLATE: 3, REPORT: 1]
        cached(first) == 0

        when: 'a threshold'
        def threshold = pipeline.run(*STUDY, '--universal_threshold', '0.5,0.4')

        then: 'the first one is as it was; its results are published where they lie in a sweep'
        threshold.succeeded()
        ran(threshold) == [IDENTIFY: 2, PERSIST: 1, ABLATE: 3, SWEEP: 1, REPORT: 2]
        cached(threshold) == 31
        ['sweep/sweep.csv', 'report/index.html', 'correlate/tiny-t8-s3/manifest.json', 'universal_threshold-0.4/identify/tiny-t8/tiny-s1-t8.csv',
         'universal_threshold-0.5/ablate/tiny-s3-t8/summary.csv', 'universal_threshold-0.5/report/index.html'].every {
            Files.exists(pipeline.folder.resolve('results').resolve(it))
        }

        when: 'a seed'
        def seed = pipeline.run(*STUDY, '--seeds', '1,2,3,4')

        then: 'pairs of the others are as they were'
        seed.succeeded()
        ran(seed) == [TRAIN: 1, ACTIVATE: 2, DESCRIBE: 2, CORRELATE: 2 + 1 + 1, IDENTIFY: 2, PERSIST: 1, ABLATE: 4, REPORT: 1]
        cached(seed) == 1 + 3 + 6 + 6 + 7
        !seed.err.contains('trained again')

        when: 'a step'
        def step = pipeline.run(*STUDY, '--steps', '0,4,8')

        then: 'another training, and the launch says so'
        step.succeeded()
        ran(step) == [TRAIN: 3, ACTIVATE: 9, DESCRIBE: 9, CORRELATE: 10, IDENTIFY: 3, PERSIST: 1, ABLATE: 3, REPORT: 1]
        cached(step) == 1
        step.errors().contains('Models are trained again, and all that follows from them is computed again: results has them with the steps 0, 8, and this study wants 0, 4, 8')
    }

    def 'a checkpoint that is fetched, and a study after another one in the same folder'() {
        given:
        def sheet = { List<List<Integer>> checkpoints ->
            checkpoints.each { seed, step -> Files.createDirectories(folder.resolve("models/${seed}-${step}")) }
            folder.resolve('sheet.csv').text = 'family,seed,step,source\n' + checkpoints.collect { seed, step -> "own,${seed},${step},models/${seed}-${step}\n" }.join('')
        }
        String[] study = ['-profile', 'test', '-stub', '-resume', '--input', "${folder}/sheet.csv", '--correlate_group', 'seed', '--controls', 'rotated']*.toString()

        when:
        sheet([[1, 0], [1, 8], [2, 0], [2, 8], [3, 0]])
        def first = pipeline.run(study)

        then:
        first.succeeded()
        ran(first) == [FETCH: 5, TOKENIZE: 1, ACTIVATE: 5, DESCRIBE: 5, CORRELATE: 3 + 1 + 2, IDENTIFY: 2, PERSIST: 1, ABLATE: 2, REPORT: 1]

        when: 'the third seed at the last step; what was fetched is looked at again, and left as it is'
        sheet([[1, 0], [1, 8], [2, 0], [2, 8], [3, 0], [3, 8]])
        def checkpoint = pipeline.run(study)

        then: 'one pair task and one self task more, and the control of the last step, which takes all seeds'
        checkpoint.succeeded()
        ran(checkpoint) == [FETCH: 6, ACTIVATE: 1, DESCRIBE: 1, CORRELATE: 1 + 1 + 1, IDENTIFY: 1, PERSIST: 1, ABLATE: 3, REPORT: 1]
        cached(checkpoint) == 1 + 5 + 5 + 5 + 1

        when: 'another study, of two of the seeds, with results of its own'
        sheet([[1, 0], [1, 8], [2, 0], [2, 8]])
        def other = pipeline.run(*study, '--outdir', 'other')

        then: 'the pair of step 0 is the same there and here'
        other.succeeded()
        ran(other) == [FETCH: 4, IDENTIFY: 2 - 1, PERSIST: 1, ABLATE: 0, REPORT: 1].findAll { it.value }
        cached(other) > 0
        Files.exists(pipeline.folder.resolve('other/report/index.html'))
    }

    /** Tasks that ran, by process. */
    private static Map<String, Integer> ran(Pipeline.Result result) {
        result.tasks.findAll { it.status == 'COMPLETED' }.countBy { it.process }
    }

    private static int cached(Pipeline.Result result) {
        result.tasks.count { it.status == 'CACHED' }
    }
}
