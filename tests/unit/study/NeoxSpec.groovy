package unit.study

import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import unit.model.ReferenceModel
import unit.support.Folders
import unit.support.TestData
import universality.data.CheckpointFolder
import universality.data.CsvTable
import universality.model.CheckpointWeights

/** The stages on GPT-NeoX checkpoints, as a user runs them. */
class NeoxSpec extends Specification {
    static final List ENGINE = ['--device', 'cpu', '--threads', 1]

    @TempDir
    Path folder

    private Path tool(String stage, Map<String, Object> options, List more = []) {
        def out = folder.resolve(options.out as String)
        def run = Tool.run(*([stage] + (options + [out: out]).collectMany { name, value -> ["--$name", value] } + more))
        assert run.status == 0: run.error
        out
    }

    def "a checkpoint that PyTorch wrote goes through fetch, activate, describe and ablate: #name"() {
        given:
        def golden = new JsonSlurper().parse(TestData.fixture(name).resolve('golden.json'))
        int layers = golden.activation_mean.size()
        def tokens = TestData.tokens(folder, 'analysis', golden.tokens, 101)
        Folders.csv(folder.resolve('neurons.csv'), ['layer', 'neuron'], golden.ablation.neurons)

        when:
        def checkpoint = tool('fetch', [source: TestData.fixture(name), out: 'pythia', id: 'pythia-tiny'])
        def activations = tool('activate', [checkpoint: checkpoint, tokens: tokens, out: 'activations'], ENGINE)
        def description = tool('describe', [checkpoint: checkpoint, activations: activations, out: 'description'])
        def ablation = tool('ablate', [checkpoint: checkpoint, tokens: tokens, neurons: folder.resolve('neurons.csv'), activations: activations,
                                       descriptions: description, replace: 'mean', draws: 2, out: 'ablation'], ENGINE)

        then: 'activations are those of PyTorch'
        def table = CsvTable.read(description.resolve('pythia-tiny.csv'))
        table.size() == layers * 128
        (0..<table.size()).every { row ->
            int l = row.intdiv(128), n = row % 128
            close(table.number(row, 'post_mean'), golden.activation_mean[l][n], 1e-4) &&
                    close(table.number(row, 'post_var'), golden.activation_var_population[l][n], 1e-4)
        }
        and: 'weight statistics are those of rows of the first projection and columns of the second, folded and centred'
        (0..<table.size()).every { row ->
            def expected = statistics(checkpoint, row.intdiv(128), row % 128)
            expected.every { column, value -> close(table.number(row, column), value, 1e-9 * Math.max(1d, Math.abs(value))) }
        }
        and: 'losses are those of PyTorch'
        def row = Folders.rows(ablation.resolve('ablation.csv')).find { it.condition == 'universal' && it.layers == 'all' }
        close(row.loss_clean as double, golden.loss_mean, 1e-5)
        close(row.loss as double, golden.ablation.mean_loss, 1e-5)
        close(row.kl as double, golden.ablation.mean_kl_clean_to_ablated, 1e-5)

        where:
        name << ['neox-zip-pickle', 'neox-f16-zip-pickle']
    }

    private static Map<String, Double> statistics(Path checkpoint, int layer, int neuron) {
        CheckpointWeights.open(CheckpointFolder.open(checkpoint)).withCloseable { weights ->
            def read = { String name, long... shape -> weights.read("layers.${layer}.$name".toString(), shape).collect { it.doubleValue() } }
            def row = read('mlp.dense_h_to_4h.weight', 128, 32).subList(32 * neuron, 32 * (neuron + 1))
            def column = read('mlp.dense_4h_to_h.weight', 32, 128).indexed().findAll { i, v -> i % 128 == neuron }.values() as List<Double>
            def gain = read('post_attention_layernorm.weight', 32)
            def shift = read('post_attention_layernorm.bias', 32)
            def into = centred((0..<32).collect { row[it] * gain[it] })
            def out = centred(column)
            double a = norm(into), b = norm(out)
            [w_in_norm: a, w_out_norm: b, in_out_sim: (0..<32).sum { into[it] * out[it] } / (a * b), l2_penalty: a * a + b * b,
             input_bias: read('mlp.dense_h_to_4h.bias', 128)[neuron] + (0..<32).sum { row[it] * shift[it] }]
        }
    }

    private static List<Double> centred(List<Double> x) {
        double mean = x.sum() / x.size()
        x.collect { it - mean }
    }

    private static double norm(List<Double> x) {
        Math.sqrt(x.sum { it * it } as double)
    }

    private static boolean close(double found, def expected, double tolerance) {
        assert Math.abs(found - (expected as double)) <= tolerance
        true
    }

    def "neurons of a GPT-NeoX and of its shuffled twin find each other"() {
        given: 'the twin has the neurons of each layer in the opposite order, half of the weights stored without the prefix'
        def model = new ReferenceModel([family: 'gpt_neox', activation: 'gelu', width: 16, mlp: 24, parallel: parallel], new Random(4))
        def twin = new ReferenceModel([family: 'gpt_neox', activation: 'gelu', width: 16, mlp: 24, parallel: parallel], new Random(4))
        (0..<2).each { l ->
            def name = { "layers.${l}.mlp.$it".toString() }
            (0..<24).each { j ->
                twin.weights[name('dense_h_to_4h.bias')][j] = model.weights[name('dense_h_to_4h.bias')][23 - j]
                (0..<16).each { d ->
                    twin.weights[name('dense_h_to_4h.weight')][j * 16 + d] = model.weights[name('dense_h_to_4h.weight')][(23 - j) * 16 + d]
                    twin.weights[name('dense_4h_to_h.weight')][d * 24 + j] = model.weights[name('dense_4h_to_h.weight')][d * 24 + 23 - j]
                }
            }
        }
        def random = new Random(9)
        def tokens = TestData.tokens(folder, 'analysis', (0..<40).collect { (0..<7).collect { random.nextInt(13) } }, 13)

        when:
        def activations = [a: model, b: twin].collect { id, m ->
            def weights = m.shapes().collectEntries { name, shape -> [name, [shape as long[], m.weights[name].toList()]] }
            def checkpoint = TestData.model(folder, id, m.config(), weights, [seed: id == 'a' ? 1 : 2])
            tool('activate', [checkpoint: checkpoint, tokens: tokens, out: "activations-$id"], ENGINE)
        }
        def out = tool('correlate', [activations: activations[0], 'baseline-draws': 2, out: 'correlations'], ['--activations', activations[1]] + ENGINE)
        def table = CsvTable.read(out.resolve('a__b.csv'))

        then:
        table.size() == 48
        (0..<48).every { row ->
            table.integer(row, 'partner_layer') == row.intdiv(24) && table.integer(row, 'partner_neuron') == 23 - row % 24 &&
                    table.number(row, 'max_corr') > 0.99999
        }

        where:
        parallel << [true, false]
    }

    def "train makes a GPT-NeoX that the stages take, and learns"() {
        given:
        def random = new Random(3)
        def rows = (0..<40).collect { def start = random.nextInt(20); (0..<12).collect { (start + 3 * it) % 20 } }
        def tokens = TestData.tokens(folder, 'train', rows, 20)
        def config = folder.resolve('config.json')
        Files.writeString(config, JsonOutput.toJson([
                model   : [model_type: 'gpt_neox', num_hidden_layers: 2, num_attention_heads: 2, hidden_size: 16, intermediate_size: 64,
                           max_position_embeddings: positions, rotary_pct: 0.5, use_parallel_residual: true, attention_bias: bias],
                training: [rows: 8, learning_rate: 0.01, final_fraction: 0.1, warmup: 4, beta1: 0.9, beta2: 0.95, adam_epsilon: 1e-8,
                           weight_decay: 0.1, clip: 1.0, initial_deviation: 0.02]]))
        def arguments = ['train', '--tokens', tokens, '--config', config, '--family', 'toy', '--seed', 1, '--steps', '0,40', '--out', folder.resolve('out')] + ENGINE

        when:
        def run = Tool.run(*arguments)

        then:
        if (says != null) {
            assert run.refused(65, says)
            return
        }
        run.status == 0
        def losses = CsvTable.read(folder.resolve('out/losses.csv'))
        Math.abs(losses.number(0, 'loss') - Math.log(20)) < 0.1
        losses.number(39, 'loss') < 0.65 * losses.number(0, 'loss')
        and: 'the last checkpoint gives a loss to match'
        Folders.csv(folder.resolve('neurons.csv'), ['layer', 'neuron'], [[0, 1]])
        def ablation = tool('ablate', [checkpoint: folder.resolve('out/toy-s1-t40'), tokens: tokens, neurons: folder.resolve('neurons.csv'), draws: 1, out: 'ablation'], ENGINE)
        def clean = Folders.rows(ablation.resolve('ablation.csv'))[0].loss_clean as double
        Math.abs(clean - losses.number(39, 'loss')) < 0.3

        where:
        positions | bias  || says
        12        | true  || null
        8         | true  || 'longer than model.max_position_embeddings 8'
        12        | false || 'attention_bias'
    }
}
