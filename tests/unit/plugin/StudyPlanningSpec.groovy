package unit.plugin

import java.nio.file.Path
import nf.universality.StudyPlanning
import spock.lang.Specification
import spock.lang.TempDir

/** What other pipelines get: the plans of this one. */
class StudyPlanningSpec extends Specification {
    @TempDir
    Path folder

    StudyPlanning planning = new StudyPlanning(Path.of(System.getProperty('basedir', '.')).toAbsolutePath().normalize().parent.resolve('nextflow_schema.json'))

    def 'a grid, from lists, numbers, text or strings with values in them'() {
        expect:
        planning.grid(family: 'toy', seeds: seeds, steps: "0,${10}") == [
            [id: 'toy-s1-t0', family: 'toy', seed: 1, step: 0],
            [id: 'toy-s12-t0', family: 'toy', seed: 12, step: 0],
            [id: 'toy-s1-t10', family: 'toy', seed: 1, step: 10],
            [id: 'toy-s12-t10', family: 'toy', seed: 12, step: 10],
        ]

        where:
        seeds << ['1,12', [1, 12], ['1', 12]]
    }

    def 'what is not given is as in the pipeline'() {
        expect:
        planning.grid([:])*.id.take(2) == ['demo-s1-t0', 'demo-s2-t0']
        planning.plan(seeds: '1,2', steps: '5').with {
            assert it.trainings*.id == ['demo-s1', 'demo-s2']
            assert it.groups*.id == ['demo-t5']
            assert it.correlate*.meta*.control == ['none', 'rotated', 'shifted', 'row_shifted', 'token_permuted']
            assert it.correlate[0].needs == ['activate/demo-s1-t5@tokens=1500000', 'activate/demo-s2-t5@tokens=1500000']
            assert it.identify*.meta*.id == ['demo-t5']
            assert it.persist == []
            assert it.ablate*.meta*.id == ['demo-s1-t5', 'demo-s2-t5']
            it.notes == ["persistence is skipped for the family 'demo': it needs checkpoints of two steps or more"]
        }
    }

    def 'a samplesheet, with where each checkpoint is'() {
        given:
        folder.resolve('a').toFile().mkdir()
        folder.resolve('models.csv').text = 'family,seed,step,source,revision\nx,1,5,a,\nx,2,5,org/repo,main\n'

        expect:
        planning.sheet(folder.resolve('models.csv'), [:]) == [
            [id: 'x-s1-t5', family: 'x', seed: 1, step: 5, source: folder.resolve('a').toString(), revision: ''],
            [id: 'x-s2-t5', family: 'x', seed: 2, step: 5, source: 'org/repo', revision: 'main'],
        ]
    }

    def 'refused with one line: #options'() {
        when:
        planning.grid(options)

        then:
        IllegalArgumentException e = thrown()
        e.message.contains(message)
        e.message.readLines().size() == 1

        where:
        options                | message
        [seed: '1,2']          | "unknown parameter '--seed': did you mean '--seeds'?"
        [seeds: 'one']         | "parameter '--seeds' is 'one'; expected whole numbers separated by commas"
        [seeds: [1]]           | 'correlation needs at least two seeds'
        [input: 'models.csv']  | 'for a samplesheet there is studySheet(path)'
    }
}
