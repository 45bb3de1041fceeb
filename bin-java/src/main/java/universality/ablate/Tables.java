package universality.ablate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import universality.data.CsvWriter;
import universality.stats.Bootstrap;
import universality.stats.Draws;
import universality.stats.Samples;
import universality.stats.Significance;

/** Writes {@code ablation.csv} and {@code summary.csv}. Undefined values are empty. */
final class Tables {
    private static final int BOOTSTRAP_DRAWS = 1000;
    private static final double LEVEL = 0.95;

    /** A metric that is summed for each document. */
    private enum Metric {
        DELTA_LOSS("delta_loss"),
        KL("kl");

        final String column;

        Metric(String column) {
            this.column = column;
        }

        double[] weights(Terms terms) {
            return this == KL ? terms.positions() : terms.losses();
        }

        /** The effect in each document, in nats. */
        double[] sums(Effect effect, double[] cleanLoss) {
            if (this == KL) {
                return effect.kl;
            }
            double[] difference = new double[cleanLoss.length];
            Arrays.setAll(difference, g -> effect.loss[g] - cleanLoss[g]);
            return difference;
        }
    }

    /**
     * One row of the summary in the making: a control of one part of the set, in one metric.
     *
     * @param draws how often a set was drawn
     * @param sets the different ones among the drawn sets: one that is drawn again tells nothing new
     */
    private record Row(String layers, String control, Metric metric, NeuronSet target, int draws, Set<NeuronSet> sets) {
        /** Rows that compare the same sets are one test. */
        Object test() {
            return List.of(control, metric, target, sets);
        }

        boolean hasSpread() {
            return sets.size() >= Plan.LEAST_DISTINCT;
        }
    }

    private final Plan plan;
    private final Terms terms;
    private final Ablation.Measured measured;
    private final Replacement replacement;
    private final double[][] logEffect;
    private final Object[] seed;

    /**
     * @param logEffect [layers][d_mlp], by which controls were matched
     * @param seed what the bootstrap depends on
     */
    Tables(
            Plan plan,
            Terms terms,
            Ablation.Measured measured,
            Replacement replacement,
            double[][] logEffect,
            Object... seed) {
        this.plan = plan;
        this.terms = terms;
        this.measured = measured;
        this.replacement = replacement;
        this.logEffect = logEffect;
        this.seed = seed.clone();
    }

    /** A row for each condition and draw; means over all terms. */
    void writeAblation(Path file) {
        List<String> header = List.of(
                "condition",
                "layers",
                "replace",
                "draw",
                "neurons",
                "tokens",
                "positions",
                "loss_clean",
                "loss",
                "delta_loss",
                "kl",
                "delta_entropy",
                "top1_changed");
        long tokens = (long) sum(terms.losses());
        long positions = (long) sum(terms.positions());
        double cleanLoss = sum(measured.cleanLoss());
        try (CsvWriter table = new CsvWriter(file, header)) {
            for (Condition condition : plan.conditions()) {
                Effect effect = measured.effects().get(condition.neurons());
                table.row(
                        condition.name(),
                        condition.layers(),
                        replacement.option(),
                        condition.draw(),
                        condition.neurons().size(),
                        tokens,
                        positions,
                        cleanLoss / tokens,
                        effect.lossSum() / tokens,
                        value(Metric.DELTA_LOSS, condition.neurons()),
                        value(Metric.KL, condition.neurons()),
                        effect.entropySum() / positions,
                        effect.changedSum() / positions);
            }
        }
    }

    /** A row for each part of the set, control and metric. */
    void writeSummary(Path file) {
        List<String> header = List.of(
                "layers",
                "replace",
                "control",
                "neurons",
                "draws",
                "metric",
                "universal",
                "control_mean",
                "control_sd",
                "z",
                "p",
                "p_adjusted",
                "difference",
                "ci_low",
                "ci_high",
                "standardised_difference",
                "distinct");
        List<Row> rows = rows();
        Map<Object, Double> adjusted = adjusted(rows);
        try (CsvWriter table = new CsvWriter(file, header)) {
            for (Row row : rows) {
                double universal = value(row.metric(), row.target());
                double[] controls = controls(row);
                Optional<Bootstrap.Interval> interval = row.hasSpread() ? Optional.of(interval(row)) : Optional.empty();
                table.row(
                        row.layers(),
                        replacement.option(),
                        row.control(),
                        row.target().size(),
                        row.draws(),
                        row.metric().column,
                        universal,
                        Samples.mean(controls),
                        Samples.standardDeviation(controls),
                        row.hasSpread() ? Samples.zScore(universal, controls) : Double.NaN,
                        pValue(row),
                        adjusted.get(row.test()),
                        universal - Samples.mean(controls),
                        interval.map(Bootstrap.Interval::low).orElse(Double.NaN),
                        interval.map(Bootstrap.Interval::high).orElse(Double.NaN),
                        standardisedDifference(row),
                        row.sets().size());
            }
        }
    }

    private List<Row> rows() {
        record Key(String layers, String control, NeuronSet target) {}
        Map<Key, List<NeuronSet>> draws = new LinkedHashMap<>();
        for (Condition c : plan.conditions()) {
            if (c.isControl()) {
                draws.computeIfAbsent(new Key(c.layers(), c.name(), c.target()), k -> new ArrayList<>())
                        .add(c.neurons());
            }
        }
        List<Row> rows = new ArrayList<>();
        draws.forEach((key, sets) -> {
            for (Metric metric : Metric.values()) {
                rows.add(new Row(
                        key.layers(), key.control(), metric, key.target(), sets.size(), new LinkedHashSet<>(sets)));
            }
        });
        return rows;
    }

    /** Holm over all parts of the set and both metrics, for each control by itself: each control asks another question. */
    private Map<Object, Double> adjusted(List<Row> rows) {
        Map<Object, Double> adjusted = new LinkedHashMap<>();
        Set<String> controls = new HashSet<>();
        for (Row first : rows) {
            if (!controls.add(first.control())) {
                continue;
            }
            Map<Object, Double> raw = new LinkedHashMap<>();
            rows.stream()
                    .filter(row -> row.control().equals(first.control()))
                    .forEach(row -> raw.putIfAbsent(row.test(), pValue(row)));
            double[] holm = Significance.holm(
                    raw.values().stream().mapToDouble(Double::doubleValue).toArray());
            int next = 0;
            for (Object test : raw.keySet()) {
                adjusted.put(test, holm[next++]);
            }
        }
        return adjusted;
    }

    /** Mean effect in nats per token. */
    private double value(Metric metric, NeuronSet set) {
        return sum(metric.sums(measured.effects().get(set), measured.cleanLoss())) / sum(metric.weights(terms));
    }

    /** (1 + #{distinct sets that do at least as much}) / (1 + distinct sets); NaN for fewer than {@link Plan#LEAST_DISTINCT}. */
    private double pValue(Row row) {
        return row.hasSpread() ? Significance.pValue(value(row.metric(), row.target()), controls(row)) : Double.NaN;
    }

    /** Of each distinct set. */
    private double[] controls(Row row) {
        return row.sets().stream().mapToDouble(set -> value(row.metric(), set)).toArray();
    }

    /** Of universal effect − mean control effect, over documents. */
    private Bootstrap.Interval interval(Row row) {
        double[] mean = new double[terms.documents()];
        for (NeuronSet set : row.sets()) {
            double[] sums = row.metric().sums(measured.effects().get(set), measured.cleanLoss());
            Arrays.setAll(mean, g -> mean[g] + sums[g] / row.sets().size());
        }
        double[] universal = row.metric().sums(measured.effects().get(row.target()), measured.cleanLoss());
        Object[] parts = Arrays.copyOf(seed, seed.length + 1);
        parts[seed.length] = "bootstrap";
        return Bootstrap.paired(universal, mean, row.metric().weights(terms), BOOTSTRAP_DRAWS, LEVEL, Draws.of(parts));
    }

    /** Balance of the matched quantity between the set and its controls, all distinct sets pooled. */
    private double standardisedDifference(Row row) {
        double[] controls = row.sets().stream()
                .flatMapToDouble(set -> Arrays.stream(set.select(logEffect)))
                .toArray();
        return Samples.standardisedDifference(row.target().select(logEffect), controls);
    }

    private static double sum(double[] values) {
        return Arrays.stream(values).sum();
    }
}
