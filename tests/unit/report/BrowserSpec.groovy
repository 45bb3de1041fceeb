package unit.report

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.util.concurrent.TimeUnit
import spock.lang.Requires
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir

/**
 * The page in a real browser: a script that is added to a copy of it does what a reader does, and says what it saw. Needs
 * Chromium (or Chrome); where there is none the spec is skipped.
 */
@Requires(
        value = { BrowserSpec.browser() != null },
        reason = "no browser: install Chromium (Debian: 'apt-get install chromium') to have the report tried in one")
class BrowserSpec extends Specification {
    static final List<String> NAMES = ['chromium', 'chromium-browser', 'google-chrome']

    @TempDir
    @Shared
    Path shared

    @Shared
    Map seen

    @Shared
    Map download

    /** The browser's command, or null. */
    static String browser() {
        (System.getenv('PATH') ?: '').split(File.pathSeparator)
                .collectMany { folder -> NAMES.collect { new File(folder, it) } }
                .find { it.canExecute() }?.path
    }

    def setupSpec() {
        if (browser() == null) {
            return
        }
        Path results = shared.resolve('results')
        new StudyFixture(results).build()
        seen = drive(ReportSpec.report(results, shared.resolve('report')).text)
        download = (Map) seen.remove('table') // long: it would drown the message of any other failure
    }

    /** What the reader's script found on the page, having been allowed by the page's policy in addition to the page's own. */
    private Map drive(String page) {
        String script = getClass().getResource('/report/reader.js').getText('UTF-8')
        String hash = MessageDigest.getInstance('SHA-256').digest(script.getBytes('UTF-8')).encodeBase64()
        Path copy = shared.resolve('page.html')
        Files.writeString(copy, page
                .replaceFirst(/script-src (?=&#39;|')/, "script-src 'sha256-${hash}' ")
                .replace('<body>', "<body><script>${script}</script>"))
        String dom = dump(copy)
        def answer = dom =~ /(?s)<pre id="seen">(.*?)<\/pre>/
        assert answer.find(): "the page said nothing: ${dom.take(2000)}"
        (Map) new JsonSlurper().parseText(answer.group(1).replace('&lt;', '<').replace('&gt;', '>').replace('&amp;', '&'))
    }

    private String dump(Path page) {
        Path errors = shared.resolve('browser.log')
        Process process = new ProcessBuilder(
                browser(), '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
                '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic',
                '--host-resolver-rules=MAP * ~NOTFOUND', "--user-data-dir=${shared.resolve('profile')}", '--window-size=1200,900',
                '--virtual-time-budget=20000', '--dump-dom', page.toUri().toString())
                .redirectError(errors.toFile())
                .start()
        String dom = process.inputStream.getText('UTF-8')
        assert process.waitFor(2, TimeUnit.MINUTES) && process.exitValue() == 0: Files.readString(errors).take(2000)
        dom
    }

    def "nothing fails, nothing is refused by the policy, nothing is loaded"() {
        expect:
        seen.errors == []
        seen.violations == []
        seen.resources == []
    }

    def "figures are drawn with a size, and their marks tell their value when they are pointed at"() {
        expect:
        seen.figures > 15
        seen.neverDrawn == []
        seen.tip =~ /Seed \d+, step [\d,]+: [\d.]+%/
    }

    def "no part of the page is wider than the window"() {
        expect:
        seen.scrollWidth <= seen.clientWidth
    }

    def "a table is sorted by the column that is clicked, downwards and then upwards, undefined cells last"() {
        expect:
        seen.down.size() > 5
        seen.down == seen.down.toSorted { -it }
        seen.up == seen.down.toSorted()
    }

    def "neurons are filtered by their text, and all of them are shown on demand"() {
        expect:
        seen.firstShown == 25
        seen.filtered > 0
        seen.filtered < seen.allShown
        seen.filteredFit
        seen.allShown == seen.neurons
    }

    def "a table that is downloaded is the study's table"() {
        expect:
        download.name == 'identify_toy-t1000_toy-s1-t1000.csv'
        download.text.readLines() == Files.readAllLines(shared.resolve('results/identify/toy-t1000/toy-s1-t1000.csv'))
    }

    def "the colours can be turned"() {
        expect:
        seen.colours.toSet().size() == 2
    }
}
