package pipeline

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir
import universality.data.CsvTable
import universality.data.Manifest

/** A sweep over two parameters with the real tools: shared tasks run once, each combination is what it would be alone, one table has them all. */
@Stepwise
class SweepSpec extends Specification {
    private static final List<String> STUDY = ['-profile', 'test', '-resume', '--controls', 'rotated']

    @TempDir
    @Shared
    Path folder

    @Shared
    Pipeline pipeline

    @Shared
    Pipeline.Result sweep

    def setupSpec() {
        pipeline = new Pipeline(folder.resolve('launch'))
        sweep = pipeline.run(*STUDY, '--universal_threshold', '0.03,0.2', '--tokens', '6000,12000', '--outdir', 'sweep')
    }

    def 'what combinations have in common runs once'() {
        expect: 'two numbers of tokens, two thresholds; two seeds at two steps'
        sweep.succeeded()
        sweep.tasks.countBy { it.process } == [TOKENIZE: 1, TOKENIZE_PART: 1, TRAIN: 2, ACTIVATE: 2 * 4, DESCRIBE: 2 * 4, CORRELATE: 2 * (2 + 1 + 2),
                                               IDENTIFY: 4 * 2, PERSIST: 4, ABLATE: 4 * 2, SWEEP: 1, REPORT: 5]
        sweep.tasks*.status.toSet() == ['COMPLETED'] as Set
        sweep.out.readLines().last() == 'The report: sweep/report/index.html'
    }

    def 'results lie in folders named by what decides them'() {
        given:
        Path root = pipeline.folder.resolve('sweep')

        expect:
        root.toFile().list().toSorted() == ['report', 'report.resources.json', 'sweep', 'sweep.resources.json', 'tokenize', 'tokens-12000',
            'tokens-12000_universal_threshold-0.03', 'tokens-12000_universal_threshold-0.2', 'tokens-6000',
            'tokens-6000_universal_threshold-0.03', 'tokens-6000_universal_threshold-0.2', 'train']
        root.resolve('tokens-6000').toFile().list().toSorted() == ['activate', 'correlate', 'describe', 'tokenize']
        root.resolve('tokens-6000_universal_threshold-0.2').toFile().list().toSorted() == ['ablate', 'identify', 'persist', 'report', 'report.resources.json']

        and: 'the smaller text is the first rows of the larger one'
        pipeline.json('sweep/tokens-6000/correlate/tiny-t8/summary.json').pairs[0].kept < pipeline.json('sweep/tokens-12000/correlate/tiny-t8/summary.json').pairs[0].kept
    }

    def 'one table has all of them'() {
        given:
        CsvTable table = CsvTable.read(pipeline.folder.resolve('sweep/sweep/sweep.csv'), 'combination', 'tokens', 'universal_threshold', 'share', 'persistence', 'delta_loss')
        List<Integer> rows = (0..<table.size()).toList()

        expect: 'of each combination two seeds and all of them, at two steps'
        rows.countBy { table.text(it, 'combination') } == ['12000', '6000'].collectMany { tokens ->
            ['0.03', '0.2'].collect { "tokens-${tokens}_universal_threshold-${it}".toString() }
        }.collectEntries { [(it): 6] }

        and: 'what it says is what the results say'
        rows.findAll { table.text(it, 'seed') != 'all' }.each { row ->
            String name = table.text(row, 'combination')
            def (family, step, seed) = ['family', 'step', 'seed'].collect { table.text(row, it) }
            Map found = pipeline.json("sweep/${name}/identify/${family}-t${step}/summary.json").checkpoints.find { it.seed == seed as int }
            assert [table.integer(row, 'universal'), table.number(row, 'share')] == [found.universal as long, found.share as double]
            assert name.contains("threshold-${table.text(row, 'universal_threshold')}") && name.contains("tokens-${table.text(row, 'tokens')}_")
        }

        and: 'a higher threshold leaves fewer, persistence is told at the later step, and ablation at the last'
        def shares = { threshold -> rows.findAll { table.text(it, 'universal_threshold') == threshold && table.text(it, 'seed') == 'all' }.collect { table.number(it, 'share') } }
        [shares('0.03'), shares('0.2')].transpose().every { low, high -> low >= high }
        rows.findAll { table.text(it, 'persistence') }.every { table.text(it, 'step') == '8' }
        rows.any { table.text(it, 'delta_loss') && table.text(it, 'seed') == 'all' }
        rows.findAll { table.text(it, 'delta_loss') }.every { table.text(it, 'step') == '8' }

        and: 'and so does the page of all'
        Manifest.readAny(pipeline.folder.resolve('sweep/sweep')).counts() == [combinations: 4L, rows: 24L] as TreeMap
        String page = pipeline.folder.resolve('sweep/report/index.html').text
        page.contains('<caption>Combinations at step 8, tiny</caption>')
        !page.contains('class="absent">No results of the stage identify')
    }

    def 'a combination alone is nothing new, and the same bytes'() {
        when:
        def alone = pipeline.run(*STUDY, '--universal_threshold', '0.2', '--outdir', 'alone')

        then:
        alone.succeeded()
        alone.tasks*.status.toSet() == ['CACHED'] as Set
        pipeline.published('sweep/tokens-12000_universal_threshold-0.2') ==
                pipeline.published('alone').findAll { path, digest -> path.split('/')[0] in ['ablate', 'identify', 'persist', 'report'] }
    }
}
