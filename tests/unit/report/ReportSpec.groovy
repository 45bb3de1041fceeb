package unit.report

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.cli.Main

class ReportSpec extends Specification {
    @TempDir
    Path temp

    String report(Path results, String name = 'report') {
        assert Main.run('report', '--results', results.toString(), '--out', temp.resolve(name).toString()) == 0
        temp.resolve(name).resolve('index.html').toFile().getText('UTF-8')
    }

    def "a complete study gives a page"() {
        given:
        new StudyFixture(temp.resolve('results')).build()

        when:
        String html = report(temp.resolve('results'))

        then:
        html.contains('Emergence')
    }
}
