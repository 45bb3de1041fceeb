package universality.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import universality.data.ToolException;
import universality.report.Examples.Example;
import universality.report.IdentifySummary.Checkpoint;
import universality.report.Study.Family;

/** The neurons of the last step with the most excess, with the text that activates them and their partners most. */
final class NeuronSection implements Section {
    private static final int NEURONS = 150;
    private static final int FEWEST_OF_SEED = 10;
    private static final int TEXTS = 4;
    private static final int HEADS = 10;

    /** A neuron's row of its table. */
    record Neuron(
            String id,
            long seed,
            int layer,
            int index,
            double excess,
            double error,
            double correlation,
            double baseline,
            double byToken,
            double byPosition,
            double mutual,
            double sparsity,
            List<Partner> partners) {
        String name() {
            return layer + "." + index;
        }

        String key() {
            return id + ":" + name();
        }
    }

    /** The best match in another seed. */
    record Partner(String id, int layer, int index, String correlation) {
        String key() {
            return id + ":" + layer + "." + index;
        }
    }

    private static final Comparator<Neuron> BEST_FIRST = Comparator.comparingDouble(Neuron::excess)
            .reversed()
            .thenComparingLong(Neuron::seed)
            .thenComparing(Neuron::id)
            .thenComparingInt(Neuron::layer)
            .thenComparingInt(Neuron::index);

    @Override
    public String id() {
        return "neurons";
    }

    @Override
    public String title() {
        return "Universal neurons and what activates them";
    }

    @Override
    public void write(Page page, Markup out) {
        if (page.study().identified().isEmpty()) {
            Section.absent(out, "No results of the stage identify, so no neuron is known to be universal.");
            return;
        }
        try (NeuronTexts texts = new NeuronTexts(page.study())) {
            for (Family family : page.study().identified()) {
                family(page, family, texts, out);
            }
        }
    }

    private static void family(Page page, Family family, NeuronTexts texts, Markup out) {
        IdentifySummary summary = family.steps().get(family.steps().lastKey());
        List<Neuron> neurons = best(summary, true);
        boolean universal = !neurons.isEmpty();
        if (!universal) {
            neurons = best(summary, false);
        }
        out.element("h3", "Step " + Format.count(summary.step()) + page.study().ofFamily(family));
        long all =
                summary.checkpoints().stream().mapToLong(Checkpoint::universal).sum();
        out.element(
                "p",
                universal
                        ? "The " + Format.count(neurons.size()) + " neurons with the most excess of "
                                + Format.count(all)
                                + " universal ones, the same number from every seed where there are enough. Open one to see its"
                                + " strongest texts beside those of its partners, which were found without looking at text:"
                                + " the activating token is marked, and ● marks a place that is among the strongest of both."
                        : "No neuron of this step is universal. Shown are those with the most excess, to see what comes"
                                + " nearest.");
        if (neurons.isEmpty()) {
            Section.absent(out, "No neuron of this step has a defined excess correlation.");
            return;
        }
        Map<String, String> anchors = new HashMap<>();
        for (Neuron neuron : neurons) {
            anchors.put(neuron.key(), "n" + Format.slug(family.name()) + "-" + (anchors.size() + 1));
        }
        if (neurons.stream().anyMatch(n -> Double.isFinite(n.byToken()))) {
            out.element(
                    "p",
                    "“By token” is what is left of the best ρ when each activation is replaced by its mean over all places that"
                            + " have the same token, “by position” the same for the place in the row. Where “by token” is nearly"
                            + " the best ρ, the neuron answers to the single token and to nothing before it.",
                    "class",
                    "note");
        }
        out.open("div", "class", "neurons");
        filters(neurons, out);
        table(family, neurons, anchors, texts, out);
        out.element("button", "Show all", "type", "button", "class", "show-all", "hidden", "");
        out.close().line();
    }

    /** Per seed the neurons with the largest excess, at most {@link #NEURONS} in all, best first. */
    private static List<Neuron> best(IdentifySummary summary, boolean universal) {
        int most = Math.max(
                FEWEST_OF_SEED, NEURONS / Math.max(1, summary.checkpoints().size()));
        List<Neuron> all = new ArrayList<>();
        for (Checkpoint checkpoint : summary.checkpoints()) {
            PriorityQueue<Neuron> best = new PriorityQueue<>(BEST_FIRST.reversed());
            TableRows.read(summary.folder().verified(checkpoint.id() + ".csv"), row -> {
                boolean wanted = universal ? row.flag("universal") : Double.isFinite(row.number("excess_corr"));
                if (wanted
                        && (best.size() < most
                                || row.number("excess_corr") >= best.peek().excess())) {
                    best.add(neuron(checkpoint, row));
                    if (best.size() > most) {
                        best.poll();
                    }
                }
            });
            all.addAll(best);
        }
        all.sort(BEST_FIRST);
        return all;
    }

    private static Neuron neuron(Checkpoint checkpoint, TableRows row) {
        List<Partner> partners = new ArrayList<>();
        String list = row.text("partners");
        for (String text : list == null ? new String[0] : list.split(";")) {
            partners.add(partner(text));
        }
        return new Neuron(
                checkpoint.id(),
                checkpoint.seed(),
                (int) row.integer("layer"),
                (int) row.integer("neuron"),
                row.number("excess_corr"),
                row.number("excess_se"),
                row.number("mean_corr"),
                row.number("mean_baseline"),
                row.number("corr_token"),
                row.number("corr_position"),
                row.number("mutual"),
                row.number("sparsity"),
                List.copyOf(partners));
    }

    private static Partner partner(String text) {
        String[] parts = text.split(":");
        if (parts.length != 3 || !parts[1].matches("\\d{1,9}\\.\\d{1,9}")) {
            throw ToolException.badData("partner '%s' is not of the form ID:LAYER.NEURON:correlation", text);
        }
        int dot = parts[1].indexOf('.');
        return new Partner(
                parts[0],
                Integer.parseInt(parts[1].substring(0, dot)),
                Integer.parseInt(parts[1].substring(dot + 1)),
                parts[2]);
    }

    private static void filters(List<Neuron> neurons, Markup out) {
        out.open("div", "class", "filters", "hidden", "");
        select(out, "Seed", "seed", neurons, Neuron::seed);
        select(out, "Layer", "layer", neurons, Neuron::layer);
        out.open("label")
                .text("Text ")
                .empty("input", "type", "search", "data-filter", "text", "size", "14")
                .close();
        out.open("label").empty("input", "type", "checkbox", "data-filter", "repeat", "checked", "");
        out.text(" without partners of neurons above").close();
        out.element("output", Format.plural(neurons.size(), "neuron", "neurons"), "class", "shown");
        out.close();
    }

    private static void select(
            Markup out, String label, String name, List<Neuron> neurons, ToLongFunction<Neuron> value) {
        SortedSet<Long> values = new TreeSet<>();
        neurons.forEach(n -> values.add(value.applyAsLong(n)));
        out.open("label").text(label + " ").open("select", "data-filter", name);
        out.element("option", "all", "value", "");
        values.forEach(v -> out.element("option", Long.toString(v), "value", Long.toString(v)));
        out.close().close();
    }

    private static void table(
            Family family, List<Neuron> neurons, Map<String, String> anchors, NeuronTexts texts, Markup out) {
        out.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", "Universal neurons");
        out.open("table", "class", "data sortable neuron-table");
        out.element("caption", "Neurons by excess correlation");
        out.open("thead").open("tr");
        for (String head : List.of(
                "Neuron",
                "Seed",
                "Excess ± SE",
                "Best ρ",
                "By token",
                "By position",
                "Baseline",
                "Mutual",
                "Fires at",
                "Strongest activation")) {
            out.element("th", head, "scope", "col");
        }
        out.close().close();
        Set<String> shown = new HashSet<>();
        for (Neuron neuron : neurons) {
            neuron(family, neuron, shown.contains(neuron.key()), anchors, texts, out);
            neuron.partners().forEach(p -> shown.add(p.key()));
        }
        out.close().close();
    }

    private static void neuron(
            Family family, Neuron neuron, boolean repeat, Map<String, String> anchors, NeuronTexts texts, Markup out) {
        List<Example> own = texts.examples(family, neuron.id(), neuron.layer(), neuron.index());
        out.open(
                "tbody",
                "id",
                anchors.get(neuron.key()),
                "data-seed",
                Long.toString(neuron.seed()),
                "data-layer",
                Integer.toString(neuron.layer()),
                "data-repeat",
                repeat ? "" : null);
        out.open("tr");
        out.element(
                "th",
                neuron.name(),
                "scope",
                "row",
                "class",
                "number",
                "title",
                neuron.id() + ", layer " + neuron.layer() + ", neuron " + neuron.index(),
                "data-value",
                Long.toString(neuron.layer() * 1_000_000_000L + neuron.index()));
        number(out, neuron.seed(), Long.toString(neuron.seed()));
        String error = Double.isFinite(neuron.error()) ? " ± " + Format.fixed(neuron.error(), 3) : "";
        number(out, neuron.excess(), Format.fixed(neuron.excess(), 3) + error);
        number(out, neuron.correlation(), Format.fixed(neuron.correlation(), 3));
        number(out, neuron.byToken(), Format.fixed(neuron.byToken(), 3));
        number(out, neuron.byPosition(), Format.fixed(neuron.byPosition(), 3));
        number(out, neuron.baseline(), Format.fixed(neuron.baseline(), 3));
        String mutual = Double.isFinite(neuron.mutual())
                ? Math.round(neuron.mutual()) + " of " + neuron.partners().size()
                : Format.UNDEFINED;
        number(out, neuron.mutual(), mutual);
        number(out, neuron.sparsity(), Format.percent(neuron.sparsity()));
        out.open("td", "class", "text");
        if (own.isEmpty()) {
            out.text(Format.UNDEFINED);
        } else {
            snippet(texts.text(family, neuron.id(), own.get(0)), out);
        }
        out.close().close().line();
        out.open("tr", "class", "more").open("td", "colspan", Integer.toString(HEADS));
        out.open("details")
                .element(
                        "summary",
                        "Compare with " + Format.plural(neuron.partners().size(), "partner", "partners"));
        compare(family, neuron, own, anchors, texts, out);
        out.close().close().close().close().line();
    }

    private static void number(Markup out, double exact, String text) {
        out.element("td", text, "class", "number", "data-value", Format.exact(exact));
    }

    private static void compare(
            Family family,
            Neuron neuron,
            List<Example> own,
            Map<String, String> anchors,
            NeuronTexts texts,
            Markup out) {
        out.open("div", "class", "compare");
        out.open("div", "class", "side own");
        out.element("h4", "Seed " + neuron.seed() + ", " + neuron.name());
        out.element("p", "this neuron", "class", "note");
        list(family, neuron.id(), own, List.of(), texts, out);
        out.close();
        for (Partner partner : neuron.partners()) {
            List<Example> other = texts.examples(family, partner.id(), partner.layer(), partner.index());
            Study.Model model = family.model(partner.id());
            String title = (model == null ? partner.id() : "Seed " + model.seed()) + ", " + partner.layer() + "."
                    + partner.index();
            out.open("div", "class", "side").open("h4");
            String anchor = anchors.get(partner.key());
            if (anchor == null) {
                out.text(title);
            } else {
                out.element("a", title, "href", "#" + anchor);
            }
            out.close();
            long shared = other.stream()
                    .filter(e -> own.stream().anyMatch(e::samePlace))
                    .count();
            String correlation = "ρ = " + correlation(partner.correlation());
            out.element(
                    "p",
                    own.isEmpty() || other.isEmpty()
                            ? correlation
                            : correlation + ", " + shared + " of " + Math.max(own.size(), other.size())
                                    + " strongest places shared",
                    "class",
                    "note");
            list(family, partner.id(), other, own, texts, out);
            out.close();
        }
        out.close();
    }

    private static String correlation(String text) {
        try {
            return Format.fixed(Double.parseDouble(text), 3);
        } catch (NumberFormatException e) {
            throw ToolException.badData("'%s' stands where a partner's correlation was expected", text);
        }
    }

    private static void list(
            Family family, String id, List<Example> examples, List<Example> shared, NeuronTexts texts, Markup out) {
        if (examples.isEmpty()) {
            Section.absent(out, "The activations of " + id + " are not among the results.");
            return;
        }
        out.open("ol", "class", "texts");
        for (Example example : examples.subList(0, Math.min(TEXTS, examples.size()))) {
            out.open("li", "class", shared.stream().anyMatch(example::samePlace) ? "same" : null);
            out.element("span", Format.significant(example.value()), "class", "activation");
            snippet(texts.text(family, id, example), out);
            out.close();
        }
        out.close();
    }

    private static void snippet(Optional<TokenTexts.Snippet> text, Markup out) {
        if (text.isEmpty()) {
            out.element("span", "the tokens are not among the results", "class", "absent");
            return;
        }
        TokenTexts.Snippet snippet = text.get();
        out.open("span", "class", "snippet").text(visible(snippet.before()));
        String token = visible(snippet.token());
        boolean space = token.startsWith(" ") && !token.isBlank();
        out.text(space ? " " : "");
        out.element("mark", token.isBlank() ? token.isEmpty() ? "∅" : "␣" : space ? token.substring(1) : token);
        out.text(visible(snippet.after())).close();
    }

    /** Line ends as a sign, so that a text stays on its line; controls of writing direction by name, so that they act on nothing. */
    private static String visible(String text) {
        StringBuilder out = new StringBuilder();
        text.replace("\r\n", "↵")
                .replace('\n', '↵')
                .replace('\r', '↵')
                .replace('\t', '⇥')
                .codePoints()
                .forEach(c -> {
                    if (Character.getType(c) == Character.FORMAT) {
                        out.append(String.format("⟨U+%04X⟩", c));
                    } else {
                        out.appendCodePoint(c);
                    }
                });
        return out.toString();
    }
}
