package universality.correlate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
 * need the place. Asking for positions about in order runs every row about once.
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

    /**
     * Loads the model.
     *
     * @param gather the kernel {@code correlate}
     * @param memoryBytes what activations may take, weights aside
     * @param say takes lines that the user should see
     * @throws ToolException if the tokens do not fit the model
     */
    void start(Compute compute, Kernel gather, long memoryBytes, Consumer<String> say) {
        kernel = gather;
        model = LanguageModel.load(compute, checkpoint, arithmetic);
        manager = compute.manager().newSubManager();
        MaskedForward.check(checkpoint, model.config(), tokens).ifPresent(say);
        sizes = new BatchSizes(Math.max(1, BATCH / tokens.context()), memoryBytes);
        expect(0, layers());
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
    public boolean costsWhatLiesBetween() {
        return true;
    }

    @Override
    public void expect(int first, int end) {
        if (first < from || end > to || end - first < (to - from) / 2) {
            clear();
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
    public NDArray read(NDManager scope, int layer, int[] which, int start, int count) {
        if (layer < from || layer >= to) {
            expect(Math.min(layer, from), Math.max(layer + 1, to));
        }
        while (true) {
            try {
                return gather(scope, layer, which, start, count);
            } catch (ToolException e) {
                if (e.code() != ExitCode.DEVICE_MEMORY || !sizes.shrink()) {
                    throw e;
                }
                clear();
            }
        }
    }

    private NDArray gather(NDManager scope, int layer, int[] which, int start, int count) {
        List<NDArray> parts = new ArrayList<>();
        try (NDManager step = scope.newSubManager()) {
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
                NDArray values = activations(batch).get(layer - from);
                parts.add(kernel.call(step, "rows", values, step.create(at)).singletonOrThrow());
                i += run;
            }
            NDArray all = parts.size() == 1
                    ? parts.get(0)
                    : kernel.call(step, "stack", parts).singletonOrThrow();
            all.attach(scope);
            return all;
        }
    }

    private int batch(int keptIndex) {
        return kept[keptIndex] / tokens.context() / sizes.rows();
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
        int count = Math.min(sizes.rows(), tokens.rows() - first);
        int begin = firstKept(batch);
        int end = firstKept(batch + 1);
        long[] at = new long[end - begin];
        for (int i = 0; i < at.length; i++) {
            at[i] = kept[begin + i] - (long) first * context;
        }
        try (NDManager step = owner.newSubManager()) {
            NDArray ids = MaskedForward.ids(step, tokens, first, count);
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
