package unit.docs

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import javax.xml.parsers.DocumentBuilderFactory
import javax.xml.xpath.XPathConstants
import javax.xml.xpath.XPathFactory
import org.opentest4j.TestAbortedException
import spock.lang.Specification

/** What the tools consist of: pinned, listed in docs/dependencies.md, and in the bill of materials. Needs a packaged build. */
class MaterialsSpec extends Specification {
    private static final Path PROJECT = OutputDocs.PROJECT
    private static final Path TARGET = PROJECT.resolve('bin-java/target')
    /** No licence among these is needed to be accepted by who uses the tools, or binds their results. */
    private static final List<String> LICENCES = ['Apache-2.0', 'MIT', 'BSD-2-Clause', 'EDL-1.0']

    /** Digests of the jars by name. */
    private static Map<String, String> jars() {
        Path lib = TARGET.resolve('lib')
        if (!Files.isDirectory(lib)) {
            throw new TestAbortedException('bin-java/target/lib is not there: mvn package makes it')
        }
        lib.toFile().listFiles().collectEntries { [it.name, it.bytes.sha256()] }.sort()
    }

    /** The components of the bill of materials. */
    private static List<Map> components() {
        Path bill = TARGET.resolve('universality.cdx.json')
        if (!Files.isRegularFile(bill)) {
            throw new TestAbortedException('bin-java/target/universality.cdx.json is not there: mvn package makes it, unless it is offline (-o)')
        }
        new JsonSlurper().parse(bill.toFile()).components
    }

    private static List<List<String>> documented() {
        PROJECT.resolve('docs/dependencies.md').readLines().findAll { it.startsWith('| `') }.collect { it.split(/\|/)*.trim().drop(1)*.replace('`', '') }
    }

    def 'docs/dependencies.md lists the libraries that a build has, each with a licence that asks for nothing'() {
        given:
        // the native library of another platform has another name
        List<String> names = jars().keySet()*.replaceFirst(/(pytorch-native-cpu-[\d.]+)-.*\.jar/, '$1.jar')

        expect:
        documented().collect { "${it[0].split(':')[1]}-${it[1]}.jar".toString() }.toSorted() == names.toSorted()
        documented().every { row -> LICENCES.any { row[2] == it || row[2] ==~ /\Q$it\E\b.*/ } }
    }

    def 'the bill of materials has every jar, with its digest, version and licence, and nothing else'() {
        given:
        List<Map> components = components()

        expect:
        components.collect { it.hashes.find { hash -> hash.alg == 'SHA-256' }.content }.toSet() == jars().values().toSet()
        components.collect { [(it.group + ':' + it.name), it.version] }.toSet() == documented().collect { it[0..1] }.toSet()
        components.every { it.licenses }
    }

    def 'nothing in the bill of materials depends on when or where it was written'() {
        when:
        components()
        String text = TARGET.resolve('universality.cdx.json').text

        then:
        !text.contains('"serialNumber"')
        !text.contains(PROJECT.toString())
        !(text =~ /"timestamp" : "(?!2026-01-01T00:00:00Z)/)
    }

    def '#file pins every version'() {
        given:
        List<String> versions = texts(PROJECT.resolve(file), '//version | //*[contains(name(), ".version")]')

        expect:
        !versions.empty
        // names of properties and literal versions: no bracket or parenthesis of a range, no comma
        versions.every { it.replaceAll('[A-Za-z0-9._{}$-]', '').empty && !(it in ['', 'LATEST', 'RELEASE']) && !it.endsWith('-SNAPSHOT') }

        where:
        file << poms()
    }

    def 'every plugin of the build has its version in pom.xml, or where it is used'() {
        given:
        List<String> managed = texts(PROJECT.resolve('pom.xml'), '//pluginManagement//plugin[version]/artifactId')
        List<String> used = poms().collectMany { texts(PROJECT.resolve(it), '//plugin[not(version)]/artifactId') }

        expect:
        used.size() > 5
        used - managed == []
    }

    def 'the version is the same wherever it is said'() {
        given:
        String version = texts(PROJECT.resolve('pom.xml'), '/project/version')[0]

        expect:
        PROJECT.resolve('nextflow.config').text.contains("version         = '${version}'")
        PROJECT.resolve('CITATION.cff').readLines().contains("version: ${version}".toString())
        PROJECT.resolve('CHANGELOG.md').readLines().find { it.startsWith('## [') }.startsWith("## [${version}]")
    }

    private static List<String> poms() {
        ['pom.xml'] + PROJECT.toFile().listFiles().findAll { new File(it, 'pom.xml').file }.collect { it.name + '/pom.xml' }.toSorted()
    }

    /** Texts of the elements that an XPath without namespaces names. */
    private static List<String> texts(Path pom, String path) {
        def document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom.toFile())
        def nodes = XPathFactory.newInstance().newXPath().evaluate(path, document, XPathConstants.NODESET)
        (0..<nodes.length).collect { nodes.item(it).textContent.trim() }
    }
}
