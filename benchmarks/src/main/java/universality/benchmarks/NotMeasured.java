package universality.benchmarks;

/** Why something cannot be measured here; the message is for the table. */
final class NotMeasured extends Exception {
    private static final long serialVersionUID = 1;

    NotMeasured(String reason) {
        super(reason);
    }
}
