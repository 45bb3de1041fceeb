package unit.train

import groovy.json.JsonOutput
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.TestData
import universality.data.CheckpointFolder
import universality.data.CsvTable
import universality.data.Manifest
import universality.data.SafetensorsFile
import universality.data.ToolException
import universality.model.CheckpointWeights
import universality.tensor.Compute
import universality.train.TrainStage

import java.nio.file.Files
import java.nio.file.Path

/** The stage `train`: a small GPT-2 learns, is saved where asked, and comes out the same each time. */
class TrainSpec extends Specification {
    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    def "checkpoints are saved at the steps asked for, in Hugging Face's layout, and the loss falls"() {
        when:
        def out = train('out', 7, [0, 5, 40])
        def losses = CsvTable.read(out.resolve('losses.csv'))
        def checkpoints = [0, 5, 40].collect { CheckpointFolder.open(out.resolve("toy-s7-t$it")) }

        then: 'each is a checkpoint that the tools can open'
        checkpoints.collect { [it.id(), it.family(), it.seed(), it.step()] } == [0, 5, 40].collect { ["toy-s7-t$it".toString(), 'toy', 7, it] }
        checkpoints.every { CheckpointWeights.open(it).withCloseable { w -> w.has('h.0.mlp.c_fc.weight') && !w.has('lm_head.weight') } }
        SafetensorsFile.open(out.resolve('toy-s7-t0/model.safetensors')).withCloseable { it.tensors().keySet().every { it.startsWith('transformer.') } }
        and: 'a step changes the weights'
        weights(out, 0) != weights(out, 5) && weights(out, 5) != weights(out, 40)
        and: 'the loss begins at that of a uniform guess and falls far below'
        losses.size() == 40
        losses.integer(0, 'step') == 1 && losses.integer(39, 'tokens') == 40 * 8 * 12
        Math.abs(losses.number(0, 'loss') - Math.log(20)) < 0.1
        losses.number(39, 'loss') < 0.65 * losses.number(0, 'loss')
        and: 'warm-up is linear, then the rate falls along a half cosine to the final fraction'
        Math.abs(losses.number(0, 'learning_rate') - 0.01 / 4) < 1e-12
        Math.abs(losses.number(3, 'learning_rate') - 0.01) < 1e-12
        Math.abs(losses.number(39, 'learning_rate') - 0.001) < 1e-12
        Manifest.read(out, 'train').files().size() == 3 * 3 + 1
    }

    def "the same seed gives the same bytes and another seed other weights, in an untied model too"() {
        when:
        def first = train('a', 1, [0, 6], [tied: tied])
        def again = train('b', 1, [0, 6], [tied: tied])
        def other = train('c', 2, [0, 6], [tied: tied])

        then:
        ['losses.csv', 'manifest.json', 'toy-s1-t6/model.safetensors', 'toy-s1-t6/manifest.json'].every {
            Files.mismatch(first.resolve(it), again.resolve(it)) == -1
        }
        Files.readAllBytes(first.resolve('toy-s1-t0/model.safetensors')) != Files.readAllBytes(other.resolve('toy-s2-t0/model.safetensors'))
        CheckpointWeights.open(CheckpointFolder.open(first.resolve('toy-s1-t6'))).withCloseable { it.has('lm_head.weight') } == !tied

        where:
        tied << [true, false]
    }

    def "decay shrinks matrices alone"() {
        when: 'one step of AdamW, which moves each weight by the rate, with decay that moves them much further'
        def out = train('out', 1, [0, 1], [learning_rate: 1e-4, weight_decay: 1000, warmup: 0])
        def before = CheckpointWeights.open(CheckpointFolder.open(out.resolve('toy-s1-t0')))
        def after = CheckpointWeights.open(CheckpointFolder.open(out.resolve('toy-s1-t1')))
        def w0 = before.read('h.0.mlp.c_fc.weight', 8, 32)
        def w1 = after.read('h.0.mlp.c_fc.weight', 8, 32)
        def g1 = after.read('ln_f.weight', 8)

        then: 'each matrix entry is multiplied by 1 - rate * decay = 0.99 (the only step has the final rate); gains are not'
        (0..<w0.length).every { Math.abs(w1[it] - 0.99 * w0[it]) < 1.1e-5 }
        g1.every { Math.abs(it - 1) < 1.1e-5 }

        cleanup:
        before?.close()
        after?.close()
    }

    def "bad calls are refused before anything is written: #problem"() {
        when:
        train('out', 1, steps, options)

        then:
        def e = thrown(ToolException)
        e.code().status() == status
        e.message.contains(text)
        folder.toFile().list().every { !it.contains('out') }

        where:
        problem                | steps  | options                   | status | text
        'steps descend'        | [5, 1] | [:]                       | 64     | 'ascending'
        'no step'              | []     | [:]                       | 64     | 'no step'
        'batch beyond rows'    | [1]    | [rows: 500]               | 65     | 'give more text'
        'rows beyond context'  | [1]    | [positions: 4]            | 65     | 'longer than model.n_positions'
        'negative rate'        | [1]    | [learning_rate: -1]       | 65     | 'training.learning_rate'
        'it diverges'          | [0, 9] | [learning_rate: 10, warmup: 0, initial_deviation: 10, clip: 1e9, adam_epsilon: 0] | 65 | 'diverged at step'
    }

    private Path train(String name, long seed, List<Integer> steps, Map options = [:]) {
        def random = new Random(1)
        // rows that a model can learn: each token is followed by the next one, from a random start
        def rows = (0..<64).collect { int start = random.nextInt(20); (0..<12).collect { (start + it) % 20 } }
        Path tokens = TestData.tokens(folder, 'tokens', rows, 20)
        Path config = folder.resolve('config.json')
        config.text = JsonOutput.toJson([
                model   : [model_type: 'gpt2', n_layer: 1, n_head: 2, n_embd: 8, n_positions: options.positions ?: 12,
                           activation_function: 'gelu_new', tie_word_embeddings: options.tied != false],
                training: [rows: 8, learning_rate: 0.01, final_fraction: 0.1, warmup: 4, beta1: 0.9, beta2: 0.95, adam_epsilon: 1e-8,
                           weight_decay: 0.1, clip: 1.0, initial_deviation: 0.02] + options.findAll { it.key != 'tied' && it.key != 'positions' }])
        try {
            new TrainStage(tokens, config, 'toy', seed, steps).run(compute, folder.resolve(name), false, {})
            folder.resolve(name)
        } finally {
            tokens.toFile().deleteDir()
        }
    }

    private static List<Float> weights(Path out, int step) {
        CheckpointWeights.open(CheckpointFolder.open(out.resolve("toy-s7-t$step"))).withCloseable { it.read('h.0.mlp.c_fc.weight', 8, 32) as List }
    }
}
