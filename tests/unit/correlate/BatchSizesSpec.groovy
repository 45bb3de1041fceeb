package unit.correlate

import spock.lang.Specification
import universality.correlate.BatchSizes

class BatchSizesSpec extends Specification {
    def 'a device that is full gets half of it, again and again, and then a single row at a time; then there is an end'() {
        given:
        def sizes = new BatchSizes(4, { 1000L })

        expect:
        [sizes.rows(), sizes.most(9, 10), sizes.most(20, 10), sizes.most(9, 1000)] == [4, 9, 20, 1]

        when:
        def seen = []
        while (sizes.shrink()) {
            seen << [sizes.rows(), sizes.most(100, 10), sizes.most(100, 1000)]
        }

        then:
        seen == [[2, 25, 1], [1, 25, 1], [1, 1, 1]]
    }
}
