package universality.ablate;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import universality.data.CheckpointFolder;
import universality.data.OutputFolder;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.LanguageModel;
import universality.model.ModelConfig;
import universality.model.capture.MaskedForward;
import universality.stats.Draws;
import universality.tensor.Compute;

/**
 * The stage {@code ablate}: replaces the post-activations of a set of neurons at every position and measures what that costs,
 * beside the cost of as many other neurons, drawn again and again.
 */
public final class AblateStage {
    /** Below this many draws no p-value is small. */
    private static final int DRAWS_FOR_A_CLAIM = 99;

    /**
     * What to do.
     *
     * @param activations folder of {@code activate} for this checkpoint; {@code null}: activity is measured on the tokens
     * @param descriptions folder of {@code describe} for this checkpoint; {@code null}: norms come from the weights
     * @param draws of each control, at least 1
     * @param seed of the draws
     * @param memory bytes that arrays may take, weights aside
     */
    public record Settings(
            Path checkpoint,
            Path tokens,
            Path neurons,
            Path activations,
            Path descriptions,
            Replacement replacement,
            int draws,
            long seed,
            long memory) {}

    private final Settings settings;
    private final CheckpointFolder checkpoint;
    private final ModelConfig config;
    private final TokenRows tokens;
    private final NeuronTable table;
    /** What of the tokens could not be checked. */
    private final Optional<String> unchecked;

    /**
     * Reads everything but weights.
     *
     * @throws ToolException if an input is missing or inconsistent
     */
    public AblateStage(Settings settings) {
        this.settings = settings;
        checkpoint = CheckpointFolder.open(settings.checkpoint());
        config = ModelConfig.read(
                checkpoint.config(),
                settings.checkpoint().resolve("config.json").toString());
        table = NeuronTable.read(settings.neurons(), config, checkpoint.id());
        tokens = TokenRows.read(settings.tokens());
        unchecked = MaskedForward.check(checkpoint, config, tokens);
        if (settings.draws() < 1) {
            throw ToolException.usage("--draws %d: at least 1 draw of each control is needed", settings.draws());
        }
        if (settings.replacement() == Replacement.RESAMPLE && tokens.rows() < 2) {
            throw ToolException.badData(
                    "'%s' has %d row: --replace resample needs at least 2, to take values from another",
                    tokens.manifest().id(), tokens.rows());
        }
    }

    /** Runs the conditions and writes {@code out}. */
    public void run(Compute compute, Path out, boolean overwrite) {
        try (OutputFolder folder = OutputFolder.create(out, overwrite);
                LanguageModel model = LanguageModel.load(compute, checkpoint)) {
            NeuronActivity activity = settings.activations() == null
                    ? NeuronActivity.measure(compute, model, tokens)
                    : NeuronActivity.read(settings.activations(), checkpoint, config);
            OutputNorms norms = settings.descriptions() == null
                    ? OutputNorms.measure(checkpoint)
                    : OutputNorms.read(settings.descriptions(), checkpoint, config);
            double[][] effect = logEffect(activity, norms);
            Plan plan = Plan.of(
                    table.set(),
                    new Candidates(table.set(), activity.inactive(), effect, seed("control")),
                    settings.draws());
            Terms terms = new Terms(tokens);
            Replacement.Values values = new Replacement.Values(
                    settings.replacement(), activity.mean(), donors(tokens.rows(), Draws.of(seed("donors"))));
            Ablation.Measured measured = new Ablation(compute, model, tokens, terms, values, settings.memory())
                    .run(plan.conditions().stream().map(Condition::neurons).toList());
            Tables tables = new Tables(plan, terms, measured, settings.replacement(), effect, seed("summary"));
            tables.writeAblation(folder.file("ablation.csv"));
            tables.writeSummary(folder.file("summary.csv"));
            describe(folder, activity, norms, plan, measured);
            folder.count("documents", terms.documents())
                    .count("tokens", (long) Arrays.stream(terms.losses()).sum())
                    .count("positions", (long) Arrays.stream(terms.positions()).sum())
                    .device(compute.device())
                    .commit("ablate", checkpoint.id());
        }
    }

    /** What a random draw for {@code purpose} depends on. */
    private Object[] seed(String purpose) {
        return new Object[] {
            "ablate", settings.seed(), checkpoint.family(), checkpoint.seed(), checkpoint.step(), purpose
        };
    }

    /** log(E[a²]^½ · ‖w_out‖), −∞ for neurons without any effect. */
    private static double[][] logEffect(NeuronActivity activity, OutputNorms norms) {
        double[][] effect = new double[norms.norm().length][];
        for (int layer = 0; layer < effect.length; layer++) {
            effect[layer] = new double[norms.norm()[layer].length];
            for (int i = 0; i < effect[layer].length; i++) {
                effect[layer][i] = Math.log(Math.sqrt(activity.meanSquare()[layer][i]) * norms.norm()[layer][i]);
            }
        }
        return effect;
    }

    /** For each row another one, each row once: a random cyclic permutation (Sattolo 1986). */
    public static int[] donors(int rows, Draws random) {
        int[] donors = new int[rows];
        Arrays.setAll(donors, row -> row);
        for (int i = rows - 1; i > 0; i--) {
            int j = random.below(i);
            int donor = donors[i];
            donors[i] = donors[j];
            donors[j] = donor;
        }
        return donors;
    }

    private void describe(
            OutputFolder folder, NeuronActivity activity, OutputNorms norms, Plan plan, Ablation.Measured measured) {
        folder.parameter("family", checkpoint.family())
                .parameter("seed", checkpoint.seed())
                .parameter("step", checkpoint.step())
                .parameter("replace", settings.replacement().option())
                .parameter("draws", settings.draws())
                .parameter("ablation_seed", settings.seed())
                .parameter("activity", activity.source() == null ? "tokens" : "activations")
                .parameter("output_norms", norms.source() == null ? "weights" : "descriptions")
                .input("checkpoint", checkpoint.manifest())
                .input("tokens", tokens.manifest().id(), tokens.digest())
                .input("neurons", table.id(), table.digest());
        if (activity.source() != null) {
            folder.input("activations", activity.source());
            if (activity.source().inputDigest("tokens").orElse("").equals(tokens.digest())) {
                folder.warning("the tokens are those of the activations: effects are not measured on held-out text");
            }
        }
        if (norms.source() != null) {
            folder.input("descriptions", norms.source());
        }
        List<Condition> conditions = plan.conditions();
        unchecked.ifPresent(folder::warning);
        plan.warnings().forEach(folder::warning);
        if (!conditions.isEmpty() && settings.draws() < DRAWS_FOR_A_CLAIM) {
            folder.warning(String.format(
                    "with %d draws no p is below 1/%d: use --draws %d or more for a claim",
                    settings.draws(), settings.draws() + 1, DRAWS_FOR_A_CLAIM));
        }
        folder.count("rows", tokens.rows())
                .count("set", table.set().size())
                .count("conditions", conditions.size())
                .count("distinct_sets", measured.effects().size());
    }
}
