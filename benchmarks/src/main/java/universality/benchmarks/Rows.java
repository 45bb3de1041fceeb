package universality.benchmarks;

import java.util.List;

/** Some lines of the table that are measured together. */
interface Rows {
    /** By which they are chosen: {@code rows=NAME,…}. */
    String name();

    /**
     * Measures them. Lines that cannot be measured here are there too, saying why.
     *
     * @throws NotMeasured if none of them can be
     */
    List<Result> measure(Bench bench) throws Exception;

    /** What to show where {@link #measure} throws: each line without a value. */
    List<Result> unmeasured(String reason);
}
