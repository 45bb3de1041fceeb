package unit.report

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Requires
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Browser

/**
 * The page in a real browser: a script that runs beside its own does what a reader does, and says what it saw. Needs
 * Chromium (or Chrome); where there is none the spec is skipped.
 */
@Requires(
        value = { Browser.command() != null },
        reason = "no browser: install Chromium (Debian: 'apt-get install chromium') to have the report tried in one")
class BrowserSpec extends Specification {
    @TempDir
    @Shared
    Path shared

    @Shared
    Map seen

    @Shared
    Map download

    def setupSpec() {
        if (Browser.command() == null) {
            return
        }
        Path results = shared.resolve('results')
        new StudyFixture(results).build()
        ReportSpec.report(results, shared.resolve('report'))
        String reader = getClass().getResource('/report/reader.js').getText('UTF-8')
        seen = (Map) new Browser(shared).withCloseable { browser -> browser.read(shared.resolve('report/index.html'), reader, 'seen') }
        download = (Map) seen.remove('table') // long: it would drown the message of any other failure
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
