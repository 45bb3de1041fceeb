package universality.tokenize;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.ToolException;

/**
 * How much text each split gets: {@code train=600000,analysis=60000} in tokens, or {@code train=80%,analysis=10%} in shares.
 *
 * @param parts in the order given
 * @param shares whether amounts are per cent; otherwise they are tokens
 */
public record SplitPlan(List<Part> parts, boolean shares) {
    /** The name of the one split where none are asked for. */
    public static final String ALL = "all";

    /** The split that a tokenizer is trained on. */
    static final String TRAIN = "train";

    private static final List<String> NAMES = List.of(TRAIN, "analysis", "heldout", "examples");
    private static final Pattern PART = Pattern.compile("([a-z]+)=(\\d{1,15})(?:\\.(\\d{1,6}))?(%?)");

    /**
     * One split.
     *
     * @param amount tokens, or per cent
     */
    public record Part(String name, double amount) {}

    /** One split with all there is. */
    static SplitPlan all() {
        return new SplitPlan(List.of(new Part(ALL, 100)), true);
    }

    /**
     * Reads the value of {@code --split}.
     *
     * @throws ToolException (usage) if it is malformed, names a split twice or one that does not exist, mixes tokens and
     *     shares, or shares more than 100%
     */
    public static SplitPlan parse(String text) {
        List<Part> parts = new ArrayList<>();
        Set<String> names = new HashSet<>();
        int percents = 0;
        for (String entry : text.split(",", -1)) {
            Matcher matcher = PART.matcher(entry.strip());
            boolean percent = matcher.matches() && !matcher.group(4).isEmpty();
            if (!matcher.matches() || matcher.group(3) != null && !percent) {
                throw ToolException.usage(
                        "--split: '%s' is neither NAME=TOKENS nor NAME=SHARE%%, such as train=600000 or train=80%%",
                        entry);
            }
            if (!NAMES.contains(matcher.group(1)) || !names.add(matcher.group(1))) {
                throw ToolException.usage(
                        "--split: '%s' %s; the splits are %s",
                        matcher.group(1), names.contains(matcher.group(1)) ? "is there twice" : "is no split", NAMES);
            }
            percents += percent ? 1 : 0;
            parts.add(new Part(matcher.group(1), amount(matcher, entry)));
        }
        if (percents != 0 && percents != parts.size()) {
            throw ToolException.usage("--split %s: give all splits in tokens, or all in per cent", text);
        }
        SplitPlan plan = new SplitPlan(parts, percents > 0);
        if (plan.shares && plan.total() > 100 + 1e-9) {
            throw ToolException.usage("--split %s adds up to %s%%, more than all of the text", text, plan.total());
        }
        return plan;
    }

    private static double amount(Matcher matcher, String entry) {
        String fraction = matcher.group(3) == null ? "" : "." + matcher.group(3);
        double amount = Double.parseDouble(matcher.group(2) + fraction);
        if (amount <= 0) {
            throw ToolException.usage("--split: '%s' asks for nothing; leave the split out instead", entry);
        }
        return amount;
    }

    /** Sum of all amounts. */
    double total() {
        return parts.stream().mapToDouble(Part::amount).sum();
    }

    /** The parts of the text, and what stays out as the last; they add up to 1. */
    double[] weights() {
        double[] weights = new double[parts.size() + 1];
        double whole = shares ? 100 : total();
        double sum = 0;
        for (int s = 0; s < parts.size(); s++) {
            weights[s] = parts.get(s).amount() / whole;
            sum += weights[s];
        }
        weights[parts.size()] = Math.max(0, 1 - sum);
        return weights;
    }

    /**
     * Most rows that a split may have.
     *
     * @param tokens tokens of all splits together where the plan is in shares; 0 for no bound
     */
    long rows(Part part, long tokens, int context) {
        if (!shares) {
            return (long) (part.amount() / context);
        }
        return tokens == 0 ? Long.MAX_VALUE : (long) Math.floor(part.amount() / 100 * tokens / context + 1e-9);
    }

    /** The names of the splits in their order. */
    public List<String> names() {
        return parts.stream().map(Part::name).toList();
    }

    /** As on the command line. */
    String text() {
        List<String> texts = new ArrayList<>();
        for (Part part : parts) {
            boolean whole = part.amount() == Math.rint(part.amount());
            String amount = whole ? Long.toString((long) part.amount()) : Double.toString(part.amount());
            texts.add(String.format(Locale.ROOT, "%s=%s%s", part.name(), amount, shares ? "%" : ""));
        }
        return String.join(",", texts);
    }
}
