package universality.ablate;

/**
 * One row of {@code ablation.csv}: which neurons are replaced.
 *
 * @param name {@code universal}, {@code control_layer}, {@code control_matched} or {@code control_any}
 * @param layers {@code all}, {@code all_but_0} or a layer's number
 * @param draw 0 for the set itself
 * @param target the part of the set that this row is, or is a control of
 */
public record Condition(String name, String layers, int draw, NeuronSet target, NeuronSet neurons) {
    public static final String UNIVERSAL = "universal";

    public boolean isControl() {
        return !name.equals(UNIVERSAL);
    }
}
