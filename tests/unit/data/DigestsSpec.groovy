package unit.data

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.Digests

class DigestsSpec extends Specification {
    @TempDir
    Path dir

    def "digests are those of the standard's examples, for text and files alike"() {
        given:
        def file = dir.resolve('x')
        file.toFile().bytes = ('a' * 1_000_000).bytes

        expect:
        Digests.ofText('') == 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
        Digests.ofText('abc') == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
        Digests.ofFile(file) == 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'
    }

    def "seeds are what they were when results were first published"() {
        expect: 'the first eight bytes of sha256("0|toy|1|2|3"), big-endian, as signed'
        Digests.seed(0, 'toy', 1L, 2, 3) == EXPECTED
        Digests.seed('0|toy|1', 2, '3') == EXPECTED
        Digests.seed(0, 'toy', 1, 2, 4) != EXPECTED
    }

    static final long EXPECTED = 8190742143519363337L
}
