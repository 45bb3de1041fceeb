package nf.universality

import nextflow.Session
import nextflow.trace.TraceObserver
import nextflow.trace.TraceObserverFactory

/** Gives every run a {@link RetriedTasks}. */
class RetriedTasksFactory implements TraceObserverFactory {
    @Override
    Collection<TraceObserver> create(Session session) {
        [new RetriedTasks()]
    }
}
