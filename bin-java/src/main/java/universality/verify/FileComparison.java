package universality.verify;

import java.util.ArrayList;
import java.util.List;

/**
 * How two versions of one file differ.
 *
 * @param beyond differences that count
 * @param within differences of numbers within the tolerance
 */
record FileComparison(List<Difference> beyond, List<Difference> within) {
    FileComparison() {
        this(new ArrayList<>(), new ArrayList<>());
    }

    void add(Tally tally) {
        if (!tally.isEmpty()) {
            (tally.isTolerated() ? within : beyond).add(tally.difference());
        }
    }

    void add(Difference difference) {
        beyond.add(difference);
    }

    boolean isEmpty() {
        return beyond.isEmpty() && within.isEmpty();
    }
}
