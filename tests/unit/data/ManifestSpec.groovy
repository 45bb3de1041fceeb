package unit.data

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Folders
import universality.data.CheckpointFolder
import universality.data.ExitCode
import universality.data.Json
import universality.data.Manifest
import universality.data.ToolException

class ManifestSpec extends Specification {
    @TempDir
    Path dir

    Path folder(String name = 'f') {
        Folders.folder(dir.resolve(name), 'train', 'toy-s1-t2', [family: 'toy', seed: 1, step: 2L, rate: 0.5d]) { out ->
            out.file('a.csv').toFile().text = 'x\n1\n'
            out.file('sub/b.txt').toFile().text = 'hello'
            out.input('tokens', 'train', 'abc').count('rows', 3).warning('careful').device('cpu')
        }
    }

    def "what was recorded comes back"() {
        given:
        def manifest = Manifest.read(folder(), 'train')

        expect:
        with(manifest) {
            id() == 'toy-s1-t2' && stage() == 'train'
            parameter('family') == 'toy' && integer('step') == 2L && parameter('rate') == '0.5'
            parameterOr('absent', 'none') == 'none'
            count('rows') == 3L && count('absent') == 0L
            inputDigest('tokens').get() == 'abc' && inputDigest('absent').isEmpty()
            warnings() == ['careful'] && device() == 'cpu'
            files()*.path() == ['a.csv', 'sub/b.txt']
            files()*.bytes() == [4L, 5L]
            files()[1].sha256() == '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
        }
        manifest.verify(dir.resolve('f'))
        CheckpointFolder.open(dir.resolve('f')).seed() == 1L
    }

    def "equal content gives equal bytes and equal identity, whatever wrote it"() {
        given:
        def (a, b) = [folder('a'), folder('b')]
        def other = Folders.folder(dir.resolve('c'), 'fetch', 'other', [:]) { out ->
            out.file('a.csv').toFile().text = 'x\n1\n'
            out.file('sub/b.txt').toFile().text = 'hello'
        }

        expect:
        a.resolve('manifest.json').toFile().bytes == b.resolve('manifest.json').toFile().bytes
        !a.resolve('manifest.json').toFile().text.contains(dir.toString())
        Manifest.readAny(a).contentDigest() == Manifest.readAny(other).contentDigest()
    }

    def "a changed folder is refused: #what"() {
        given:
        def f = folder()
        change(f)

        when:
        Manifest.read(f, 'train').verify(f)

        then:
        def e = thrown(ToolException)
        e.code() == code
        e.message.contains(says)
        e.message.readLines().size() == 1

        where:
        what            | code                   | says                          | change
        'size'          | ExitCode.BAD_DATA      | 'has 6 bytes, but its manifest says 4' | { it.resolve('a.csv').toFile() << 'zz' }
        'content'       | ExitCode.BAD_DATA      | 'it was changed; rerun the stage' | { it.resolve('a.csv').toFile().text = 'x\n2\n' }
        'a file gone'   | ExitCode.MISSING_INPUT | 'is listed in manifest.json but cannot be read' | { it.resolve('a.csv').toFile().delete() }
        'no manifest'   | ExitCode.MISSING_INPUT | 'its stage did not finish'    | { it.resolve('manifest.json').toFile().delete() }
        'not JSON'      | ExitCode.BAD_DATA      | 'is not the JSON'             | { it.resolve('manifest.json').toFile().text = '{' }
        'empty'         | ExitCode.BAD_DATA      | 'is not the JSON'             | { it.resolve('manifest.json').toFile().text = '' }
        'null'          | ExitCode.BAD_DATA      | 'names no stage or id'        | { it.resolve('manifest.json').toFile().text = 'null' }
        'another JSON'  | ExitCode.BAD_DATA      | 'is not the JSON'             | { it.resolve('manifest.json').toFile().text = '{"x": 1}' }
        'no stage'      | ExitCode.BAD_DATA      | 'names no stage or id'        | { it.resolve('manifest.json').toFile().text = '{"id": "a"}' }
        'path outside'  | ExitCode.BAD_DATA      | "lists the file '../x'"       | { list(it, '../x') }
        'absolute path' | ExitCode.BAD_DATA      | "lists the file '/etc/x'"     | { list(it, '/etc/x') }
        'no path'       | ExitCode.BAD_DATA      | "lists the file 'null'"       | { list(it, null) }
    }

    private static void list(Path folder, String path) {
        Json.write(folder.resolve('manifest.json'),
            [stage: 'train', id: 'x', files: [[path: path, bytes: 1, sha256: 'a']]])
    }

    def "a raw checkpoint is sent to fetch, another stage's folder is named, a file is no folder"() {
        given:
        def raw = dir.resolve('gpt2')
        raw.toFile().mkdirs()
        raw.resolve('config.json').toFile().text = '{}'

        when:
        CheckpointFolder.open(raw)

        then:
        def missing = thrown(ToolException)
        missing.code() == ExitCode.MISSING_INPUT
        missing.message.contains("'universality fetch --source gpt2'")

        when:
        Manifest.read(folder(), 'identify')

        then:
        def other = thrown(ToolException)
        other.code() == ExitCode.BAD_DATA
        other.message.contains("written by the stage 'train', but a folder of 'identify' was expected")

        when:
        Manifest.readAny(raw.resolve('config.json'))

        then:
        def firstFailure = thrown(ToolException)
        firstFailure.message.contains('is not a folder')

        when:
        CheckpointFolder.open(Folders.folder(dir.resolve('t'), 'tokenize', 't', [:]) { })

        then:
        def secondFailure = thrown(ToolException)
        secondFailure.message.contains("but a checkpoint (of 'fetch' or 'train') was expected")
    }

    def "a parameter that is absent or of another kind is named"() {
        given:
        def manifest = Manifest.readAny(folder())

        when:
        ask(manifest)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains(says)

        where:
        ask                        | says
        ({ it.parameter('zzz') })  | "has no parameter 'zzz'"
        ({ it.integer('family') }) | "is 'toy', not an integer"
        ({ it.integer('rate') })   | "is '0.5', not an integer"
    }

    def "a file that the manifest does not list is missing"() {
        given:
        def f = folder()

        when:
        Manifest.readAny(f).verified(f, 'c.csv')

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.MISSING_INPUT
        e.message.contains('has no c.csv')
    }
}
