package universality.model.capture;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Optional;
import universality.data.CheckpointFolder;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.tensor.Compute;
import universality.text.Tokenizers;

/** Runs a model over token rows, a few rows at a time, and hands over what the positions that count gave. */
public final class MaskedForward {
    /** Activations of one batch. All arrays are freed when {@link #accept} returns. */
    public interface Consumer {
        /**
         * @param at number of kept positions before this batch
         * @param kept flat indices of the batch's kept positions into the token rows [rows × context]
         * @param hooks for each layer hook_pre and hook_post, F32 [kept.length, d_mlp]
         */
        void accept(int at, int[] kept, NDList hooks);
    }

    /**
     * Most positions of one forward call, and most hook elements of one layer and of all layers together: fast products in
     * little memory (two hooks of 128 MiB each, in F32). Fixed, since moments are merged batch by batch: results must not
     * depend on the memory there is.
     */
    private static final int POSITIONS_PER_BATCH = 8192;

    private static final int ELEMENTS_PER_LAYER = 1 << 22;
    private static final int ELEMENTS_PER_BATCH = 1 << 25;

    private MaskedForward() {}

    /**
     * Checks that {@code tokens} are fit for the model of {@code checkpoint}.
     *
     * @return what could not be checked, in words for the user; empty where all could
     * @throws ToolException (bad data) if an id is outside the vocabulary, rows are longer than the context, or checkpoint
     *     and tokens come with different tokenizers
     */
    public static Optional<String> check(CheckpointFolder checkpoint, ModelConfig config, TokenRows tokens) {
        if (tokens.context() > config.context()) {
            throw ToolException.badData(
                    "rows of %d tokens are longer than the %d positions of checkpoint '%s': tokenize with --context %d or less",
                    tokens.context(), config.context(), checkpoint.id(), config.context());
        }
        if (tokens.largestToken() >= config.vocabulary()) {
            throw ToolException.badData(
                    "token id %d is outside the vocabulary of %d of checkpoint '%s': tokenize with the checkpoint's tokenizer",
                    tokens.largestToken(), config.vocabulary(), checkpoint.id());
        }
        Optional<Boolean> agree = Tokenizers.agree(checkpoint, tokens);
        if (agree.isPresent() && !agree.get()) {
            throw ToolException.badData(
                    "checkpoint '%s' has another tokenizer than the tokens (%s): tokenize with the checkpoint's"
                            + " tokenizer.json (--tokenizer FILE)",
                    checkpoint.id(), tokens.manifest().parameterOr("tokenizer", TokenRows.TOKENIZER));
        }
        if (tokens.kept() == 0) {
            throw ToolException.badData(
                    "the mask of '%s' keeps no position: give more text",
                    tokens.manifest().id());
        }
        return agree.isPresent()
                ? Optional.empty()
                : Optional.of(String.format(
                        "the tokenizer of '%s' is not known: tokens are taken to be its own", checkpoint.id()));
    }

    /** Runs {@code model} over all rows in order. */
    public static void run(Compute compute, LanguageModel model, TokenRows tokens, Consumer consumer) {
        int context = tokens.context();
        ModelConfig config = model.config();
        int fitting = Math.min(ELEMENTS_PER_LAYER / config.dMlp(), ELEMENTS_PER_BATCH / config.neurons());
        int positions = Math.min(POSITIONS_PER_BATCH, fitting);
        int rowsPerBatch = Math.max(1, positions / context);
        int at = 0;
        for (int row = 0; row < tokens.rows(); row += rowsPerBatch) {
            int rows = Math.min(rowsPerBatch, tokens.rows() - row);
            int[] kept = kept(tokens, row * context, (row + rows) * context);
            if (kept.length == 0) {
                continue;
            }
            try (NDManager scope = compute.manager().newSubManager()) {
                NDArray ids = ids(scope, tokens, row, rows);
                NDArray index = scope.create(offset(kept, -row * context));
                consumer.accept(at, kept, model.capture(scope, ids, index));
            }
            at += kept.length;
        }
    }

    /** Rows {@code row} to {@code row + rows} as I64 [rows, context], owned by {@code scope}. */
    public static NDArray ids(NDManager scope, TokenRows tokens, int row, int rows) {
        int context = tokens.context();
        long[] ids = new long[rows * context];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = tokens.tokens()[row * context + i];
        }
        return scope.create(ids, new Shape(rows, context));
    }

    /** The rows {@code which}, in this order, as I64 [which.length, context], owned by {@code scope}. */
    public static NDArray ids(NDManager scope, TokenRows tokens, int[] which) {
        int context = tokens.context();
        long[] ids = new long[which.length * context];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = tokens.tokens()[which[i / context] * context + i % context];
        }
        return scope.create(ids, new Shape(which.length, context));
    }

    static int[] kept(TokenRows tokens, int from, int to) {
        return java.util.stream.IntStream.range(from, to)
                .filter(i -> tokens.mask()[i] != 0)
                .toArray();
    }

    private static long[] offset(int[] positions, int by) {
        long[] moved = new long[positions.length];
        for (int i = 0; i < moved.length; i++) {
            moved[i] = positions[i] + by;
        }
        return moved;
    }
}
