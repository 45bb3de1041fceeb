package unit.report

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.util.zip.GZIPInputStream
import javax.xml.parsers.DocumentBuilderFactory
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import universality.cli.Main
import universality.data.Build
import universality.data.Digests
import universality.data.Json
import universality.data.Manifest
import universality.data.OutputFolder

class ReportSpec extends Specification {
    @TempDir
    @Shared
    Path shared

    @TempDir
    Path temp

    @Shared
    Path complete

    @Shared
    Html page

    def setupSpec() {
        complete = shared.resolve('results')
        new StudyFixture(complete).build()
        page = report(complete, shared.resolve('report'))
    }

    static Html report(Path results, Path out) {
        assert Main.run('report', '--results', results.toString(), '--out', out.toString()) == 0
        new Html(Files.readString(out.resolve('index.html')))
    }

    /** A copy of the complete study without these stages, under {@code temp}. */
    Path study(Collection<String> without = [], String name = 'results') {
        Path copy = temp.resolve(name)
        Files.walk(complete).withCloseable { walk ->
            walk.filter { !(complete.relativize(it).getName(0).toString() in without) }.forEach {
                Path target = copy.resolve(complete.relativize(it).toString())
                Files.createDirectories(target.parent)
                Files.copy(it, target)
            }
        }
        copy
    }

    static int run(List<String> arguments, StringBuilder err) {
        PrintStream old = System.err
        def bytes = new ByteArrayOutputStream()
        System.err = new PrintStream(bytes, true, 'UTF-8')
        try {
            return Main.run(*arguments)
        } finally {
            System.err = old
            err << bytes.toString('UTF-8')
        }
    }

    def "the page needs nothing from outside"() {
        expect: 'no address but those of the SVG name space, no import, and no resource that is loaded'
        page.count(/https?:\/\/(?!www.w3.org\/2000\/svg["'])/) == 0
        !page.has(/(?i)<(script|img|iframe|object|embed|link|source|video|audio)[^>]*\ssrc=/)
        page.find(/<link [^>]*>/).collect { it } == ['<link rel="icon" href="data:,">']
        !page.contains('@import')
        !page.contains('url(')
        page.count(/ href="(?!#|data:)/) == 0
    }

    def "its policy forbids the network and allows exactly its own script and styles"() {
        given:
        String policy = page.find(/http-equiv="Content-Security-Policy" content="([^"]*)"/)[0][1].replace('&#39;', "'")
        def hash = { String text ->
            "'sha256-" + MessageDigest.getInstance('SHA-256').digest(text.getBytes('UTF-8')).encodeBase64() + "'"
        }
        List<String> scripts = page.find(/(?s)<script>(.*?)<\/script>/).collect { it[1] }
        List<String> styles = page.find(/(?s)<style[^>]*>(.*?)<\/style>/).collect { it[1] }

        expect:
        policy == "default-src 'none'; script-src ${hash(scripts[0])}; style-src ${hash(styles[0])} ${hash(styles[1])}; " +
                "img-src data:; base-uri 'none'; form-action 'none'"
        scripts.size() == 1
        styles.size() == 2
        page.count(/ on[a-z]+="/) == 0
        page.count(/ style="/) == 0
    }

    def "what was run is named"() {
        given:
        Html run = page.section('run')

        expect:
        run.contains('These are toy models')
        run.cells('Models by family', 'toy') == [12d, 2d, 64d, 128d]
        run.cells('Token rows by split', 'tokenize/text/analysis') == [40d, 40d, 1280d, 1240d]
        run.contains('generated, seed 7')
        run.contains('a document was shorter than one row &amp; left out')
        run.contains('<td>bpe:32</td>')
        // of the jar that the tests run on, or 'unpackaged' where they run on class folders
        run.contains(Build.stageDigest('tokenize').take(12))
        run.contains('activation_function')
    }

    def "emergence is that of the summaries, at every threshold, beside the controls"() {
        given:
        def summary = new JsonSlurper().parse(complete.resolve("identify/toy-t${step}/summary.json").toFile())
        def shares = summary.checkpoints.sort { it.seed }.collect { it.thresholds[threshold].share as double }
        def controls = ['token_permuted', 'rotated', 'row_shifted', 'shifted'].collect {
            summary.controls[it][0].thresholds[threshold].share as double
        }

        when:
        List<Double> row = page.cells("Share of all neurons with excess above ${threshold}", head)

        then:
        row[0..2] == shares
        Math.abs(row[3] - shares.sum() / 3) < 1e-15
        row[4..7] == controls

        where:
        step | head    | threshold
        0    | '0'     | '0.5'
        200  | '200'   | '0.5'
        1000 | '1,000' | '0.5'
        1000 | '1,000' | '0.4'
        200  | '200'   | '0.3'
    }

    def "figures hold the numbers of the tables"() {
        given:
        String svg = Files.readString(shared.resolve('report/figures/emergence-toy-0.5.svg'))
        double share = StudyFixture.universalIn(1, 1000) / 128d

        expect:
        svg.contains("Seed 1, step 1,000: ${String.format(Locale.ROOT, '%.1f', 100 * share)}%")
        svg.contains('Shifted by rows, step 50: ')
        Files.readString(shared.resolve('report/figures/layers-toy-s1.svg')).contains(
                "Layer 1, step 1,000: ${String.format(Locale.ROOT, '%.1f', 100 * StudyFixture.above(1, 1000, 1, 0.5) / 64d)}%")
    }

    def "every figure is well-formed XML, in the page and as a file"() {
        given:
        def builder = DocumentBuilderFactory.newInstance().newDocumentBuilder()
        List<Path> files = Files.list(shared.resolve('report/figures')).withCloseable { it.toList() }

        expect:
        files.size() > 15
        files.every { builder.parse(it.toFile()).documentElement.tagName == 'svg' }
        page.find(/(?s)<svg .*?<\/svg>/).every {
            builder.parse(new ByteArrayInputStream(it.getBytes('UTF-8'))).documentElement.tagName == 'svg'
        }
        page.count(/<svg /) == files.size()
    }

    def "the scatter counts every neuron with a correlation, and the universal ones"() {
        given:
        Html excess = page.section('excess')
        long first = StudyFixture.SEEDS.sum { StudyFixture.above(it, 1000, 0, 0.5) }
        long second = StudyFixture.SEEDS.sum { StudyFixture.above(it, 1000, 1, 0.5) }

        expect:
        excess.contains("Layer 0: ${first} of 192 universal")
        excess.contains("Layer 1: ${second} of 189 universal")
        excess.contains('381 neurons of 3 seeds at step 1,000')
    }

    def "persistence and chance are those of the table, undefined where nobody was universal"() {
        given:
        Html section = page.section('persistence')
        List pooled = StudyFixture.persistence().find { it[1] == 'all' && it[2] == 'all' && it[3] == 200 && it[4] == 1000 }

        expect:
        section.contains("Persistence, step 200 to 1,000: ${String.format(Locale.ROOT, '%.1f', 100 * pooled[9])}%")
        section.contains("Chance, step 200 to 1,000: ${String.format(Locale.ROOT, '%.1f', 100 * pooled[10])}%")
        section.contains('Persistence, step 0 to 50: –')
        !section.contains('0.123456')
        section.cells('Persistence between steps, all layers', '200', '1,000')[1..6] ==
                [pooled[6], pooled[7], pooled[8], pooled[9], pooled.last(), pooled[10]].collect { it as double }
    }

    def "births and lifetimes count every neuron once"() {
        given:
        Html section = page.section('persistence')
        List<List> lives = StudyFixture.lifetimes()

        expect:
        section.contains("First universal at step 1,000: ${lives.count { it[4] == 1000 && it.last() }} universal at the end")
        section.contains("First universal at step 200: ${lives.count { it[4] == 200 && !it.last() }} not universal at the end")
        section.contains("Checkpoints at which it is universal 2: ${lives.count { it[9] == 2 && it.last() }} universal at the end")
    }

    def "losses end where the tables end"() {
        given:
        String last = complete.resolve('train/toy-s2/losses.csv').toFile().readLines().last()

        expect:
        page.cells('Last training loss · toy', '2') == [1000d, 2048000d, last.split(',')[3] as double]
    }

    def "ablation shows the universal set, each control and the draws"() {
        given:
        Html ablation = page.section('ablation')

        expect:
        ablation.cells('All universal neurons together, by checkpoint', 'Seed 2, step 1,000', 'zero', 'same number per layer')[0..2] ==
                [24d, 0.31d, 0.31d * 0.2d]
        ablation.contains('All layers, universal neurons: delta_loss 0.310 nats per token')
        ablation.has(/Layer 1, matched in effect: mean [−0-9.]+, SD [0-9.]+, 20 draws/)
    }

    def "a single draw has no spread: no bar, and a dash for the SD"() {
        given:
        def fixture = new StudyFixture(temp.resolve('results'))
        fixture.controlDraws = 1
        fixture.steps = [1000]
        fixture.without = ['train', 'persist', 'activate'] as Set
        fixture.build()

        when:
        Html ablation = report(temp.resolve('results'), temp.resolve('report')).section('ablation')

        then:
        ablation.has(/Layer 1, matched in effect: mean [−0-9.]+, SD –, 1 draw/)
        !ablation.contains('class="interval')
        page.section('ablation').contains('class="interval a0"')
    }

    def "top neurons come best first with their text, and their partners are linked"() {
        given:
        Html neurons = page.section('neurons')
        List<Double> excess = neurons.find(/<tbody id="ntoy-\d+".*?<\/td>.*?data-value="([^"]+)">/)
                .collect { it[1] as double }
        def best = [StudyFixture.SEEDS, 0..1, 0..63].combinations()
                .findAll { !(it[1] == 1 && it[2] == 63) }
                .max { StudyFixture.excess(it[0], 1000, it[1], it[2]) }

        expect:
        excess.size() == Math.min(150, StudyFixture.SEEDS.sum { StudyFixture.universalIn(it, 1000) } as int)
        excess == excess.sort(false).reverse()
        neurons.contains("title=\"toy-s${best[0]}-t1000, layer ${best[1]}, neuron ${best[2]}\"")
        neurons.between('<tbody', '</tbody>').contains("title=\"toy-s${best[0]}-t1000, layer ${best[1]}, neuron ${best[2]}\"")
        neurons.find(/<a href="#(ntoy-\d+)">Seed \d, \d\.\d+<\/a>/).every { neurons.contains("<tbody id=\"${it[1]}\"") }
        neurons.contains('6 of 8 strongest places shared')
        neurons.contains(' ± 0.012') && neurons.contains('By token') && neurons.contains('>0.004<')
    }

    def "the emergence says how sure the counts are"() {
        given:
        def cells = page.cells('Universal neurons of all seeds, and how sure they are', '1,000').collect { it as double }
        def universal = StudyFixture.SEEDS.collect { StudyFixture.universalIn(it, 1000) }

        expect:
        cells[0..2] == [universal.sum() as double, universal.sum { it.intdiv(2) } as double, universal.sum() + 3.75d]
        page.section('emergence').contains('Errors are over groups of documents')
    }

    def "the emergence says how correlations were computed, what that leaves open, and what it cannot give: #engine"() {
        given:
        def fixture = new StudyFixture(temp.resolve('results'))
        fixture.engine = engine
        fixture.withoutControls = without
        fixture.without = ['train', 'persist', 'ablate'] as Set
        fixture.build()

        when:
        Html emergence = report(temp.resolve('results'), temp.resolve('report')).section('emergence')

        then:
        line == null ? !emergence.contains('Precision of the correlations') : emergence.contains("<p>${line}</p>")
        emergence.contains('There is no control “Permuted within token”: it needs stored activations.') == said

        where: 'three seeds at steps 0, 50, 200, 1000, with 127 alive neurons each'
        engine                                      | without                      || said  | line
        [:]                                         | []                           || false | null
        [precision: 'exact', activations: 'stored'] | ['token_permuted']           || false | 'Precision of the correlations: exact.'
        [precision: 'bf16', activations: 'live']    | ['token_permuted']           || true  | 'Precision of the correlations: bf16; the models were run again where activations were not stored.'
        [precision: 'bf16', activations: 'live, stored'] | []                      || false | 'Precision of the correlations: bf16; the models were run again where activations were not stored.'
        [precision: 'sketch', activations: 'stored'] | []                          || false | 'Precision of the correlations: sketch. 36 of the 1,524 alive neurons of all checkpoints are open: not universal by the partners found, but sketches cannot rule out a better one.'
    }

    def "the text is the one around the place, with the activating token marked"() {
        given:
        int[] ids = StudyFixture.tokens()
        List neurons = [0..1, 0..63].combinations().findAll { layer, neuron ->
            StudyFixture.universal(1, 1000, layer, neuron) && word(ids, layer, neuron) ==~ /[ a-z.,]+/
        }

        expect:
        neurons.size() > 5
        neurons.every { layer, neuron -> snippet(layer, neuron).contains("<mark>${word(ids, layer, neuron).trim()}</mark>") }
    }

    private static String word(int[] ids, int layer, int neuron) {
        StudyFixture.WORDS[ids[StudyFixture.place(1, layer, neuron, 0).with { it[0] * StudyFixture.CONTEXT + it[1] }]]
    }

    private Html snippet(int layer, int neuron) {
        page.section('neurons').between("title=\"toy-s1-t1000, layer ${layer}, neuron ${neuron}\"", '</tr>')
    }

    def "a character of several tokens is put together, a lone part is replaced"() {
        expect: 'row 3 has é in two tokens, before and after which other text stands'
        page.section('neurons').contains('café')
        page.section('neurons').contains('\ufffd')
    }

    def "hostile names and text stay text"() {
        given:
        def fixture = new StudyFixture(temp.resolve('results'), 'x"><script>alert(2)</script>\'&')
        fixture.warning = '</script><img src=x onerror=alert(3)> {{body}} \u0000\u0007'

        when:
        fixture.build()
        Html html = report(temp.resolve('results'), temp.resolve('report'))

        then:
        html.count(/<script/) == 1
        !html.contains('<img')
        html.contains('&lt;script&gt;alert(1)&lt;/script&gt;')
        html.contains('x&quot;&gt;&lt;script&gt;alert(2)&lt;/script&gt;&#39;&amp;')
        html.contains('&lt;/script&gt;&lt;img src=x onerror=alert(3)&gt; {{body}}')
        !html.contains('\u0000')
        html.contains('⟨U+202E⟩abc')
        !html.contains('\u202e')
        Files.list(temp.resolve('report/figures')).withCloseable { it.toList() }.every {
            it.fileName.toString() ==~ /[A-Za-z0-9._-]+\.svg/
        }
    }

    def "stages that are absent are said to be: #absent"() {
        when:
        Html html = report(study(absent), temp.resolve('report'))

        then:
        lines.every { id, line -> html.section(id).contains("<p class=\"absent\">${line}") }
        ['run', 'emergence', 'excess', 'layers', 'persistence', 'losses', 'ablation', 'neurons', 'downloads'].every {
            html.contains("<section id=\"${it}\"")
        }

        where:
        absent                                     | lines
        ['persist', 'ablate']                      | [persistence: 'No results of the stage persist are in this folder',
                                                      ablation: 'No results of the stage ablate']
        ['train', 'tokenize']                      | [losses: 'The models were not trained by this pipeline',
                                                      run: 'No token folder']
        ['train', 'identify', 'persist', 'ablate'] | [emergence: 'No results of the stage identify: it takes at least two',
                                                      excess: 'No results of the stage identify',
                                                      layers: 'No results of the stage identify',
                                                      neurons: 'No results of the stage identify',
                                                      persistence: 'No results of the stage persist: it compares',
                                                      downloads: 'The results hold no tables']
    }

    def "one checkpoint only: no persistence, and the page says so"() {
        given:
        def fixture = new StudyFixture(temp.resolve('results'))
        fixture.steps = [1000]
        fixture.without = ['persist'] as Set
        fixture.build()

        expect:
        report(temp.resolve('results'), temp.resolve('report')).section('persistence')
                .contains('fewer than two steps were identified')
    }

    def "without #absent the neurons are still listed"() {
        when:
        Html neurons = report(study([absent]), temp.resolve('report')).section('neurons')

        then:
        neurons.contains(line)
        neurons.contains('<tbody id="ntoy-1"')

        where:
        absent     | line
        'tokenize' | 'the tokens are not among the results'
        'activate' | 'The activations of toy-s'
    }

    def "where nothing is universal, the nearest are shown and said to be that"() {
        given:
        def fixture = new StudyFixture(temp.resolve('results'))
        fixture.steps = [0]
        fixture.without = ['train', 'persist', 'ablate'] as Set
        fixture.build()

        expect:
        report(temp.resolve('results'), temp.resolve('report')).section('neurons')
                .contains('No neuron of this step is universal. Shown are those with the most excess')
    }

    def "downloads are the tables, byte for byte"() {
        given:
        Html downloads = page.section('downloads')
        def links = downloads.find(/download="([^"]+)\.gz" href="data:application\/gzip;base64,([^"]+)">([^<]+)</)

        expect:
        links.collect { it[3] } as Set == Files.walk(complete).withCloseable { walk ->
            walk.filter { it.toString().endsWith('.csv') }.map { complete.relativize(it).toString() }.toList()
        } as Set
        links.every {
            def bytes = new GZIPInputStream(new ByteArrayInputStream((it[2] as String).decodeBase64())).bytes
            bytes == Files.readAllBytes(complete.resolve(it[3] as String))
        }
    }

    def "tables beyond the budget are named with their place, never dropped"() {
        given:
        OutputFolder out = OutputFolder.create(temp.resolve('report'), false)

        when:
        List<String> lines = universality.report.Report.write(complete, out, 20_000L)
        out.commit('report', 'report')
        out.close()
        Html downloads = new Html(Files.readString(temp.resolve('report/index.html'))).section('downloads')
        int inside = downloads.count(/class="table-download"/)
        int outside = downloads.count(/in the results folder, /)

        then:
        inside > 0
        inside + outside == page.section('downloads').count(/class="table-download"/)
        downloads.contains('<code>identify/toy-t0/toy-s1-t0.csv</code>')
        lines == ["${outside} tables are too large for the page and listed by path"]
        Manifest.read(temp.resolve('report'), 'report').warnings() == lines
    }

    def "equal results give equal bytes, wherever they lie"() {
        expect:
        report(study([], 'elsewhere'), temp.resolve('again')) == page
        Digests.ofFile(temp.resolve('again/manifest.json')) == Digests.ofFile(shared.resolve('report/manifest.json'))
        !page.contains(shared.toString())
    }

    def "the manifest names every folder that was read, and an earlier report is none"() {
        when:
        report(study(), temp.resolve('results/report'))
        int again = Main.run('report', '--results', "${temp}/results", '--out', "${temp}/results/report", '--overwrite')
        Manifest manifest = Manifest.read(temp.resolve('results/report'), 'report')

        then:
        again == 0
        manifest.inputs().countBy { it.role() } ==
                [tokenize: 5, train: 15, activate: 12, identify: 4, persist: 1, ablate: 3]
        new Html(Files.readString(temp.resolve('results/report/index.html'))) == page
    }

    def "an unfinished folder is left out and named"() {
        given:
        study()
        Files.delete(temp.resolve('results/ablate/toy-s2-t1000/manifest.json'))

        when:
        Html html = report(temp.resolve('results'), temp.resolve('report'))

        then:
        html.section('run').contains('ablate/toy-s2-t1000 has no manifest.json')
        !html.section('ablation').contains('Seed 2, step 1,000')
    }

    def "bad input ends in one line and leaves nothing: #what"() {
        given:
        Path results = study()
        spoil.call(results)
        def err = new StringBuilder()

        expect:
        run(['report', '--results', results.toString(), '--out', temp.resolve('report').toString()], err) == code
        err.readLines().size() == 1
        err.toString().contains(words)
        Files.list(temp).withCloseable { it.toList() }*.fileName*.toString() == ['results']

        where:
        what             | code | words                                  | spoil
        'empty folder'   | 66   | 'holds no results'                     | { OutputFolder.deleteTree(it); Files.createDirectory(it) }
        'no folder'      | 66   | 'is not a folder'                      | { OutputFolder.deleteTree(it); Files.createFile(it) }
        'changed table'  | 65   | 'it was changed'                       | { swap(it.resolve('identify/toy-t50/toy-s1-t50.csv')) }
        'cut table'      | 65   | 'cut short'                            | { cut(it.resolve('persist/toy/persistence.csv')) }
        'bad partners'   | 65   | 'is not of the form ID:LAYER.NEURON'   | { rewrite(it, ':0.', ':x.') }
        'other tokens'   | 65   | 'do not belong together'               | { rewrite(it, ':0.', ':9.') }
    }

    private static void swap(Path file) {
        String text = Files.readString(file)
        Files.writeString(file, text.replace('alive', 'alivE'))
    }

    private static void cut(Path file) {
        Files.write(file, Files.readAllBytes(file)[0..99] as byte[])
    }

    /** Changes the tables of the last step and makes their manifest agree. */
    private static void rewrite(Path results, String from, String to) {
        Path folder = results.resolve('identify/toy-t1000')
        Manifest old = Manifest.readAny(folder)
        def files = old.files().collect {
            Path file = folder.resolve(it.path())
            Files.writeString(file, Files.readString(file).replace(from, to))
            new Manifest.FileEntry(it.path(), Files.size(file), Digests.ofFile(file))
        }
        Json.write(folder.resolve('manifest.json'), new Manifest(old.stage(), old.id(), old.version(), old.stageDigest(),
                old.parameters(), old.inputs(), old.device(), old.counts(), old.warnings(), files))
    }
}
