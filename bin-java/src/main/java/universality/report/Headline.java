package universality.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import universality.data.Manifest;
import universality.report.IdentifySummary.Checkpoint;
import universality.report.Results.Folder;
import universality.report.Study.Family;

/** The top of the page: the study in a few numbers and one sentence for each family. */
final class Headline {
    private Headline() {}

    static Markup of(Study study) {
        Markup out = new Markup();
        List<Folder> sweeps = study.results().of("sweep");
        if (!sweeps.isEmpty()) {
            long combinations = sweeps.stream()
                    .mapToLong(s -> s.manifest().count("combinations"))
                    .sum();
            out.open("div", "class", "headline");
            out.element(
                    "p",
                    Format.plural(combinations, "combination", "combinations")
                            + " of parameters, side by side. Each has a page of its own.",
                    "class",
                    "sentence");
            return out.close().line();
        }
        for (Family family : study.families()) {
            out.open("div", "class", "headline");
            out.element("p", sentence(family), "class", "sentence");
            out.open("dl", "class", "cards");
            cards(family, out);
            out.close().close().line();
        }
        return out;
    }

    private static String sentence(Family family) {
        String models = Format.plural(family.models().size(), "checkpoint", "checkpoints") + " of family "
                + family.name() + " (" + Format.plural(family.seeds().size(), "seed", "seeds") + ")";
        if (family.steps().isEmpty()) {
            return models + ": no neurons were compared between seeds.";
        }
        IdentifySummary last = family.steps().get(family.steps().lastKey());
        List<Double> shares = last.checkpoints().stream().map(Checkpoint::share).toList();
        double low = shares.stream().mapToDouble(d -> d).min().orElse(Double.NaN);
        double high = shares.stream().mapToDouble(d -> d).max().orElse(Double.NaN);
        return models + ": at step " + Format.count(last.step()) + ", "
                + Format.percent(EmergenceSection.average(shares)) + " of all neurons are universal (excess > "
                + last.threshold() + "; " + Format.percent(low) + " to " + Format.percent(high) + " by seed)"
                + control(last) + ".";
    }

    private static String control(IdentifySummary summary) {
        String strongest = null;
        double most = -1;
        for (Map.Entry<String, List<IdentifySummary.Control>> control :
                summary.controls().entrySet()) {
            List<Double> shares = new ArrayList<>();
            control.getValue().forEach(c -> shares.add(c.share()));
            double share = EmergenceSection.average(shares);
            if (share > most) {
                most = share;
                strongest = control.getKey();
            }
        }
        return strongest == null
                ? "; no controls were run"
                : "; the strongest control, “" + Controls.label(strongest) + "”, leaves " + Format.percent(most);
    }

    private static void cards(Family family, Markup out) {
        card(out, Format.count(family.seeds().size()), "seeds");
        card(out, Format.count(family.modelSteps().size()), "training steps");
        family.models().stream()
                .filter(m -> m.activations() != null)
                .findFirst()
                .map(m -> m.activations().manifest())
                .ifPresent(m -> tokens(m, out));
        if (!family.steps().isEmpty()) {
            long first = family.steps().firstKey();
            long last = family.steps().lastKey();
            IdentifySummary summary = family.steps().get(last);
            summary.checkpoints().stream()
                    .findFirst()
                    .ifPresent(c -> card(out, Format.count(c.neurons()), "neurons per model"));
            if (first != last) {
                card(out, Format.percent(mean(family.steps().get(first))), "universal at step " + Format.count(first));
            }
            card(out, Format.percent(mean(summary)), "universal at step " + Format.count(last));
        }
    }

    private static void tokens(Manifest manifest, Markup out) {
        if (manifest.counts().containsKey("kept")) {
            card(out, Format.count(manifest.count("kept")), "tokens compared");
        }
    }

    private static double mean(IdentifySummary summary) {
        return EmergenceSection.average(
                summary.checkpoints().stream().map(Checkpoint::share).toList());
    }

    private static void card(Markup out, String number, String label) {
        out.open("div").element("dt", label).element("dd", number).close();
    }
}
