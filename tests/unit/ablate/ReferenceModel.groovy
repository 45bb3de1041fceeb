package unit.ablate

import groovy.transform.CompileStatic

/**
 * GPT-2 (untied, gelu_new) in plain float64, one row at a time and always in full: what every condition must agree with.
 * Weights are by Hugging Face's names, row-major.
 */
@CompileStatic
class ReferenceModel {
    final int layers, heads, width, mlp, vocabulary, context
    final Map<String, double[]> weights = [:]
    static final double EPSILON = 1e-5

    ReferenceModel(Map<String, Integer> sizes, Random random) {
        layers = sizes.layers
        heads = sizes.heads
        width = sizes.width
        mlp = sizes.mlp
        vocabulary = sizes.vocabulary
        context = sizes.context
        shapes().each { String name, List<Integer> shape ->
            int size = shape.inject(1) { int a, int b -> a * b }
            boolean scale = name.contains('ln_') && name.endsWith('weight')
            double[] values = new double[size]
            for (int i = 0; i < size; i++) {
                values[i] = (float) ((scale ? 1.0d : 0.0d) + 0.5d * random.nextGaussian())
            }
            weights[name] = values
        }
    }

    Map<String, List<Integer>> shapes() {
        Map<String, List<Integer>> shapes = [:]
        shapes['wte.weight'] = [vocabulary, width]
        shapes['wpe.weight'] = [context, width]
        for (int l = 0; l < layers; l++) {
            String h = "h.${l}."
            shapes[h + 'ln_1.weight'] = [width]
            shapes[h + 'ln_1.bias'] = [width]
            shapes[h + 'attn.c_attn.weight'] = [width, 3 * width]
            shapes[h + 'attn.c_attn.bias'] = [3 * width]
            shapes[h + 'attn.c_proj.weight'] = [width, width]
            shapes[h + 'attn.c_proj.bias'] = [width]
            shapes[h + 'ln_2.weight'] = [width]
            shapes[h + 'ln_2.bias'] = [width]
            shapes[h + 'mlp.c_fc.weight'] = [width, mlp]
            shapes[h + 'mlp.c_fc.bias'] = [mlp]
            shapes[h + 'mlp.c_proj.weight'] = [mlp, width]
            shapes[h + 'mlp.c_proj.bias'] = [width]
        }
        shapes['ln_f.weight'] = [width]
        shapes['ln_f.bias'] = [width]
        shapes['lm_head.weight'] = [vocabulary, width]
        shapes
    }

    /** Logits [pos][vocabulary]; {@code posts}, one [pos][mlp] for each layer, is filled, or changed by {@code replace}. */
    double[][] logits(int[] tokens, List<double[][]> posts, Closure replace = null) {
        int n = tokens.length
        double[][] h = new double[n][width]
        for (int p = 0; p < n; p++) {
            for (int d = 0; d < width; d++) {
                h[p][d] = weights['wte.weight'][tokens[p] * width + d] + weights['wpe.weight'][p * width + d]
            }
        }
        for (int l = 0; l < layers; l++) {
            String at = "h.${l}."
            add(h, attention(norm(h, at + 'ln_1'), at))
            double[][] post = linear(norm(h, at + 'ln_2'), at + 'mlp.c_fc')
            for (double[] row : post) {
                for (int i = 0; i < mlp; i++) {
                    double x = row[i]
                    row[i] = 0.5d * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715d * x * x * x)))
                }
            }
            if (replace != null) {
                replace.call(l, post)
            }
            posts?.add(post)
            add(h, linear(post, at + 'mlp.c_proj'))
        }
        double[][] x = norm(h, 'ln_f')
        double[][] out = new double[n][vocabulary]
        for (int p = 0; p < n; p++) {
            for (int v = 0; v < vocabulary; v++) {
                for (int d = 0; d < width; d++) {
                    out[p][v] += x[p][d] * weights['lm_head.weight'][v * width + d]
                }
            }
        }
        out
    }

    private static void add(double[][] h, double[][] x) {
        for (int p = 0; p < h.length; p++) {
            for (int d = 0; d < h[p].length; d++) {
                h[p][d] += x[p][d]
            }
        }
    }

    private double[][] norm(double[][] h, String name) {
        double[][] out = new double[h.length][width]
        for (int p = 0; p < h.length; p++) {
            double mean = 0
            for (double v : h[p]) {
                mean += v / width
            }
            double variance = 0
            for (double v : h[p]) {
                variance += (v - mean) * (v - mean) / width
            }
            for (int d = 0; d < width; d++) {
                out[p][d] = (h[p][d] - mean) / Math.sqrt(variance + EPSILON) * weights[name + '.weight'][d] + weights[name + '.bias'][d]
            }
        }
        out
    }

    private double[][] linear(double[][] x, String name) {
        double[] w = weights[name + '.weight']
        double[] b = weights[name + '.bias']
        double[][] out = new double[x.length][b.length]
        for (int p = 0; p < x.length; p++) {
            for (int j = 0; j < b.length; j++) {
                out[p][j] = b[j]
                for (int i = 0; i < x[p].length; i++) {
                    out[p][j] += x[p][i] * w[i * b.length + j]
                }
            }
        }
        out
    }

    private double[][] attention(double[][] x, String at) {
        int n = x.length
        int size = width.intdiv(heads)
        double[][] qkv = linear(x, at + 'attn.c_attn')
        double[][] z = new double[n][width]
        for (int head = 0; head < heads; head++) {
            int from = head * size
            for (int p = 0; p < n; p++) {
                double[] weight = new double[p + 1]
                double total = 0
                for (int k = 0; k <= p; k++) {
                    double score = 0
                    for (int d = 0; d < size; d++) {
                        score += qkv[p][from + d] * qkv[k][width + from + d]
                    }
                    weight[k] = Math.exp(score / Math.sqrt((double) size))
                    total += weight[k]
                }
                for (int k = 0; k <= p; k++) {
                    for (int d = 0; d < size; d++) {
                        z[p][from + d] += weight[k] / total * qkv[k][2 * width + from + d]
                    }
                }
            }
        }
        linear(z, at + 'attn.c_proj')
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
