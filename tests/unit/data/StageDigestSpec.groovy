package unit.data

import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.StageDigest

/** A constructed project: bin/universality, bin-java/target/universality.jar, bin-java/target/lib. */
class StageDigestSpec extends Specification {
    static final List STAGES = ['fetch', 'tokenize', 'train', 'activate', 'correlate', 'describe', 'identify', 'persist',
        'ablate', 'sweep', 'report']

    static final Map ENTRIES = [
        'META-INF/MANIFEST.MF'                       : 'manifest',
        'universality/version.properties'            : 'version=1',
        'universality/train/Train.class'             : 'train',
        'universality/report/Report.class'           : 'report',
        'universality/stats/Moments.class'           : 'stats',
        'universality/model/gpt2/Gpt2.class'         : 'model',
        'universality/cli/Main.class'                : 'main',
        'universality/cli/StageCommand.class'        : 'stage command',
        'universality/cli/TrainCommand.class'        : 'train command',
        'universality/cli/TrainCommand$Options.class': 'nested',
        'universality/cli/ReportCommand.class'       : 'report command',
        'universality/cli/VerifyCommand.class'       : 'no stage',
        'kernels/a.pt'                               : 'kernel',
        'report/page.html'                           : 'page',
    ]

    @TempDir
    Path dir

    Path project(String name, Map entries = ENTRIES, Map libraries = ['djl.jar': 'djl'], String launcher = 'java') {
        def target = Files.createDirectories(dir.resolve("$name/bin-java/target/lib")).parent
        def bin = Files.createDirectories(dir.resolve("$name/bin"))
        bin.resolve('universality').toFile().text = launcher
        libraries.each { file, content -> target.resolve("lib/$file").toFile().text = content }
        def jar = target.resolve('universality.jar')
        new ZipOutputStream(Files.newOutputStream(jar)).withCloseable { zip ->
            entries.each { entry, content ->
                zip.putNextEntry(new ZipEntry(entry))
                zip.write(content.bytes)
                zip.closeEntry()
            }
        }
        jar
    }

    private Set changed(Path before, Path after) {
        STAGES.findAll { StageDigest.of(it, before) != StageDigest.of(it, after) } as Set
    }

    def "a change in #entry reaches #reached"() {
        expect:
        changed(project('a'), project('b', ENTRIES + [(entry): 'something else'])) == reached as Set

        where:
        entry                                         | reached
        'universality/report/Report.class'            | ['report']
        'report/page.html'                            | ['report']
        'universality/cli/ReportCommand.class'        | ['report']
        'universality/train/Train.class'              | ['train']
        'universality/train/deep/New.class'           | ['train']
        'universality/cli/TrainCommand.class'         | ['train']
        'universality/cli/TrainCommand$Options.class' | ['train']
        'universality/cli/VerifyCommand.class'        | []
        'META-INF/MANIFEST.MF'                        | []
        'universality/stats/Moments.class'            | STAGES
        'universality/model/gpt2/Gpt2.class'          | STAGES
        'universality/cli/Main.class'                 | STAGES
        'universality/cli/StageCommand.class'         | STAGES
        'universality/cli/CommandLineHelp.class'      | STAGES
        'kernels/a.pt'                                | STAGES
        'universality/version.properties'             | STAGES
    }

    def "a rebuild with the same content changes nothing, in any folder, order or time"() {
        given:
        def first = project('a')
        def second = project('b', ENTRIES.entrySet().toList().reverse().collectEntries { [it.key, it.value] })
        second.toFile().lastModified = 1000

        expect:
        changed(first, second) == [] as Set
        STAGES.every { StageDigest.of(it, first) ==~ /[0-9a-f]{64}/ }
    }

    def "an entry gone, another library or launcher changes every stage"() {
        given:
        def first = project('a')

        expect:
        changed(first, project('b', ENTRIES.findAll { it.key != 'universality/stats/Moments.class' })) == STAGES as Set
        changed(first, project('c', ENTRIES, ['djl.jar': 'longer'])) == STAGES as Set
        changed(first, project('d', ENTRIES, ['djl2.jar': 'djl'])) == STAGES as Set
        changed(first, project('e', ENTRIES, ['djl.jar': 'djl'], 'java -X')) == STAGES as Set
    }

    def "a jar somewhere else still has a digest"() {
        given:
        def lonely = dir.resolve('x.jar')
        Files.copy(project('a'), lonely)

        expect:
        StageDigest.of('train', lonely) ==~ /[0-9a-f]{64}/
    }
}
