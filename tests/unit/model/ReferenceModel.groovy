package unit.model

import groovy.transform.CompileStatic

/**
 * GPT-2 and GPT-NeoX in plain float64, one row at a time and always in full, written from the papers and Hugging Face's
 * description of the weights: what kernels must agree with. Weights are by Hugging Face's names, row-major. Every hook is kept by
 * its TransformerLens name, flat and row-major, without the batch dimension.
 */
@CompileStatic
class ReferenceModel {
    /** Settings by these names; what is not given is as here. */
    static final Map<String, Object> DEFAULTS = [
            family: 'gpt2', layers: 2, heads: 2, width: 8, mlp: 24, vocabulary: 13, context: 7, activation: 'gelu_new', epsilon: 1e-5d,
            tied: false, scale: true, inverse: false, parallel: true, rotary: 0.25d, base: 10000d, attentionBias: true] as Map<String, Object>

    final Map<String, Object> settings
    final boolean neox
    final int layers, heads, width, mlp, vocabulary, context, size
    final Map<String, double[]> weights = [:]

    /** Hooks of the last run. */
    Map<String, double[]> hooks = [:]
    private Map<String, double[]> replacements = [:]

    ReferenceModel(Map<String, ?> changes, Random random) {
        settings = DEFAULTS + changes
        neox = settings.family == 'gpt_neox'
        layers = settings.layers as int
        heads = settings.heads as int
        width = settings.width as int
        mlp = settings.mlp as int
        vocabulary = settings.vocabulary as int
        context = settings.context as int
        size = width.intdiv(heads)
        shapes().each { String name, List<Integer> shape ->
            int length = shape.inject(1) { int a, int b -> a * b }
            boolean scale = (name.contains('ln_') || name.contains('norm')) && name.endsWith('weight')
            double[] values = new double[length]
            for (int i = 0; i < length; i++) {
                values[i] = (float) ((scale ? 1.0d : 0.0d) + 0.5d * random.nextGaussian())
            }
            weights[name] = values
        }
    }

    /** The model's config.json. */
    Map<String, Object> config() {
        Map<String, Object> config = neox ? [
                model_type: 'gpt_neox', num_hidden_layers: layers, num_attention_heads: heads, hidden_size: width, intermediate_size: mlp,
                max_position_embeddings: context, hidden_act: settings.activation, layer_norm_eps: settings.epsilon, rotary_pct: settings.rotary,
                rotary_emb_base: settings.base, use_parallel_residual: settings.parallel, attention_bias: settings.attentionBias
        ] as Map<String, Object> : [
                model_type: 'gpt2', n_layer: layers, n_head: heads, n_embd: width, n_inner: mlp, n_positions: context,
                activation_function: settings.activation, layer_norm_epsilon: settings.epsilon, scale_attn_weights: settings.scale,
                scale_attn_by_inverse_layer_idx: settings.inverse] as Map<String, Object>
        config + ([vocab_size: vocabulary, tie_word_embeddings: settings.tied] as Map<String, Object>)
    }

    /** Names of a layer's parts: LayerNorm, attention in, attention out, LayerNorm, MLP in, MLP out. */
    private List<String> parts(int l) {
        neox ? ["layers.${l}.input_layernorm", "layers.${l}.attention.query_key_value", "layers.${l}.attention.dense",
                "layers.${l}.post_attention_layernorm", "layers.${l}.mlp.dense_h_to_4h", "layers.${l}.mlp.dense_4h_to_h"]*.toString()
             : ["h.${l}.ln_1", "h.${l}.attn.c_attn", "h.${l}.attn.c_proj", "h.${l}.ln_2", "h.${l}.mlp.c_fc", "h.${l}.mlp.c_proj"]*.toString()
    }

    String embedding() {
        neox ? 'embed_in.weight' : 'wte.weight'
    }

    String finalNorm() {
        neox ? 'final_layer_norm' : 'ln_f'
    }

    String head() {
        settings.tied ? embedding() : neox ? 'embed_out.weight' : 'lm_head.weight'
    }

    Map<String, List<Integer>> shapes() {
        Map<String, List<Integer>> shapes = [:]
        shapes[embedding()] = [vocabulary, width]
        if (!neox) {
            shapes['wpe.weight'] = [context, width]
        }
        for (int l = 0; l < layers; l++) {
            List<String> names = parts(l)
            List<List<Integer>> sizes = [[width], [width, 3 * width], [width, width], [width], [width, mlp], [mlp, width]]
            for (int i = 0; i < 6; i++) {
                List<Integer> shape = sizes[i]
                shapes[names[i] + '.weight'] = neox ? shape.reverse() : shape
                if (settings.attentionBias || !(i in [1, 2])) {
                    shapes[names[i] + '.bias'] = [shape.last()]
                }
            }
        }
        shapes[finalNorm() + '.weight'] = [width]
        shapes[finalNorm() + '.bias'] = [width]
        if (!settings.tied) {
            shapes[head()] = [vocabulary, width]
        }
        shapes
    }

    /** Logits [pos][vocabulary]; hooks named in {@code replace} get its values, and {@link #hooks} those that flowed on. */
    double[][] run(int[] tokens, Map<String, double[]> replace = [:]) {
        replacements = replace
        hooks = [:]
        int n = tokens.length
        double[][] h = new double[n][]
        double[][] places = new double[n][width]
        for (int p = 0; p < n; p++) {
            h[p] = Arrays.copyOfRange(weights[embedding()], tokens[p] * width, (tokens[p] + 1) * width)
            if (!neox) {
                places[p] = Arrays.copyOfRange(weights['wpe.weight'], p * width, (p + 1) * width)
            }
        }
        h = hook('hook_embed', h)
        h = neox ? h : sum(h, hook('hook_pos_embed', places))
        for (int l = 0; l < layers; l++) {
            List<String> names = parts(l)
            String at = "blocks.${l}."
            h = hook(at + 'hook_resid_pre', h)
            double[][] attention = hook(at + 'hook_attn_out', attention(norm(h, names[0], at + 'ln1'), names, l, at + 'attn.'))
            boolean parallel = neox && settings.parallel
            double[][] mid = parallel ? h : hook(at + 'hook_resid_mid', sum(h, attention))
            double[][] post = hook(at + 'mlp.hook_pre', linear(norm(mid, names[3], at + 'ln2'), names[4]))
            for (double[] row : post) {
                for (int i = 0; i < mlp; i++) {
                    row[i] = activation(row[i])
                }
            }
            double[][] written = hook(at + 'hook_mlp_out', linear(hook(at + 'mlp.hook_post', post), names[5]))
            h = hook(at + 'hook_resid_post', sum(parallel ? sum(h, attention) : mid, written))
        }
        double[][] x = norm(h, finalNorm(), 'ln_final')
        double[][] out = new double[n][vocabulary]
        for (int p = 0; p < n; p++) {
            for (int v = 0; v < vocabulary; v++) {
                for (int d = 0; d < width; d++) {
                    out[p][v] += x[p][d] * weights[head()][v * width + d]
                }
            }
        }
        out
    }

    /** {@link #run}; {@code posts}, one [pos][mlp] for each layer, is filled; {@code replace} may change them. */
    double[][] logits(int[] tokens, List<double[][]> posts, Closure replace = null) {
        double[][] out = run(tokens)
        Map<String, double[]> changes = [:]
        for (int l = 0; l < layers; l++) {
            if (replace != null) {
                double[][] post = rows(hooks[postName(l)])
                replace.call(l, post)
                changes[postName(l)] = flat(post)
                out = run(tokens, changes)
            }
        }
        if (posts != null) {
            for (int l = 0; l < layers; l++) {
                posts.add(rows(hooks[postName(l)]))
            }
        }
        out
    }

    private static String postName(int layer) {
        "blocks.${layer}.mlp.hook_post".toString()
    }

    private double[][] rows(double[] values) {
        double[][] rows = new double[values.length.intdiv(mlp)][]
        for (int p = 0; p < rows.length; p++) {
            rows[p] = Arrays.copyOfRange(values, p * mlp, (p + 1) * mlp)
        }
        rows
    }

    private static double[] flat(double[][] x) {
        double[] out = new double[x.length * x[0].length]
        for (int r = 0; r < x.length; r++) {
            System.arraycopy(x[r], 0, out, r * x[0].length, x[0].length)
        }
        out
    }

    /** What flows on from a hook; a new array. */
    private double[][] hook(String name, double[][] x) {
        double[] values = replacements.containsKey(name) ? replacements[name] : flat(x)
        hooks[name] = values
        double[][] out = new double[x.length][]
        for (int r = 0; r < x.length; r++) {
            out[r] = Arrays.copyOfRange(values, r * x[r].length, (r + 1) * x[r].length)
        }
        out
    }

    private static double[][] sum(double[][] a, double[][] b) {
        double[][] out = new double[a.length][a[0].length]
        for (int p = 0; p < a.length; p++) {
            for (int d = 0; d < a[p].length; d++) {
                out[p][d] = a[p][d] + b[p][d]
            }
        }
        out
    }

    private double[][] norm(double[][] h, String name, String at) {
        double[][] scale = new double[h.length][1]
        double[] mean = new double[h.length]
        for (int p = 0; p < h.length; p++) {
            for (double v : h[p]) {
                mean[p] += v / width
            }
            double variance = 0
            for (double v : h[p]) {
                variance += (v - mean[p]) * (v - mean[p]) / width
            }
            scale[p][0] = Math.sqrt(variance + (settings.epsilon as double))
        }
        scale = hook(at + '.hook_scale', scale)
        double[][] out = new double[h.length][width]
        for (int p = 0; p < h.length; p++) {
            for (int d = 0; d < width; d++) {
                out[p][d] = (h[p][d] - mean[p]) / scale[p][0] * weights[name + '.weight'][d] + weights[name + '.bias'][d]
            }
        }
        hook(at + '.hook_normalized', out)
    }

    private double[][] linear(double[][] x, String name) {
        double[] w = weights[name + '.weight']
        double[] b = weights[name + '.bias']
        int outputs = w.length.intdiv(x[0].length)
        double[][] out = new double[x.length][outputs]
        for (int p = 0; p < x.length; p++) {
            int inputs = x[p].length
            for (int j = 0; j < outputs; j++) {
                out[p][j] = b == null ? 0d : b[j]
                for (int i = 0; i < inputs; i++) {
                    out[p][j] += x[p][i] * (neox ? w[j * inputs + i] : w[i * outputs + j])
                }
            }
        }
        out
    }

    private double activation(double x) {
        switch (settings.activation) {
            case 'relu':
                return Math.max(0d, x)
            case 'gelu':
                return 0.5d * x * (1 + erf(x / Math.sqrt(2d)))
            default:
                return 0.5d * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715d * x * x * x)))
        }
    }

    /** 2/√π e^(−x²) Σ 2^k x^(2k+1) / (2k+1)!!, all terms of one sign. */
    static double erf(double x) {
        if (Math.abs(x) > 6) {
            return Math.signum(x)
        }
        double term = x, total = 0
        for (int k = 1; k < 200; k++) {
            total += term
            term *= 2 * x * x / (2 * k + 1)
        }
        2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * total
    }

    /** Queries (0), keys (1) or values (2), [pos][heads × size]. */
    private double[][] part(double[][] qkv, int part) {
        double[][] out = new double[qkv.length][width]
        for (int p = 0; p < qkv.length; p++) {
            for (int head = 0; head < heads; head++) {
                for (int d = 0; d < size; d++) {
                    // GPT-NeoX keeps the three of a head together
                    out[p][head * size + d] = qkv[p][neox ? (3 * head + part) * size + d : part * width + head * size + d]
                }
            }
        }
        out
    }

    private double[][] rotated(double[][] x) {
        if (!neox) {
            return x
        }
        int turned = (int) (size * (settings.rotary as double))
        int half = turned.intdiv(2)
        double[][] out = new double[x.length][]
        for (int p = 0; p < x.length; p++) {
            out[p] = Arrays.copyOf(x[p], x[p].length)
            for (int head = 0; head < heads; head++) {
                for (int i = 0; i < half; i++) {
                    double angle = p / Math.pow(settings.base as double, 2d * i / turned)
                    int a = head * size + i
                    out[p][a] = x[p][a] * Math.cos(angle) - x[p][a + half] * Math.sin(angle)
                    out[p][a + half] = x[p][a + half] * Math.cos(angle) + x[p][a] * Math.sin(angle)
                }
            }
        }
        out
    }

    private double[][] attention(double[][] x, List<String> names, int layer, String at) {
        int n = x.length
        double[][] qkv = linear(x, names[1])
        double[][] q = rotated(hook(at + 'hook_q', part(qkv, 0)))
        double[][] k = rotated(hook(at + 'hook_k', part(qkv, 1)))
        double[][] v = hook(at + 'hook_v', part(qkv, 2))
        if (neox) {
            q = hook(at + 'hook_rot_q', q)
            k = hook(at + 'hook_rot_k', k)
        }
        double divisor = (neox || settings.scale ? Math.sqrt((double) size) : 1d) * (!neox && settings.inverse ? layer + 1 : 1)
        double[][] scores = new double[heads * n][n] // row head · n + query
        for (int head = 0; head < heads; head++) {
            for (int p = 0; p < n; p++) {
                for (int j = 0; j < n; j++) {
                    double score = 0
                    for (int d = 0; d < size; d++) {
                        score += q[p][head * size + d] * k[j][head * size + d]
                    }
                    scores[head * n + p][j] = j > p ? Double.NEGATIVE_INFINITY : score / divisor
                }
            }
        }
        double[][] pattern = hook(at + 'hook_attn_scores', scores)
        for (double[] row : pattern) {
            double top = row.toList().max() as double
            double total = 0
            for (int j = 0; j < n; j++) {
                row[j] = Math.exp(row[j] - top)
                total += row[j]
            }
            for (int j = 0; j < n; j++) {
                row[j] /= total
            }
        }
        pattern = hook(at + 'hook_pattern', pattern)
        double[][] z = new double[n][width]
        for (int p = 0; p < n; p++) {
            for (int i = 0; i < width; i++) {
                for (int j = 0; j < n; j++) {
                    z[p][i] += pattern[i.intdiv(size) * n + p][j] * v[j][i]
                }
            }
        }
        linear(hook(at + 'hook_z', z), names[2])
    }

    /** Where two arrays differ by more than tolerance · max(1, |expected|) first; null where nowhere. */
    static String difference(float[] found, double[] expected, double tolerance) {
        if (found.length != expected.length) {
            return "${found.length} elements, not ${expected.length}"
        }
        for (int i = 0; i < found.length; i++) {
            double e = expected[i]
            boolean close = Double.isInfinite(e) ? found[i] == e : Math.abs(found[i] - e) <= tolerance * Math.max(1d, Math.abs(e))
            if (!close) {
                return "element $i is ${found[i]}, not $e"
            }
        }
        null
    }

    static double[] logSoftmax(double[] logits) {
        double top = Double.NEGATIVE_INFINITY
        for (double z : logits) {
            top = Math.max(top, z)
        }
        double total = 0
        for (double z : logits) {
            total += Math.exp(z - top)
        }
        double[] out = new double[logits.length]
        for (int i = 0; i < out.length; i++) {
            out[i] = logits[i] - top - Math.log(total)
        }
        out
    }

    /**
     * [loss terms, positions, mean loss, mean KL(clean ‖ changed), mean entropy change, share of changed likeliest tokens] of
     * logits [row][pos][vocabulary].
     */
    static Map<String, Double> measure(List<double[][]> clean, List<double[][]> changed, List<List<Integer>> tokens, List<List<Integer>> mask) {
        double losses = 0, positions = 0, loss = 0, kl = 0, entropy = 0, top = 0
        for (int r = 0; r < tokens.size(); r++) {
            for (int t = 0; t < tokens[r].size(); t++) {
                double[] p = logSoftmax(clean[r][t])
                double[] q = logSoftmax(changed[r][t])
                if (t + 1 < tokens[r].size() && mask[r][t + 1] == 1) {
                    losses++
                    loss -= q[tokens[r][t + 1]]
                }
                if (mask[r][t] == 1) {
                    positions++
                    int best = 0, now = 0
                    for (int v = 0; v < p.length; v++) {
                        kl += Math.exp(p[v]) * (p[v] - q[v])
                        entropy += Math.exp(p[v]) * p[v] - Math.exp(q[v]) * q[v]
                        best = p[v] > p[best] ? v : best
                        now = q[v] > q[now] ? v : now
                    }
                    top += best == now ? 0 : 1
                }
            }
        }
        [tokens: losses, positions: positions, loss: loss / losses, kl: kl / positions, delta_entropy: entropy / positions, top1_changed: top / positions]
    }
}
