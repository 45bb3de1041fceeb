package universality.model;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Nonlinearity of the MLPs, with the names that configs have for it, its own first. */
public enum Activation {
    /** x Φ(x), Φ approximated by tanh (Hendrycks and Gimpel 2016). */
    GELU_NEW("gelu_new", "gelu_pytorch_tanh", "gelu_fast"),
    /** x Φ(x), by erf. */
    GELU("gelu", "gelu_python"),
    /** max(0, x). */
    RELU("relu");

    private final List<String> names;

    Activation(String... names) {
        this.names = List.of(names);
    }

    /** The activation that a config calls {@code name}; empty if it is not supported. */
    static Optional<Activation> named(String name) {
        return Arrays.stream(values()).filter(a -> a.names.contains(name)).findFirst();
    }

    /** All names, for messages. */
    static String supported() {
        return Arrays.stream(values())
                .map(a -> a.names.size() == 1
                        ? a.names.get(0)
                        : a.names.get(0) + " (also spelt " + String.join(", ", a.names.subList(1, a.names.size()))
                                + ")")
                .collect(Collectors.joining(", "));
    }

    /** What kernels call it. */
    int code() {
        return ordinal();
    }
}
