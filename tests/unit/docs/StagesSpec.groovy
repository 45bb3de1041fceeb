package unit.docs

import groovy.json.JsonSlurper
import java.nio.file.Files
import spock.lang.Specification
import universality.data.Build

/** That lists of stages for readers have all of them. */
class StagesSpec extends Specification {
    def 'the changelog names every stage of a study'() {
        given:
        String said = (Files.readString(OutputDocs.PROJECT.resolve('CHANGELOG.md')) =~ /(?s)to one report: (.*?)\. Profiles/)[0][1]

        expect:
        said.findAll(/\w+/).toSet() == Build.STAGES.toSet()
    }

    def 'the memory of tables is said to be that of every process that has it'() {
        given:
        String said = new JsonSlurper().parse(OutputDocs.PROJECT.resolve('nextflow_schema.json').toFile()).'$defs'.values()*.properties*.tables_memory.findResult { it }.description
        Set<String> labelled = OutputDocs.PROJECT.resolve('modules').toFile().listFiles().findAll { new File(it, 'main.nf').text.contains("label 'tables'") }*.name

        expect:
        labelled.size() > 4
        said.replaceFirst(/^.*: /, '').split(', ').toList().toSet() == labelled
    }
}
