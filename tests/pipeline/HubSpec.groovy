package pipeline

import groovy.io.FileType
import groovy.json.JsonOutput
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.AutoCleanup
import spock.lang.Specification
import spock.lang.TempDir
import unit.fetch.FakeHub

/** A study of two checkpoints of a hub (a fake one on this machine), which wants a token. */
class HubSpec extends Specification {
    private static final String TOKEN = 'hf_averysecrettoken'

    @TempDir
    Path folder

    @AutoCleanup
    FakeHub hub = new FakeHub(token: TOKEN)

    Pipeline pipeline

    def setup() {
        pipeline = new Pipeline(folder.resolve('launch'))
        pipeline.environment = [HF_HOME: folder.resolve('home').toString(), HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN]
        model('org/one', 'gpt2-safetensors', 'step100')
        model('org/two', 'gpt2-zip-pickle', 'step100')
        folder.resolve('sheet.csv').text = 'family,seed,step,source,revision\ngpt,21,100,org/one,step100\ngpt,49,100,org/two,step100\n'
        Random random = new Random(1)
        folder.resolve('ids.json').text = JsonOutput.toJson((1..60).collect { (1..24).collect { random.nextInt(100) } })
    }

    def 'checkpoints are downloaded once, later launches find everything done, and the token is nowhere'() {
        when:
        def first = study()

        then:
        first.succeeded()
        first.tasks.count { it.process == 'FETCH' } == 2
        hub.requests.findAll { it.host == 'hub' }.every { it.headers.authorization == "Bearer ${TOKEN}" }
        hub.requests.findAll { it.host == 'blobs' }*.headers*.authorization == [null, null]
        pipeline.json('results/fetch/gpt-s21-t100.resources.json')
        folder.resolve('home').toFile().list().toSorted() == ['assets', 'hub']
        folder.resolve('home/hub').toFile().list().toSorted() == ['.locks', 'models--org--one', 'models--org--two']

        when: 'the commit is the one that the manifest says'
        def manifest = new groovy.json.JsonSlurper().parse(Files.find(folder.resolve('home/assets/universality/checkpoints'), 2,
                { path, _ -> path.endsWith('manifest.json') && path.toString().contains('gpt-s49') }).findFirst().get().toFile())

        then:
        manifest.parameters == [family: 'gpt', seed: 49, step: 100, source: 'org/two', revision: 'step100', commit: hub.repos['models/org/two'].branches.step100]

        when:
        hub.requests.clear()
        def again = study('-resume')

        then:
        again.succeeded()
        again.processes('COMPLETED') == ['FETCH']
        again.processes('CACHED') == first.processes('COMPLETED') - 'FETCH'
        hub.asked('blobs') == []

        when: 'the content of one checkpoint is damaged'
        hub.requests.clear()
        Path damaged = folder.resolve('home/hub/models--org--two/blobs').toFile().listFiles().max { it.length() }.toPath()
        byte[] content = damaged.bytes
        Files.write(damaged, Arrays.copyOf(content, content.length - 100))
        def mended = study('-resume')

        then: 'it is fetched again and the other is not, and what was computed from it stays'
        mended.succeeded()
        mended.processes('COMPLETED') == ['FETCH']
        hub.asked('blobs').size() == 1
        damaged.bytes == content

        when: 'without a network, and without a token'
        hub.requests.clear()
        pipeline.environment = pipeline.environment - [HF_TOKEN: TOKEN] + [HF_HUB_OFFLINE: '1']
        def offline = study('-resume')

        then:
        offline.succeeded()
        offline.processes('COMPLETED') == ['FETCH']
        hub.requests == []

        and: 'in no file of the launch, of the work folder, the results or the cache'
        folder.toFile().traverse(type: FileType.FILES) { assert !it.getText('ISO-8859-1').contains(TOKEN) }
    }

    def 'a hub that refuses stops the study with the line of the tool'() {
        given:
        pipeline.environment.HF_TOKEN = 'hf_another'

        when:
        def result = study()

        then:
        result.status == 1
        result.errors().last() ==~ /universality fetch: .*'org\/(one|two)' is refused .*401.*HF_TOKEN.*/
        !result.err.contains('hf_another')
        result.tasks.findAll { it.process == 'FETCH' }*.exit.toSet() == ['77'] as Set

        and: 'a token that is wrong here may be right elsewhere'
        folder.toFile().traverse(type: FileType.FILES) { assert !it.getText('ISO-8859-1').contains('hf_another') }
    }

    private Pipeline.Result study(String... more) {
        pipeline.run('-profile', 'test', '--input', "${folder}/sheet.csv".toString(), '--ids', "${folder}/ids.json".toString(),
                '--vocabulary', '101', '--tokens', '0', *more)
    }

    private void model(String repository, String fixture, String branch) {
        Map<String, Object> files = [:]
        Path source = Path.of(getClass().getResource("/checkpoints/${fixture}/config.json").toURI()).parent
        source.eachFile { if (it.fileName.toString() != 'golden.json') files[it.fileName.toString()] = it.bytes }
        hub.commit("models/${repository}", files, branch)
    }
}
