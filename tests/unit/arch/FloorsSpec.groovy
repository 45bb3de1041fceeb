package unit.arch

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses

import com.tngtech.archunit.core.domain.JavaClasses
import com.tngtech.archunit.core.importer.ClassFileImporter
import spock.lang.Shared
import spock.lang.Specification

/** cli → stages → model → text → tensor → stats → data: each floor knows those below it only. */
class FloorsSpec extends Specification {
    static final List<String> STAGES =
            ['fetch', 'tokenize', 'train', 'activate', 'correlate', 'describe', 'identify', 'persist', 'ablate', 'sweep', 'report', 'verify']
    /** From the lowest up; the stages lie between model and cli. */
    static final List<String> FLOORS = ['data', 'stats', 'tensor', 'text', 'model']

    @Shared
    JavaClasses classes = new ClassFileImporter().importPackages('universality')

    def 'the importer found the tools'() {
        expect:
        classes.contain('universality.cli.Main')
        classes*.packageName.findAll { it.startsWith('universality.') }
                .collect { it.split('\\.')[1] }
                .toSet() - ['cli', 'benchmarks'] - STAGES - FLOORS == [] as Set
    }

    def '#floor knows nothing above it'() {
        expect:
        noClasses().that().resideInAPackage("universality.${floor}..")
                .should().dependOnClassesThat().resideInAnyPackage(*above.collect { "universality.${it}..".toString() })
                .allowEmptyShould(true)
                .check(classes)

        where:
        floor << FLOORS
        above = FLOORS.drop(FLOORS.indexOf(floor) + 1) + STAGES + 'cli'
    }

    def 'the stage #stage knows neither another stage nor the command line'() {
        expect:
        noClasses().that().resideInAPackage("universality.${stage}..")
                .should().dependOnClassesThat().resideInAnyPackage(*(STAGES - stage + 'cli').collect { "universality.${it}..".toString() })
                .allowEmptyShould(true)
                .check(classes)

        where:
        stage << STAGES
    }

    def 'the engine is seen from tensor only, its arrays from tensor upwards'() {
        expect:
        noClasses().that().resideOutsideOfPackages('universality.tensor..', 'universality.text..')
                .should().dependOnClassesThat(djlBut('ai.djl.ndarray'))
                .check(classes)
        noClasses().that().resideInAPackage('universality.text..')
                .should().dependOnClassesThat(djlBut('ai.djl.ndarray', 'ai.djl.huggingface'))
                .allowEmptyShould(true)
                .check(classes)
        noClasses().that().resideInAPackage('universality.tensor..')
                .should().dependOnClassesThat().resideInAPackage('ai.djl.huggingface..')
                .check(classes)
        noClasses().that().resideInAnyPackage('universality.data..', 'universality.stats..')
                .should().dependOnClassesThat().resideInAPackage('ai.djl..')
                .check(classes)
    }

    private static djlBut(String... allowed) {
        com.tngtech.archunit.base.DescribedPredicate.describe("are of ai.djl outside ${allowed.join(' and ')}") { type ->
            type.packageName.startsWith('ai.djl') && !allowed.any { type.packageName == it || type.packageName.startsWith(it + '.') }
        }
    }
}
