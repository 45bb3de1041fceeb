package unit.sweep

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import unit.report.Html
import unit.verify.Verify
import universality.data.CsvTable
import universality.data.CsvWriter
import universality.data.Json
import universality.data.Manifest
import universality.data.OutputFolder

/** Two thresholds of one study of two seeds at two steps, in folders as the stages write them. */
class SweepSpec extends Specification {
    @TempDir
    Path folder

    Path combinations

    def setup() {
        ['0.4': 30, '0.5': 20].each { threshold, universal ->
            [0, 8].each { step -> identify(threshold, step, universal) }
            persist(threshold)
            ablate(threshold, 1, 0.25d)
            ablate(threshold, 2, 0.75d)
        }
        List<String> rows = ['0.4', '0.5'].collectMany { threshold ->
            ['t0', 't8', 'persist', 'ablate-1', 'ablate-2'].collect { "threshold-${threshold},0.4,1000,in/${threshold}/${it}".toString().replace(',0.4,', ",${threshold},") }
        }
        combinations = Files.writeString(folder.resolve('combinations.csv'), 'combination,universal_threshold,tokens,folder\n' + rows.join('\n') + '\n')
    }

    private void write(String threshold, String name, String stage, Closure fill) {
        Files.createDirectories(folder.resolve("in/${threshold}"))
        OutputFolder.create(folder.resolve("in/${threshold}/${name}"), false).withCloseable { out ->
            fill(out)
            out.commit(stage, name)
        }
    }

    private void identify(String threshold, int step, int universal) {
        write(threshold, "t${step}", 'identify') { out ->
            Json.write(out.file('summary.json'), [family: 'toy', step: step, checkpoints: [1, 2].collect {
                [id: "toy-s${it}-t${step}".toString(), seed: it, neurons: 100, alive: 80, universal: universal + it, share: (universal + it) / 100d,
                 share_alive: (universal + it) / 80d, mean_corr: 0.5d + it / 10d, mean_baseline: 0.25d, mean_excess: 0.25d + it / 10d]
            }])
        }
    }

    private static void csv(Path file, List<String> header, List<List> rows) {
        new CsvWriter(file, header).withCloseable { table -> rows.each { table.row(it as List) } }
    }

    private void persist(String threshold) {
        write(threshold, 'persist', 'persist') { out ->
            csv(out.file('persistence.csv'), ['family', 'seed', 'layer', 'step_from', 'step_to', 'consecutive', 'persistence', 'chance'],
                    [['toy', 1, 'all', 0, 8, true, 0.5d, 0.25d], ['toy', 1, 0, 0, 8, true, 0.1d, 0.1d], ['toy', 2, 'all', 0, 8, true, null, null],
                     ['toy', 'all', 'all', 0, 8, true, 0.6d, 0.3d], ['toy', 'all', 'all', 0, 9, false, 0.7d, 0.7d]])
        }
    }

    private void ablate(String threshold, int seed, double effect) {
        write(threshold, "ablate-${seed}", 'ablate') { out ->
            csv(out.file('summary.csv'), ['layers', 'control', 'neurons', 'metric', 'universal', 'control_mean', 'z', 'p'],
                    [['all', 'control_layer', 20 + seed, 'delta_loss', effect, 0.125d, 3.5d, 0.05d], ['all', 'control_layer', 20, 'kl', 9d, 9d, 9d, 1d],
                     ['0', 'control_layer', 20, 'delta_loss', 9d, 9d, 9d, 1d], ['all', 'control_any', 20, 'delta_loss', 9d, 9d, 9d, 1d]])
            out.parameter('family', 'toy').parameter('seed', seed).parameter('step', 8)
        }
    }

    def 'each combination has a row for each seed and step, and one for all seeds'() {
        when:
        Tool run = Tool.run('sweep', '--combinations', combinations, '--out', folder.resolve('sweep'))
        CsvTable table = CsvTable.read(folder.resolve('sweep/sweep.csv'))
        def row = { threshold, step, seed ->
            int found = (0..<table.size()).find {
                ['universal_threshold', 'step', 'seed'].collect { column -> table.text(it, column) } == [threshold, step, seed]*.toString()
            }
            table.header().collectEntries { [(it): table.text(found, it)] }
        }

        then:
        run.status == 0
        table.header().take(6) == ['combination', 'universal_threshold', 'tokens', 'family', 'step', 'seed']
        table.size() == 2 * 2 * 3
        row('0.4', 0, 1).subMap('combination', 'tokens', 'universal', 'share', 'mean_corr', 'step_before', 'persistence', 'delta_loss') ==
                [combination: 'threshold-0.4', tokens: '1000', universal: '31', share: '0.31', mean_corr: '0.6', step_before: null, persistence: null, delta_loss: null]
        row('0.5', 8, 1).subMap('universal', 'step_before', 'persistence', 'persistence_chance', 'ablated', 'delta_loss', 'delta_loss_control', 'delta_loss_z', 'delta_loss_p') ==
                [universal: '21', step_before: '0', persistence: '0.5', persistence_chance: '0.25', ablated: '21', delta_loss: '0.25',
                 delta_loss_control: '0.125', delta_loss_z: '3.5', delta_loss_p: '0.05']
        row('0.5', 8, 2).persistence == null

        and: 'counts are added up, shares are of the sums, means over seeds; what is one of a seed is empty'
        row('0.5', 8, 'all') == [combination: 'threshold-0.5', universal_threshold: '0.5', tokens: '1000', family: 'toy', step: '8', seed: 'all',
            neurons: '200', alive: '160', universal: '43', share: '0.215', share_alive: '0.26875', mean_corr: '0.6499999999999999', mean_baseline: '0.25',
            mean_excess: '0.4', step_before: '0', persistence: '0.6', persistence_chance: '0.3', ablated: '43', delta_loss: '0.5', delta_loss_control: '0.125',
            delta_loss_z: null, delta_loss_p: null]

        and:
        Manifest manifest = Manifest.read(folder.resolve('sweep'), 'sweep')
        manifest.counts() == [combinations: 2L, rows: 12L] as TreeMap
        manifest.inputs()*.role() == ['identify', 'identify', 'persist', 'ablate', 'ablate'] * 2
    }

    def 'sweeps are compared combination by combination, wherever these stand'() {
        given: 'the other way round, and with one more amid'
        List<String> rows = combinations.readLines()
        Closure<Path> sweep = { String name, List<String> lines ->
            Path file = Files.writeString(folder.resolve("${name}.csv"), ([rows[0]] + lines).join('\n') + '\n')
            Path out = Files.createDirectories(folder.resolve(name)).resolve('sweep')
            assert Tool.run('sweep', '--combinations', file, '--out', out).status == 0
            out
        }
        def (low, high) = rows.drop(1).collate(5)
        List<String> amid = low*.replace('threshold-0.4,0.4,', 'threshold-0.45,0.45,')
        def (both, turned, more) = [sweep('both', low + high), sweep('turned', high + low), sweep('more', low + amid + high)]
        Closure<List<Map>> differences = { Path other ->
            Verify.run(folder.resolve('found.json'), both, other).report.findings.find { it.path == 'sweep.csv' }.differences
        }

        expect:
        differences(turned) == [[where: '', count: 0, text: 'the same rows in another order']]
        differences(more) == [[where: '', count: 6, text: '6 rows of the second only, such as combination threshold-0.45, family toy, step 0, seed 1']]
    }

    def 'the report puts combinations side by side, by what varies'() {
        given:
        Path results = Files.createDirectories(folder.resolve('results'))
        assert Tool.run('sweep', '--combinations', combinations, '--out', results.resolve('sweep')).status == 0

        when:
        Tool run = Tool.run('report', '--results', results, '--out', folder.resolve('report'))
        Html page = new Html(folder.resolve('report/index.html').text)

        then: 'neurons, universal, share, its range, correlation, baseline, excess, persistence, chance, effect, control'
        run.status == 0
        page.cells('Combinations at step 8, toy', '0.5') == [200d, 43d, 0.215d, 0.21d, 0.22d, 0.6499999999999999d, 0.25d, 0.4d, 0.6d, 0.3d, 0.5d, 0.125d]
        page.cells('Combinations at step 0, toy', '0.4') == [200d, 63d, 0.315d, 0.31d, 0.32d, 0.6499999999999999d, 0.25d, 0.4d] + [Double.NaN] * 4
        !page.contains('<th scope="col">tokens</th>')
        page.contains('<section id="downloads"')
        page.count(/<section /) == 4
    }

    def 'what does not go together ends in one line: #what'() {
        given:
        write('empty', 't0', 'identify') { out -> Json.write(out.file('summary.json'), [family: 'toy', step: 0, checkpoints: []]) }
        Path file = Files.writeString(folder.resolve('bad.csv'), text)

        expect:
        Tool.run('sweep', '--combinations', file, '--out', folder.resolve('sweep')).refused(status, said)
        !Files.exists(folder.resolve('sweep'))

        where:
        what                 | text                                                            || status | said
        'no such folder'     | 'combination,x,folder\na,1,in/none\n'                            || 66     | 'in/none is not a folder'
        'no column'          | 'combination,x\na,1\n'                                           || 65     | "has no column 'folder'"
        'two of one name'    | 'combination,x,folder\na,1,in/0.4/t0\na,2,in/0.4/t8\n'            || 65     | "'a' has the parameters [1] and [2]"
        'no combination'     | 'combination,x,folder\n'                                        || 65     | 'bad.csv has no row: one for each folder of each combination was expected'
        'none of identify'   | 'combination,x,folder\na,1,in/0.4/t0\nb,2,in/0.4/persist\nb,2,in/0.4/ablate-1\n' || 65 | "the combination 'b' has no results of identify"
        'no checkpoint'      | 'combination,x,folder\na,1,in/empty/t0\n'                        || 65     | "the combination 'a' has no results of identify"
        'no name'            | 'combination,x,folder\n,1,in/0.4/t0\n'                            || 65     | 'row 1: a name and a folder were expected'
    }
}
