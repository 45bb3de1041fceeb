package unit.lib

import spock.lang.Specification

class ShellSpec extends Specification {
    def 'a shell gives back what was quoted'() {
        expect:
        ['bash', '-c', "printf %s ${Shell.quote(value)}".toString()].execute().text == value

        where:
        value << ['plain-1.5/a_b', 'two words', "it's", '$(touch x) `id` ${HOME}', 'a;b|c&d>e', '"', '\\', "line\nbreak", '*', '', '~', 'été', '--flag', '!x']
    }

    def 'plain words stay plain'() {
        expect:
        Shell.quote('bpe:1024') == 'bpe:1024'
        Shell.quote(0.5) == '0.5'
    }

    def 'a NUL cannot be quoted'() {
        when:
        Shell.quote('a\0b')

        then:
        thrown(IllegalArgumentException)
    }

    def 'options: names become kebab-case, absent ones are left out, lists are several words'() {
        expect:
        Shell.options(values) == text

        where:
        values                                        || text
        [:]                                           || ''
        [baseline_draws: 10, top: 3]                  || '--baseline-draws 10 --top 3'
        [generate: null, diagonal: true, raw: false]  || '--diagonal'
        [text: ['a b', 'c'], none: [], seed: 0]       || "--text 'a b' c --seed 0"
        [x: '']                                       || "--x ''"
    }

    def 'staged files: an option where there are any, also where a path does not exist here'() {
        expect:
        Shell.files('--text', []) == ''
        Shell.files('--text', java.nio.file.Path.of('text1/book.txt')) == '--text text1/book.txt'
        Shell.files('--text', ['a', 'b c'].collect { java.nio.file.Path.of(it) }) == "--text a 'b c'"
    }
}
