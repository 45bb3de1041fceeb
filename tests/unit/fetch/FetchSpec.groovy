package unit.fetch

import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import universality.data.CheckpointFolder
import universality.data.Dtype
import universality.data.Manifest
import universality.data.SafetensorsFile
import universality.data.SafetensorsWriter
import universality.model.CheckpointWeights

class FetchSpec extends Specification {
    static final Path FIXTURES = Path.of(FetchSpec.getResource('/checkpoints').toURI())

    @TempDir
    Path temporary

    Path out
    Path cache

    def setup() {
        out = temporary.resolve('out/it')
        cache = temporary.resolve('cache')
    }

    Path source(String fixture = 'gpt2-safetensors', String name = fixture) {
        def folder = Files.createDirectories(temporary.resolve("sources/$name"))
        FIXTURES.resolve(fixture).toFile().eachFile {
            if (it.name != 'golden.json') {
                // as a user's own files are, whatever the mode of the checkout; files that nobody can write to are linked
                Files.copy(it.toPath(), folder.resolve(it.name)).toFile().setWritable(true)
            }
        }
        folder
    }

    List<String> left() {
        def names = []
        [temporary.resolve('out'), cache.resolve('checkpoints')].findAll { Files.exists(it) }.each { root ->
            root.toFile().eachFile { if (!it.name.endsWith('.lock')) { names << it.name } }
        }
        names
    }

    def "#fixture becomes a checkpoint folder that opens, with the same weights"() {
        when:
        def tool = Tool.run('fetch', '--source', source(fixture), '--id', 'a', '--family', 'tiny', '--seed', 3, '--step', 200,
            '--cache', cache, '--out', out)
        def checkpoint = CheckpointFolder.open(out)

        then:
        tool.status == 0
        tool.error == ''
        [checkpoint.id(), checkpoint.family(), checkpoint.seed(), checkpoint.step()] == ['a', 'tiny', 3L, 200L]
        checkpoint.manifest().parameter('source') == fixture
        checkpoint.manifest().parameter('commit') == checkpoint.manifest().contentDigest()
        checkpoint.manifest().files()*.path() == ['config.json', weights]
        Files.mismatch(out.resolve(weights), FIXTURES.resolve(fixture).resolve(weights)) == -1
        CheckpointWeights.open(checkpoint).withCloseable { it.config().layers() } in [2, 3]
        !Files.readString(out.resolve('manifest.json')).contains(temporary.toString())

        where:
        fixture                     | weights
        'gpt2-safetensors'          | 'model.safetensors'
        'gpt2-zip-pickle'           | 'pytorch_model.bin'
        'gpt2-legacy-pickle'        | 'pytorch_model.bin'
        'gpt2-inverse-layer-scaled' | 'pytorch_model.bin'
    }

    def "the output is a link to an entry of the cache that a second run leaves untouched"() {
        given:
        def folder = source()
        def run = { Path to -> Tool.run('fetch', '--source', folder, '--cache', cache, '--out', to).status }

        when:
        run(out)
        def entry = out.toRealPath()
        def times = entry.toFile().listFiles().collectEntries { [it.name, it.lastModified()] }
        def folderTime = Files.getLastModifiedTime(entry)
        def again = temporary.resolve('out/again')
        run(again)

        then:
        Files.isSymbolicLink(out)
        entry.parent == cache.resolve('checkpoints').toRealPath()
        entry.fileName.toString() ==~ /gpt2-safetensors@[0-9a-f]{32}/
        again.toRealPath() == entry
        entry.toFile().listFiles().collectEntries { [it.name, it.lastModified()] } == times
        Files.getLastModifiedTime(entry) == folderTime
        left().toSorted() == ['again', 'again.resources.json', 'it', 'it.resources.json', entry.fileName.toString()].toSorted()
    }

    def "another seed, or another content, is another entry"() {
        given:
        def folder = source()
        def entries = [] as Set

        when:
        [1, 2].each {
            Tool.run('fetch', '--source', folder, '--id', 'a', '--seed', it, '--cache', cache, '--out', out, '--overwrite')
            entries << out.toRealPath().fileName.toString()
        }
        Files.writeString(folder.resolve('merges.txt'), '#version: 0.2\n')
        Tool.run('fetch', '--source', folder, '--id', 'a', '--seed', 2, '--cache', cache, '--out', out, '--overwrite')
        entries << out.toRealPath().fileName.toString()

        then:
        entries.size() == 3
        CheckpointFolder.open(out).manifest().files()*.path() == ['config.json', 'merges.txt', 'model.safetensors']
    }

    def "an entry whose #damage is made anew, and said to be"() {
        given:
        def folder = source()
        Tool.run('fetch', '--source', folder, '--cache', cache, '--out', out)
        def entry = out.toRealPath()
        def weights = entry.resolve('model.safetensors')
        damaging(weights)

        when:
        def tool = Tool.run('fetch', '--source', folder, '--cache', cache, '--out', out, '--overwrite')

        then:
        tool.status == 0
        tool.error.contains('damaged')
        out.toRealPath() == entry
        Manifest.read(entry, 'fetch').verify(entry)
        left().findAll { it.startsWith('.') } == []

        where:
        damage                      | damaging
        'weights are cut short'     | { Path p -> Files.write(p, Arrays.copyOf(Files.readAllBytes(p), 500)) }
        'weights changed in a byte' | { Path p -> def b = Files.readAllBytes(p); b[b.length - 1] ^= 1; Files.write(p, b) }
        'weights are gone'          | { Path p -> Files.delete(p) }
        'manifest is gone'          | { Path p -> Files.delete(p.resolveSibling('manifest.json')) }
    }

    def "weights that nobody may write are linked, others copied, so that saving over them changes nothing"() {
        given:
        def folder = source()
        def weights = folder.resolve('model.safetensors')
        Files.setPosixFilePermissions(weights, PosixFilePermissions.fromString(permissions))

        when:
        Tool.run('fetch', '--source', folder, '--out', out)

        then:
        Files.isSameFile(weights, out.resolve('model.safetensors')) == linked

        where:
        permissions | linked
        'r--r--r--' | true
        'rw-r--r--' | false
    }

    def "without a cache the output is a plain folder, and does not need its source any more"() {
        given:
        def folder = source()

        when:
        def tool = Tool.run('fetch', '--source', folder, '--out', out)
        folder.toFile().deleteDir()

        then:
        tool.status == 0
        Files.isDirectory(out, LinkOption.NOFOLLOW_LINKS)
        CheckpointFolder.open(out).manifest().verify(out)
    }

    def "names come from options, then the manifest, then the folder's name: #name #options"() {
        given:
        def folder = source('gpt2-safetensors', name)

        when:
        def tool = Tool.run('fetch', '--source', folder, *options, '--out', out)
        def checkpoint = CheckpointFolder.open(out)

        then:
        tool.status == 0
        [checkpoint.id(), checkpoint.family(), checkpoint.seed(), checkpoint.step()] == expected

        where:
        name              | options                                           | expected
        'gpt2'            | []                                                | ['gpt2', 'gpt2', 0L, 0L]
        'demo-s3-t1500'   | []                                                | ['demo-s3-t1500', 'demo', 3L, 1500L]
        'demo-s3-t1500'   | ['--seed', 4]                                     | ['demo-s3-t1500', 'demo', 4L, 1500L]
        'no id at all!'   | ['--id', 'x', '--family', 'f']                    | ['x', 'f', 0L, 0L]
        'no id at all!'   | ['--family', 'f', '--seed', 1, '--step', 2]       | ['f-s1-t2', 'f', 1L, 2L]
    }

    def "a fetched folder can be fetched again and keeps its names"() {
        given:
        def first = temporary.resolve('out/renamed')
        Tool.run('fetch', '--source', source(), '--id', 'x', '--family', 'f', '--seed', 7, '--step', 9, '--out', first)

        when:
        def tool = Tool.run('fetch', '--source', first, '--out', out)
        def checkpoint = CheckpointFolder.open(out)

        then:
        tool.status == 0
        [checkpoint.id(), checkpoint.family(), checkpoint.seed(), checkpoint.step()] == ['x', 'f', 7L, 9L]
    }

    def "tokenizer files come along, other files do not"() {
        given:
        def folder = source()
        ['tokenizer.json', 'vocab.json', 'tokenizer_config.json', 'special_tokens_map.json', 'generation_config.json'].each {
            Files.writeString(folder.resolve(it), '{}')
        }
        Files.writeString(folder.resolve('merges.txt'), '')
        Files.writeString(folder.resolve('README.md'), 'hello')
        Files.writeString(folder.resolve('training_args.bin'), 'cos\nsystem\n')

        when:
        Tool.run('fetch', '--source', folder, '--out', out)

        then:
        CheckpointFolder.open(out).manifest().files()*.path() == ['config.json', 'generation_config.json', 'merges.txt',
            'model.safetensors', 'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.json']
    }

    def "tensors without a use are named in the manifest's warnings"() {
        given:
        def folder = source()
        def tensors = SafetensorsFile.open(folder.resolve('model.safetensors')).withCloseable { file ->
            file.tensors().collectEntries { name, t -> [name, [t.shape(), file.floats(name)]] }
        }
        tensors['adapter'] = [[1] as long[], [0] as float[]]
        Files.delete(folder.resolve('model.safetensors'))
        new SafetensorsWriter(folder.resolve('model.safetensors')).withCloseable { writer ->
            tensors.each { name, t -> writer.declare(name, Dtype.F32, t[0] as long[]) }
            tensors.each { name, t -> writer.floats(t[1] as float[]) }
        }

        when:
        def tool = Tool.run('fetch', '--source', folder, '--out', out)

        then:
        tool.status == 0
        CheckpointFolder.open(out).manifest().warnings().any { it.contains('adapter') }
    }

    def "refused with exit #status and nothing left: #what"() {
        given:
        def folder = source(fixture)
        harm(folder)

        when:
        def tool = Tool.run('fetch', '--source', folder, '--cache', cache, '--out', out)

        then:
        tool.refused(status, says)
        left() == []

        where:
        what                   | fixture            | status | says                     | harm
        'no config'            | 'gpt2-safetensors' | 66     | 'config.json is missing' | { Files.delete(it.resolve('config.json')) }
        'no weights'           | 'gpt2-safetensors' | 66     | 'has no weights'         | { Files.delete(it.resolve('model.safetensors')) }
        'broken config'        | 'gpt2-safetensors' | 65     | 'config.json'            | { Files.writeString(it.resolve('config.json'), '{') }
        'another architecture' | 'neox-zip-pickle'  | 65     | 'gpt2, gpt_neox'         | { p -> def f = p.resolve('config.json'); Files.writeString(f, Files.readString(f).replace('"gpt_neox"', '"llama"')) }
        'another width'        | 'gpt2-zip-pickle'  | 65     | '[101, 32]'              | { p -> def f = p.resolve('config.json'); Files.writeString(f, Files.readString(f).replace('"n_embd": 32', '"n_embd": 64')) }
        'cut safetensors'      | 'gpt2-safetensors' | 65     | 'cut short'              | { p -> cut(p.resolve('model.safetensors')) }
        'cut zip pickle'       | 'gpt2-zip-pickle'  | 65     | 'cut short'              | { p -> cut(p.resolve('pytorch_model.bin')) }
        'cut legacy pickle'    | 'gpt2-legacy-pickle' | 65   | 'cut short'              | { p -> cut(p.resolve('pytorch_model.bin')) }
        'a NaN weight'         | 'gpt2-safetensors' | 65     | 'NaN at element'         | { p -> poison(p.resolve('model.safetensors')) }
        'a malicious pickle'   | 'gpt2-zip-pickle'  | 65     | "'os.system'"            | { p -> Files.write(p.resolve('pytorch_model.bin'), unit.data.TorchBytes.zipOf('cos\nsystem\n(tR.'.bytes, [:])) }
        'a broken tokenizer'   | 'gpt2-safetensors' | 65     | 'tokenizer.json'         | { Files.writeString(it.resolve('tokenizer.json'), 'hello') }
    }

    private static void cut(Path file) {
        def bytes = Files.readAllBytes(file)
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1000))
    }

    private static void poison(Path file) {
        def bytes = Files.readAllBytes(file)
        [0x7f, 0xc0, 0, 0].eachWithIndex { value, i -> bytes[bytes.length - 1 - i] = (byte) value }
        Files.write(file, bytes)
    }

    def "refused with exit #status: #arguments"() {
        given:
        def folder = source('gpt2-safetensors', 'two words')

        when:
        def tool = Tool.run('fetch', *(arguments.collect { it == 'SOURCE' ? folder : it }), '--cache', cache, '--out', out)

        then:
        tool.refused(status, says)
        left() == []

        where:
        arguments                                                      | status | says
        ['--source', 'stanford-crfm/alias-gpt2-small-x21', '--offline'] | 66    | 'stanford-crfm/alias-gpt2-small-x21@main'
        ['--source', 'no folder, no repository']                       | 66     | 'ORGANISATION/NAME'
        ['--source', 'org/x', '--offline', '--revision', '../x']       | 64     | "'../x'"
        ['--source', 'org/x', '--offline', '--revision', '']           | 64     | '--revision'
        ['--source', 'org/x', '--offline', '--kind', 'space']          | 64     | '--kind space'
        ['--source', 'org/x', '--offline', '--include', '*.txt']       | 64     | '--include'
        ['--source', 'org/x', '--offline', '--parallel', '0']          | 64     | '--parallel 0'
        ['--source', 'org/x', '--offline', '--id', 'a__b']             | 64     | "'a__b'"
        ['--source', '/no/such/folder/at/all']                         | 66     | "no folder '/no/such/folder/at/all'"
        ['--source', 'SOURCE']                                         | 64     | "'two words'"
        ['--source', 'SOURCE', '--id', 'a__b']                         | 64     | "'a__b'"
        ['--source', 'SOURCE', '--id', 'a', '--family', '../x']        | 64     | "'../x'"
        ['--source', 'SOURCE', '--id', 'a', '--revision', 'main']      | 64     | '--revision main'
        ['--source', 'SOURCE', '--id', 'a', '--kind', 'dataset']       | 64     | 'tokenize --text'
        ['--source', 'SOURCE', '--id', 'a', '--seed', '-1']            | 64     | 'negative'
        ['--source', 'SOURCE', '--id', 'a', '--seed', 'x']             | 64     | "'x'"
        []                                                             | 64     | '--source'
    }

    def "an output that exists is exit 73, unless it may be overwritten"() {
        given:
        def folder = source()
        Files.createDirectories(out)
        Files.writeString(out.resolve('mine'), 'x')

        expect:
        Tool.run('fetch', '--source', folder, '--cache', cache, '--out', out).refused(73, 'exists already')
        Files.exists(out.resolve('mine'))
        Tool.run('fetch', '--source', folder, '--cache', cache, '--out', out, '--overwrite').status == 0
        Files.isSymbolicLink(out)
    }
}
