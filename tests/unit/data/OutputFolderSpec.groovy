package unit.data

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.TimeUnit
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Folders
import universality.data.ExitCode
import universality.data.Manifest
import universality.data.OutputFolder
import universality.data.ToolException

class OutputFolderSpec extends Specification {
    @TempDir
    Path dir

    def "nothing is seen under the final name before the commit, and all after it"() {
        given:
        def target = dir.resolve('deep/out')
        def out = OutputFolder.create(target, false)

        when:
        out.file('a/b.txt').toFile().text = 'x'

        then:
        !Files.exists(target)

        when:
        out.commit('train', 'id')
        out.close()

        then:
        Folders.names(target) == ['a', 'manifest.json']
        Folders.names(target.parent) == ['out']
        Manifest.read(target, 'train').files()*.path() == ['a/b.txt']
    }

    def "a failure leaves nothing, not even a hidden folder"() {
        when:
        OutputFolder.create(dir.resolve('out'), false).withCloseable {
            it.file('x/y').toFile().text = 'half'
            it.nested('part').file('z').toFile().text = 'half'
            throw new IllegalStateException('boom')
        }

        then:
        thrown(IllegalStateException)
        Folders.names(dir) == []
    }

    def "no file leads out of the folder: #name"() {
        when:
        OutputFolder.create(dir.resolve('deep/out'), false).withCloseable { it.file(name) }

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains("'$name'")
        Folders.names(dir.resolve('deep')) == []
        Folders.names(dir) == ['deep']

        where:
        name << ['../x', '../../x/y', '/etc/x', 'a/../../x', '.', '']
    }

    def "an existing folder is refused with status 73 and stays as it is; --overwrite replaces it whole"() {
        given:
        def write = { boolean overwrite, String name ->
            OutputFolder.create(dir.resolve('out'), overwrite).withCloseable {
                it.file(name).toFile().text = name
                it.commit('train', 'id')
            }
        }
        write(false, 'first')

        when:
        write(false, 'second')

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.CANNOT_WRITE
        e.message.contains('pass --overwrite')
        Folders.names(dir.resolve('out')) == ['first', 'manifest.json']

        when:
        write(true, 'second')

        then:
        Folders.names(dir.resolve('out')) == ['manifest.json', 'second']
        Folders.names(dir) == ['out']
    }

    def "a failed overwrite keeps what was there"() {
        given:
        Folders.folder(dir.resolve('out'), 'train', 'id', [:]) { it.file('first').toFile().text = '1' }

        when:
        OutputFolder.create(dir.resolve('out'), true).withCloseable {
            it.file('second').toFile().text = '2'
            throw new IllegalStateException('boom')
        }

        then:
        thrown(IllegalStateException)
        Folders.names(dir) == ['out']
        Folders.names(dir.resolve('out')) == ['first', 'manifest.json']
    }

    def "nested folders have manifests of their own"() {
        when:
        OutputFolder.create(dir.resolve('out'), false).withCloseable { out ->
            ['a', 'b'].each { name ->
                out.nested(name).withCloseable {
                    it.file('x').toFile().text = name
                    it.commit('tokenize', name)
                }
            }
            out.commit('tokenize', 'all')
        }

        then:
        Manifest.read(dir.resolve('out/a'), 'tokenize').files()*.path() == ['x']
        Manifest.read(dir.resolve('out'), 'tokenize').files()*.path() == ['a/manifest.json', 'a/x', 'b/manifest.json', 'b/x']
    }

    def "a place that cannot be written is status 73: a file in the way"() {
        given:
        dir.resolve('file').toFile().text = 'x'

        when:
        OutputFolder.create(dir.resolve('file/out'), false)

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.code() == ExitCode.CANNOT_WRITE
    }

    def "results are as readable as any other folder"() {
        given:
        def plain = Files.createDirectory(dir.resolve('plain'))
        Folders.folder(dir.resolve('out'), 'train', 'id', [:]) { }

        expect:
        PosixFilePermissions.toString(Files.getPosixFilePermissions(dir.resolve('out'))) ==
            PosixFilePermissions.toString(Files.getPosixFilePermissions(plain))
    }

    def "deleting a tree does not follow links"() {
        given:
        def kept = Files.createDirectory(dir.resolve('kept'))
        kept.resolve('x').toFile().text = 'x'
        def tree = Files.createDirectory(dir.resolve('tree'))
        Files.createSymbolicLink(tree.resolve('link'), kept)

        when:
        OutputFolder.deleteTree(tree)
        OutputFolder.deleteTree(dir.resolve('absent'))

        then:
        Folders.names(dir) == ['kept']
        Folders.names(kept) == ['x']
    }

    def "a process that is asked to end takes its unfinished folder with it"() {
        given:
        def source = dir.resolve('Slow.java')
        source.toFile().text = '''
            public class Slow {
                public static void main(String[] arguments) throws Exception {
                    var out = universality.data.OutputFolder.create(java.nio.file.Path.of(arguments[0]), false);
                    java.nio.file.Files.writeString(out.file("half"), "half");
                    System.out.println("ready");
                    Thread.sleep(60_000);
                }
            }'''
        def results = Files.createDirectory(dir.resolve('results'))
        def path = System.getProperty('surefire.test.class.path') ?: System.getProperty('java.class.path')
        def process = new ProcessBuilder("${System.getProperty('java.home')}/bin/java", '-cp', path, source.toString(),
            results.resolve('out').toString()).redirectErrorStream(true).start()

        when:
        def line = process.inputReader().readLine()

        then:
        line == 'ready'
        Folders.names(results).size() == 1

        when:
        process.destroy()

        then:
        process.waitFor(30, TimeUnit.SECONDS)
        Folders.names(results) == []

        cleanup:
        process.destroyForcibly()
    }
}
