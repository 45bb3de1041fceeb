package unit.report

import groovy.transform.Memoized
import java.nio.file.Files
import java.nio.file.Path
import universality.data.CsvWriter
import universality.data.Digests
import universality.data.Dtype
import universality.data.Json
import universality.data.Manifest
import universality.data.OutputFolder
import universality.data.SafetensorsWriter

/**
 * A small, complete results folder with plausible numbers: one family of three seeds at four steps, two layers of 64 neurons,
 * written through the same writers as the stages use. Every number follows from a seed, so two builds are byte-identical.
 */
class StudyFixture {
    static final List<Integer> SEEDS = [1, 2, 3]
    static final List<Integer> STEPS = [0, 50, 200, 1000]
    static final int LAYERS = 2
    static final int WIDTH = 64
    static final int ROWS = 40
    static final int CONTEXT = 32
    static final int EXAMPLES = 8
    static final List<String> IDENTIFY_COLUMNS = ('layer neuron max_corr mean_corr min_corr max_baseline min_baseline ' +
            'mean_baseline excess_corr w_in_norm input_bias w_out_norm in_out_sim l2_penalty mean var skew kurt sparsity ' +
            'vocab_mean vocab_var vocab_skew vocab_kurt excess_half1 excess_half2 universal excess_strict universal_strict ' +
            'baseline_std neg_corr mutual partners n_eff state excess_one_to_one excess_se p_universal excess_heldout ' +
            'corr_token corr_position').split(' ') as List
    static final List<String> WORDS = ['<bos>', 'the', ' the', ' cat', ' sat', ' on', ' mat', '.', ' A', ' dog', ' saw',
            ' two', ' old', ' men', ',', ' and', ' then', '\n', ' <script>alert(1)</script>', ' "quoted"', " it's", ' &amp;',
            ' caf', '\u00c3\u0000', '\u00a9\u0000', ' river', ' seven', ' walked', ' home', ' {{body}}', ' \u202eabc', ' of']

    final Path root
    final String family
    /** Stages to leave out. */
    Set<String> without = [] as Set
    List<Integer> steps = STEPS
    /** Of each control of an ablation. */
    int controlDraws = 20
    String warning = 'a document was shorter than one row & left out'
    /** Of the summaries: how correlations were computed. */
    Map engine = [:]
    List<String> withoutControls = []

    StudyFixture(Path root, String family = 'toy') {
        this.root = root
        this.family = family
    }

    /** Builds the folder at the path given, to look at its report in a browser. */
    static void main(String[] arguments) { new StudyFixture(Path.of(arguments[0])).build() }

    static String id(int seed, int step) { "toy-s${seed}-t${step}" }

    StudyFixture build() {
        Map<String, Closure> stages = [tokenize: this.&tokenize, train: this.&train, activate: this.&activate,
                                       identify: this.&identify, persist: this.&persist, ablate: this.&ablate]
        stages.each { name, write -> if (!(name in without)) { write() } }
        this
    }

    static <T> T folder(Path path, Closure<T> write) {
        OutputFolder.create(path, false).withCloseable { write(it) }
    }

    static void csv(Path file, List<String> header, List<List> rows) {
        new CsvWriter(file, header).withCloseable { table -> rows.each { table.row(it as List) } }
    }

    static Random random(Object... parts) { new Random(Digests.seed(parts)) }

    // tokens

    static int[] tokens() {
        Random random = random('tokens')
        int[] ids = new int[ROWS * CONTEXT]
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i % CONTEXT == 0 ? 0 : 1 + random.nextInt(WORDS.size() - 1)
        }
        // row 3: a character of two bytes in two tokens; row 4: the hostile one
        ids[3 * CONTEXT + 9] = 22
        ids[3 * CONTEXT + 10] = 23
        ids[3 * CONTEXT + 11] = 24
        ids[4 * CONTEXT + 20] = 18
        ids
    }

    private void tokenize() {
        folder(root.resolve('tokenize/text')) { OutputFolder out ->
            ['train', 'analysis', 'heldout', 'examples'].each { split ->
                out.nested(split).withCloseable { inner ->
                    new SafetensorsWriter(inner.file('tokens.safetensors')).withCloseable { file ->
                        file.declare('tokens', Dtype.I32, ROWS, CONTEXT)
                        file.declare('mask', Dtype.U8, ROWS, CONTEXT)
                        file.declare('document', Dtype.I32, ROWS, CONTEXT)
                        int[] ids = split == 'analysis' ? tokens() : new int[ROWS * CONTEXT]
                        file.ints(ids)
                        byte[] mask = new byte[ROWS * CONTEXT]
                        Arrays.fill(mask, (byte) 1)
                        (0..<ROWS).each { mask[it * CONTEXT] = 0 }
                        file.bytes(java.nio.ByteBuffer.wrap(mask))
                        file.ints((0..<ROWS * CONTEXT).collect { it.intdiv(CONTEXT) } as int[])
                    }
                    Json.write(inner.file('tokenizer.json'), tokenizer())
                    inner.parameter('tokenizer', 'bpe:32').parameter('vocabulary', WORDS.size()).parameter('bos', 0)
                            .parameter('context', CONTEXT).parameter('split', split).parameter('generate', 7)
                    inner.count('rows', ROWS).count('tokens', ROWS * CONTEXT).count('kept', ROWS * (CONTEXT - 1))
                            .count('documents', ROWS)
                    if (split == 'analysis') { inner.warning(warning) }
                    inner.commit('tokenize', 'text-' + split)
                }
            }
            out.parameter('tokenizer', 'bpe:32')
            out.commit('tokenize', 'text')
        }
    }

    /** Words as a byte-level vocabulary writes them: a space is Ġ, a line end Ċ; a word marked with U+0000 is one raw byte. */
    private static Map tokenizer() {
        Map<String, Integer> vocabulary = new TreeMap<>()
        WORDS.eachWithIndex { word, i ->
            boolean raw = word.endsWith('\u0000')
            byte[] bytes = raw ? [(byte) word.charAt(0)] as byte[] : word.getBytes('UTF-8')
            vocabulary[bytes.collect { piece(it & 0xff) }.join('')] = i
        }
        [model: [type: 'BPE', vocab: vocabulary, merges: []], pre_tokenizer: [type: 'ByteLevel'],
         decoder: [type: 'ByteLevel'], added_tokens: [[id: 0, content: '<bos>', special: true]]]
    }

    private static String piece(int b) {
        boolean prints = b >= 0x21 && b <= 0x7e || b >= 0xa1 && b <= 0xac || b >= 0xae
        int before = (0..<b).count { !(it >= 0x21 && it <= 0x7e || it >= 0xa1 && it <= 0xac || it >= 0xae) }
        new String(Character.toChars(prints ? b : 0x100 + before))
    }

    // models

    private void train() {
        SEEDS.each { seed ->
            folder(root.resolve("train/toy-s${seed}")) { OutputFolder out ->
                steps.each { step ->
                    out.nested(id(seed, step)).withCloseable { inner ->
                        Json.write(inner.file('config.json'), [model_type: 'gpt2', n_layer: LAYERS, n_embd: 16,
                                n_inner: WIDTH, n_head: 2, activation_function: 'relu'])
                        inner.parameter('family', family).parameter('seed', seed).parameter('step', step)
                                .parameter('learning_rate', 0.003d)
                        inner.commit('train', id(seed, step))
                    }
                }
                Random random = random('loss', seed)
                csv(out.file('losses.csv'), ['step', 'tokens', 'learning_rate', 'loss', 'gradient_norm'],
                        (1..1000).collect { [it, it * 2048L, 0.003d, loss(it, random), 1.0d] })
                out.parameter('family', family).parameter('seed', seed)
                out.commit('train', "toy-s${seed}")
            }
        }
    }

    private static double loss(int step, Random random) {
        2.1d + 4.8d * Math.exp(-step / 60d) + 1.2d * Math.exp(-step / 700d) + 0.05d * random.nextGaussian()
    }

    /** Places of the strongest activations: neurons that are partners share most of theirs. */
    @Memoized
    static int[] place(int seed, int layer, int neuron, int k) {
        Random random = k % 4 == 3 ? random('place', seed, layer, neuron, k) : random('place', layer, neuron, k)
        int row = neuron == 0 && layer == 0 && k == 0 ? 4 : neuron == 1 && layer == 0 && k == 0 ? 3 : random.nextInt(ROWS)
        int position = row == 4 && k == 0 ? 20 : row == 3 && k == 0 ? 12 : 1 + random.nextInt(CONTEXT - 1)
        [row, position] as int[]
    }

    private void activate() {
        String digest = tokensDigest()
        SEEDS.each { seed ->
            steps.each { step ->
                folder(root.resolve("activate/${id(seed, step)}")) { OutputFolder out ->
                    int n = LAYERS * WIDTH * EXAMPLES
                    float[] values = new float[n]
                    int[] rows = new int[n]
                    int[] positions = new int[n]
                    for (int i = 0; i < n; i++) {
                        int k = i % EXAMPLES
                        int[] place = place(seed, i.intdiv(EXAMPLES * WIDTH), i.intdiv(EXAMPLES) % WIDTH, k)
                        values[i] = (float) (4.5 - 0.25 * k + 0.01 * seed)
                        rows[i] = place[0]
                        positions[i] = place[1]
                    }
                    new SafetensorsWriter(out.file('examples.safetensors')).withCloseable { file ->
                        ['value': Dtype.F32, 'row': Dtype.I32, 'pos': Dtype.I32].each { name, type ->
                            file.declare(name, type, LAYERS, WIDTH, EXAMPLES)
                        }
                        file.floats(values)
                        file.ints(rows)
                        file.ints(positions)
                    }
                    out.parameter('family', family).parameter('seed', seed).parameter('step', step)
                            .parameter('layers', LAYERS).parameter('d_mlp', WIDTH).parameter('store', 'none')
                    out.input('tokens', 'text-analysis', digest)
                    out.count('kept', ROWS * (CONTEXT - 1)).count('inactive', 0)
                    out.device('cpu')
                    out.commit('activate', id(seed, step))
                }
            }
        }
    }

    private String tokensDigest() {
        Path folder = root.resolve('tokenize/text/analysis')
        Files.exists(folder)
                ? Manifest.readAny(folder).files().find { it.path() == 'tokens.safetensors' }.sha256()
                : Digests.ofText('tokens that are not among the results')
    }

    // tables

    /** Excess of a neuron: it grows with the step, more in some neurons than in others, is about 0 at step 0, and is lost again by a few. */
    @Memoized
    static double excess(int seed, int step, int layer, int neuron) {
        double growth = [0d, 0.3d, 0.85d, neuron % 16 == 5 ? 0.4d : 1d][STEPS.indexOf(step)]
        double talent = random('talent', layer, neuron).nextDouble()
        double noise = 0.03 * random('noise', seed, step, layer, neuron).nextGaussian()
        Math.max(-0.1d, growth * Math.pow(talent, 2) * (layer == 0 ? 0.76d : 0.78d) + noise)
    }

    @Memoized
    static double baseline(int seed, int layer, int neuron) {
        0.1d + 0.02d * layer + 0.015d * random('baseline', seed, layer, neuron).nextGaussian()
    }

    static boolean universal(int seed, int step, int layer, int neuron) { excess(seed, step, layer, neuron) > 0.5 }

    static List row(int seed, int step, int layer, int neuron) {
        double excess = excess(seed, step, layer, neuron)
        double baseline = baseline(seed, layer, neuron)
        boolean dead = neuron == 63 && layer == 1
        double corr = Math.min(0.995d, baseline + excess)
        String partners = SEEDS.findAll { it != seed }
                .collect { "${id(it, step)}:${layer}.${neuron}:${corr}" }.join(';')
        Map<String, Object> cells = [layer: layer, neuron: neuron, state: dead ? 'inactive' : 'alive', universal: false,
                                     universal_strict: false]
        if (!dead) {
            cells += [max_corr: corr + 0.01d, mean_corr: baseline + excess, min_corr: corr - 0.02d,
                      mean_baseline: baseline, max_baseline: baseline + 0.01d, min_baseline: baseline - 0.01d,
                      excess_corr: excess, sparsity: 0.05d + neuron / 200d, universal: excess > 0.5,
                      mutual: excess > 0.3 ? 2 : 0, partners: partners, n_eff: 900d, neg_corr: -0.2d, excess_se: 0.012d, p_universal: excess > 0.5 ? 0.9d : 0.1d,
                      excess_heldout: excess - 0.01d, corr_token: 0.7d * (baseline + excess), corr_position: 0.004d]
        }
        IDENTIFY_COLUMNS.collect { cells[it] }
    }

    private void identify() {
        steps.each { step ->
            folder(root.resolve("identify/toy-t${step}")) { OutputFolder out ->
                SEEDS.each { seed ->
                    csv(out.file(id(seed, step) + '.csv'), IDENTIFY_COLUMNS,
                            [0..<LAYERS, 0..<WIDTH].combinations().sort().collect { row(seed, step, it[0], it[1]) })
                }
                Json.write(out.file('summary.json'), engine + [step: step, family: family, threshold: 0.5d,
                        checkpoints: SEEDS.collect { summary(it, step) },
                        cliques: [complete: 11, universal: 7, neurons: []], controls: controls(step).findAll { !(it.key in withoutControls) }])
                out.parameter('step', step).parameter('family', family).parameter('threshold', 0.5d)
                out.commit('identify', "toy-t${step}")
            }
        }
    }

    @Memoized
    static long above(int seed, int step, int layer, double threshold) {
        (0..<WIDTH).count { !(layer == 1 && it == 63) && excess(seed, step, layer, it) > threshold }
    }

    static long universalIn(int seed, int step) { (0..<LAYERS).sum { above(seed, step, it, 0.5) } as long }

    private static Map summary(int seed, int step) {
        int all = LAYERS * WIDTH
        long universal = universalIn(seed, step)
        [id: id(seed, step), family: 'toy', seed: seed, step: step, neurons: all, alive: all - 1, inactive: 1,
         undetermined: 0, open: step.intdiv(100), universal: universal, universal_strict: universal.intdiv(2),
         universal_mutual: universal, share: universal / (double) all, share_alive: universal / (double) (all - 1),
         share_one_to_one: universal / (double) (2 * all),
         with_error: all - 1, clearly_universal: universal.intdiv(2), clearly_not: all - 1 - universal,
         expected_universal: universal + 1.25d, universal_heldout: universal.intdiv(2), share_heldout: universal.intdiv(2) / (double) all,
         mean_corr: 0.4d, mean_baseline: 0.23d, mean_excess: 0.17d,
         layers: (0..<LAYERS).collect { layer ->
             long n = above(seed, step, layer, 0.5)
             [layer: layer, neurons: WIDTH, alive: layer == 1 ? 63 : 64, universal: n, share: n / (double) WIDTH,
              share_alive: n / (double) (layer == 1 ? 63 : 64)]
         },
         thresholds: [0.3, 0.4, 0.5].collectEntries { t ->
             long n = (0..<LAYERS).sum { above(seed, step, it, t as double) } as long
             [t.toString(), [universal: n, share: n / (double) all]]
         }]
    }

    private static Map controls(int step) {
        ['rotated', 'shifted', 'row_shifted', 'token_permuted'].withIndex().collectEntries { name, i ->
            double share = i < 2 ? 0d : STEPS.indexOf(step) * (i == 2 ? 1 : 3) / 384d
            [name, [[id: id(1, step), neurons: 128, universal: (share * 128) as long, share: share, mean_excess: 0.01d,
                     max_excess: 0.2d, thresholds: ['0.3': [universal: 3, share: share * 2], '0.4': [universal: 2,
                     share: share * 1.5d], '0.5': [universal: 1, share: share]]]]]
        }
    }

    private void persist() {
        folder(root.resolve('persist/toy')) { OutputFolder out ->
            csv(out.file('emergence.csv'), ['id', 'family', 'seed', 'step', 'layer', 'neurons', 'alive', 'universal', 'share',
                    'share_alive'], [])
            csv(out.file('persistence.csv'), ['family', 'seed', 'layer', 'step_from', 'step_to', 'consecutive',
                    'universal_from', 'universal_to', 'both', 'persistence', 'chance', 'jaccard', 'persistence_hysteresis',
                    'persistence_clear', 'partner_kept', 'half_noise', 'self_corr_universal', 'self_corr_kept', 'self_corr_other',
                    'seeds', 'persistence_sd'],
                    persistence())
            csv(out.file('lifetimes.csv'), ['family', 'seed', 'layer', 'neuron', 'birth_step', 'birth_after', 'last_step',
                    'death_step', 'lifetime_steps', 'checkpoints_universal', 'interruptions', 'censored_left', 'censored_right', 'universal_at_end'],
                    lifetimes())
            Json.write(out.file('summary.json'), [steps: steps, seeds: SEEDS])
            out.commit('persist', 'toy')
        }
    }

    @Memoized
    static List<List> persistence() {
        List<List> rows = []
        (['all'] + SEEDS).each { who ->
            for (int a = 0; a < STEPS.size(); a++) {
                for (int b = a + 1; b < STEPS.size(); b++) {
                    long from = 0, to = 0, both = 0
                    (who == 'all' ? SEEDS : [who]).each { seed ->
                        [0..<LAYERS, 0..<WIDTH].combinations().each { layer, neuron ->
                            boolean first = universal(seed, STEPS[a], layer, neuron)
                            boolean second = universal(seed, STEPS[b], layer, neuron)
                            from += first ? 1 : 0
                            to += second ? 1 : 0
                            both += first && second ? 1 : 0
                        }
                    }
                    double share = from == 0 ? Double.NaN : both / (double) from
                    double chance = from == 0 ? Double.NaN : to / (double) (128 * (who == 'all' ? 3 : 1))
                    rows << ['toy', who, 'all', STEPS[a], STEPS[b], b == a + 1, from, to, both, share, chance,
                             from == 0 ? Double.NaN : both / (double) (from + to - both), share, share, share,
                             from == 0 ? Double.NaN : 0.93d, from == 0 ? Double.NaN : 0.8d, from == 0 ? Double.NaN : 0.85d, 0.5d,
                             who == 'all' ? 3 : null, who == 'all' && from > 0 ? 0.021d : null]
                    rows << ['toy', who, 0, STEPS[a], STEPS[b], b == a + 1, from, to, both, 0.123456d, chance] + [null] * 10
                }
            }
        }
        rows
    }

    static List<List> lifetimes() {
        List<List> rows = []
        SEEDS.each { seed ->
            [0..<LAYERS, 0..<WIDTH].combinations().sort().each { layer, neuron ->
                List<Integer> at = STEPS.findAll { universal(seed, it, layer, neuron) }
                if (at) {
                    boolean end = at.last() == 1000
                    rows << ['toy', seed, layer, neuron, at.first(), null, at.last(), end ? null : 1000, at.last() - at.first(),
                             at.size(), 0, at.first() == 0, end, end]
                }
            }
        }
        rows
    }

    private void ablate() {
        SEEDS.each { seed ->
            String id = id(seed, steps.last())
            folder(root.resolve("ablate/${id}")) { OutputFolder out ->
                Random random = random('ablate', seed)
                List<List> draws = []
                List<List> summary = []
                ['all', 'all_but_0', '0', '1'].eachWithIndex { layers, i ->
                    double effect = [0.31, 0.2, 0.16, 0.12][i]
                    draws << ['universal', layers, 'zero', 0, 24 - 5 * i, 1240, 1240, 2.2d, 2.2d + effect, effect,
                              effect * 0.9d, 0.05d, 0.1d]
                    ['control_layer', 'control_matched', 'control_any'].eachWithIndex { control, c ->
                        controlDraws.times { draw ->
                            double value = effect * (0.2d + 0.15d * c) + 0.02d * random.nextGaussian()
                            draws << [control, layers, 'zero', draw, 24 - 5 * i, 1240, 1240, 2.2d, 2.2d + value, value,
                                      Math.abs(value), 0.01d, 0.02d]
                        }
                        ['delta_loss', 'kl'].each { metric ->
                            summary << [layers, 'zero', control, 24 - 5 * i, controlDraws, metric, effect, effect * (0.2d + 0.15d * c),
                                        0.02d, 7.25d + c, 1 / 21d, 0.19d, effect / 2, effect / 3, effect * 0.8d, 0.04d,
                                        controlDraws]
                        }
                    }
                }
                csv(out.file('ablation.csv'), ['condition', 'layers', 'replace', 'draw', 'neurons', 'tokens', 'positions',
                        'loss_clean', 'loss', 'delta_loss', 'kl', 'delta_entropy', 'top1_changed'], draws)
                csv(out.file('summary.csv'), ['layers', 'replace', 'control', 'neurons', 'draws', 'metric', 'universal',
                        'control_mean', 'control_sd', 'z', 'p', 'p_adjusted', 'difference', 'ci_low', 'ci_high',
                        'standardised_difference', 'distinct'], summary)
                out.input('checkpoint', id, Digests.ofText(id))
                out.commit('ablate', id)
            }
        }
    }
}
