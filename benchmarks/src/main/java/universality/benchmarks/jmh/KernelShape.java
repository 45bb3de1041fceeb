package universality.benchmarks.jmh;

/** Sizes at which kernels are timed. */
enum KernelShape {
    /** The model of the profile demo. */
    demo(2, 4, 96, 1024, 64),
    /** GPT-2 small, with rows of 512 tokens. */
    gpt2_small(12, 12, 768, 50257, 512);

    /** Positions of a batch or a block. */
    static final int POSITIONS = 2048;

    final int layers;
    final int heads;
    final int width;
    final int mlp;
    final int vocabulary;
    final int context;

    KernelShape(int layers, int heads, int width, int vocabulary, int context) {
        this.layers = layers;
        this.heads = heads;
        this.width = width;
        this.mlp = 4 * width;
        this.vocabulary = vocabulary;
        this.context = context;
    }
}
