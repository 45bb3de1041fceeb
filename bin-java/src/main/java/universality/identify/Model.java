package universality.identify;

import universality.data.CheckpointName;
import universality.data.NeuronShape;

/** Everything about one checkpoint of the step, and the decision about each of its neurons. */
final class Model {
    /** Below this many effective observations chance partners reach an excess of 0.5. */
    static final double LEAST_EFFECTIVE = 50;

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
    final Copies copies;
    final Attributes attributes;

    Model(CheckpointName checkpoint, NeuronShape shape, Attributes attributes) {
        this.checkpoint = checkpoint;
        this.shape = shape;
        this.attributes = attributes;
        scores = new Scores(shape.neurons());
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
}
