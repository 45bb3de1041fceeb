package universality.data;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Where a stage's time goes, in seconds on the wall: each phase without what is inside it under another name. A GPU computes while the
 * program goes on, so there a phase has what the program waited for in it. For one thread.
 */
public final class Phases {
    private final Map<String, Long> nanos = new LinkedHashMap<>();
    private final Deque<String> inside = new ArrayDeque<>();
    private long since;

    /** Does something that belongs to a phase. */
    public void in(String phase, Runnable work) {
        in(phase, () -> {
            work.run();
            return null;
        });
    }

    /** Does something that belongs to a phase, and gives back what it gives. */
    public <T> T in(String phase, Supplier<T> work) {
        book();
        inside.push(phase);
        try {
            return work.get();
        } finally {
            book();
            inside.pop();
        }
    }

    private void book() {
        long now = System.nanoTime();
        if (!inside.isEmpty()) {
            nanos.merge(inside.peek(), now - since, Long::sum);
        }
        since = now;
    }

    /** Seconds by phase, in the order in which the phases first ended or gave way to another. */
    public Map<String, Double> seconds() {
        Map<String, Double> seconds = new LinkedHashMap<>();
        nanos.forEach((phase, sum) -> seconds.put(phase, sum / 1e9));
        return seconds;
    }
}
