package nf.universality

import com.google.common.hash.HashCode
import java.util.concurrent.ConcurrentHashMap
import nextflow.processor.TaskHandler
import nextflow.processor.TaskRun
import nextflow.trace.TraceObserver
import nextflow.trace.TraceRecord
import nextflow.util.HashBuilder
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/**
 * Lets -resume find the result of a task that was done at a later try, whatever earlier launches left of that task.
 *
 * <p>Nextflow looks for a result along a chain of hashes, one for each try: the next one follows from the last one and from its
 * number in the chain. A try after a failure has its hash from the failures of its own launch instead. Where an earlier launch was
 * interrupted at that task, the two numbers differ, and a launch after that runs the task again (Nextflow's issue 6884, open in
 * 26.04). So the result is noted in Nextflow's cache at the places too where a later launch may look for it: after each try that
 * failed, for each number that this try may have had. All of them belong to the same task with the same inputs.
 */
class RetriedTasks implements TraceObserver {
    private static final Logger LOG = LoggerFactory.getLogger('nextflow.universality.RetriedTasks')
    /** So many tries of one task, in all launches, are reckoned with. */
    static final int MOST_TRIES = 64

    /** Hashes of the tries that failed in this launch, in their order, by process and number of the task. */
    private final Map<List, List<HashCode>> failed = new ConcurrentHashMap<>()

    @Override
    void onProcessComplete(TaskHandler handler, TraceRecord trace) {
        try {
            TaskRun task = handler.task
            List key = [task.processor.name, task.index]
            if (trace == null || !trace.isCompleted()) {
                failed.computeIfAbsent(key) { Collections.synchronizedList([]) } << task.hash
                return
            }
            List<HashCode> tries = failed.remove(key)?.toList() ?: []
            (placesAfter(tries) - tries - task.hash).each { place ->
                TaskRun same = task.clone()
                same.hash = place
                task.processor.session.cache.putTaskAsync(new Noted(same), trace)
            }
        } catch (Throwable e) { // also errors of linking, where a newer Nextflow is another
            LOG.warn('A later launch may run {} again, though it is done: {}', handler.task.name, e.toString())
            LOG.debug('Tries of tasks', e)
        }
    }

    /** The hashes at which a launch may look next that has come upon these tries. */
    static Set<HashCode> placesAfter(List<HashCode> tries) {
        tries.collectMany { hash ->
            (2..MOST_TRIES).collect { number -> HashBuilder.defaultHasher().putBytes(hash.asBytes()).putInt(number).hash() }
        } as Set
    }

    @Override
    boolean enableMetrics() {
        false
    }

    /** A task that is over: for the cache, which is handed a task by its handler. */
    private static class Noted extends TaskHandler {
        Noted(TaskRun task) {
            super(task)
        }

        @Override
        boolean checkIfRunning() {
            false
        }

        @Override
        boolean checkIfCompleted() {
            true
        }

        @Override
        void kill() {
        }

        @Override
        void submit() {
        }
    }
}
