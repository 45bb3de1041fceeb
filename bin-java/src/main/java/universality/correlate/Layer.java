package universality.correlate;

/** One layer of a model. */
record Layer(Source source, int index) {
    int width() {
        return source.width();
    }

    /** Whether any neuron of the layer varies over a set of positions. */
    boolean varies(int set) {
        return source.count(set) > 0 && source.alive(index, set).length > 0;
    }
}
