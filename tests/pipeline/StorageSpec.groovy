package pipeline

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir
import unit.docs.OutputDocs
import universality.data.CsvTable

/** The same small study with activations stored, with models that run again instead, and through the filters: the same neurons. */
@Stepwise
class StorageSpec extends Specification {
    private static final List<String> STUDY = ['-profile', 'test', '-resume', '--universal_threshold', '0.03', '--controls', 'rotated,token_permuted']
    private static final String ROOM = 'Activations: stored (auto): 1.59 MB for 4 checkpoints, within --max_store '

    @TempDir
    @Shared
    Path folder

    @Shared
    Pipeline pipeline

    def setupSpec() {
        pipeline = new Pipeline(folder.resolve('launch'))
    }

    def 'where there is room activations are stored, and a line says so'() {
        when:
        def stored = pipeline.run(*STUDY, '--outdir', 'stored')

        then:
        stored.succeeded()
        stored.errors().contains(ROOM + '100 GB')
        pipeline.json('stored/identify/tiny-t8/summary.json').checkpoints*.universal.every { it > 0 }
    }

    def 'another room with the same choice reruns nothing'() {
        when:
        def again = pipeline.run(*STUDY, '--outdir', 'stored', '--max_store', '1.6 MB')

        then:
        again.succeeded()
        again.errors().contains(ROOM + '1.6 MB')
        again.tasks*.status.toSet() == ['CACHED'] as Set
    }

    def 'without room the models run again, and give the same neurons; what then cannot be had is said'() {
        when:
        def live = pipeline.run(*STUDY, '--outdir', 'live', '--max_store', '1 KB', '--save_activations')

        then:
        live.succeeded()
        live.errors().any { it.startsWith('Activations: live (auto): those of 4 checkpoints would take 1.59 MB, more than --max_store 1 KB') }
        live.errors().any { it.startsWith('The control token_permuted is left out') }
        live.processes('CACHED') == ['TOKENIZE', 'TRAIN']

        and: 'nothing is stored'
        pipeline.folder.resolve('live/activate/tiny-s1-t8').toFile().list().findAll { it.startsWith('layer-') } == []

        and:
        same('live')
        pipeline.json('live/identify/tiny-t8/summary.json').controls.keySet() == ['rotated'] as Set
        pipeline.folder.resolve('live/report/index.html').text.contains('There is no control “Permuted within token”: it needs stored activations.')

        and: 'files and columns are those of the docs'
        new OutputDocs().problems(pipeline.folder.resolve('live'), ['where the models were run']) == []
    }

    def 'with some room, the control gets what it needs; a text that is too short for sketches is correlated exactly'() {
        when:
        def some = pipeline.run(*STUDY, '--outdir', 'some', '--max_store', '1 MB', '--precision', 'sketch')

        then:
        some.succeeded()
        some.errors().any { it.endsWith('stored for 2 checkpoints, 796 kB, which the control token_permuted needs') }

        and: 'the first step live, the last from what is stored'
        [0, 8].collect { pipeline.json("some/correlate/tiny-t${it}/manifest.json").parameters.activations } == ['live', null]
        pipeline.json('some/identify/tiny-t8/summary.json').controls.keySet() == ['rotated', 'token_permuted'] as Set

        and:
        same('some')
        pipeline.json('some/correlate/tiny-t8/manifest.json').warnings.any { it.contains('sketches save nothing: precision exact was used') }
        pipeline.json('some/identify/tiny-t8/summary.json').precision == 'exact'
    }

    /** Whether the neurons of this study are those of the stored one: partners, correlations and the universal set. */
    private void same(String outdir) {
        [0, 8].each { step ->
            ['s1__tiny-s2', 's2__tiny-s1'].each { pair ->
                def (other, stored) = [outdir, 'stored'].collect {
                    CsvTable.read(pipeline.folder.resolve("${it}/correlate/tiny-t${step}/tiny-${pair.replace('__', "-t${step}__")}-t${step}.csv"), 'top_partners')
                }
                assert other.size() == stored.size()
                (0..<stored.size()).each { row ->
                    assert tied(stored, row) || ['partner_layer', 'partner_neuron'].every { other.text(row, it) == stored.text(row, it) }
                    assert (other.text(row, 'max_corr') == null) == (stored.text(row, 'max_corr') == null)
                    assert other.text(row, 'max_corr') == null || Math.abs(other.number(row, 'max_corr') - stored.number(row, 'max_corr')) <= 1e-5
                }
            }
            def (other, stored) = [outdir, 'stored'].collect { pipeline.json("${it}/identify/tiny-t${step}/summary.json").checkpoints }
            assert other*.universal == stored*.universal
            assert other*.share == stored*.share
            (1..2).each { seed ->
                def (set, expected) = [outdir, 'stored'].collect { universal(pipeline.folder.resolve("${it}/identify/tiny-t${step}/tiny-s${seed}-t${step}.csv")) }
                assert set == expected
            }
        }
    }

    /** Whether the two best partners are as good as equal. */
    private static boolean tied(CsvTable table, int row) {
        List<Double> best = (table.text(row, 'top_partners') ?: '').tokenize(';').take(2)*.tokenize(':')*.last()*.toDouble()
        best.size() == 2 && best[0] - best[1] <= 1e-5
    }

    private static List<Integer> universal(Path csv) {
        CsvTable table = CsvTable.read(csv, 'universal', 'partners', 'state')
        (0..<table.size()).findAll { table.text(it, 'universal') == 'true' }
    }
}
