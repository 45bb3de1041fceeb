package unit.benchmarks

import java.nio.file.Files
import java.nio.file.Path
import javax.xml.parsers.DocumentBuilderFactory
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Folders
import universality.benchmarks.Growth
import universality.benchmarks.Numbers
import universality.data.CsvTable

/** The benchmarks run from end to end in a tiny size and give whole tables; what they measure there means nothing. */
class NumbersSpec extends Specification {
    /** Every line of the table, and what is told besides. */
    static final ROWS = ['activate-f32', 'activate-bf16', 'correlate-exact', 'correlate-exact-5m', 'baseline', 'baseline-5m',
                         'correlate-filter', 'correlate-filter-answers',
                         'sketch', 'sketch-found', 'ablate-demo-zero', 'ablate-demo-resample', 'ablate-gpt2-small-zero',
                         'ablate-gpt2-small-resample', 'memory-activate', 'memory-growth-activate', 'memory-correlate',
                         'memory-growth-correlate', 'memory-ablate', 'memory-growth-ablate', 'memory-live', 'memory-growth-live', 'reference',
                         'reference-agreement', 'gpu-correlate', 'gpu-forward']
    static final MEASURED = ['activate-f32', 'correlate-exact', 'ablate-demo-zero', 'ablate-demo-resample',
                             'ablate-gpt2-small-zero', 'ablate-gpt2-small-resample', 'memory-activate', 'memory-growth-activate',
                             'memory-correlate', 'memory-growth-correlate', 'memory-ablate', 'memory-growth-ablate',
                             'memory-live', 'memory-growth-live']
    static final TINY = ['threads=1', 'layers=2', 'width=32', 'vocabulary=64', 'context=16', 'activate_rows=8', 'neurons=48',
                         'ceiling_seconds=0.01', 'slice_tokens=1024', 'slice_layers=1', 'slice_memory=256MB', 'sketch_size=64', 'ablate_rows=4,4',
                         'ablate_draws=1,1', 'task_memory=1024', 'memory_layers=1', 'memory_width=64', 'memory_neurons=64',
                         'memory_vocabulary=64', 'memory_tokens=256,1024', 'memory_stages=activate,correlate,ablate,live', 'reference_layers=1', 'reference_width=64',
                         'reference_rows=2', 'reference_context=16']

    @TempDir
    Path folder

    /** Rows of a table in which texts may hold commas; an empty cell is an empty text. */
    static List<Map<String, String>> table(Path file) {
        def read = CsvTable.read(file)
        (0..<read.size()).collect { row -> read.header().collectEntries { [it, read.text(row, it) ?: ''] } }
    }

    def "the table of numbers is whole and says for each line what was run"() {
        given:
        def csv = folder.resolve('numbers.csv')
        def work = Files.createDirectory(folder.resolve('work'))
        def printed = new ByteArrayOutputStream()

        when:
        Numbers.run(new PrintStream(printed, true, 'UTF-8'), *(TINY + ["folder=$work".toString(), '--csv', csv.toString()] as String[]))
        def rows = table(csv)
        def text = printed.toString('UTF-8')

        then:
        rows*.row == ROWS
        rows.every { row ->
            boolean measured = !row.value.empty
            assert measured || !(row.row in MEASURED), row
            assert !measured || (row.value as double) >= 0
            assert row.target.empty == row.bound.empty
            boolean reached = row.bound == 'at_least' ? measured && (row.value as double) >= (row.target as double)
                    : measured && !row.target.empty && (row.value as double) <= (row.target as double)
            assert row.reached == (measured && !row.target.empty ? (reached ? 'yes' : 'no') : '')
            assert !row.how.empty && text.contains("${row.what}: ")
            true
        }
        rows.findAll { it.row in ['correlate-exact', 'activate-f32'] }.every { (it.value as double) > 0 }

        and: 'nothing is left behind'
        Folders.names(work) == []
    }

    def "an argument or a row that there is not is refused by name"() {
        when:
        Numbers.run(new PrintStream(new ByteArrayOutputStream()), *(words as String[]))

        then:
        def e = thrown(IllegalArgumentException)
        parts.every { e.message.contains(it) }

        where:
        words                   | parts
        ['rows=gpu,speed']      | ['speed', 'activate']
        ['rows=gpu', 'speed=1'] | ["'speed'", 'slice_tokens']
    }

    def "growth: a point for each size, an exponent for each but the first, and a plot of them"() {
        given:
        def csv = folder.resolve('growth.csv')
        def svg = folder.resolve('growth.svg')

        when:
        def points = Growth.run(new PrintStream(new ByteArrayOutputStream()), 'threads=1', 'tokens=256,512', 'layers=1,2', 'seeds=2,3',
                'neurons=32', 'width=32', 'context=16', 'vocabulary=64', 'memory=256MB', 'repeats=1', "folder=$folder".toString(),
                "csv=$csv".toString(), "svg=$svg".toString())
        def rows = table(csv)

        then: 'tokens and layers of both stages, and seeds of one'
        points.size() == 2 * 4 + 2
        rows.collect { [it.stage, it.axis, it.size] } == points.collect { [it.stage(), it.axis(), it.size() as String] }
        rows.every { (it.seconds as double) > 0 && (it.flops as double) > 0 }
        rows.groupBy { [it.stage, it.axis] }.values().every { line ->
            line[0].exponent.empty && line.tail().every { !it.exponent.empty && (it.flops as double) > (line[0].flops as double) }
        }

        and: 'twice the tokens of activate are twice the operations'
        def activate = rows.findAll { it.stage == 'activate' && it.axis == 'tokens' }*.flops*.toDouble()
        activate[1] == 2 * activate[0]

        and:
        def plot = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(svg.toFile())
        def elements = { String name -> def all = plot.getElementsByTagName(name); (0..<all.length).collect { all.item(it) } }
        elements('circle').count { it.getAttribute('r') == '3.5' } == points.size()
        elements('text')*.textContent.containsAll(['operations', 'seconds', 'activate by tokens', 'correlate by seeds'])
    }
}
