package nf.universality;

import java.util.Collection;
import java.util.List;
import nextflow.Session;
import nextflow.trace.TraceObserver;
import nextflow.trace.TraceObserverFactory;
import org.pf4j.Extension;

/** Gives every run its observer, unless the configuration says {@code provenance.enabled = false}. */
@Extension
public class ProvenanceFactory implements TraceObserverFactory {
    @Override
    public Collection<TraceObserver> create(Session session) {
        ProvenanceObserver observer = new ProvenanceObserver(session);
        return observer.enabled() ? List.of(observer) : List.of();
    }
}
