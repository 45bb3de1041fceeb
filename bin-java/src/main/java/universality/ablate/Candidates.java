package universality.ablate;

import java.util.Arrays;
import java.util.stream.IntStream;
import universality.stats.Draws;
import universality.stats.Ranks;

/**
 * The neurons that controls are drawn from: alive and not in the ablated set. A draw depends on the seed, the kind of control,
 * its number and the layer, and on nothing else, so that the controls of a single layer are that layer's part of the controls of
 * all layers, as it is with the set itself.
 *
 * <p>The effect of a neuron is log(E[a²]^½ · ‖w_out‖). Its decile is taken among the alive neurons of its layer and those of the
 * set.
 */
public final class Candidates {
    private static final int DECILES = 10;

    private final boolean[][] free;
    private final int[][] decile;
    private final Object[] seed;

    /**
     * @param inactive [layers][d_mlp], neurons that are never controls
     * @param logEffect [layers][d_mlp]
     * @param seed what the draws depend on
     */
    public Candidates(NeuronSet set, boolean[][] inactive, double[][] logEffect, Object... seed) {
        this.seed = seed.clone();
        free = new boolean[set.layers()][];
        decile = new int[set.layers()][];
        for (int layer = 0; layer < free.length; layer++) {
            free[layer] = new boolean[inactive[layer].length];
            double[] ranked = logEffect[layer].clone();
            for (int neuron = 0; neuron < ranked.length; neuron++) {
                boolean member = set.contains(layer, neuron);
                free[layer][neuron] = !member && !inactive[layer][neuron];
                ranked[neuron] = member || free[layer][neuron] ? ranked[neuron] : Double.NaN;
            }
            decile[layer] = Ranks.groups(DECILES, ranked);
        }
    }

    /** Number of candidates in {@code layer}. */
    public int count(int layer) {
        return pool(layer).length;
    }

    /** Number of candidates in the model. */
    public int count() {
        return IntStream.range(0, free.length).map(this::count).sum();
    }

    private int[] pool(int layer) {
        return IntStream.range(0, free[layer].length)
                .filter(neuron -> free[layer][neuron])
                .toArray();
    }

    /** In each layer as many candidates as {@code target} has neurons there; there must be enough. */
    public NeuronSet sameLayer(NeuronSet target, int draw) {
        int[][] drawn = new int[target.layers()][];
        Arrays.setAll(drawn, layer -> random("control_layer", draw, layer).sample(pool(layer), target.count(layer)));
        return new NeuronSet(drawn);
    }

    /**
     * As {@link #sameLayer}, and for each neuron of {@code target} one of its own decile of effect. Where a decile has too few
     * candidates, all of them are taken, and once every decile has had its own, the rest comes from the nearest deciles that
     * have some left, the lower before the higher.
     */
    public NeuronSet matched(NeuronSet target, int draw) {
        int[][] drawn = new int[target.layers()][];
        for (int layer = 0; layer < drawn.length; layer++) {
            drawn[layer] = matched(target, layer, random("control_matched", draw, layer));
        }
        return new NeuronSet(drawn);
    }

    private int[] matched(NeuronSet target, int layer, Draws random) {
        int[] taken = taken(target, layer);
        IntStream drawn = IntStream.empty();
        for (int group = 0; group < DECILES; group++) {
            int[] pool = pool(layer, group);
            drawn = IntStream.concat(drawn, Arrays.stream(random.sample(pool, pool.length), 0, taken[group]));
        }
        return drawn.toArray();
    }

    private int[] pool(int layer, int group) {
        return Arrays.stream(pool(layer))
                .filter(neuron -> decile[layer][neuron] == group)
                .toArray();
    }

    /** How many controls of {@link #matched} come from each decile of {@code layer}: the same in every draw. */
    private int[] taken(NeuronSet target, int layer) {
        int[] need = need(target, layer);
        int[] taken = new int[DECILES];
        for (int distance = 0; distance < DECILES; distance++) {
            for (int group = 0; group < DECILES; group++) {
                for (int from : distance == 0 ? new int[] {group} : new int[] {group - distance, group + distance}) {
                    while (from >= 0 && from < DECILES && need[group] > 0 && taken[from] < pool(layer, from).length) {
                        taken[from]++;
                        need[group]--;
                    }
                }
            }
        }
        if (Arrays.stream(need).anyMatch(missing -> missing > 0)) {
            throw new IllegalArgumentException("layer " + layer + " has too few candidates");
        }
        return taken;
    }

    private int[] need(NeuronSet target, int layer) {
        int[] need = new int[DECILES];
        for (int neuron : target.of(layer)) {
            need[decile[layer][neuron]]++;
        }
        return need;
    }

    /** How many controls of {@link #matched} come from another decile in {@code layer}: the same in every draw. */
    public int unmatched(NeuronSet target, int layer) {
        int[] need = need(target, layer);
        for (int neuron : pool(layer)) {
            need[decile[layer][neuron]]--;
        }
        return Arrays.stream(need).filter(n -> n > 0).sum();
    }

    /**
     * The share of its neurons of {@code layer} that a draw of {@link #sameLayer} has in common with any other, on average:
     * k/M, with k drawn of M candidates. The spread of a sum over the draws is √(1 − k/M) of what it would be if they did not
     * overlap.
     */
    public double overlap(NeuronSet target, int layer) {
        return (double) target.count(layer) / count(layer);
    }

    /** {@link #overlap} of {@link #matched}: the mean of k/M over its deciles, each weighing as many as are drawn from it. */
    public double overlapMatched(NeuronSet target, int layer) {
        int[] taken = taken(target, layer);
        double common = 0;
        for (int group = 0; group < DECILES; group++) {
            common += taken[group] == 0 ? 0 : (double) taken[group] * taken[group] / pool(layer, group).length;
        }
        return common / target.count(layer);
    }

    /** {@link #overlap} of {@link #anywhere}, whose candidates are those of the whole model. */
    public double overlapAnywhere(NeuronSet target) {
        return (double) target.size() / count();
    }

    /** As many candidates as {@code target} has neurons, of whatever layer of the model; there must be enough. */
    public NeuronSet anywhere(NeuronSet target, int draw) {
        int width = free[0].length;
        int[] pool = IntStream.range(0, free.length * width)
                .filter(i -> free[i / width][i % width])
                .toArray();
        boolean[][] drawn = new boolean[free.length][width];
        for (int i : random("control_any", draw, -1).sample(pool, target.size())) {
            drawn[i / width][i % width] = true;
        }
        return NeuronSet.of(drawn);
    }

    /** The decile of a neuron's effect in its layer, 0 to 9; −1 for inactive neurons outside the set. */
    public int decile(int layer, int neuron) {
        return decile[layer][neuron];
    }

    private Draws random(String control, int draw, int layer) {
        Object[] parts = Arrays.copyOf(seed, seed.length + 3);
        parts[seed.length] = control;
        parts[seed.length + 1] = draw;
        parts[seed.length + 2] = layer;
        return Draws.of(parts);
    }
}
