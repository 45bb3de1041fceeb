package pipeline

import groovy.json.JsonOutput
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

/** Checkpoints that were made elsewhere: two small ones written by PyTorch, one step, token ids instead of text. */
class SamplesheetSpec extends Specification {
    @TempDir
    Path folder

    Pipeline pipeline

    def setup() {
        pipeline = new Pipeline(folder.resolve('launch'))
        model('gpt2-safetensors', 'one')
        model('gpt2-zip-pickle', 'two')
        folder.resolve('sheet.csv').text = 'family,seed,step,source\ngpt,21,100,one\ngpt,49,100,two\n'
        Random random = new Random(1)
        folder.resolve('ids.json').text = JsonOutput.toJson((1..60).collect { (1..24).collect { random.nextInt(100) } })
    }

    def 'own checkpoints are studied; on a relaunch only fetch looks at them again'() {
        when:
        def first = study()

        then:
        first.succeeded()
        first.err.contains("persistence is skipped for the family 'gpt': it needs checkpoints of two steps or more")
        first.processes('COMPLETED') == ['ABLATE', 'ACTIVATE', 'CORRELATE', 'DESCRIBE', 'FETCH', 'IDENTIFY', 'REPORT', 'TOKENIZE']
        Files.exists(pipeline.folder.resolve('results/identify/gpt-t100/gpt-s21-t100.csv'))

        when:
        def again = study('-resume')

        then:
        again.succeeded()
        again.processes('COMPLETED') == ['FETCH']
        again.processes('CACHED') == first.processes('COMPLETED') - 'FETCH'
    }

    def 'weights that are not numbers stop the study with the line of the tool'() {
        given: 'the first weight of the first tensor is NaN'
        Path weights = folder.resolve('one/model.safetensors')
        byte[] bytes = weights.bytes
        int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0)
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(8 + header, Float.NaN)
        Files.write(weights, bytes)

        when:
        def result = study()

        then:
        result.status == 1
        result.errors().last() ==~ /universality (fetch|activate|describe): .*(NaN|not finite|finite).*/
        !Files.exists(pipeline.folder.resolve('results/identify'))
    }

    def 'weights that were cut short stop the study with the line of the tool'() {
        given:
        Path weights = folder.resolve('one/model.safetensors')
        Files.write(weights, Arrays.copyOf(weights.bytes, (int) Files.size(weights) - 1000))

        when:
        def result = study()

        then:
        result.status == 1
        result.errors().last().startsWith('universality fetch: ')
        result.errors().last().contains('model.safetensors')
        !Files.exists(pipeline.folder.resolve('results/identify'))
        !Files.exists(pipeline.folder.resolve('work/checkpoint-cache/checkpoints')) ||
                !pipeline.folder.resolve('work/checkpoint-cache/checkpoints').toFile().list().any { it.startsWith('gpt-s21') }
    }

    private Pipeline.Result study(String... more) {
        pipeline.run('-profile', 'test', '--input', "${folder}/sheet.csv".toString(), '--ids', "${folder}/ids.json".toString(),
                '--vocabulary', '101', '--tokens', '0', *more)
    }

    private void model(String fixture, String name) {
        Path source = Path.of(getClass().getResource("/checkpoints/${fixture}/config.json").toURI()).parent
        Path target = Files.createDirectories(folder.resolve(name))
        source.eachFile { if (it.fileName.toString() != 'golden.json') Files.copy(it, target.resolve(it.fileName)) }
    }
}
