package universality.benchmarks;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What follows a benchmark's name: {@code name=value} or {@code --name value}. */
final class Arguments {
    private final Map<String, String> values = new LinkedHashMap<>();
    private final Set<String> asked = new TreeSet<>();

    /** @throws IllegalArgumentException if one has no value */
    Arguments(String... arguments) {
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            if (argument.startsWith("--") && !argument.contains("=") && i + 1 < arguments.length) {
                values.put(argument.substring(2), arguments[++i]);
                continue;
            }
            String[] parts = argument.replaceFirst("^--", "").split("=", 2);
            if (parts.length < 2) {
                throw new IllegalArgumentException("'" + argument + "' is not name=value or --name value");
            }
            values.put(parts[0], parts[1]);
        }
    }

    String text(String name, String fallback) {
        asked.add(name);
        return values.getOrDefault(name, fallback);
    }

    int number(String name, int fallback) {
        return Integer.parseInt(text(name, Integer.toString(fallback)));
    }

    double real(String name, double fallback) {
        return Double.parseDouble(text(name, Double.toString(fallback)));
    }

    /** A comma list. */
    List<String> list(String name, String fallback) {
        String text = text(name, fallback);
        return text.isEmpty() ? List.of() : Arrays.asList(text.split(","));
    }

    /** {@link #list} of whole numbers. */
    int[] numbers(String name, String fallback) {
        return list(name, fallback).stream().mapToInt(Integer::parseInt).toArray();
    }

    /**
     * To be called when all that a benchmark knows has been asked for.
     *
     * @throws IllegalArgumentException naming an argument that nobody asked for, and those that there are
     */
    void requireKnown() {
        for (String name : values.keySet()) {
            if (!asked.contains(name)) {
                throw new IllegalArgumentException("'" + name + "' is none of the arguments " + asked);
            }
        }
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
