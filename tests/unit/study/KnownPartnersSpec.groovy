package unit.study

import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import unit.support.TestData
import universality.data.CsvTable
import universality.data.Json

import java.nio.file.Path

/**
 * Two hand-built models of which it is known which neurons are the same: each neuron detects one token, the models share 24 of
 * their 64 tokens, and nothing else, not even the basis of the residual stream. The tools must find exactly those.
 */
class KnownPartnersSpec extends Specification {
    static final int WIDTH = 64
    static final int NEURONS = 64
    static final int VOCABULARY = 140
    static final int SHARED = 24

    @TempDir
    Path folder

    def "exactly the shared neurons are universal, each with its partner; controls find none"() {
        given:
        def random = new Random(1)
        def rows = (0..<1100).collect { (0..<16).collect { random.nextInt(VOCABULARY) } }
        TestData.tokens(folder, 'analysis', rows, VOCABULARY)
        // tokens that neuron i of each model detects
        def first = (0..<NEURONS) as List<Integer>
        def second = ((0..<SHARED) + (NEURONS..<2 * NEURONS - SHARED)) as List<Integer>
        Collections.shuffle(second, random)
        detector('toy-s1-t5', first, 1, random)
        detector('toy-s2-t5', second, 2, random)

        when:
        ['toy-s1-t5', 'toy-s2-t5'].each { id ->
            run("activate --checkpoint $id --tokens analysis --out act/$id")
            run("describe --checkpoint $id --activations act/$id --out describe/$id")
        }
        run('correlate --activations act/toy-s1-t5 act/toy-s2-t5 --out correlate/study')
        def controls = ['rotated', 'shifted', 'row_shifted', 'token_permuted']
        controls.each { run("correlate --activations act/toy-s1-t5 act/toy-s2-t5 --control $it --group toy-t5-${it.replace('_', '-')} --out correlate/$it") }
        run('identify --correlations correlate/study --controls ' + controls.collect { "correlate/$it" }.join(' ')
                + ' --activations act/toy-s1-t5 act/toy-s2-t5 --descriptions describe/toy-s1-t5 describe/toy-s2-t5 --out identify')
        def a = CsvTable.read(folder.resolve('identify/toy-s1-t5.csv'))
        def b = CsvTable.read(folder.resolve('identify/toy-s2-t5.csv'))
        def summary = Json.read(folder.resolve('identify/summary.json'))

        then: 'the neurons that detect a shared token, and no others'
        (0..<NEURONS).findAll { a.flag(it, 'universal') } == (0..<SHARED) as List
        (0..<NEURONS).findAll { b.flag(it, 'universal') } == (0..<NEURONS).findAll { second[it] < SHARED }
        and: 'with the right partners'
        (0..<SHARED).every { a.text(it, 'partners').startsWith("toy-s2-t5:0.${second.indexOf(it)}:") && a.number(it, 'max_corr') > 0.999 }
        and: 'all alive and determined, so the others are not universal for what they are'
        (0..<NEURONS).every { a.text(it, 'state') == 'alive' && b.text(it, 'state') == 'alive' }
        and: 'nothing is left where the other model is rotated or shifted; everything where it keeps its tokens'
        def shares = controls.collectEntries { [it, summary.path('controls').path(it).get(0).path('universal').asInt(-1)] }
        shares == [rotated: 0, shifted: 0, row_shifted: 0, token_permuted: SHARED]
    }

    private void run(String line) {
        def words = line.split(' ').collect { it.contains('/') || it in ['analysis', 'identify', 'toy-s1-t5', 'toy-s2-t5'] ? folder.resolve(it).toString() : it.toString() }
        words[0] = line.split(' ')[0]
        if (words[0] in ['activate', 'correlate']) {
            words += ['--threads', '1', '--device', 'cpu']
        }
        def result = Tool.run(*words)
        assert result.status == 0: result.error
    }

    /** A one-layer model without attention, each of whose neurons fires on one token only. */
    private void detector(String id, List<Integer> tokens, int seed, Random random) {
        float[][] embedding = (0..<VOCABULARY).collect { (0..<WIDTH).collect { (float) random.nextGaussian() } as float[] } as float[][]
        def zeros = { int n -> [0f] * n }
        def ones = { int n -> [1f] * n }
        float[] read = new float[WIDTH * NEURONS]
        float[] bias = new float[NEURONS]
        tokens.eachWithIndex { token, i ->
            double[] e = embedding[token]
            double mean = e.sum() / WIDTH
            double norm = Math.sqrt(e.collect { (it - mean)**2 }.sum() as double)
            (0..<WIDTH).each { read[it * NEURONS + i] = (float) ((e[it] - mean) / norm) }
            // LayerNorm leaves a vector of length 8, so the pre-activation is 8 cos: above the bias for this token alone
            bias[i] = -5.5f
        }
        TestData.model(folder, id, [n_layer: 1, n_head: 1, n_embd: WIDTH, n_inner: NEURONS, vocab_size: VOCABULARY, n_positions: 16, activation_function: 'relu'], [
                'wte.weight': [[VOCABULARY, WIDTH], embedding.collectMany { it as List }], 'wpe.weight': [[16, WIDTH], zeros(16 * WIDTH)],
                'h.0.ln_1.weight': [[WIDTH], ones(WIDTH)], 'h.0.ln_1.bias': [[WIDTH], zeros(WIDTH)],
                'h.0.attn.c_attn.weight': [[WIDTH, 3 * WIDTH], zeros(3 * WIDTH * WIDTH)], 'h.0.attn.c_attn.bias': [[3 * WIDTH], zeros(3 * WIDTH)],
                'h.0.attn.c_proj.weight': [[WIDTH, WIDTH], zeros(WIDTH * WIDTH)], 'h.0.attn.c_proj.bias': [[WIDTH], zeros(WIDTH)],
                'h.0.ln_2.weight': [[WIDTH], ones(WIDTH)], 'h.0.ln_2.bias': [[WIDTH], zeros(WIDTH)],
                'h.0.mlp.c_fc.weight': [[WIDTH, NEURONS], read as List], 'h.0.mlp.c_fc.bias': [[NEURONS], bias as List],
                'h.0.mlp.c_proj.weight': [[NEURONS, WIDTH], zeros(WIDTH * NEURONS)], 'h.0.mlp.c_proj.bias': [[WIDTH], zeros(WIDTH)],
                'ln_f.weight': [[WIDTH], ones(WIDTH)], 'ln_f.bias': [[WIDTH], zeros(WIDTH)]], [family: 'toy', seed: seed, step: 5])
    }
}
