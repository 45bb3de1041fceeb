package unit.model

import ai.djl.ndarray.types.Shape
import groovy.json.JsonSlurper
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import spock.lang.Unroll
import unit.support.TestData
import universality.data.CheckpointFolder
import universality.model.LanguageModel
import universality.tensor.Compute

import java.nio.file.Path

/** The forward pass against outputs of an independent implementation (tests/resources/checkpoints). */
class GoldenSpec extends Specification {
    static final NAMES = ['gpt2-safetensors', 'gpt2-zip-pickle', 'gpt2-legacy-pickle', 'gpt2-inverse-layer-scaled',
                         'neox-zip-pickle', 'neox-f16-zip-pickle']

    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    @Unroll
    def "activations, logits and losses of #name agree"() {
        given:
        def golden = new JsonSlurper().parse(TestData.fixture(name).resolve('golden.json'))
        int rows = golden.tokens.size()
        int context = golden.tokens[0].size()
        def scope = compute.manager().newSubManager()
        def model = LanguageModel.load(compute, CheckpointFolder.open(TestData.checkpoint(folder, name)))
        def tokens = scope.create(golden.tokens.flatten() as long[], new Shape(rows, context))

        when:
        def hooks = model.capture(scope, tokens, scope.arange(0, rows * context).toType(ai.djl.ndarray.types.DataType.INT64, false))
        int layers = model.config().layers()
        def post = (0..<layers).collect { hooks[2 * it + 1].toFloatArray() }
        int width = model.config().dMlp()

        then: 'post-activations of the first neurons'
        (0..<layers).every { l ->
            (0..<rows * context).every { p ->
                (0..<4).every { n -> close(post[l][p * width + n], golden.activations_head[l][p.intdiv(context)][p % context][n], 1e-4) }
            }
        }
        and: 'means and variances of all'
        (0..<layers).every { l ->
            (0..<width).every { n ->
                def column = (0..<rows * context).collect { post[l][it * width + n] as double }
                double mean = column.sum() / column.size()
                double variance = column.sum { (it - mean)**2 } / column.size()
                close(mean, golden.activation_mean[l][n], 1e-4) && close(variance, golden.activation_var_population[l][n], 1e-4)
            }
        }

        when:
        def logits = model.logits(scope, tokens).toFloatArray()
        int vocabulary = model.config().vocabulary()

        then: 'logits of the last position'
        (0..<rows).every { r ->
            int at = (r * context + context - 1) * vocabulary
            (0..<vocabulary).every { close(logits[at + it], golden.logits_last[r][it], 1e-4) }
        }
        and: 'losses of every token'
        def losses = (0..<rows).collect { r ->
            (0..<context - 1).collect { p ->
                int at = (r * context + p) * vocabulary
                def row = (0..<vocabulary).collect { logits[at + it] as double }
                double top = row.max()
                top + Math.log(row.sum { Math.exp(it - top) }) - row[golden.tokens[r][p + 1] as int]
            }
        }
        (0..<rows).every { r -> (0..<context - 1).every { close(losses[r][it], golden.loss_per_token[r][it], 1e-4) } }
        close(losses.flatten().sum() / losses.flatten().size(), golden.loss_mean, 1e-5)

        cleanup:
        scope?.close()
        model?.close()

        where:
        name << NAMES
    }

    static boolean close(def a, def b, double tolerance) {
        assert Math.abs((a as double) - (b as double)) <= tolerance
        true
    }
}
