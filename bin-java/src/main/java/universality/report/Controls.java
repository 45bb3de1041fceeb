package universality.report;

import java.util.LinkedHashMap;
import java.util.Map;

/** Names and meanings of the controls. */
final class Controls {
    private static final Map<String, String[]> KNOWN = new LinkedHashMap<>();

    static {
        KNOWN.put("rotated", new String[] {
            "Rotated model",
            "one model's activations turned by a random rotation within each layer: no neuron has a partner any more"
        });
        KNOWN.put("shifted", new String[] {
            "Shifted text",
            "one model reads other tokens than the other: only what is the same everywhere can correlate"
        });
        KNOWN.put("row_shifted", new String[] {
            "Shifted by rows",
            "shifted by whole rows, so that positions still agree: what is left are position neurons, not a null"
        });
        KNOWN.put("token_permuted", new String[] {
            "Permuted within token",
            "positions exchanged among those with the same current token: what is left responds to the token alone"
        });
    }

    private Controls() {}

    /** The name for readers. */
    static String label(String control) {
        return KNOWN.containsKey(control) ? KNOWN.get(control)[0] : control;
    }

    /** What the control does. */
    static String meaning(String control) {
        return KNOWN.containsKey(control) ? KNOWN.get(control)[1] : "see the documentation of the stage correlate";
    }
}
