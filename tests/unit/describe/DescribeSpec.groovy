package unit.describe

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import universality.data.ActivationMoments
import universality.data.CheckpointFolder
import universality.data.CsvTable
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.Manifest
import universality.data.OutputFolder
import universality.data.SafetensorsFile
import universality.data.SafetensorsWriter
import universality.data.ToolException
import universality.model.CheckpointWeights

class DescribeSpec extends Specification {
    static final Path FIXTURE = Path.of(DescribeSpec.getResource('/checkpoints/gpt2-safetensors').toURI())
    static final int LAYERS = 2
    static final int WIDTH = 32
    static final int NEURONS = 128
    static final int KEPT = 40

    @TempDir
    Path temporary

    @Shared
    Map<String, float[]> weights = SafetensorsFile.open(FIXTURE.resolve('model.safetensors')).withCloseable { file ->
        file.names().collectEntries { [it, file.floats(it)] }
    }

    /** Pre-activations [layer][neuron][position], some neurons of layer 1 without variance or nearly so. */
    static double[][][] preActivations() {
        def random = new Random(7)
        (0..<LAYERS).collect { layer ->
            (0..<NEURONS).collect { neuron ->
                (0..<KEPT).collect { position ->
                    double x = random.nextGaussian() * (1 + neuron % 5) - neuron % 3
                    layer == 0 ? x : neuron == 3 ? -2d : neuron == 4 ? -2d + 1e-9 * x : x
                } as double[]
            } as double[][]
        } as double[][][]
    }

    static double activation(double x) {
        x > 0 ? x : x / 10
    }

    /** A checkpoint folder with weights changed: name → values. */
    Path checkpoint(Map<String, float[]> changes = [:], String name = 'tiny-s1-t5') {
        def source = Files.createDirectories(temporary.resolve("sources/$name"))
        Files.copy(FIXTURE.resolve('config.json'), source.resolve('config.json'))
        def all = new TreeMap(weights + changes)
        new SafetensorsWriter(source.resolve('model.safetensors')).withCloseable { writer ->
            SafetensorsFile.open(FIXTURE.resolve('model.safetensors')).withCloseable { file ->
                all.each { tensor, values -> writer.declare(tensor, Dtype.F32, file.shape(tensor)) }
            }
            all.each { tensor, values -> writer.floats(values) }
        }
        def folder = temporary.resolve(name)
        assert Tool.run('fetch', '--source', source, '--out', folder).status == 0
        folder
    }

    /** Sums by their definitions, flat over layers and neurons. */
    static final Map<String, List<Double>> VALUES = sums(preActivations())

    static Map<String, List<Double>> sums(double[][][] pre) {
        def values = [:]
        [pre: { it }, post: { activation(it) }].each { kind, f ->
            List<List<Double>> all = pre.collectMany { layer -> layer.collect { xs -> xs.collect { f(it) } } }
            List<Double> means = all.collect { mean(it) }
            values["${kind}.mean".toString()] = means
            (2..4).each { k ->
                values["${kind}.m$k".toString()] = [all, means].transpose().collect { xs, mean -> moment(xs, mean, k) * KEPT }
            }
            if (kind == 'post') {
                values['post.min'] = all*.min()
                values['post.max'] = all*.max()
                values['post.abs_mean'] = all.collect { xs -> mean(xs.collect { Math.abs(it) }) }
                values['post.mean_square'] = all.collect { xs -> mean(xs.collect { it * it }) }
            } else {
                values['pre.positive'] = all.collect { xs -> xs.count { it > 0 } as double }
            }
        }
        values
    }

    static double mean(List<Double> xs) {
        double sum = 0
        for (double x : xs) {
            sum += x
        }
        sum / xs.size()
    }

    static double moment(List<Double> xs, double mean, int power) {
        double sum = 0
        for (double x : xs) {
            sum += Math.pow(x - mean, power)
        }
        sum / xs.size()
    }

    /** What the stage activate would write; tensors may be replaced. */
    Path activations(Path checkpoint, Map<String, double[]> changes = [:], int layers = LAYERS) {
        def folder = temporary.resolve('activations')
        OutputFolder.create(folder, true).withCloseable { out ->
            new SafetensorsWriter(out.file('moments.safetensors')).withCloseable { writer ->
                writer.declare('count', Dtype.F64, 1)
                VALUES.keySet().each { writer.declare(it, Dtype.F64, layers, NEURONS) }
                writer.doubles((changes['count'] ?: [KEPT]) as double[])
                VALUES.each { name, v -> writer.doubles((changes[name] ?: v.take(layers * NEURONS)) as double[]) }
            }
            out.input('checkpoint', CheckpointFolder.open(checkpoint).manifest())
            out.commit('activate', CheckpointFolder.open(checkpoint).id())
        }
        folder
    }

    CsvTable described(Path checkpoint, Path activations, String... options) {
        def out = temporary.resolve('description')
        assert Tool.run('describe', '--checkpoint', checkpoint, '--activations', activations, *options, '--out', out, '--overwrite').status == 0
        CsvTable.read(out.resolve(CheckpointFolder.open(checkpoint).id() + '.csv'))
    }

    static boolean near(double a, double b, double tolerance = 1e-12d) {
        Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))
    }

    def "columns are those of the contract, one row per neuron in order"() {
        given:
        def checkpoint = checkpoint()

        when:
        def table = described(checkpoint, activations(checkpoint))
        def manifest = Manifest.read(temporary.resolve('description'), 'describe')

        then:
        table.header() == ('layer, neuron, w_in_norm, input_bias, w_out_norm, in_out_sim, l2_penalty, mean, var, skew, kurt, ' +
            'sparsity, vocab_mean, vocab_var, vocab_skew, vocab_kurt, post_mean, post_var, post_skew, post_kurt, ' +
            'post_abs_mean, post_mean_square, effect, inactive').split(', ').toList()
        (0..<table.size()).collect { [table.integer(it, 'layer'), table.integer(it, 'neuron')] } ==
            (0L..<LAYERS).collectMany { l -> (0L..<NEURONS).collect { n -> [l, n] } }
        manifest.id() == 'tiny-s1-t5'
        manifest.inputs()*.role() == ['checkpoint', 'activations']
        manifest.parameters() == [family: 'tiny', seed: 1, step: 5, layers: 2, d_mlp: 128, raw_weights: false]
        manifest.counts() == [neurons: 256L, inactive: 2L, kept: 40L]
    }

    def "weight statistics follow their definitions: raw #raw"() {
        given:
        def checkpoint = checkpoint()
        def table = described(checkpoint, activations(checkpoint), *(raw ? ['--raw-weights'] : []))

        expect:
        (0..<LAYERS).every { layer ->
            def t = { weights["h.${layer}.$it".toString()] }
            (0..<NEURONS).every { j ->
                double[] g = raw ? [1d] * WIDTH : t('ln_2.weight')
                double[] s = raw ? [0d] * WIDTH : t('ln_2.bias')
                def read = (0..<WIDTH).collect { (double) t('mlp.c_fc.weight')[it * NEURONS + j] }
                def written = (0..<WIDTH).collect { (double) t('mlp.c_proj.weight')[j * WIDTH + it] }
                double bias = t('mlp.c_fc.bias')[j] + (0..<WIDTH).sum { s[it] * read[it] }
                def folded = (0..<WIDTH).collect { g[it] * read[it] }
                if (!raw) {
                    double inMean = mean(folded)
                    double outMean = mean(written)
                    folded = folded.collect { it - inMean }
                    written = written.collect { it - outMean }
                }
                double inSquare = folded.sum { it * it }
                double outSquare = written.sum { it * it }
                double product = (0..<WIDTH).sum { folded[it] * written[it] }
                int row = layer * NEURONS + j
                near(table.number(row, 'w_in_norm'), Math.sqrt(inSquare)) &&
                    near(table.number(row, 'input_bias'), bias) &&
                    near(table.number(row, 'w_out_norm'), Math.sqrt(outSquare)) &&
                    near(table.number(row, 'in_out_sim'), product / Math.sqrt(inSquare * outSquare)) &&
                    near(table.number(row, 'l2_penalty'), inSquare + outSquare) &&
                    near(table.number(row, 'effect'), table.number(row, 'post_abs_mean') * Math.sqrt(outSquare))
            }
        }

        where:
        raw << [false, true]
    }

    def "weights that make the same function have the same statistics, unless they are taken raw"() {
        given: 'LayerNorm scale doubled, w_in halved; its shift moved into the bias; a constant added to every w_in and w_out'
        def same = new TreeMap<String, float[]>()
        def g = weights['h.0.ln_2.weight']
        def s = weights['h.0.ln_2.bias']
        def read = weights['h.0.mlp.c_fc.weight']
        same['h.0.ln_2.weight'] = g.collect { 2 * it } as float[]
        same['h.0.ln_2.bias'] = s.collect { 0f } as float[]
        same['h.0.mlp.c_fc.weight'] = (0..<read.length).collect { i ->
            // (g w + 0.25) / 2g, so that g w′ is g w + 0.25
            (float) ((g[i.intdiv(NEURONS)] * read[i] + 0.25) / (2 * g[i.intdiv(NEURONS)]))
        } as float[]
        same['h.0.mlp.c_fc.bias'] = (0..<NEURONS).collect { j ->
            (float) (weights['h.0.mlp.c_fc.bias'][j] + (0..<WIDTH).sum { s[it] * read[it * NEURONS + j] })
        } as float[]
        same['h.0.mlp.c_proj.weight'] = weights['h.0.mlp.c_proj.weight'].collect { it + 0.5f } as float[]
        def one = checkpoint()
        def other = checkpoint(same, 'same-s1-t5')
        def columns = ['w_in_norm', 'input_bias', 'w_out_norm', 'in_out_sim', 'l2_penalty', 'effect']

        when:
        def tables = [[], ['--raw-weights']].collect { options ->
            [described(one, activations(one), *options), described(other, activations(other), *options)]
        }
        def differ = tables.collect { a, b ->
            (0..<NEURONS).any { row -> columns.any { !near(a.number(row, it), b.number(row, it), 1e-5d) } }
        }

        then: 'float32 rounding of the changed weights is all that is left'
        differ == [false, true]
    }

    def "activation statistics follow their definitions"() {
        given:
        def checkpoint = checkpoint()
        def table = described(checkpoint, activations(checkpoint))
        def pre = preActivations()

        expect:
        (0..<LAYERS * NEURONS).findAll { !(it in [NEURONS + 3, NEURONS + 4]) }.every { row ->
            def x = pre[row.intdiv(NEURONS)][row % NEURONS].toList()
            def a = x.collect { activation(it) }
            [['', x], ['post_', a]].every { prefix, values ->
                double mean = mean(values)
                double variance = moment(values, mean, 2)
                near(table.number(row, prefix + 'mean'), mean) &&
                    near(table.number(row, prefix + 'var'), variance) &&
                    near(table.number(row, prefix + 'skew'), moment(values, mean, 3) / Math.pow(variance, 1.5), 1e-9d) &&
                    near(table.number(row, prefix + 'kurt'), moment(values, mean, 4) / (variance * variance), 1e-9d)
            } && near(table.number(row, 'sparsity'), x.count { it > 0 } / KEPT) &&
                near(table.number(row, 'post_abs_mean'), mean(a.collect { Math.abs(it) })) &&
                near(table.number(row, 'post_mean_square'), mean(a.collect { it * it })) &&
                !table.flag(row, 'inactive')
        }
    }

    def "a neuron without variance is inactive, and what it does not have is empty"() {
        given:
        def checkpoint = checkpoint()
        def table = described(checkpoint, activations(checkpoint))
        int row = NEURONS + 3
        def text = Files.readString(temporary.resolve('description/tiny-s1-t5.csv'))

        expect:
        table.flag(row, 'inactive')
        table.text(row, 'mean') == '-2.0'
        table.text(row, 'var') == '0.0'
        table.text(row + 1, 'kurt') == null // its variance is 1e-18, which counts as none
        ['skew', 'kurt', 'post_skew', 'post_kurt'].every { table.text(row, it) == null }
        ['vocab_mean', 'vocab_var', 'vocab_skew', 'vocab_kurt'].every { table.text(0, it) == null }
        !text.contains('NaN')
        !text.contains('Infinity')
    }

    def "equal inputs give equal bytes"() {
        given:
        def checkpoint = checkpoint()
        def activations = activations(checkpoint)

        when:
        def outs = [temporary.resolve('x'), temporary.resolve('y')]
        outs.each { assert Tool.run('describe', '--checkpoint', checkpoint, '--activations', activations, '--out', it).status == 0 }

        then:
        ['manifest.json', 'tiny-s1-t5.csv'].every { Files.mismatch(outs[0].resolve(it), outs[1].resolve(it)) == -1 }
    }

    def "a dead w_out has no direction: in_out_sim is empty"() {
        given:
        def values = weights['h.1.mlp.c_proj.weight'].clone()
        (0..<WIDTH).each { values[7 * WIDTH + it] = 0.5f } // constant: nothing is left when it is centred
        def checkpoint = checkpoint('h.1.mlp.c_proj.weight': values)

        when:
        def table = described(checkpoint, activations(checkpoint))

        then:
        table.number(NEURONS + 7, 'w_out_norm') == 0
        table.text(NEURONS + 7, 'in_out_sim') == null
    }

    def "inactive is a standard deviation below 1e-6 of the median of those that vary"() {
        expect: 'm2 = n·std², n = 4'
        ActivationMoments.inactive([deviations.collect { 4 * it * it }] as double[][], 4L)[0].toList() == expected

        where:
        deviations                    | expected
        [0, 0, 0]                     | [true, true, true]
        [1, 1, 1]                     | [false, false, false]
        [0, 0, 0, 1]                  | [true, true, true, false]
        [1, 1, 1.1e-6]                | [false, false, false]
        [1, 1, 0.9e-6]                | [false, false, true]
        [0, 0, 0, 0, 2, 2, 1.5e-6]    | [true, true, true, true, false, false, true]
        [1e-30, 1e-30]                | [false, false]
        [1, 3, 1.9e-6, 2.1e-6]        | [false, false, false, false]
    }

    def "refused: #what"() {
        given:
        def checkpoint = checkpoint()
        def activations = activations(checkpoint)
        def arguments = harm(this, checkpoint, activations)

        when:
        def tool = Tool.run('describe', '--checkpoint', arguments[0], '--activations', arguments[1], '--out', temporary.resolve('out'))

        then:
        tool.refused(status, says)
        !Files.exists(temporary.resolve('out'))

        where:
        what                                | status | says                     | harm
        'activations of another checkpoint' | 65     | 'this checkpoint'        | { spec, c, a -> [spec.checkpoint(['ln_f.bias': new float[32]], 'other'), a] }
        'a raw checkpoint'                  | 66     | 'universality fetch'     | { spec, c, a -> [FIXTURE, a] }
        'no such folder'                    | 66     | 'is not a folder'        | { spec, c, a -> [c, a.resolve('x')] }
        'the wrong stage'                   | 65     | "stage 'fetch'"          | { spec, c, a -> [c, c] }
        'one layer only'                    | 65     | '1 layers of 128'        | { spec, c, a -> [c, spec.activations(c, [:], 1)] }
        'NaN in the moments'                | 65     | 'post.m2 of layer 1, neuron 2 is NaN' | { spec, c, a -> [c, spec.activations(c, ['post.m2': (0..<256).collect { it == 130 ? Double.NaN : 1d } as double[]])] }
        'a negative variance'               | 65     | 'pre.m2 of layer 0, neuron 0 is -1.0' | { spec, c, a -> [c, spec.activations(c, ['pre.m2': [-1d] * 256 as double[]])] }
        'no positions'                      | 65     | 'count is 0.0'           | { spec, c, a -> [c, spec.activations(c, [count: [0d] as double[]])] }
        'moments changed by hand'           | 65     | 'sha256'                 | { spec, c, a -> def f = a.resolve('moments.safetensors'); def b = Files.readAllBytes(f); b[b.length - 1] ^= 1; Files.write(f, b); [c, a] }
        'weights cut short'                 | 65     | 'cut short'              | { spec, c, a -> def f = c.resolve('model.safetensors'); Files.write(f, Arrays.copyOf(Files.readAllBytes(f), 1000)); [c, a] }
    }
}
