package universality.identify;

import universality.data.CheckpointName;
import universality.data.NeuronShape;
import universality.stats.Normal;

/** Everything about one checkpoint of the step, and the decision about each of its neurons. */
final class Model {
    /** Below this many effective observations chance partners reach an excess of 0.5. */
    static final double LEAST_EFFECTIVE = 50;

    /** Standard errors from the threshold at which a neuron is a clear case. */
    static final double CLEAR = 2;

    /** What can be said of a neuron. */
    enum State {
        ALIVE,
        INACTIVE,
        UNDETERMINED;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    final CheckpointName checkpoint;
    final NeuronShape shape;
    final Scores scores;
    final Resampled resampled;
    final Copies copies;
    final Attributes attributes;

    Model(CheckpointName checkpoint, NeuronShape shape, Attributes attributes) {
        this.checkpoint = checkpoint;
        this.shape = shape;
        this.attributes = attributes;
        scores = new Scores(shape.neurons());
        resampled = new Resampled(shape.neurons());
        copies = new Copies(shape.neurons());
    }

    State state(int i) {
        return state(scores.defined(i), i);
    }

    /**
     * The state of neuron i.
     *
     * @param correlated whether it has any correlation
     */
    State state(boolean correlated, int i) {
        if (!correlated || attributes.inactive(i)) {
            return State.INACTIVE;
        }
        return attributes.effective(i) < LEAST_EFFECTIVE ? State.UNDETERMINED : State.ALIVE;
    }

    boolean universal(int i, double threshold) {
        return state(i) == State.ALIVE && scores.excess(i) > threshold;
    }

    /**
     * Whether a neuron that is not universal could be, had some partner not been overlooked: its excess is a lower bound.
     *
     * @return false where tables do not tell what was overlooked
     */
    boolean open(int i, double threshold) {
        return state(i) == State.ALIVE && scores.excess(i) <= threshold && scores.excessUpper(i) > threshold;
    }

    boolean universalStrict(int i, double threshold) {
        return state(i) == State.ALIVE && scores.strictExcess(i) > threshold;
    }

    boolean universalMatched(int i, double threshold) {
        return state(i) == State.ALIVE && scores.matchedExcess(i) > threshold;
    }

    /** Universal, and a mutual best match in every other checkpoint in which it has a partner. */
    boolean universalMutual(int i, double threshold) {
        return universal(i, threshold) && scores.mutual(i) == scores.pairs(i);
    }

    /** Jackknife standard error of the excess over groups of documents; NaN where it has none. */
    double excessError(int i) {
        return state(i) == State.INACTIVE ? Double.NaN : resampled.error(i);
    }

    /** P(true excess &gt; threshold), by a normal approximation; NaN for neurons that are not alive or have no error. */
    double probability(int i, double threshold) {
        double error = excessError(i);
        if (state(i) != State.ALIVE || Double.isNaN(error)) {
            return Double.NaN;
        }
        double distance = scores.excess(i) - threshold;
        return error > 0 ? Normal.below(distance / error) : distance > 0 ? 1 : 0;
    }

    /** Whether the excess of a neuron that is alive is more than {@value #CLEAR} standard errors from the threshold. */
    boolean clear(int i, double threshold) {
        return state(i) == State.ALIVE && Math.abs(scores.excess(i) - threshold) > CLEAR * excessError(i);
    }

    /** The excess with partners chosen on other groups of documents than those they are judged by. */
    double heldOutExcess(int i) {
        return state(i) == State.INACTIVE ? Double.NaN : resampled.heldOut(i) - scores.meanBaseline(i);
    }
}
