package universality.ablate;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Neurons of one model, layer by layer. Immutable; sets are equal if they hold the same neurons. */
public final class NeuronSet {
    private final int[][] byLayer;

    /** @param byLayer [layers][neurons], each neuron once; copied */
    public NeuronSet(int[][] byLayer) {
        this.byLayer = new int[byLayer.length][];
        for (int layer = 0; layer < byLayer.length; layer++) {
            this.byLayer[layer] = byLayer[layer].clone();
            Arrays.sort(this.byLayer[layer]);
        }
    }

    /** The neurons that {@code flags} [layers][d_mlp] names. */
    public static NeuronSet of(boolean[][] flags) {
        int[][] byLayer = new int[flags.length][];
        for (int layer = 0; layer < flags.length; layer++) {
            boolean[] of = flags[layer];
            byLayer[layer] =
                    IntStream.range(0, of.length).filter(neuron -> of[neuron]).toArray();
        }
        return new NeuronSet(byLayer);
    }

    /** The neurons of this set in the layers that {@code kept} names. */
    public NeuronSet only(IntPredicate kept) {
        int[][] some = new int[byLayer.length][];
        Arrays.setAll(some, layer -> kept.test(layer) ? byLayer[layer] : new int[0]);
        return new NeuronSet(some);
    }

    /** The neurons of {@code layer}, ascending; a copy. */
    public int[] of(int layer) {
        return byLayer[layer].clone();
    }

    public boolean contains(int layer, int neuron) {
        return Arrays.binarySearch(byLayer[layer], neuron) >= 0;
    }

    public int count(int layer) {
        return byLayer[layer].length;
    }

    public int size() {
        return Arrays.stream(byLayer).mapToInt(neurons -> neurons.length).sum();
    }

    public boolean isEmpty() {
        return size() == 0;
    }

    /** Layers of the model. */
    public int layers() {
        return byLayer.length;
    }

    /** The layers that have a neuron in this set, ascending. */
    public int[] occupied() {
        return IntStream.range(0, byLayer.length)
                .filter(layer -> byLayer[layer].length > 0)
                .toArray();
    }

    /** {@code values} [layers][d_mlp] of the set's neurons, in order of layer and neuron. */
    public double[] select(double[][] values) {
        return IntStream.range(0, byLayer.length)
                .boxed()
                .flatMapToDouble(layer -> Arrays.stream(byLayer[layer]).mapToDouble(neuron -> values[layer][neuron]))
                .toArray();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NeuronSet set && Arrays.deepEquals(byLayer, set.byLayer);
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(byLayer);
    }
}
