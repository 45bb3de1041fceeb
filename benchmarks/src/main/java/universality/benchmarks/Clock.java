package universality.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How long something takes: on the wall, or ({@code clock=cpu}) of the processor, all threads together. */
enum Clock {
    WALL,
    /** Counts a busy neighbour less, and waiting for files not at all; with several threads also their waiting for each other. */
    CPU;

    /** Work that may fail. */
    interface Work {
        void run() throws Exception;
    }

    private double now() {
        if (this == CPU && ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            return system.getProcessCpuTime() / 1e9;
        }
        return System.nanoTime() / 1e9;
    }

    /** Seconds that {@code work} takes. */
    double seconds(Work work) throws Exception {
        double start = now();
        work.run();
        return now() - start;
    }
}
