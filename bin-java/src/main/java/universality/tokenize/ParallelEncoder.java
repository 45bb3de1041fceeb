package universality.tokenize;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import universality.text.Encoded;
import universality.text.PlantedText;
import universality.text.Tokenizer;

/**
 * Encodes documents on several threads and hands them on in the order in which they came, so that results do not depend on the
 * number of threads. Only so many characters are under way at a time, whatever the length of the text.
 */
final class ParallelEncoder implements AutoCloseable {
    /** Characters of a batch; a longer document is a batch of its own. */
    private static final int BATCH = 1 << 16;

    /** Characters under way, beyond a single longer document. */
    private static final long UNDER_WAY = 1 << 21;

    private final int threads;
    private final IntPredicate planted;
    private final BlockingQueue<Tokenizer> tokenizers;
    private final ExecutorService pool;

    /**
     * An encoded document.
     *
     * @param features planted features of each token; {@code null} where none are wanted
     */
    record Done(Documents.Dealt dealt, int[] ids, long[] features) {}

    private record Batch(List<Documents.Dealt> documents, long characters) {}

    private record Running(long characters, Future<List<Done>> result) {}

    /** @param planted whether features of the tokens of a split are wanted */
    ParallelEncoder(Tokenizer tokenizer, int threads, IntPredicate planted) {
        this.threads = threads;
        this.planted = planted;
        this.tokenizers = new ArrayBlockingQueue<>(threads);
        for (int t = 0; t < threads; t++) {
            tokenizers.add(tokenizer.twin());
        }
        this.pool = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "encoder");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Encodes all documents.
     *
     * @param documents {@code null} after the last one; called by this thread only
     * @param sink takes them in order; called by this thread only
     */
    void run(Supplier<Documents.Dealt> documents, Consumer<Done> sink) {
        Deque<Running> underWay = new ArrayDeque<>();
        long characters = 0;
        boolean more = true;
        while (more || !underWay.isEmpty()) {
            while (more && underWay.size() < 4 * threads && (underWay.isEmpty() || characters < UNDER_WAY)) {
                Batch batch = batch(documents);
                more = !batch.documents().isEmpty();
                if (more) {
                    underWay.add(new Running(batch.characters(), pool.submit(() -> encode(batch.documents()))));
                    characters += batch.characters();
                }
            }
            if (!underWay.isEmpty()) {
                Running first = underWay.remove();
                result(first.result()).forEach(sink);
                characters -= first.characters();
            }
        }
    }

    private static Batch batch(Supplier<Documents.Dealt> documents) {
        List<Documents.Dealt> batch = new ArrayList<>();
        long characters = 0;
        while (characters < BATCH) {
            Documents.Dealt next = documents.get();
            if (next == null) {
                break;
            }
            batch.add(next);
            characters += next.document().text().length() + 1L;
        }
        return new Batch(batch, characters);
    }

    private List<Done> encode(List<Documents.Dealt> batch) throws InterruptedException {
        Tokenizer tokenizer = tokenizers.take();
        try {
            List<Done> done = new ArrayList<>(batch.size());
            for (Documents.Dealt dealt : batch) {
                done.add(encode(tokenizer, dealt));
            }
            return done;
        } finally {
            tokenizers.add(tokenizer);
        }
    }

    private Done encode(Tokenizer tokenizer, Documents.Dealt dealt) {
        PlantedText document = dealt.document();
        if (!planted.test(dealt.split())) {
            return new Done(dealt, tokenizer.encode(document.text()), null);
        }
        Encoded encoded = tokenizer.encodeWithPlaces(document.text());
        long[] features = new long[encoded.ids().length];
        for (int i = 0; i < features.length; i++) {
            features[i] = document.overlapping(encoded.starts()[i], encoded.ends()[i]);
        }
        return new Done(dealt, encoded.ids(), features);
    }

    private static List<Done> result(Future<List<Done>> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while encoding", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    @Override
    public void close() {
        pool.shutdownNow();
        tokenizers.forEach(Tokenizer::close);
    }
}
