package universality.activate;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import universality.data.ExitCode;
import universality.data.ToolException;

/**
 * Tasks done one after the other by a thread of its own, at most so many waiting. What a task throws is thrown again by the
 * next {@link #submit} or by {@link #finish}; tasks after it are dropped.
 */
final class BackgroundWork implements AutoCloseable {
    private static final Runnable END = () -> {};

    private final BlockingQueue<Runnable> tasks;
    private final Thread thread;
    private volatile Throwable failure;

    /** @param waiting tasks that may be submitted and not begun */
    BackgroundWork(String name, int waiting) {
        tasks = new ArrayBlockingQueue<>(waiting);
        thread = new Thread(this::work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void work() {
        try {
            for (Runnable task = tasks.take(); task != END; task = tasks.take()) {
                task.run();
            }
        } catch (InterruptedException e) {
            // closed before the end
        } catch (Throwable e) { // also memory errors: whoever waits must hear of it
            failure = e;
        }
    }

    /**
     * Hands a task over; waits while too many do.
     *
     * @throws RuntimeException or Error, of an earlier task
     */
    void submit(Runnable task) {
        try {
            while (!tasks.offer(task, 100, TimeUnit.MILLISECONDS)) {
                rethrow();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        rethrow();
    }

    /**
     * Waits until all is done.
     *
     * @throws RuntimeException or Error, of a task
     */
    void finish() {
        submit(END);
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        rethrow();
    }

    private static ToolException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new ToolException(ExitCode.INTERNAL, "interrupted while writing", e);
    }

    private void rethrow() {
        if (failure instanceof Error e) {
            throw e;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
    }

    /** Ends the thread, dropping what waits; returns when it has ended. */
    @Override
    public void close() {
        thread.interrupt();
        boolean again = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                again = true;
            }
        }
        if (again) {
            Thread.currentThread().interrupt();
        }
    }
}
