package universality.benchmarks.jmh;

/** Sizes at which kernels are timed. */
enum KernelShape {
    /** The model of the profile demo. */
    demo(96, 1024),
    /** GPT-2 small. */
    gpt2_small(768, 50257);

    /** Positions of a batch. */
    static final int POSITIONS = 2048;

    final int width;
    final int mlp;
    final int vocabulary;

    KernelShape(int width, int vocabulary) {
        this.width = width;
        this.mlp = 4 * width;
        this.vocabulary = vocabulary;
    }
}
