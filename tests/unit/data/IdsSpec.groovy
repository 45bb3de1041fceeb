package unit.data

import spock.lang.Specification
import universality.data.ExitCode
import universality.data.Ids
import universality.data.ToolException

class IdsSpec extends Specification {
    def "'#id' is valid: #valid"() {
        expect:
        Ids.isValid(id) == valid

        where:
        id              | valid
        'a'             | true
        'gpt2-small_a.1'| true
        'toy-s0-t1000'  | true
        'A' * 64        | true
        'A' * 65        | false
        ''              | false
        'a__b'          | false
        'a_'            | false
        '_a'            | false
        'a..b'          | false
        'a-_b'          | false
        '.'             | false
        '..'            | false
        'a/b'           | false
        'a b'           | false
        'a;b'           | false
        'a\n'           | false
        'a$b'           | false
        'ü'             | false
        '-rf'           | false
    }

    def "the default id is made of its parts, and a bad one is a matter of usage"() {
        expect:
        Ids.checkpoint('toy', 3, 1000) == 'toy-s3-t1000'
        Ids.check('family', 'ok') == 'ok'

        when:
        Ids.checkpoint('my family', 3, 1000)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.USAGE
        e.message.contains("'my family-s3-t1000' is not a valid name")
    }
}
