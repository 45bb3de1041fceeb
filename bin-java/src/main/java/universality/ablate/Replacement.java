package universality.ablate;

import java.util.Locale;
import universality.data.ToolException;

/** What an ablated neuron's post-activation becomes, at every position. */
public enum Replacement {
    /** 0. */
    ZERO,
    /** The neuron's mean post-activation. */
    MEAN,
    /** The neuron's own value in another row at the same position; one donor row for all neurons. */
    RESAMPLE;

    /**
     * By the option's value.
     *
     * @throws ToolException (usage) if there is no such replacement
     */
    public static Replacement parse(String name) {
        for (Replacement replacement : values()) {
            if (replacement.option().equals(name)) {
                return replacement;
            }
        }
        throw ToolException.usage("--replace '%s' is not one of zero, mean, resample", name);
    }

    /** The name in options and tables. */
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }
}
