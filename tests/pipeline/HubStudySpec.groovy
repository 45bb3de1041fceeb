package pipeline

import groovy.json.JsonOutput
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.AutoCleanup
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir
import unit.Tool
import unit.data.TorchBytes
import unit.fetch.FakeHub
import universality.data.CheckpointFolder
import universality.data.SafetensorsFile

/**
 * A study as the papers' are run: checkpoints (of one seed in safetensors, of the other pickled) and text from a hub, with the
 * tokenizer that the checkpoints came with. The hub is a fake one on this machine; the models were trained by the tools.
 */
@Stepwise
class HubStudySpec extends Specification {
    private static final List<Integer> STEPS = [0, 8]
    private static final List<String> WORDS = '''the of and to a in that it was he for on are as with his they at be this from have or by one
        had not but what all were when we there can an your which their said if do will each about how up out them then she many
        some so these would other into has more her two like him see time could no make than first been its who now people my'''
            .split().toList()

    @TempDir
    @Shared
    Path folder

    @AutoCleanup
    @Shared
    FakeHub hub = new FakeHub()

    @Shared
    Path sheet

    @Shared
    Pipeline unbroken

    def setupSpec() {
        sheet = Files.writeString(folder.resolve('sheet.csv'), 'family,seed,step,source,revision\n'
                + [1, 2].collectMany { seed -> STEPS.collect { "tiny,${seed},${it},org/tiny-s${seed},step${it}\n" } }.join(''))
        Path tokens = folder.resolve('tokens')
        assert Tool.run('tokenize', '--generate', 3, '--tokenizer', 'bpe:300', '--context', 32, '--tokens', 6000,
                '--split', 'train=90%,heldout=10%', '--out', tokens).status == 0
        [1, 2].each { seed -> serve(seed, tokens) }
        Random random = new Random(4)
        hub.commit('datasets/org/text', ['README.md': 'text', 'data/part.jsonl': (1..400).collect {
            JsonOutput.toJson([text: (1..40).collect { WORDS[random.nextInt(WORDS.size())] }.join(' ') + '.'])
        }.join('\n')])
        unbroken = new Pipeline(folder.resolve('unbroken'))
    }

    /** Trains a seed and puts its checkpoints on the hub. */
    private void serve(int seed, Path tokens) {
        Path trained = folder.resolve("trained-${seed}")
        assert Tool.run('train', '--tokens', tokens.resolve('train'), '--config', Pipeline.PROJECT.resolve('conf/models/test.json'),
                '--family', 'tiny', '--seed', seed, '--steps', STEPS.join(','), '--threads', 1, '--device', 'cpu', '--out', trained).status == 0
        STEPS.each { step ->
            Path checkpoint = trained.resolve("tiny-s${seed}-t${step}")
            Map<String, Object> files = ['config.json', 'tokenizer.json'].collectEntries { [(it): checkpoint.resolve(it).bytes] }
            Path weights = checkpoint.resolve('model.safetensors')
            files += seed == 1 ? ['model.safetensors': weights.bytes] : ['pytorch_model.bin': pickled(weights)]
            hub.commit("models/org/tiny-s${seed}", files, "step${step}")
        }
    }

    /** The same weights as {@code torch.save} writes them. */
    private static byte[] pickled(Path safetensors) {
        Map<String, byte[]> storages = [:]
        List<List> tensors = []
        SafetensorsFile.open(safetensors).withCloseable { file ->
            file.names().eachWithIndex { name, key ->
                float[] values = file.floats(name)
                List<Long> shape = file.tensor(name).shape() as List<Long>
                List<Long> strides = shape.indices.collect { (long) (shape.drop(it + 1).inject(1L) { a, b -> a * b }) }
                storages["$key".toString()] = TorchBytes.floats(values as double[])
                tensors << [name, 'FloatStorage', "$key".toString(), values.length, 0, shape, strides]
            }
        }
        TorchBytes.zip(tensors, storages)
    }

    private Pipeline.Result study(Pipeline pipeline, String... more) {
        pipeline.run(*arguments(pipeline), *more)
    }

    private String[] arguments(Pipeline pipeline) {
        pipeline.environment = [HF_HOME: pipeline.folder.resolve('home').toString(), HF_ENDPOINT: hub.endpoint]
        ['-profile', 'test', '--input', sheet, '--dataset', 'org/text', '--dataset_files', '*.jsonl', '--tokenizer', 'checkpoint',
         '--tokens', '9000', '--context', '24']*.toString()
    }

    def 'a plan tells what is to be fetched and computed, and computes nothing'() {
        when:
        def plan = study(unbroken, '--plan')
        List<String> lines = plan.out.readLines()*.trim()

        then:
        plan.succeeded()
        lines.contains('tiny: seeds 1, 2; steps 0, 8')
        lines.any { it ==~ /org\/tiny-s2 +step8 +3 .*/ }
        lines.any { it ==~ /org\/text +main +1 .*/ }
        lines.contains('Tasks: 28 (fetch 5, tokenize 1, activate 4, describe 4, correlate 8, identify 2, persist 1, ablate 2, report 1)')
        lines.any { it.startsWith('Tokens analysed: 6300; neurons in a model: ') }
        plan.tasks == []
        !Files.exists(unbroken.folder.resolve('results/report'))
    }

    def 'offline, all that is missing is named before anything runs'() {
        when:
        def offline = study(unbroken, '--offline')

        then:
        offline.status == 1
        offline.tasks == []
        (['org/text'] + [1, 2].collectMany { seed -> STEPS.collect { "org/tiny-s${seed}@step${it}" } }).every { offline.errors().last().contains(it) }
    }

    def 'the study runs from the hub to the report'() {
        when:
        def first = study(unbroken)

        then:
        first.succeeded()
        first.tasks.count { it.process == 'FETCH' } == 4
        first.tasks.count { it.process == 'FETCH_TEXT' } == 1
        first.tasks.count { it.process == 'ACTIVATE' } == 4
        unbroken.json('results/identify/tiny-t8/summary.json').checkpoints*.id == ['tiny-s1-t8', 'tiny-s2-t8']
    }

    def 'then it needs no hub, and a relaunch computes nothing but asks the cache'() {
        given:
        hub.requests.clear()

        when:
        def again = study(unbroken, '--offline', '-resume')

        then:
        again.succeeded()
        again.processes('COMPLETED') == ['FETCH', 'FETCH_TEXT']
        hub.requests == []
    }

    def 'a study that is killed midway and resumed gives the bytes of an unbroken one'() {
        given:
        Pipeline broken = new Pipeline(folder.resolve('broken'))

        when:
        Process process = broken.start(arguments(broken))
        boolean reached = waitFor(process) { broken.folder.resolve('work').toFile().exists() && done(broken, 'activate', 2) }
        Pipeline.kill(process)

        then:
        reached

        when:
        def resumed = study(broken, '-resume')

        then:
        resumed.succeeded()
        resumed.processes('CACHED').containsAll(['TOKENIZE', 'ACTIVATE'])
        broken.published() == unbroken.published()
    }

    /** Whether so many results of a stage are published; Nextflow notes that a task is done a little after that, so one more than needed. */
    private static boolean done(Pipeline pipeline, String stage, int wanted) {
        File[] found = pipeline.folder.resolve("results/${stage}").toFile().listFiles()
        found != null && found.length >= wanted
    }

    private static boolean waitFor(Process process, Closure<Boolean> condition) {
        while (process.alive) {
            if (condition()) {
                return true
            }
            sleep(20)
        }
        false
    }
}
