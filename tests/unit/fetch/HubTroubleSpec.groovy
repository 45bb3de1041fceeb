package unit.fetch

import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.time.ZoneOffset
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import spock.lang.Requires
import unit.support.SmallDisk
import universality.data.ToolException
import universality.fetch.HubSettings

/** Everything that goes wrong between here and the hub. Whatever it is, no file has a final name that is not whole. */
class HubTroubleSpec extends HubSpecification {
    def cleanup() {
        soundBlobs()
    }

    /** Misbehaves at the first {@code times} requests for content. */
    private void spoil(int times, Closure<Map> how) {
        def count = new AtomicInteger()
        hub.content = { request, answer -> count.incrementAndGet() <= times ? how(request, answer) : answer }
    }

    private static Map cut(Map answer, int bytes) {
        answer + [length: answer.bytes.length, bytes: Arrays.copyOf((byte[]) answer.bytes, bytes)]
    }

    private Outcome text(Map options = [:]) {
        fetch([kind: 'dataset'] + options, 'org/text')
    }

    def "the token goes to the hub and to nobody else, and is never shown"() {
        given:
        dataset()
        hub.token = TOKEN

        when:
        def outcome = text(environment: [HF_TOKEN: " $TOKEN\n".toString()])

        then:
        outcome.status == 0
        hub.requests.findAll { it.host == 'hub' }.every { it.headers.authorization == "Bearer $TOKEN" }
        hub.requests.findAll { it.host == 'blobs' }*.headers*.authorization == [null]
        !settings(environment: [HF_TOKEN: TOKEN]).toString().contains(TOKEN)
        !out.resolve('manifest.json').text.contains(TOKEN)
        temporary.toFile().traverse(type: groovy.io.FileType.FILES) { assert !it.getText('ISO-8859-1').contains(TOKEN) }
    }

    def "no token is sent where there is none"() {
        given:
        dataset()

        expect:
        text().status == 0
        hub.requests*.headers*.authorization.toSet() == [null] as Set
    }

    def "an answer of #status (#code) is exit #exit without another try"() {
        given:
        dataset()
        hub.fault = { request -> request.path.contains(at) ? request.answer(status, code ? ['X-Error-Code': code] : [:]) : false }

        expect:
        text(revision: 'dev', environment: token ? [HF_TOKEN: TOKEN] : [:]).refused(exit, *says)
        waits == []
        !Files.exists(out)

        where:
        status | code               | at          | token | exit | says
        401    | 'RepoNotFound'     | '/revision' | false | 77   | ["'org/text'", 'HF_TOKEN', 'gated']
        401    | ''                 | '/revision' | true  | 77   | ['HF_TOKEN was sent', 'gated access']
        403    | 'GatedRepo'        | '/revision' | true  | 77   | ['HF_TOKEN was sent', '403']
        404    | 'RepoNotFound'     | '/revision' | false | 66   | ["no dataset 'org/text'", 'HF_TOKEN']
        404    | 'RevisionNotFound' | '/revision' | false | 66   | ["'org/text' has no revision 'dev'"]
        404    | ''                 | '/revision' | false | 66   | ["'org/text' has no revision 'dev'"]
        404    | ''                 | 'org/text'  | false | 66   | ["no dataset 'org/text'"]
        410    | ''                 | '/revision' | false | 69   | ['410']
        418    | ''                 | '/revision' | false | 69   | ['418', 'no use']
    }

    def "a file that is refused, or gone, at #at is exit #exit and names it"() {
        given:
        dataset()
        hub.fault = { request -> request.host == at && request.path.contains(path) && request.answer(status) }

        expect:
        text().refused(exit, "'data.txt' of the dataset 'org/text'", status.toString())
        waits == []

        where:
        at      | path       | status | exit
        'hub'   | '/resolve' | 403    | 77
        'hub'   | '/resolve' | 404    | 66
        'blobs' | ''         | 403    | 77
        'blobs' | ''         | 404    | 66
    }

    def "#status is tried again, with growing waits, at #at"() {
        given:
        dataset()
        def count = new AtomicInteger()
        hub.fault = { request -> request.path.contains(path) && request.host == at && count.incrementAndGet() <= 3 && request.answer(status) }

        expect:
        text().status == 0
        waits.size() == 3
        waits.withIndex().every { wait, i -> wait.toNanos() >= (1 << i) * 500_000 && wait.toNanos() <= (1 << i) * 1_000_000 }

        where:
        status | at      | path
        500    | 'hub'   | '/revision'
        502    | 'hub'   | '/tree'
        503    | 'hub'   | '/resolve'
        504    | 'blobs' | ''
        429    | 'hub'   | '/revision'
        408    | 'blobs' | ''
    }

    def "a hub that stays down is exit 69, and says so: #status"() {
        given:
        dataset()
        hub.fault = { request -> request.answer(status) }

        expect:
        text(retries: 2).refused(69, "revision 'main' of the dataset 'org/text'", "answered $status, 3 times")
        hub.requests.size() == 3

        where:
        status << [500, 503, 429]
    }

    def "a server that asks for time gets it: #header"() {
        given:
        dataset()
        def first = true
        hub.fault = { request -> first && !(first = false) && request.answer(429, [(header): value(ZonedDateTime.now(ZoneOffset.UTC))]) }

        expect:
        text().status == 0
        waits.size() == 1
        waits[0].toSeconds() >= 55
        waits[0].toSeconds() <= 60

        where:
        header        | value
        'Retry-After' | { '57' }
        'Retry-After' | { it.plusSeconds(60).format(DateTimeFormatter.RFC_1123_DATE_TIME) }
        'ratelimit'   | { '"api";r=0;t=57' }
    }

    def "a server that asks for too much time is down"() {
        given:
        dataset()
        hub.fault = { request -> request.answer(503, ['Retry-After': '86400']) }

        expect:
        text().refused(69, '86400 seconds')
        waits == []
    }

    def "a hub that cannot be reached is exit 75"() {
        given:
        hub.close()

        expect:
        text(retries: 1).refused(75, '127.0.0.1', '2 tries', 'HTTPS_PROXY')
        text(retries: 0, environment: [HF_ENDPOINT: 'http://no.such.host.invalid']).refused(75, 'no.such.host.invalid')
        hub.requests == []
    }

    def "a connection that is cut #where goes on where it ended"() {
        given:
        def bytes = dataset(200_000)
        spoil(1) { request, answer -> cut(answer, at) }

        when:
        def outcome = text()

        then:
        outcome.status == 0
        out.resolve('data.txt').bytes == bytes
        waits.size() == 1
        hub.requests.findAll { it.host == 'blobs' }*.headers*.range == [null, at ? "bytes=$at-".toString() : null]
        hub.requests.findAll { it.host == 'blobs' }[1].headers['if-range'] == (at ? "\"etag-of-${bytes.sha256().take(8)}\"" : null)
        cache.resolve('datasets--org--text/blobs').toFile().list().size() == 1

        where:
        where                    | at
        'after the headers'      | 0
        'after a byte'           | 1
        'in the middle'          | 100_000
        'one byte before the end'| 199_999
    }

    def "a connection that ends before the answer is tried again, wherever"() {
        given:
        def bytes = dataset(1000)
        def count = new AtomicInteger()
        hub.fault = { request -> request.path.contains(path) && request.host == at && count.incrementAndGet() <= 2 && request.hangUp() }

        expect:
        text().status == 0
        out.resolve('data.txt').bytes == bytes

        where:
        at      | path
        'hub'   | '/revision'
        'hub'   | '/tree'
        'hub'   | '/resolve'
        'blobs' | ''
    }

    def "connections cut at 50 random places end with the right bytes (seed #seed)"() {
        given:
        def bytes = dataset(500_000)
        def random = new Random(seed)
        spoil(50) { request, answer ->
            int rest = answer.bytes.length
            switch (random.nextInt(5)) {
                case 0: return cut(answer, 0)
                case 1: return cut(answer, Math.min(rest - 1, 1 + random.nextInt(10)))
                default: return cut(answer, random.nextInt(Math.max(1, rest.intdiv(8))))
            }
        }

        when:
        def outcome = text(retries: 50)

        then:
        outcome.status == 0
        out.resolve('data.txt').bytes == bytes
        hub.asked('blobs').size() == 51

        where:
        seed << [1, 2, 3]
    }

    def "what came stays for the next run, which asks for the rest only"() {
        given:
        def bytes = dataset(200_000)
        hub.content = { request, answer -> cut(answer, 50_000) }

        when:
        def first = text(retries: 0)
        def partial = blob(bytes).resolveSibling("${bytes.sha256()}.universality.incomplete")

        then:
        first.refused(75, 'what came is kept')
        Files.size(partial) == 50_000
        !Files.exists(out)

        when:
        hub.content = { request, answer -> answer }
        hub.requests.clear()
        def second = text()

        then:
        second.status == 0
        out.resolve('data.txt').bytes == bytes
        hub.requests.findAll { it.host == 'blobs' }*.headers*.range == ['bytes=50000-']
        !Files.exists(partial)
    }

    def "a part from before that is #what ends in the right bytes all the same"() {
        given:
        def bytes = dataset(2000)
        def partial = blob(bytes).resolveSibling("${bytes.sha256()}.universality.incomplete")
        Files.createDirectories(partial.parent)
        Files.write(partial, part(bytes))

        expect:
        text().status == 0
        out.resolve('data.txt').bytes == bytes
        !Files.exists(partial)
        hub.asked('blobs').size() == downloads

        where:
        what               | downloads | part
        'complete'         | 0         | { byte[] b -> b }
        'of other content' | 2         | { byte[] b -> new byte[500] }
        'complete, wrong'  | 1         | { byte[] b -> new byte[2000] }
        'too long'         | 1         | { byte[] b -> new byte[3000] }
        'empty'            | 1         | { byte[] b -> new byte[0] }
    }

    def "a server that #what is asked again for all of it"() {
        given:
        def bytes = dataset(20_000)
        def count = new AtomicInteger()
        hub.content = { request, answer ->
            int n = count.incrementAndGet()
            n == 1 ? cut(answer, 5000) : n == 2 ? second(answer, bytes) : answer
        }

        expect:
        text().status == 0
        out.resolve('data.txt').bytes == bytes

        where:
        what                             | second
        'knows no ranges'                | { a, b -> a + [status: 200, bytes: b] }
        'sends another range'            | { a, b -> a + [headers: a.headers + ['Content-Range': 'bytes 4000-19999/20000'], bytes: Arrays.copyOfRange(b, 4000, 20_000)] }
        'sends a range of other content' | { a, b -> a + [headers: a.headers + ['Content-Range': 'bytes 5000-39999/40000'], bytes: new byte[35_000]] }
        'names no range'                 | { a, b -> a + [headers: a.headers - ['Content-Range': a.headers['Content-Range']]] }
        'sends a wrong rest'             | { a, b -> a + [bytes: new byte[15_000]] }
    }

    def "a range refused as beyond the end starts over"() {
        given:
        def bytes = dataset(20_000)
        def count = new AtomicInteger()
        spoil(1) { request, answer -> cut(answer, 5000) }
        hub.fault = { request -> request.host == 'blobs' && count.incrementAndGet() == 2 && request.answer(416) }

        expect:
        text().status == 0
        out.resolve('data.txt').bytes == bytes
    }

    def "content with #what is fetched again once, then exit 65 that says both digests"() {
        given:
        def bytes = dataset(5000)
        spoil(once ? 1 : 99) { request, answer -> wrong(answer) }

        when:
        def outcome = text()

        then:
        once ? outcome.status == 0 : outcome.refused(65, "'data.txt'", '5000 bytes', bytes.sha256(), 'twice', 'proxy')
        hub.asked('blobs').size() == 2
        Files.exists(blob(bytes)) == once
        !once || out.resolve('data.txt').bytes == bytes
        once || cache.resolve('datasets--org--text/blobs').toFile().list() == [] as String[]

        where:
        [what, wrong, once] << [
            [
                ['another byte', { a -> def b = a.bytes.clone(); b[77] ^= 1; a + [bytes: b] }],
                ['fewer bytes', { a -> a + [bytes: Arrays.copyOf((byte[]) a.bytes, 4000)] }],
                ['more bytes', { a -> a + [bytes: Arrays.copyOf((byte[]) a.bytes, 6000)] }],
                ['a page of HTML', { a -> a + [bytes: '<html>please log in</html>'.bytes] }],
                ['nothing', { a -> a + [bytes: new byte[0]] }],
            ], [true, false]].combinations().collect { [it[0][0], it[0][1], it[1]] }
    }

    def "small files are checked by git's digest"() {
        given:
        hub.commit('models/org/tiny', ['config.json': '{"model_type": "gpt2"}', 'pytorch_model.bin': 'x'])
        hub.content = { request, answer -> request.host == 'hub' ? answer + [bytes: '{"model_type": "gpt3"}'.bytes] : answer }

        expect:
        fetch('org/tiny').refused(65, "'config.json'", FakeHub.gitId('{"model_type": "gpt2"}'.bytes))
        soundBlobs() == ['x'.bytes.sha256()] || soundBlobs() == []
    }

    def "a server that #what is given up on, and goes on with a new connection"() {
        given:
        def bytes = dataset(100_000)
        def latch = new CountDownLatch(1)
        def count = new AtomicInteger()
        hub.fault = { request ->
            if (request.host != at || count.incrementAndGet() > 1) {
                return false
            }
            slow(request, bytes, latch)
            true
        }

        when:
        def outcome = text(stall: 1000)
        latch.countDown()

        then:
        outcome.status == 0
        out.resolve('data.txt').bytes == bytes
        waits.size() >= 1

        where:
        what                      | at      | slow
        'says nothing'            | 'hub'   | { r, b, done -> done.await() }
        'stops in the middle'     | 'blobs' | { r, b, done -> r.exchange.sendResponseHeaders(200, b.length); r.exchange.responseBody.write(b, 0, 50_000); r.exchange.responseBody.flush(); done.await() }
        'sends a byte at a time'  | 'blobs' | { r, b, done -> r.exchange.sendResponseHeaders(200, b.length); int i = 0; while (done.count && i < 5000) { r.exchange.responseBody.write(b, i++, 1); r.exchange.responseBody.flush(); Thread.sleep(5) } }
    }

    def "redirects without an end, and to nowhere, are exit 75"() {
        given:
        dataset()
        hub.fault = { request -> request.path.contains('/resolve') && request.answer(302, [Location: location]) }

        expect:
        text(retries: 0).refused(75, says)

        where:
        location                   | says
        '/datasets/x/resolve/y/z'  | 'without an end'
        'http://['                 | 'cannot be used'
        'mailto:nobody'            | 'cannot be used'
        ''                         | 'cannot be used'
    }

    def "a repository that was renamed is followed, with the token"() {
        given:
        def bytes = dataset(1000, 'org/new')
        hub.token = TOKEN
        hub.fault = { request -> request.path.contains('org/text') && request.answer(307, [Location: request.path.replace('org/text', 'org/new')]) }

        expect:
        text(environment: [HF_TOKEN: TOKEN]).status == 0
        out.resolve('data.txt').bytes == bytes
    }

    def "an address that is no hub says so"() {
        given:
        hub.fault = { request -> request.answer(200, [:], '<html>hello</html>') }

        expect:
        text().refused(65, 'not the JSON', 'HF_ENDPOINT')
    }

    def "two fetches of one file at once download it once"() {
        given:
        def bytes = dataset(300_000)
        hub.content = { request, answer -> Thread.sleep(100); answer }

        when:
        def threads = (1..3).collect { n ->
            def result = new java.util.concurrent.CompletableFuture<Outcome>()
            Thread.start { result.complete(text(out: temporary.resolve("out/$n"))) }
            result
        }
        def outcomes = threads*.get()

        then:
        outcomes*.status == [0, 0, 0]
        (1..3).every { temporary.resolve("out/$it/data.txt").bytes == bytes }
        (1..3).collect { temporary.resolve("out/$it").toRealPath() }.toSet().size() == 1
        hub.asked('blobs').size() == 1
    }

    def "two processes of one file at once download it once, without a token anywhere"() {
        given:
        def bytes = dataset(300_000)
        hub.token = TOKEN
        hub.content = { request, answer -> Thread.sleep(1000); answer }

        when:
        def processes = (1..2).collect { n ->
            def builder = new ProcessBuilder(Path.of(System.getProperty('java.home'), 'bin/java').toString(), '-Xmx128m', '-XX:TieredStopAtLevel=1',
                    '-cp', System.getProperty('java.class.path'), 'universality.cli.Main',
                    'fetch', '--kind', 'dataset', '--source', 'org/text', '--out', temporary.resolve("out/$n").toString(), '--debug')
            builder.environment().putAll([HF_ENDPOINT: hub.endpoint, HF_HOME: home.toString(), HF_TOKEN: TOKEN])
            builder.environment().keySet().removeAll(['HF_HUB_CACHE', 'HF_HUB_OFFLINE', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])
            builder.redirectErrorStream(true).redirectOutput(temporary.resolve("log$n").toFile()).start()
        }
        def statuses = processes*.waitFor()

        then:
        statuses == [0, 0]
        (1..2).every { temporary.resolve("out/$it/data.txt").bytes == bytes }
        temporary.resolve('out/1').toRealPath() == temporary.resolve('out/2').toRealPath()
        hub.asked('blobs').size() == 1
        (1..2).every { !temporary.resolve("log$it").text.contains(TOKEN) }
    }

    def "waiting for another process that gets nowhere is exit 75"() {
        given:
        def bytes = dataset(1000)
        def lock = cache.resolve(".locks/datasets--org--text/${bytes.sha256()}.lock")
        Files.createDirectories(lock.parent)
        def holder = new ProcessBuilder(Path.of(System.getProperty('java.home'), 'bin/java').toString(), '-Xmx32m', '-XX:TieredStopAtLevel=1',
                '-cp', System.getProperty('java.class.path'), Holder.name, lock.toString()).start()
        holder.inputStream.read()

        expect:
        text(lock: 200).refused(75, lock.toString(), 'another process')

        cleanup:
        holder?.destroy()
    }

    /** Holds a lock until it is ended. */
    static class Holder {
        static void main(String[] arguments) {
            def channel = java.nio.channels.FileChannel.open(Path.of(arguments[0]), java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.WRITE)
            channel.lock()
            System.out.write(1)
            System.out.flush()
            Thread.sleep(60_000)
        }
    }

    def "a cache that cannot be written is exit 73: a file is in the place of #what"() {
        given:
        dataset()
        def place = cache.resolve(at)
        Files.createDirectories(place.parent)
        Files.writeString(place, 'x')

        expect:
        text().refused(73, place.toString())
        !Files.exists(out)

        where:
        what           | at
        'blobs'        | 'datasets--org--text/blobs'
        'snapshots'    | 'datasets--org--text/snapshots'
        'locks'        | '.locks'
        'the cache'    | ''
    }

    def "what cannot be remembered for later is no failure now, but said"() {
        given:
        dataset()
        Files.createDirectories(cache.resolve('datasets--org--text'))
        ['trees', 'refs'].each { Files.writeString(cache.resolve("datasets--org--text/$it"), 'x') }

        when:
        def outcome = text()

        then:
        outcome.status == 0
        outcome.notes.size() == 1
        outcome.notes[0].contains('offline runs will not find org/text@main')
    }

    def "links that somebody put into the cache lead no download out of it: #where"() {
        given:
        def bytes = dataset()
        Path outside = Files.writeString(temporary.resolve('outside'), 'mine')
        Path place = cache.resolve('datasets--org--text').resolve(at(bytes.sha256(), hub.repos['datasets/org/text'].branches.main).toString())
        Files.createDirectories(place.parent)
        Files.createSymbolicLink(place, there ? outside : temporary.resolve('absent'))

        when:
        def outcome = text()

        then:
        outside.text == 'mine'
        !Files.exists(temporary.resolve('absent'))
        outcome.status == 0 || outcome.refused(73, place.toString())
        outcome.status != 0 || out.resolve('data.txt').bytes == bytes

        where:
        where                               | there | at
        'the content'                       | true  | { digest, commit -> "blobs/$digest" }
        'what came so far'                  | true  | { digest, commit -> "blobs/${digest}.universality.incomplete" }
        'what came so far, to nothing'      | false | { digest, commit -> "blobs/${digest}.universality.incomplete" }
        'the link to the content'           | true  | { digest, commit -> "snapshots/$commit/data.txt" }
        'the memory of the branch'          | true  | { digest, commit -> 'refs/main' }
    }

    def "a list of files in which a file is a folder too cannot be put on a disk, and puts nothing elsewhere"() {
        given:
        hub.commit('datasets/org/text', ['a.txt': 'x', 'a.txt/b.txt': 'y'])

        expect:
        text().status in [65, 73]
        !Files.exists(out)
    }

    @Requires({ SmallDisk.allowed() })
    def "a disk that is #when is exit 73, and what came goes on when there is room"() {
        given:
        def bytes = dataset(600_000)
        SmallDisk small = new SmallDisk(temporary.resolve('disk'), '1m')
        Path disk = small.folder
        Path filler = disk.resolve('filler')
        if (before) {
            Files.write(filler, new byte[700_000])
        }
        hub.content = { request, answer ->
            if (!Files.exists(filler)) {
                Files.write(filler, new byte[700_000])
            }
            answer
        }

        when:
        def outcome = text(cache: disk)

        then:
        outcome.refused(73, before ? '600000 bytes are to be downloaded' : 'No space left')
        !Files.exists(disk.resolve("datasets--org--text/blobs/${bytes.sha256()}"))
        waits == []

        when:
        Files.write(filler, new byte[0])
        def later = text(cache: disk)

        then:
        later.status == 0
        out.resolve('data.txt').bytes == bytes
        hub.requests.findAll { it.host == 'blobs' }*.headers*.range.count { it != null } == (before ? 0 : 1)

        cleanup:
        small?.close()

        where:
        when           | before
        'full'         | true
        'filling up'   | false
    }

    @Requires({ SmallDisk.allowed() })
    def "a complete cache on a disk that is read-only serves, a missing file is exit 73"() {
        given:
        dataset()
        SmallDisk small = new SmallDisk(temporary.resolve('disk'), '1m')
        Path disk = small.folder
        def own = [environment: [HF_HUB_CACHE: disk.toString()]]
        assert text(own).status == 0
        disk.resolve('datasets--org--text/trees').toFile().deleteDir() // as old versions of Python's library leave it
        small.readOnly()

        expect:
        text(own + [id: 'another']).status == 0

        when:
        dataset(2000)

        then:
        text(own).refused(73, disk.toString())

        cleanup:
        small?.close()
    }

    def "a variable that makes no sense is exit 64, and never repeats a secret: #environment"() {
        when:
        settings(environment: environment)

        then:
        def e = thrown(ToolException)
        e.code().status() == 64
        e.message.contains(says)
        !e.message.contains('secret')

        where:
        environment                                     | says
        [HF_ENDPOINT: 'ftp://x']                        | 'HF_ENDPOINT'
        [HF_ENDPOINT: 'huggingface']                    | 'HF_ENDPOINT'
        [HF_ENDPOINT: 'https://user:secret@host']       | 'HF_ENDPOINT'
        [HF_TOKEN: 'secret\nsecret']                    | 'HF_TOKEN'
        [HF_TOKEN: 'secr\u00e9t']                       | 'HF_TOKEN'
        [HTTPS_PROXY: 'http://me:secret@proxy:1']       | 'https_proxy'
        [http_proxy: 'socks5://proxy:1']                | 'http_proxy'
    }

    def "the environment says where things are: #environment"() {
        when:
        def found = HubSettings.of([HOME: '/h'] + environment, own == null ? null : Path.of(own), false, settings().patience())

        then:
        found.cache().toString() == files
        found.verified().toString() == verified
        found.offline() == offline
        found.endpoint().toString() == endpoint

        where:
        environment                                               | own   | files                        | verified                                  | offline | endpoint
        [:]                                                       | null  | '/h/.cache/huggingface/hub'  | '/h/.cache/huggingface/assets/universality' | false | HubSettings.getDeclaredField('DEFAULT_ENDPOINT').tap { it.accessible = true }.get(null)
        [HF_HOME: '~/hf', HF_HUB_OFFLINE: '1', HF_ENDPOINT: 'http://x/'] | null | '/h/hf/hub'           | '/h/hf/assets/universality'               | true    | 'http://x'
        [HF_HOME: '/f', HF_HUB_CACHE: '$SCRATCH/c', SCRATCH: '/s', HF_HUB_OFFLINE: 'no', HF_ENDPOINT: 'http://x:1/hub'] | null | '/s/c' | '/f/assets/universality' | false | 'http://x:1/hub'
        [XDG_CACHE_HOME: '/x', TRANSFORMERS_OFFLINE: 'True', HF_ENDPOINT: 'http://x'] | null | '/x/huggingface/hub' | '/x/huggingface/assets/universality' | true | 'http://x'
        [HF_HOME: '/f', HF_HUB_CACHE: '/c', HF_ENDPOINT: 'http://x'] | '/own' | '/own'                   | '/own'                                    | false   | 'http://x'
    }

    def "a proxy of the environment is used, but not for #direct"() {
        when:
        def proxies = HubSettings.of([https_proxy: 'http://p:3128', HTTP_PROXY: 'q', NO_PROXY: 'localhost, .inside.org,127.0.0.1'], null, false, settings().patience()).proxies()
        def used = { proxies.select(URI.create(it))[0].address()?.toString()?.replace('/<unresolved>', '') }

        then:
        used('https://hub.org/x') == 'p:3128'
        used('http://hub.org/x') == 'q:80'
        used(direct) == null

        where:
        direct << ['http://localhost:1', 'https://127.0.0.1/x', 'https://a.inside.org', 'https://inside.org']
    }

    def "requests go through the proxy"() {
        given: 'the fake hub in the part of the proxy: it is asked for whole addresses'
        def asked = []
        hub.fault = { request -> asked << request.exchange.requestURI.toString(); request.answer(404, ['X-Error-Code': 'RepoNotFound']) }

        expect:
        text(environment: [HF_ENDPOINT: 'http://hub.invalid', http_proxy: hub.endpoint]).refused(66, 'hub.invalid')
        asked == ['http://hub.invalid/api/datasets/org/text/revision/main']
    }
}
