package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import universality.data.CheckpointFolder;
import universality.data.ExitCode;
import universality.data.Manifest;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.Arithmetic;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.model.capture.MaskedForward;
import universality.tensor.Compute;
import universality.tensor.Kernel;

/**
 * Activations computed when they are asked for: a batch of token rows at a time, whose activations are kept until other batches
 * need the place. Asking for positions about in order, of all layers together, runs every row about once; or about twice where not
 * enough can be kept for the two halves of the positions, which alternate.
 */
final class LiveActivations implements Activations {
    /** Positions of one forward call, at most (a row at least). */
    private static final int BATCH = 2048;

    /** Positions that the two halves may be apart, for whose sake batches are kept: a block that is asked for, and one to come. */
    private static final int WINDOW = 3 * Source.BLOCK;

    private final CheckpointFolder checkpoint;
    private final TokenRows tokens;
    private final Arithmetic arithmetic;
    private final int[] kept;
    private Kernel kernel;
    private LanguageModel model;
    private NDManager manager;
    private BatchSizes sizes;
    private Share share;
    /** Token rows that were run, however often. */
    private long ran;

    private int from;
    private int to;
    /** Activations of batches, the layers from {@link #from} to {@link #to}; the one used longest ago first. */
    private final Map<Integer, NDManager> owners = new LinkedHashMap<>(16, 0.75f, true);

    private final Map<Integer, NDList> batches = new LinkedHashMap<>();

    /**
     * @param tokens shared, not copied
     * @param kept their kept positions, shared likewise
     */
    LiveActivations(Path checkpoint, TokenRows tokens, int[] kept, Arithmetic arithmetic) {
        this.checkpoint = CheckpointFolder.open(checkpoint);
        this.tokens = tokens;
        this.arithmetic = arithmetic;
        this.kept = kept;
    }

    /** Memory for the activations that several models keep: those that are in use have equal shares. */
    static final class Share {
        private final long bytes;
        private int using;

        /** @param bytes what activations may take, weights aside */
        Share(long bytes) {
            this.bytes = bytes;
        }

        private long each() {
            return bytes / Math.max(1, using);
        }
    }

    /**
     * Loads the model.
     *
     * @param gather the kernel {@code correlate}
     * @param memory shared with other models
     * @param say takes lines that the user should see
     * @throws ToolException if the tokens do not fit the model
     */
    void start(Compute compute, Kernel gather, Share memory, Consumer<String> say) {
        kernel = gather;
        model = LanguageModel.load(compute, checkpoint, arithmetic);
        manager = compute.manager().newSubManager();
        MaskedForward.check(checkpoint, model.config(), tokens).ifPresent(say);
        share = memory;
        sizes = new BatchSizes(Math.max(1, BATCH / tokens.context()), share::each);
        expect(0, layers());
    }

    /** How often the model was run over the text so far, on average over its rows. */
    double runs() {
        return (double) ran / tokens.rows();
    }

    /** Bytes of the weights. */
    long weightBytes() {
        Set<NDArray> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
        distinct.addAll(model.weights());
        return distinct.stream()
                .mapToLong(w -> w.getDataType().getNumOfBytes() * w.size())
                .sum();
    }

    @Override
    public String id() {
        return checkpoint.id();
    }

    @Override
    public String family() {
        return checkpoint.family();
    }

    @Override
    public long seed() {
        return checkpoint.seed();
    }

    @Override
    public long step() {
        return checkpoint.step();
    }

    @Override
    public int layers() {
        return config().layers();
    }

    @Override
    public int dMlp() {
        return config().dMlp();
    }

    private ModelConfig config() {
        return model.config();
    }

    @Override
    public int kept() {
        return kept.length;
    }

    @Override
    public String tokensDigest() {
        return tokens.digest();
    }

    @Override
    public RowPlan.Positions positions() {
        int context = tokens.context();
        return new RowPlan.Positions(
                IntStream.of(kept).map(p -> p / context).toArray(),
                IntStream.of(kept).map(p -> p % context).toArray(),
                IntStream.of(kept).map(p -> tokens.document()[p]).toArray(),
                IntStream.of(kept).map(p -> tokens.tokens()[p]).toArray());
    }

    @Override
    public Manifest manifest() {
        return checkpoint.manifest();
    }

    @Override
    public String role() {
        return "checkpoint";
    }

    @Override
    public Optional<Extremes> extremes() {
        return Optional.empty();
    }

    @Override
    public boolean costsWhatLiesBetween() {
        return true;
    }

    @Override
    public void expect(int first, int end) {
        if (first < from || end > to || end - first < (to - from) / 2 || end == 0) {
            clear();
            share.using += (end > first ? 1 : 0) - (to > from ? 1 : 0);
            from = first;
            to = end;
        }
    }

    private void clear() {
        owners.values().forEach(NDManager::close);
        owners.clear();
        batches.clear();
    }

    @Override
    public void read(NDManager scope, int[] layers, int[] which, int start, int count, LayerConsumer consumer) {
        IntSummaryStatistics range = IntStream.of(layers).summaryStatistics();
        if (to == from) {
            expect(range.getMin(), range.getMax() + 1);
        } else if (range.getMin() < from || range.getMax() >= to) {
            expect(Math.min(range.getMin(), from), Math.max(range.getMax() + 1, to));
        }
        List<NDArray> values = gather(scope, layers, which, start, count);
        for (int i = 0; i < layers.length; i++) {
            consumer.accept(layers[i], values.get(i));
        }
    }

    /** The rows that are wanted of each layer, batch by batch; in smaller batches where the device's memory does not suffice. */
    private List<NDArray> gather(NDManager scope, int[] layers, int[] which, int start, int count) {
        while (true) {
            try (NDManager step = scope.newSubManager()) {
                List<NDArray> values = new ArrayList<>();
                for (NDList parts : parts(step, layers, which, start, count)) {
                    NDArray all = parts.size() == 1
                            ? parts.get(0)
                            : kernel.call(step, "stack", parts).singletonOrThrow();
                    if (parts.size() > 1) {
                        parts.close();
                    }
                    values.add(all);
                }
                values.forEach(all -> all.attach(scope));
                return values;
            } catch (ToolException e) {
                if (e.code() != ExitCode.DEVICE_MEMORY || !sizes.shrink()) {
                    throw e;
                }
                clear();
            }
        }
    }

    /** What each batch has of the rows that are wanted, by layer. */
    private List<NDList> parts(NDManager scope, int[] layers, int[] which, int start, int count) {
        List<NDList> parts =
                IntStream.of(layers).mapToObj(layer -> new NDList()).toList();
        for (int i = 0; i < count; ) {
            int batch = batch(which[start + i]);
            int run = 1;
            while (i + run < count && batch(which[start + i + run]) == batch) {
                run++;
            }
            int first = firstKept(batch);
            long[] at = new long[run];
            for (int j = 0; j < run; j++) {
                at[j] = which[start + i + j] - first;
            }
            NDList values = activations(batch);
            try (NDArray rows = scope.create(at)) {
                for (int k = 0; k < layers.length; k++) {
                    parts.get(k)
                            .add(kernel.call(scope, "rows", values.get(layers[k] - from), rows)
                                    .singletonOrThrow());
                }
            }
            i += run;
        }
        return parts;
    }

    private int batch(int keptIndex) {
        return kept[keptIndex] / tokens.context() / sizes.rows();
    }

    /** Token rows of a batch. */
    private int rows(int batch) {
        return Math.min(sizes.rows(), tokens.rows() - batch * sizes.rows());
    }

    /** Number of kept positions before a batch. */
    private int firstKept(int batch) {
        int at = Arrays.binarySearch(kept, batch * sizes.rows() * tokens.context());
        return at < 0 ? -at - 1 : at;
    }

    private NDList activations(int batch) {
        NDManager owner = owners.get(batch); // which makes it the last to go
        if (owner != null) {
            return batches.get(batch);
        }
        makeRoom();
        owner = manager.newSubManager();
        try {
            NDList made = compute(owner, batch);
            ran += rows(batch);
            owners.put(batch, owner);
            batches.put(batch, made);
            return made;
        } catch (RuntimeException e) {
            owner.close();
            throw e;
        }
    }

    /** Drops batches until there is room for one more. What a block took from them has been copied. */
    private void makeRoom() {
        long wanted = WINDOW / ((long) sizes.rows() * tokens.context()) + 2;
        long most = sizes.most(wanted, 4L * tokens.context() * dMlp() * (to - from));
        while (owners.size() >= most) {
            Integer oldest = owners.keySet().iterator().next();
            owners.remove(oldest).close();
            batches.remove(oldest);
        }
    }

    private NDList compute(NDManager owner, int batch) {
        int context = tokens.context();
        int first = batch * sizes.rows();
        int begin = firstKept(batch);
        int end = firstKept(batch + 1);
        long[] at = new long[end - begin];
        for (int i = 0; i < at.length; i++) {
            at[i] = kept[begin + i] - (long) first * context;
        }
        try (NDManager step = owner.newSubManager()) {
            NDArray ids = MaskedForward.ids(step, tokens, first, rows(batch));
            return model.posts(owner, ids, step.create(at), from, to);
        }
    }

    @Override
    public void close() {
        if (model != null) {
            clear();
            manager.close();
            model.close();
        }
    }
}
