package unit.fetch

import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList
import spock.lang.AutoCleanup
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.ToolException
import universality.fetch.Fetch
import universality.fetch.HubSettings

/** What specs of the hub have in common: a fake one, a home, and a fetch that waits for nothing. */
abstract class HubSpecification extends Specification {
    static final Path FIXTURES = Path.of(HubSpecification.getResource('/checkpoints').toURI())
    static final String TOKEN = 'hf_averysecrettoken'

    @TempDir
    Path temporary

    @AutoCleanup
    FakeHub hub = new FakeHub()

    Path home
    Path cache
    Path out
    /** Waits that were asked for. */
    List<Duration> waits = new CopyOnWriteArrayList<>()

    def setup() {
        home = temporary.resolve('home')
        cache = home.resolve('hub')
        out = temporary.resolve('out/it')
    }

    /** What a fetch ended with. */
    static class Outcome {
        int status
        String message
        List<String> notes

        boolean refused(int expected, String... parts) {
            assert status == expected
            assert message.readLines().size() == 1
            parts.each { assert message.contains(it) }
            !message.contains(TOKEN)
        }
    }

    HubSettings settings(Map options = [:]) {
        Map<String, String> environment = [HF_HOME: home.toString(), HF_ENDPOINT: hub.endpoint] + (options.environment ?: [:])
        HubSettings.of(environment, (Path) options.cache, options.offline ?: false, new HubSettings.Patience(
                options.parallel ?: 4, options.retries == null ? 3 : options.retries, Duration.ofSeconds(1), Duration.ofMillis(options.stall ?: 5000),
                Duration.ofMillis(1), Duration.ofMillis(options.lock ?: 20_000), { waits << it }))
    }

    /** Fetches; options are those of the command and of {@link #settings}. */
    Outcome fetch(Map options = [:], String source) {
        List<String> notes = new CopyOnWriteArrayList<>()
        try {
            new Fetch(source, (String) options.revision, options.kind == 'dataset', options.include ?: [],
                    new Fetch.Names((String) options.id, (String) options.family, options.seed as Long, options.step as Long),
                    options.settings ?: settings(options), (Path) options.cache, options.out ?: out, true, { notes << it }, options.progress ?: { }).run()
            new Outcome(status: 0, message: '', notes: notes)
        } catch (ToolException e) {
            new Outcome(status: e.code().status(), message: e.message, notes: notes)
        }
    }

    /** A repository with a fixture's checkpoint and a tokenizer; returns the commit. */
    String model(String name = 'org/tiny', String fixture = 'gpt2-safetensors', Map<String, Object> more = ['tokenizer.json': '{"model": {}}', 'README.md': 'hello']) {
        Map<String, Object> files = [:]
        FIXTURES.resolve(fixture).toFile().eachFile { if (it.name != 'golden.json') { files[it.name] = it.bytes } }
        hub.commit("models/$name", files + more)
    }

    /** A dataset of one large file. */
    byte[] dataset(int size = 200_000, String name = 'org/text', String file = 'data.txt') {
        byte[] bytes = new byte[size]
        new Random(size).nextBytes(bytes)
        hub.commit("datasets/$name", [(file): bytes, 'README.md': 'hello'])
        bytes
    }

    Path blob(byte[] bytes, String folder = 'datasets--org--text', String path = 'data.txt') {
        cache.resolve("$folder/blobs/${FakeHub.digest(path, bytes)}")
    }

    /** Every file of the cache that has a final name, with whether it is what its name says; asserts that all are. */
    List<String> soundBlobs() {
        List<String> names = []
        cache.toFile().listFiles().findAll { it.name ==~ /(models|datasets)--.*/ }.each { repository ->
            new File(repository, 'blobs').listFiles()?.findAll { !it.name.endsWith('.incomplete') }?.each { blob ->
                assert blob.name in [blob.bytes.sha256(), FakeHub.gitId(blob.bytes)]
                names << blob.name
            }
        }
        names.toSorted()
    }

    static Map<String, Long> times(Path folder) {
        folder.toFile().listFiles().collectEntries { [it.name, Files.getLastModifiedTime(it.toPath(), LinkOption.NOFOLLOW_LINKS).toMillis()] }
    }
}
