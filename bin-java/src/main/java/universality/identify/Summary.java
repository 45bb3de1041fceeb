package universality.identify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** One checkpoint's entry in {@code summary.json}; docs/output.md lists the fields. */
final class Summary {
    private final Model model;
    private final double threshold;

    Summary(Model model, double threshold) {
        this.model = model;
        this.threshold = threshold;
    }

    Map<String, Object> checkpoint() {
        int neurons = model.shape.neurons();
        long alive = state(0, neurons, Model.State.ALIVE);
        long universal = count(i -> model.universal(i, threshold));
        long matched = count(i -> model.universalMatched(i, threshold));
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("id", model.checkpoint.id());
        entry.put("family", model.checkpoint.family());
        entry.put("seed", model.checkpoint.seed());
        entry.put("step", model.checkpoint.step());
        entry.put("neurons", neurons);
        entry.put("alive", alive);
        entry.put("inactive", state(0, neurons, Model.State.INACTIVE));
        entry.put("undetermined", state(0, neurons, Model.State.UNDETERMINED));
        entry.put("universal", universal);
        entry.put("universal_strict", count(i -> model.universalStrict(i, threshold)));
        entry.put("universal_mutual", count(i -> model.universalMutual(i, threshold)));
        entry.put("universal_one_to_one", matched);
        entry.put("share", Shares.share(universal, neurons));
        entry.put("share_alive", Shares.share(universal, alive));
        entry.put("share_one_to_one", Shares.share(matched, neurons));
        entry.put("mean_corr", mean(model.scores::meanCorr));
        entry.put("mean_baseline", mean(model.scores::meanBaseline));
        entry.put("mean_excess", mean(model.scores::excess));
        entry.putAll(bounds(alive, universal));
        entry.putAll(certainty());
        entry.put("copies", model.copies.summary());
        entry.put("layers", layers());
        entry.put("thresholds", Shares.byThreshold(threshold, neurons, model::universal));
        return entry;
    }

    /** How far the counts depend on partners that an approximate search may have overlooked; undefined where tables do not tell. */
    private Map<String, Object> bounds(long alive, long universal) {
        long told = count(i -> model.state(i) == Model.State.ALIVE && !Double.isNaN(model.scores.excessUpper(i)));
        long open = count(i -> model.open(i, threshold));
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("certainly_universal", told < alive ? null : universal);
        entry.put("certainly_not", told < alive ? null : alive - universal - open);
        entry.put("open", told < alive ? null : open);
        return entry;
    }

    /** How far the counts depend on the texts at hand. */
    private Map<String, Object> certainty() {
        int neurons = model.shape.neurons();
        long known = count(i -> !Double.isNaN(model.probability(i, threshold)));
        long clear = count(i -> model.clear(i, threshold));
        long clearUniversal = count(i -> model.clear(i, threshold) && model.universal(i, threshold));
        long heldOut = count(i -> model.state(i) == Model.State.ALIVE && model.heldOutExcess(i) > threshold);
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("with_error", known);
        entry.put("clearly_universal", known == 0 ? null : clearUniversal);
        entry.put("clearly_not", known == 0 ? null : clear - clearUniversal);
        Double mean = Shares.mean(neurons, i -> model.probability(i, threshold));
        entry.put("expected_universal", mean == null ? null : mean * known);
        entry.put("universal_heldout", known == 0 ? null : heldOut);
        entry.put("share_heldout", known == 0 ? null : Shares.share(heldOut, neurons));
        entry.put("mean_excess_se", mean(model::excessError));
        entry.put("against_positions", model.resampled.againstPositions(model, threshold));
        return entry;
    }

    private long count(IntPredicate test) {
        return Shares.count(0, model.shape.neurons(), test);
    }

    private long state(int from, int to, Model.State state) {
        return Shares.count(from, to, i -> model.state(i) == state);
    }

    private Double mean(IntToDoubleFunction value) {
        return Shares.mean(
                model.shape.neurons(),
                i -> model.state(i) == Model.State.INACTIVE ? Double.NaN : value.applyAsDouble(i));
    }

    private List<Object> layers() {
        int width = model.shape.width();
        return new ArrayList<>(IntStream.range(0, model.shape.layers())
                .mapToObj(layer -> layer(layer, layer * width, (layer + 1) * width))
                .toList());
    }

    private Map<String, Object> layer(int layer, int from, int to) {
        long alive = state(from, to, Model.State.ALIVE);
        long universal = Shares.count(from, to, i -> model.universal(i, threshold));
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("layer", layer);
        entry.put("neurons", to - from);
        entry.put("alive", alive);
        entry.put("universal", universal);
        entry.put("share", Shares.share(universal, to - from));
        entry.put("share_alive", Shares.share(universal, alive));
        return entry;
    }
}
