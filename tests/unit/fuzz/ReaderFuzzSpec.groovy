package unit.fuzz

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** Both readers of weights against changed files, the same ones every time; tests/fuzz looks for new ones, for as long as one likes. */
class ReaderFuzzSpec extends Specification {
    @TempDir
    Path folder

    def "#inputs changed files with the random seed #seed give tensors or the tool's error, in 96 MB of memory"() {
        given:
        def seeds = Path.of(ReaderFuzzSpec.getResource('/formats').toURI())
        def path = System.getProperty('surefire.test.class.path') ?: System.getProperty('java.class.path')

        when:
        def process = new ProcessBuilder("${System.getProperty('java.home')}/bin/java", '-Xmx96m', '-XX:+UseSerialGC',
            '-XX:MaxDirectMemorySize=32m', '-cp', path, 'unit.fuzz.FuzzReaders', seeds.toString(), "$seed", "$inputs")
            .directory(folder.toFile()).redirectErrorStream(true).start()
        def output = process.inputStream.text

        then:
        process.waitFor() == 0
        output.contains("$inputs inputs")

        and: 'the changes leave enough that is sound, and break enough'
        count(output, 'safetensors read') > inputs / 150
        count(output, 'torch read') > inputs / 40
        count(output, 'torch refused') > inputs / 2

        where:
        seed | inputs
        1    | 6_000
    }

    private static int count(String output, String what) {
        def found = output =~ /$what:(\d+)/
        assert found.find()
        found.group(1) as int
    }

    def "#name, which once made a reader fail, does not any more"() {
        when:
        ReaderTarget.check(Files.readAllBytes(Path.of(ReaderFuzzSpec.getResource('/fuzz').toURI()).resolve(name)))

        then:
        noExceptionThrown()

        where:
        name << Path.of(ReaderFuzzSpec.getResource('/fuzz').toURI()).toFile().list().sort()
    }
}
