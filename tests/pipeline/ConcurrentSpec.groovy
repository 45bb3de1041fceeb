package pipeline

import groovy.json.JsonOutput
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import spock.lang.AutoCleanup
import spock.lang.Specification
import spock.lang.TempDir
import unit.fetch.FakeHub

/** Two studies at the same time, each in its launch folder, want the same checkpoints of a hub into the same cache. */
class ConcurrentSpec extends Specification {
    @TempDir
    Path folder

    @AutoCleanup
    FakeHub hub = new FakeHub()

    def 'studies at the same time share the cache: each file comes once, and both have the same results'() {
        given:
        model('org/one', 'gpt2-safetensors')
        model('org/two', 'gpt2-zip-pickle')
        folder.resolve('sheet.csv').text = 'family,seed,step,source,revision\ngpt,21,100,org/one,\ngpt,49,100,org/two,\n'
        Random random = new Random(1)
        folder.resolve('ids.json').text = JsonOutput.toJson((1..60).collect { (1..24).collect { random.nextInt(100) } })

        and: 'no content comes before both studies have asked for both repositories'
        AtomicInteger early = new AtomicInteger()
        hub.fault = { FakeHub.Request request ->
            if (request.host == 'blobs' && !within(120) { asked('org/one') >= 2 && asked('org/two') >= 2 }) {
                early.incrementAndGet()
            }
            false
        }

        when:
        List<Pipeline> pipelines = ['a', 'b'].collect { new Pipeline(folder.resolve(it)) }
        pipelines.each { it.environment = [HF_HOME: folder.resolve('home').toString(), HF_ENDPOINT: hub.endpoint] }
        List<Process> processes = pipelines.collect {
            it.start('-profile', 'test', '--input', "${folder}/sheet.csv".toString(), '--ids', "${folder}/ids.json".toString(), '--vocabulary', '101',
                    '--tokens', '0', '--ablate_steps', 'none', '--controls', 'none')
        }
        List<Pipeline.Result> results = [pipelines, processes].transpose().collect { pipeline, process -> pipeline.finish(process) }

        then:
        results*.succeeded()
        early.get() == 0
        results.every { it.tasks*.attempt.toSet() == ['1'] as Set }
        hub.asked('blobs').size() == 2
        hub.asked('blobs').toSet().size() == 2
        pipelines[0].published() == pipelines[1].published()

        and: 'of each checkpoint there is one entry, and no lock is held'
        def cached = folder.resolve('home/assets/universality/checkpoints').toFile().list().findAll { !it.startsWith('.') }
        cached.collect { it.tokenize('@')[0] }.toSorted() == ['gpt-s21-t100', 'gpt-s49-t100']
    }

    /** Launches' first questions for a repository: what its revision is. */
    private int asked(String repository) {
        hub.asked('hub').count { it.contains("/${repository}/revision/") }
    }

    private static boolean within(int seconds, Closure<Boolean> condition) {
        long end = System.nanoTime() + seconds * 1_000_000_000L
        while (System.nanoTime() < end) {
            if (condition()) {
                return true
            }
            sleep(20)
        }
        false
    }

    private void model(String repository, String fixture) {
        Map<String, Object> files = [:]
        Path source = Path.of(getClass().getResource("/checkpoints/${fixture}/config.json").toURI()).parent
        source.eachFile { if (it.fileName.toString() != 'golden.json') files[it.fileName.toString()] = it.bytes }
        hub.commit("models/${repository}", files)
    }
}
