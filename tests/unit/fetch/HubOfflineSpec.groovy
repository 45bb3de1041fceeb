package unit.fetch

import java.nio.file.Files
import java.nio.file.Path
import universality.data.Manifest
import universality.data.ToolException
import universality.fetch.HubPlan

/** What works without a network, and what fetching would do. */
class HubOfflineSpec extends HubSpecification {
    private List<List> plan(Map options = [:], List<List> sources) {
        def plan = new HubPlan(settings(options))
        sources.each { plan.add((String) it[0], temporary, (String) it[1], options.kind == 'dataset', options.include ?: []) }
        plan.rows().collect { [it.source(), it.revision(), it.commit(), it.path(), it.bytes(), it.download()] }
    }

    def "offline, what was fetched once is there under the same path, and nobody is asked"() {
        given:
        model()
        fetch('org/tiny', id: 'a')
        def entry = out.toRealPath()
        hub.requests.clear()

        expect:
        fetch([id: 'a', out: temporary.resolve('again')] + how, 'org/tiny').status == 0
        temporary.resolve('again').toRealPath() == entry
        hub.requests == []

        where:
        how << [[offline: true], [environment: [HF_HUB_OFFLINE: '1']]]
    }

    def "offline, a snapshot that Python's library left is found by #revision"() {
        given: 'without the list of all files, as older versions leave it'
        def repository = cache.resolve('models--org--tiny')
        def commit = 'a' * 40
        ['config.json', 'model.safetensors'].each { name ->
            def bytes = FIXTURES.resolve("gpt2-safetensors/$name").bytes
            def blob = repository.resolve("blobs/${FakeHub.digest(name, bytes)}")
            Files.createDirectories(blob.parent)
            Files.write(blob, bytes)
            Files.createDirectories(repository.resolve("snapshots/$commit"))
            Files.createSymbolicLink(repository.resolve("snapshots/$commit/$name"), Path.of("../../blobs/${blob.fileName}"))
        }
        Files.createDirectories(repository.resolve('refs'))
        Files.writeString(repository.resolve('refs/main'), commit)

        expect:
        fetch('org/tiny', revision: revision, offline: true).status == 0
        Manifest.read(out, 'fetch').files()*.path() == ['config.json', 'model.safetensors']
        Manifest.read(out, 'fetch').parameter('commit') == commit
        hub.requests == []

        where:
        revision << ['main', 'a' * 40]
    }

    def "a list of files that is #what is asked for again, and mended"() {
        given:
        def commit = model()
        fetch('org/tiny', id: 'a')
        def repository = cache.resolve('models--org--tiny')
        def list = repository.resolve("trees/${commit}.json")
        def sound = list.text
        Files.writeString(list, harm(sound))
        Files.delete(repository.resolve("snapshots/$commit/tokenizer.json")) // so that the snapshot tells less
        hub.requests.clear()

        when:
        def outcome = fetch('org/tiny', id: 'b')

        then:
        outcome.status == 0
        Manifest.read(out, 'fetch').files()*.path().contains('tokenizer.json')
        list.text == sound
        hub.asked('blobs') == []
        repository.resolve('trees').toFile().list() as List == [list.fileName.toString()]

        where:
        what               | harm
        'empty'            | { '' }
        'cut short'        | { it.take(it.size().intdiv(2)) }
        'of a later time'  | { it.replaceFirst(/"format_version": 1/, '"format_version": 2') }
        'of nothing'       | { '{"format_version": 1, "files": {}}' }
        'foreign'          | { '{"format_version": 1, "files": {"../x": {"size": 1, "blob_id": "x"}}}' }
        'no object'        | { '[]' }
    }

    def "in a plan, what reads like a repository is one, though there be a folder"() {
        given:
        assert Files.isDirectory(Path.of('unit/fetch')) // of these specs
        def commit = model('unit/fetch')
        def local = Files.createDirectories(temporary.resolve('local'))
        Files.writeString(local.resolve('config.json'), '{}')
        def plan = new HubPlan(settings())

        when:
        ['unit/fetch', 'unit/fetch@' + commit, local.toString()].each { plan.add(it, false, []) }

        then:
        plan.rows().findAll { it.path() == 'config.json' }.collect { [it.source(), it.revision(), it.commit()] } ==
                [['unit/fetch', 'main', commit], ['unit/fetch', commit, commit], [local.toString(), '', '']]

        when:
        plan.add('./unit/none', false, [])

        then:
        def e = thrown(ToolException)
        e.code().status() == 66
    }

    def "what killed processes left is removed after a week, and nothing else"() {
        given:
        dataset()
        def old = java.nio.file.attribute.FileTime.from(java.time.Instant.now().minus(java.time.Duration.ofDays(8)))
        def put = { Path path, boolean aged ->
            Files.createDirectories(path.parent)
            Files.writeString(path, 'x')
            if (aged) {
                Files.setLastModifiedTime(path, old)
            }
            path
        }
        def uuid = { UUID.randomUUID().toString() + '.incomplete' }
        def blobs = cache.resolve('datasets--org--text/blobs')
        def verified = home.resolve('assets/universality/datasets')
        def left = [put(blobs.resolve(uuid()), true)]
        def folder = verified.resolve(".text@${'a' * 32}.tmp-123")
        put(folder.resolve('part'), true)
        Files.setLastModifiedTime(folder, old)
        left << folder
        def kept = [
            put(blobs.resolve(uuid()), false),
            put(blobs.resolve('b' * 64 + '.incomplete'), true),
            put(blobs.resolve('b' * 64), true),
            put(cache.resolve('datasets--org--other/blobs').resolve(uuid()), true),
            put(verified.resolve(".other@${'a' * 32}.tmp-123"), true),
            put(verified.resolve(".text@${'a' * 32}.tmp-124"), false),
        ]

        expect:
        fetch('org/text', kind: 'dataset').status == 0
        left.every { !Files.exists(it) }
        kept.every { Files.exists(it) }
    }

    def "online, blobs that Python's library left are not downloaded again"() {
        given:
        def bytes = dataset(10_000)
        Files.createDirectories(blob(bytes).parent)
        Files.write(blob(bytes), bytes)

        expect:
        fetch('org/text', kind: 'dataset').status == 0
        hub.asked('blobs') == []
    }

    def "offline, all that is missing is named at once: #what"() {
        given:
        model()
        what == 'nothing was fetched' || fetch('org/tiny')
        def head = hub.repos["models/org/tiny"].branches.main
        harm(cache.resolve("models--org--tiny"), head)
        out.toFile().deleteDir()
        hub.requests.clear()

        expect:
        fetch('org/tiny', offline: true).refused(66, 'org/tiny@main', *says)
        hub.requests == []

        where:
        what                  | says                                          | harm
        'nothing was fetched' | ['nothing of it', 'HF_HUB_OFFLINE']           | { folder, commit -> }
        'no branch'           | ['nothing of it']                             | { folder, commit -> Files.delete(folder.resolve('refs/main')) }
        'two files'           | ['(model.safetensors, tokenizer.json)']       | { folder, commit -> ['model.safetensors', 'tokenizer.json'].each { Files.delete(folder.resolve("snapshots/$commit/$it").toRealPath()) } }
        'a file cut short'    | ['(model.safetensors)']                       | { folder, commit -> Files.write(folder.resolve("snapshots/$commit/model.safetensors").toRealPath(), new byte[5]) }
        'part of a snapshot'  | ['only part of it']                           | { folder, commit -> folder.resolve('trees').toFile().deleteDir(); Files.delete(folder.resolve("snapshots/$commit/model.safetensors")) }
    }

    def "offline, a file with another byte is found, and named"() {
        given:
        model()
        fetch('org/tiny')
        def weights = out.resolve('model.safetensors').toRealPath()
        def bytes = weights.bytes
        bytes[1000] ^= 1
        Files.write(weights, bytes)

        expect:
        fetch('org/tiny', offline: true).refused(66, 'model.safetensors of org/tiny@main', 'damaged')
    }

    def "a plan names every file needed, and what is still to come, and leaves no trace"() {
        given:
        def tiny = model()
        def other = model('org/other', 'gpt2-zip-pickle', [:])
        fetch('org/tiny')
        def folder = Files.createDirectories(temporary.resolve('local'))
        Files.writeString(folder.resolve('config.json'), '{}')
        hub.requests.clear()
        def weights = FIXTURES.resolve('gpt2-zip-pickle/pytorch_model.bin')

        when:
        def rows = plan([['org/other', null], ['local', null], ['org/tiny', 'main']])

        then:
        rows == [
            ['org/other', 'main', other, 'config.json', 312, 312],
            ['org/other', 'main', other, 'pytorch_model.bin', Files.size(weights), Files.size(weights)],
            ['local', '', '', 'config.json', 2, 0],
            ['org/tiny', 'main', tiny, 'config.json', 312, 0],
            ['org/tiny', 'main', tiny, 'model.safetensors', 120392, 0],
            ['org/tiny', 'main', tiny, 'tokenizer.json', 13, 0],
        ]
        hub.asked('blobs') == []
        !Files.exists(cache.resolve('models--org--other'))

        when: 'part of a file is there'
        def partial = cache.resolve("models--org--other/blobs/${weights.bytes.sha256()}.universality.incomplete")
        Files.createDirectories(partial.parent)
        Files.write(partial, new byte[1000])

        then:
        plan([['org/other', null]])[1][5] == Files.size(weights) - 1000
    }

    def "a plan of shards reads the index, whether it is in the cache or not"() {
        given:
        def index = '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
        hub.commit('models/org/tiny', ['config.json': '{}', 'model.safetensors.index.json': index, 'model-1.safetensors': 'a', 'model-2.safetensors': 'b', 'model-3.safetensors': 'c'])

        expect:
        plan([['org/tiny', null]])*.getAt(3) == ['config.json', 'model-1.safetensors', 'model-2.safetensors', 'model.safetensors.index.json']
        !Files.exists(cache)
    }

    def "a plan of a samplesheet, on the command line"() {
        given:
        def sheet = temporary.resolve('sheet.csv')
        sheet.text = 'family,seed,step,source,revision\ngpt,1,100,folder,\n'
        Files.createDirectories(temporary.resolve('folder'))
        Files.writeString(temporary.resolve('folder/config.json'), '{}')
        def before = System.out
        def bytes = new ByteArrayOutputStream()
        System.out = new PrintStream(bytes, true)

        when:
        def tool = unit.Tool.run('fetch-plan', '--input', sheet, '--offline', '--cache', cache)
        System.out = before

        then:
        tool.status == 0
        bytes.toString() == 'source,revision,commit,path,bytes,download,config\nfolder,,,config.json,2,0,{}\n'

        when:
        sheet.text += 'gpt,2,100,org/a,\ngpt,3,100,org/b,step1\n'

        then:
        unit.Tool.run('fetch-plan', '--input', sheet, '--offline', '--cache', cache).refused(66, 'org/a@main (nothing of it); org/b@step1 (nothing of it)')
        unit.Tool.run('fetch-plan', '--source', 'org/a', '--source', 'org/b@v1', '--offline', '--cache', cache).refused(66, 'org/a@main', 'org/b@v1')
        unit.Tool.run('fetch-plan', '--offline').refused(64, '--source')
        unit.Tool.run('fetch-plan', '--offline', '--source', 'x', '--input', sheet).refused(64, '--source')

        cleanup:
        System.out = before
    }

    def "offline, a plan fails once for everything"() {
        given:
        model()
        fetch('org/tiny')
        Files.delete(out.resolve('model.safetensors').toRealPath())

        when:
        plan([['org/tiny', null], ['org/x', 'step1'], ['org/y', null]], offline: true)

        then:
        def e = thrown(ToolException)
        e.code().status() == 66
        e.message.contains('org/tiny@main (model.safetensors); org/x@step1 (nothing of it); org/y@main (nothing of it)')
    }

    def "content that two revisions share is planned once, and serves both offline"() {
        given:
        def first = model()
        hub.commit('models/org/tiny', hub.repos['models/org/tiny'].commits[first], 'copy')

        expect:
        plan([['org/tiny', 'main'], ['org/tiny', 'copy']])*.getAt(5) == [312, 120392, 13, 0, 0, 0]

        when: 'one revision is fetched, and of the other it is known what it has'
        fetch('org/tiny')
        fetch('org/tiny', revision: 'copy')
        def repository = cache.resolve('models--org--tiny')
        repository.resolve('snapshots').resolve(repository.resolve('refs/copy').text).toFile().deleteDir()
        home.resolve('assets').toFile().deleteDir()

        then:
        fetch('org/tiny', revision: 'copy', offline: true).status == 0
        Manifest.read(out, 'fetch').verify(out)
    }
}
