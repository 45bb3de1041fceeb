package unit.data

import spock.lang.Specification
import universality.data.Phases

import java.util.function.Supplier

/** Seconds by phase: each once, and nothing of one within another. */
class PhasesSpec extends Specification {
    def "what is inside a phase under another name is that one's alone, and all add up to the whole"() {
        given:
        def phases = new Phases()

        when:
        long start = System.nanoTime()
        def result = phases.in('outer', {
            phases.in('inner', { Thread.sleep(30) } as Runnable)
            phases.in('other', { 'found' } as Supplier)
        } as Supplier)
        double whole = (System.nanoTime() - start) / 1e9
        def seconds = phases.seconds()

        then:
        result == 'found'
        seconds.keySet() == ['outer', 'inner', 'other'] as Set
        seconds.inner >= 0.03 && seconds.outer < whole - seconds.inner + 1e-6
        seconds.values().sum() <= whole
    }

    def "a phase that fails ends"() {
        given:
        def phases = new Phases()

        when:
        phases.in('outer', {
            try {
                phases.in('fails', { throw new IllegalStateException('x') } as Runnable)
            } catch (IllegalStateException e) {
                phases.in('after', { } as Runnable)
            }
        } as Runnable)

        then:
        phases.seconds().keySet() == ['outer', 'fails', 'after'] as Set
    }
}
