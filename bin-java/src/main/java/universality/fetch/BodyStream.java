package universality.fetch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer, read by one thread as it arrives. Nothing is read ahead of it but one parcel, so memory does not grow
 * with the body. A server that falls silent, or sends next to nothing, is given up on after the stall time.
 */
final class BodyStream implements HttpResponse.BodySubscriber<BodyStream>, AutoCloseable {
    /** Fewer bytes than this within the stall time are no progress. */
    private static final int LEAST_BYTES = 1024;

    private static final Object END = new Object();

    private final long stallNanos;
    private final LinkedBlockingQueue<Object> arrivals = new LinkedBlockingQueue<>();
    private final Deque<ByteBuffer> buffers = new ArrayDeque<>();
    private volatile Flow.Subscription subscription;
    private long waitedNanos;
    private long waitedBytes;
    private boolean ended;

    BodyStream(Duration stall) {
        this.stallNanos = stall.toNanos();
    }

    @Override
    public CompletionStage<BodyStream> getBody() {
        return CompletableFuture.completedFuture(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        subscription.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> parcel) {
        arrivals.add(parcel);
    }

    @Override
    public void onError(Throwable failure) {
        arrivals.add(failure);
    }

    @Override
    public void onComplete() {
        arrivals.add(END);
    }

    /**
     * The next bytes, or null at the end.
     *
     * @throws IOException if the connection breaks or stalls
     */
    ByteBuffer next() throws IOException {
        while (true) {
            ByteBuffer buffer = buffers.poll();
            if (buffer != null && buffer.hasRemaining()) {
                return buffer;
            }
            if (buffer == null) {
                if (ended) {
                    return null;
                }
                await();
            }
        }
    }

    private void await() throws IOException {
        Object arrival = poll();
        if (arrival == END) {
            ended = true;
        } else if (arrival instanceof Throwable failure) {
            throw new IOException("the connection broke: " + failure.getMessage(), failure);
        } else if (arrival instanceof List<?> parcel) {
            for (Object part : parcel) {
                ByteBuffer buffer = (ByteBuffer) part;
                waitedBytes += buffer.remaining();
                buffers.add(buffer);
            }
            subscription.request(1);
        }
    }

    /** Counts only time spent waiting here: a slow disk is not the server's fault. */
    private Object poll() throws IOException {
        long start = System.nanoTime();
        try {
            Object arrival = arrivals.poll(stallNanos - waitedNanos, TimeUnit.NANOSECONDS);
            waitedNanos += System.nanoTime() - start;
            if (arrival == null || waitedNanos >= stallNanos && waitedBytes < LEAST_BYTES && arrival != END) {
                close();
                throw new IOException(
                        "only " + waitedBytes + " bytes came within " + stallNanos / 1_000_000 + " milliseconds");
            }
            if (waitedBytes >= LEAST_BYTES) {
                waitedNanos = 0;
                waitedBytes = 0;
            }
            return arrival;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    /** All of the body. */
    byte[] bytes(int most) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (ByteBuffer buffer; (buffer = next()) != null; ) {
            byte[] part = new byte[buffer.remaining()];
            buffer.get(part);
            if (bytes.size() + (long) part.length > most) {
                close();
                throw new IOException("the answer is longer than " + most + " bytes");
            }
            bytes.write(part, 0, part.length);
        }
        return bytes.toByteArray();
    }

    /** Ends the exchange, and the connection unless the body was read to its end. */
    @Override
    public void close() {
        Flow.Subscription current = subscription;
        if (current != null) {
            current.cancel();
        }
    }
}
