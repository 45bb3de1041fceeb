package unit.data

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.ExitCode
import universality.data.Json
import universality.data.ToolException

class JsonSpec extends Specification {
    @TempDir
    Path dir

    Path text(String content) {
        def file = dir.resolve('x.json')
        file.toFile().setText(content, 'UTF-8')
        file
    }

    def "keys are sorted, indents are two spaces, lines end in newline, at any depth"() {
        expect:
        Json.pretty([b: [d: 1, c: [2, 'ü']], a: null]) ==
            '{\n  "a" : null,\n  "b" : {\n    "c" : [\n      2,\n      "ü"\n    ],\n    "d" : 1\n  }\n}\n'
        Json.pretty([b: 1, a: 2]) == Json.pretty(new TreeMap([a: 2, b: 1]))
    }

    def "what is written comes back, 64-bit numbers included"() {
        given:
        def file = dir.resolve('y.json')
        Json.write(file, [big: Long.MAX_VALUE, small: 0.1d])

        expect:
        Json.read(file).path('big').longValue() == Long.MAX_VALUE
        Json.read(file).path('small').doubleValue() == 0.1d
    }

    def "not one sound document: #content"() {
        when:
        Json.read(text(content))

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains('x.json')

        where:
        content << ['', '{', '{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 1}}', '{} {}', '{"a": NaN}', "{'a': 1}", '{"a": 1,}']
    }

    def "an absent file is missing"() {
        when:
        Json.read(dir.resolve('absent.json'))

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.code() == ExitCode.MISSING_INPUT
    }
}
