package unit.fetch

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import universality.data.CheckpointFolder
import universality.data.Manifest
import universality.model.CheckpointWeights

/** What is fetched from the hub, and where it lies then. */
class HubFetchSpec extends HubSpecification {
    def "the help of --include names every ending that is taken"() {
        given:
        def option = Class.forName('universality.cli.FetchCommand$HubOptions').getDeclaredField('include').getAnnotation(picocli.CommandLine.Option)

        expect:
        option.description()[0].contains('(' + universality.fetch.FileChoice.TEXTS.join(', ') + ')')
    }

    def "a model becomes a checkpoint of links into the hub's cache, by one commit"() {
        given:
        def commit = model()

        when:
        def outcome = fetch('org/tiny', id: 'a', family: 'tiny', seed: 3, step: 200)
        def checkpoint = CheckpointFolder.open(out)

        then:
        outcome.status == 0
        outcome.notes == []
        [checkpoint.id(), checkpoint.family(), checkpoint.seed(), checkpoint.step()] == ['a', 'tiny', 3L, 200L]
        checkpoint.manifest().parameters() == [family: 'tiny', seed: 3, step: 200, source: 'org/tiny', revision: 'main', commit: commit]
        checkpoint.manifest().files()*.path() == ['config.json', 'model.safetensors', 'tokenizer.json']
        checkpoint.manifest().verify(out)
        CheckpointWeights.open(checkpoint).withCloseable { it.config().layers() } == 2
        Files.mismatch(out.resolve('model.safetensors'), FIXTURES.resolve('gpt2-safetensors/model.safetensors')) == -1
        !out.resolve('manifest.json').text.contains(temporary.toString())
        !out.resolve('manifest.json').text.contains('127.0.0.1')

        and: 'apart from the first, every request names the commit'
        hub.asked('hub').head() == '/api/models/org/tiny/revision/main'
        hub.asked('hub').tail().every { it.contains(commit) }
        !hub.asked('hub').any { it.contains('README') }
    }

    def "the cache has the layout that Python's library reads"() {
        given:
        def commit = model()

        when:
        fetch('org/tiny')
        def repository = cache.resolve('models--org--tiny')
        def snapshot = repository.resolve("snapshots/$commit")
        def weights = FIXTURES.resolve('gpt2-safetensors/model.safetensors').bytes
        def config = FIXTURES.resolve('gpt2-safetensors/config.json').bytes

        then:
        cache.toFile().list().toSorted() == ['.locks', 'models--org--tiny']
        repository.toFile().list().toSorted() == ['blobs', 'refs', 'snapshots', 'trees']
        repository.resolve('refs').toFile().list() == ['main'] as String[]
        repository.resolve('refs/main').text == commit
        repository.resolve('snapshots').toFile().list() == [commit] as String[]
        snapshot.toFile().list().toSorted() == ['config.json', 'model.safetensors', 'tokenizer.json']
        Files.readSymbolicLink(snapshot.resolve('model.safetensors')) == Path.of("../../blobs/${weights.sha256()}")
        Files.readSymbolicLink(snapshot.resolve('config.json')) == Path.of("../../blobs/${FakeHub.gitId(config)}")
        repository.resolve('blobs').toFile().list().size() == 3
        cache.resolve('.locks/models--org--tiny').toFile().list().toSorted() == repository.resolve('blobs').toFile().list().collect { "${it}.lock".toString() }.toSorted()
        soundBlobs().size() == 3

        and: 'all files of the commit, as new versions of the library remember them'
        def tree = new JsonSlurper().parse(repository.resolve("trees/${commit}.json").toFile())
        tree.format_version == 1
        tree.files.keySet().toSorted() == ['README.md', 'config.json', 'model.safetensors', 'tokenizer.json']
        tree.files['model.safetensors'].lfs_sha256 == weights.sha256()
        tree.files['model.safetensors'].lfs_size == weights.length
        tree.files['config.json'] == [size: config.length, blob_id: FakeHub.gitId(config)]

        and: 'readable as any other file'
        Files.getPosixFilePermissions(repository.resolve("blobs/${weights.sha256()}")) == Files.getPosixFilePermissions(Files.createFile(temporary.resolve('probe')))
    }

    def "#weights are taken where there is #there"() {
        given:
        def pickle = FIXTURES.resolve('gpt2-zip-pickle/pytorch_model.bin').bytes
        def safetensors = FIXTURES.resolve('gpt2-safetensors/model.safetensors').bytes
        def contents = there.collectEntries { name ->
            def index = name.endsWith('.json') ? '{"weight_map": ' + (names[name]) + '}' : null
            [name, index ?: name.endsWith('.bin') ? index ?: pickle : safetensors]
        }
        hub.commit('models/org/tiny', ['config.json': FIXTURES.resolve('gpt2-safetensors/config.json').bytes] + contents)

        when:
        fetch('org/tiny')
        def links = cache.resolve('models--org--tiny/snapshots').toFile().listFiles().head().list().toSorted() - 'config.json'

        then: 'whether they then fit the config is not the matter here'
        links == weights

        where:
        there                                                                              | weights
        ['model.safetensors', 'pytorch_model.bin', 'model.safetensors.index.json']         | ['model.safetensors']
        ['pytorch_model.bin', 'flax_model.msgpack']                                        | ['pytorch_model.bin']
        ['model.safetensors.index.json', 'model-1.safetensors', 'model-2.safetensors', 'model-9.safetensors', 'pytorch_model.bin'] | ['model-1.safetensors', 'model-2.safetensors', 'model.safetensors.index.json']
        ['pytorch_model.bin.index.json', 'part-1.bin', 'part-2.bin', 'training_args.bin']  | ['part-1.bin', 'part-2.bin', 'pytorch_model.bin.index.json']

        names = ['model.safetensors.index.json': '{"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}',
                 'pytorch_model.bin.index.json': '{"a": "part-1.bin", "b": "part-2.bin"}']
    }

    def "refused with exit #status: #what"() {
        given:
        hub.commit('models/org/tiny', files)

        expect:
        fetch('org/tiny').refused(status, *says)
        !Files.exists(out)

        where:
        what                | files                                                          | status | says
        'no weights'        | ['config.json': '{}', 'flax_model.msgpack': 'x', 'b.h5': 'x']  | 66     | ['b.h5, config.json, flax_model.msgpack', 'model.safetensors']
        'no config'         | ['pytorch_model.bin': 'x']                                     | 66     | ['no config.json', 'pytorch_model.bin']
        'no files'          | [:]                                                            | 66     | ['no files']
        'a lost shard'      | ['config.json': '{}', 'model.safetensors.index.json': '{"weight_map": {"a": "gone.safetensors"}}'] | 66 | ["'gone.safetensors'"]
        'an evil shard'     | ['config.json': '{}', 'model.safetensors.index.json': '{"weight_map": {"a": "../../x"}}'] | 66 | ["'../../x'"]
        'an empty index'    | ['config.json': '{}', 'model.safetensors.index.json': '{}']    | 65     | ['weight_map']
        'a broken index'    | ['config.json': '{}', 'model.safetensors.index.json': 'hello'] | 65     | ['not JSON']
        'an evil path'      | ['config.json': '{}', '../evil.json': '{}']                    | 65     | ["'../evil.json'"]
        'an absolute path'  | ['config.json': '{}', '/etc/evil': '{}']                       | 65     | ["'/etc/evil'"]
        'another model'     | ['config.json': '{"model_type": "bert"}', 'pytorch_model.bin': 'x'] | 65 | ["'bert'"]
        'no model'          | ['config.json': '{', 'pytorch_model.bin': 'x']                 | 65     | ['config.json']
    }

    def "branches, tags with slashes and commits, whole and abbreviated, are revisions"() {
        given:
        def first = model()
        def second = hub.commit('models/org/tiny', hub.repos['models/org/tiny'].commits[first] + ['vocab.json': '{}'], branch)

        when:
        def outcome = fetch('org/tiny', revision: revision(second))

        then:
        outcome.status == 0
        Manifest.read(out, 'fetch').parameter('commit') == second
        Manifest.read(out, 'fetch').parameter('revision') == revision(second)
        cache.resolve('models--org--tiny/refs').toFile().exists() == !whole
        whole || cache.resolve("models--org--tiny/refs/${revision(second)}").text == second

        where:
        branch              | revision             | whole
        'checkpoint-100000' | { 'checkpoint-100000' } | false
        'refs/pr/1'         | { 'refs/pr/1' }      | false
        'ümläut'            | { 'ümläut' }         | false
        'main'              | { it }               | true
        'main'              | { it.take(8) }       | false
    }

    def "a branch that moves during a fetch changes nothing: all files are of one commit"() {
        given:
        def first = model()
        def moved = false
        hub.fault = { request ->
            if (request.path.contains('/tree/') && !moved) {
                moved = true
                model('org/tiny', 'gpt2-safetensors', ['tokenizer.json': '{"model": "another"}'])
            }
            false
        }

        when:
        fetch('org/tiny')

        then:
        moved
        Manifest.read(out, 'fetch').parameter('commit') == first
        out.resolve('tokenizer.json').text == '{"model": {}}'
        cache.resolve('models--org--tiny/refs/main').text == first

        when: 'the next fetch gets the new commit'
        fetch('org/tiny')

        then:
        Manifest.read(out, 'fetch').parameter('commit') == hub.repos['models/org/tiny'].branches.main
        out.resolve('tokenizer.json').text == '{"model": "another"}'
        cache.resolve('models--org--tiny/snapshots').toFile().list().size() == 2

        and: 'the weights, which are equal, were downloaded once'
        hub.asked('blobs').size() == 1
    }

    def "a second fetch gives the same path, untouched, without a download"() {
        given:
        model()
        fetch('org/tiny', id: 'a')
        def entry = out.toRealPath()
        def before = times(entry) + [folder: Files.getLastModifiedTime(entry).toMillis()]
        def downloads = hub.requests.size()

        when:
        fetch('org/tiny', id: 'a', out: temporary.resolve('again'))

        then:
        temporary.resolve('again').toRealPath() == entry
        times(entry) + [folder: Files.getLastModifiedTime(entry).toMillis()] == before
        hub.requests.size() == downloads + 1 // the branch is looked up; the commit's files are known
        entry.parent == home.resolve('assets/universality/checkpoints').toRealPath()
        entry.fileName.toString() ==~ /a@[0-9a-f]{32}/

        and: 'another seed or revision is another entry, of the same files'
        fetch('org/tiny', id: 'a', seed: 2, out: temporary.resolve('other')).status == 0
        temporary.resolve('other').toRealPath() != entry
        hub.asked('blobs').size() == 1
    }

    def "with a cache of one's own, everything lies in it and can be moved with it"() {
        given:
        model()
        def own = temporary.resolve('own')

        when:
        fetch('org/tiny', id: 'a', cache: own)
        def entry = own.relativize(out.toRealPath())
        Files.move(own, temporary.resolve('moved'))

        then:
        entry.toString() ==~ 'checkpoints/a@[0-9a-f]{32}'
        !Files.exists(home)
        temporary.resolve("moved/models--org--tiny").toFile().list().size() == 4
        Manifest.read(temporary.resolve('moved').resolve(entry), 'fetch').verify(temporary.resolve('moved').resolve(entry))
    }

    def "#damage is repaired, and the path stays"() {
        given:
        model()
        fetch('org/tiny', id: 'a')
        def entry = out.toRealPath()
        def weights = entry.resolve('model.safetensors')
        def before = times(entry)
        harm(weights)

        when:
        def outcome = fetch('org/tiny', id: 'a')

        then:
        outcome.status == 0
        outcome.notes.size() == 1
        outcome.notes[0].contains('damaged')
        out.toRealPath() == entry
        Manifest.read(entry, 'fetch').verify(entry)
        soundBlobs().size() == 3
        hub.asked('blobs').size() == downloads
        !repaired || times(entry) == before

        where:
        damage                         | downloads | repaired | harm
        'a blob that was cut short'    | 2         | true     | { Path p -> Files.write(p.toRealPath(), Arrays.copyOf(p.bytes, 500)) }
        'a blob with another byte'     | 2         | true     | { Path p -> def b = p.bytes; b[b.length - 1] ^= 1; Files.write(p.toRealPath(), b) }
        'a blob that is gone'          | 2         | true     | { Path p -> Files.delete(p.toRealPath()) }
        'a link that is gone'          | 1         | false    | { Path p -> Files.delete(p) }
        'a manifest that is gone'      | 1         | false    | { Path p -> Files.delete(p.resolveSibling('manifest.json')) }
    }

    def "of three checkpoints, one deleted and one damaged, exactly these two are fetched again"() {
        given:
        def outs = ['org/one', 'org/two', 'org/three'].collectEntries { name -> [name, temporary.resolve("out/${name.replace('/', '-')}")] }
        def all = { outs.collect { name, to -> fetch(name, id: name.replace('/', '-'), out: to).status } }
        ['gpt2-safetensors', 'gpt2-zip-pickle', 'gpt2-legacy-pickle'].eachWithIndex { fixture, i -> model(outs.keySet()[i], fixture) }
        assert all() == [0, 0, 0]
        def entries = outs.values()*.toRealPath()
        hub.requests.clear()

        when:
        blobs('org--one').each { Files.delete(it) }
        def weights = blobs('org--three').max { Files.size(it) }
        def bytes = weights.bytes
        bytes[bytes.length.intdiv(2)] ^= 1
        Files.write(weights, bytes)
        def again = all()

        then:
        again == [0, 0, 0]
        outs.values()*.toRealPath() == entries
        hub.asked('hub').findAll { it.contains('/resolve/') && it.endsWith('.bin') || it.endsWith('.safetensors') }*.tokenize('/')*.get(1) == ['one', 'three']
        hub.asked('blobs').size() == 2
        entries.every { Manifest.read(it, 'fetch').verify(it) == null }
    }

    private List<Path> blobs(String repository) {
        cache.resolve("models--$repository/blobs").toFile().listFiles()*.toPath()
    }

    def "a dataset's files of text, all or some, with their paths"() {
        given:
        def files = ['data/train-00000.parquet': 'PAR1', 'data/train-00001.parquet': 'PAR1 2', 'data/test-00000.parquet': 'PAR1 3',
                     'b.jsonl': '{}', 'c.jsonl.zst': 'z', 'd.jsonl.gz': 'g', 'e.txt': 'text', 'script.py': 'x', 'README.md': 'hello']
        def commit = hub.commit('datasets/org/text', files)

        when:
        def outcome = fetch('org/text', kind: 'dataset', include: include)
        def manifest = Manifest.read(out, 'fetch')

        then:
        outcome.status == 0
        manifest.id() == 'text'
        manifest.files()*.path() == expected
        manifest.verify(out)
        expected.every { out.resolve(it).text == files[it] }
        manifest.parameter('kind') == 'dataset'
        manifest.parameter('source') == 'org/text'
        manifest.parameter('commit') == commit
        manifest.parameters().include == (include ?: null)
        manifest.count('files') == expected.size()
        Files.readSymbolicLink(cache.resolve("datasets--org--text/snapshots/$commit").resolve(expected[-1])).startsWith(expected[-1].contains('/') ? '../../../blobs' : '../../blobs')
        hub.asked('hub').head() == '/api/datasets/org/text/revision/main'
        hub.asked('hub').findAll { it.contains('resolve') }.every { it.startsWith('/datasets/org/text/resolve/') }
        out.toRealPath().parent.fileName.toString() == 'datasets'

        where:
        include                   | expected
        []                        | ['b.jsonl', 'c.jsonl.zst', 'd.jsonl.gz', 'data/test-00000.parquet', 'data/train-00000.parquet', 'data/train-00001.parquet', 'e.txt']
        ['data/train-*']          | ['data/train-00000.parquet', 'data/train-00001.parquet']
        ['*.parquet']             | ['data/test-00000.parquet', 'data/train-00000.parquet', 'data/train-00001.parquet']
        ['e.txt', '*.jsonl*']     | ['b.jsonl', 'c.jsonl.zst', 'd.jsonl.gz', 'e.txt']
        ['**/*-00000.{parquet,py}'] | ['data/test-00000.parquet', 'data/train-00000.parquet']
    }

    def "a dataset without what was asked for says what there is"() {
        given:
        hub.commit('datasets/org/text', ['a.txt': 'x', 'b.csv': 'y'])
        hub.commit('datasets/org/tables', ['b.csv': 'y'])

        expect:
        fetch('org/text', kind: 'dataset', include: ['*.parquet']).refused(66, '*.parquet', 'a.txt')
        fetch('org/tables', kind: 'dataset').refused(66, '.parquet', 'b.csv')
        fetch('org/text', kind: 'dataset', include: ['[']).refused(64, "'['")
    }

    def "equal files are one download, and long lists of files come in pages"() {
        given:
        hub.pageSize = 7
        hub.commit('datasets/org/text', (1..40).collectEntries { ["part-${it}.txt".toString(), 'the same'] })

        when:
        fetch('org/text', kind: 'dataset')

        then:
        Manifest.read(out, 'fetch').files().size() == 40
        hub.asked('hub').count { it.contains('/tree/') } == 6
        hub.asked('blobs').size() == 1
    }

    def "at most so many files are downloaded at once"() {
        given:
        hub.commit('datasets/org/text', (1..12).collectEntries { ["part-${it}.txt".toString(), "text $it"] })
        def running = new java.util.concurrent.atomic.AtomicInteger()
        def most = new java.util.concurrent.atomic.AtomicInteger()
        hub.content = { request, answer ->
            most.accumulateAndGet(running.incrementAndGet(), Math::max)
            Thread.sleep(20)
            running.decrementAndGet()
            answer
        }

        when:
        fetch('org/text', kind: 'dataset', parallel: 2)

        then:
        most.get() == 2
    }

    def "progress counts files and bytes, and ends complete"() {
        given:
        dataset(3_000_000)
        def lines = new java.util.concurrent.CopyOnWriteArrayList<String>()

        when:
        fetch('org/text', kind: 'dataset', progress: { lines << it })

        then:
        lines.every { it ==~ /0 of 1 files, [\d.]+ (bytes|kB|MB) of 3.0 MB, [\d.]+ \w+\/s(, (\d+ min )?\d+ s left)?/ }
        lines[-1].startsWith('0 of 1 files, 3.0 MB of 3.0 MB')
        lines.any { it.endsWith(' left') }
    }
}
