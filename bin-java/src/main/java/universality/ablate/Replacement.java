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
     * A replacement with what it needs.
     *
     * @param means [layers][d_mlp]; for {@link #MEAN}
     * @param donors the row that each row takes its values from; for {@link #RESAMPLE}
     */
    record Values(Replacement kind, double[][] means, int[] donors) {
        /** The value of a neuron that is the same everywhere. */
        float constant(int layer, int neuron) {
            return kind == MEAN ? (float) means[layer][neuron] : 0;
        }

        boolean resamples() {
            return kind == RESAMPLE;
        }
    }

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
