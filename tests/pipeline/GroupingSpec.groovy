package pipeline

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** However the pairs of a step are shared out between tasks, the neurons are the same. */
class GroupingSpec extends Specification {
    @TempDir
    Path folder

    def 'pairs of a step together, by seed, or one by one give the same tables'() {
        given:
        Pipeline pipeline = new Pipeline(folder.resolve('launch'))
        List<String> study = ['-profile', 'test', '--seeds', '1,2,3', '--steps', '8', '--controls', 'none', '--ablate_steps', 'none']

        when:
        Map<String, Pipeline.Result> runs = ['step', 'seed', 'pair'].collectEntries { group ->
            [(group): pipeline.run(*study, '-resume', '--correlate_group', group, '--outdir', group)]
        }

        then: 'with their own tasks of correlate, and the others of before'
        runs.each { group, run -> run.succeeded() }
        runs.collectEntries { group, run -> [(group): run.tasks.count { it.process == 'CORRELATE' && it.status == 'COMPLETED' }] } ==
                [step: 1, seed: 2, pair: 3]
        runs.seed.processes('CACHED').containsAll(['TOKENIZE', 'TRAIN', 'ACTIVATE', 'DESCRIBE'])

        and:
        ['seed', 'pair'].each { group ->
            (1..3).each { seed ->
                assert Files.readString(pipeline.folder.resolve("${group}/identify/tiny-t8/tiny-s${seed}-t8.csv")) ==
                        Files.readString(pipeline.folder.resolve("step/identify/tiny-t8/tiny-s${seed}-t8.csv"))
            }
        }
    }
}
