package unit.data

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.CsvTable
import universality.data.CsvWriter
import universality.data.ExitCode
import universality.data.ToolException

class CsvSpec extends Specification {
    @TempDir
    Path dir

    Path write(List<String> header, List<List> rows) {
        def file = dir.resolve('t.csv')
        new CsvWriter(file, header).withCloseable { w -> rows.each { w.row(it) } }
        file
    }

    Path text(String content) {
        def file = dir.resolve('t.csv')
        file.toFile().setText(content, 'UTF-8')
        file
    }

    def "the bytes are those of the contract: comma, point, newline, empty for undefined"() {
        expect:
        write(['a', 'b', 'c'], [[1, 2.5d, 'x'], [null, Double.NaN, 'y,z'], [Double.POSITIVE_INFINITY, Float.NaN, true],
            [1e-300d, 0.1f, 9007199254740993L]]).toFile().text ==
            'a,b,c\n1,2.5,x\n,,"y,z"\n,,true\n1.0E-300,0.1,9007199254740993\n'
    }

    def "numbers come back exactly, text as it was"() {
        given:
        def random = new Random(1)
        def numbers = (1..500).collect {
            double d = Double.longBitsToDouble(random.nextLong())
            Double.isFinite(d) ? d : 0.5d
        }
        def words = ['plain', 'with, comma', 'with "quotes"', 'two\nlines', ' spaces ', 'ünïcode ρ', '#', "'", ';']

        when:
        def table = CsvTable.read(write(['n', 'w'], numbers.withIndex().collect { d, i -> [d, words[i % words.size()]] }))

        then:
        table.size() == 500
        numbers.indices.every { table.number(it, 'n') == numbers[it] && table.text(it, 'w') == words[it % words.size()] }
    }

    def "empty cells are undefined, in a table of one column too"() {
        given:
        def wide = CsvTable.read(write(['a', 'b'], [[null, ''], [1, 2]]))

        expect:
        wide.text(0, 'a') == null && Double.isNaN(wide.number(0, 'b')) && !wide.flag(0, 'a')
        wide.integer(1, 'a') == 1L
        with(CsvTable.read(write(['a'], [[null], [3], ['']]))) {
            size() == 3
            text(0, 'a') == null
            number(1, 'a') == 3d
        }
    }

    def "blank lines at the end are no rows"() {
        expect:
        CsvTable.read(text('a,b\n1,2\n\n')).size() == 1
        CsvTable.read(text('a,b\r\n1,2\r\n')).number(0, 'b') == 2d
    }

    def "columns are found by name: #column"() {
        given:
        def table = CsvTable.read(text('a,b\n1,true\n2,false\n'), 'b')

        expect:
        table.header() == ['a', 'b']
        table.has('a') && !table.has('z')
        table.flag(0, 'b') && !table.flag(1, 'b')

        when:
        table.text(0, 'z')

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.message.contains("has no column 'z'; it has [a, b]")
    }

    def "a bad table is refused: #says"() {
        when:
        use(CsvTable.read(text(content), *required))

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        where:
        content                | required | use                        | says
        ''                     | []       | { }                        | 'is empty'
        'a,a\n1,2\n'           | []       | { }                        | 'has a column twice'
        'a,b\n1\n'             | []       | { }                        | 'line 2 has 1 cells, but the header has 2'
        'a,b\n1,2,3\n'         | []       | { }                        | 'has 3 cells'
        'a\n1\n'               | ['b']    | { }                        | "has no column 'b'"
        'a\nx\n'               | []       | { it.number(0, 'a') }      | "row 2: a is 'x', not a number"
        'a\nNaN\n'             | []       | { it.number(0, 'a') }      | "a is 'NaN', not a number"
        'a\nInfinity\n'        | []       | { it.number(0, 'a') }      | "a is 'Infinity', not a number"
        'a\n1.5\n'             | []       | { it.integer(0, 'a') }     | "a is '1.5', not an integer"
        'a,b\n,1\n'            | []       | { it.integer(0, 'a') }     | "a is '', not an integer"
        'a\nTRUE\n'            | []       | { it.flag(0, 'a') }        | "a is 'TRUE', not true or false"
        'a\n"open\n'           | []       | { }                        | 'cannot be read as UTF-8 CSV'
    }

    def "bytes that are not UTF-8 are refused, an absent file is missing"() {
        given:
        def file = dir.resolve('latin.csv')
        file.toFile().bytes = 'a\nü\n'.getBytes('ISO-8859-1')

        when:
        CsvTable.read(file)

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.code() == ExitCode.BAD_DATA

        when:
        CsvTable.read(dir.resolve('absent.csv'))

        then:
        def secondFailure = thrown(ToolException)
        secondFailure.code() == ExitCode.MISSING_INPUT
    }

    def "a row of another length is a defect, a folder that is absent status 73"() {
        when:
        write(['a', 'b'], [[1]])

        then:
        thrown(IllegalArgumentException)

        when:
        new CsvWriter(dir.resolve('absent/t.csv'), ['a'])

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.code() == ExitCode.CANNOT_WRITE
    }
}
