package universality.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import universality.data.CsvWriter;
import universality.data.Digests;
import universality.data.Ids;
import universality.data.Json;
import universality.data.OutputFolder;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.model.ModelConfig;
import universality.tensor.Compute;

/**
 * The stage {@code train}: one seed of a small model, saved at chosen steps ({@code OUT/ID/} each, in Hugging Face layout), with
 * the loss of every step in {@code OUT/losses.csv}.
 */
public final class TrainStage {
    private final Path tokensFolder;
    private final Path configFile;
    private final String family;
    private final long seed;
    private final List<Integer> steps;

    /**
     * @param tokensFolder the split {@code train}
     * @param configFile see {@link TrainConfig}
     * @param steps steps to save, ascending; the last one is the length of training and so of the learning-rate schedule
     */
    public TrainStage(Path tokensFolder, Path configFile, String family, long seed, List<Integer> steps) {
        this.tokensFolder = tokensFolder;
        this.configFile = configFile;
        this.family = Ids.check("family", family);
        this.seed = seed;
        this.steps = checked(steps);
    }

    private static List<Integer> checked(List<Integer> steps) {
        for (int i = 0; i < steps.size(); i++) {
            if (steps.get(i) < 0 || i > 0 && steps.get(i) <= steps.get(i - 1)) {
                throw ToolException.usage("--steps %s must be ascending, from 0, each once", steps);
            }
        }
        if (steps.isEmpty()) {
            throw ToolException.usage("--steps names no step");
        }
        return List.copyOf(steps);
    }

    /** Trains and writes {@code out}; {@code progress} is told of every step. */
    public void run(Compute compute, Path out, boolean overwrite, Consumer<String> progress) throws IOException {
        TokenRows tokens = TokenRows.read(tokensFolder);
        TrainConfig config = TrainConfig.read(configFile);
        ObjectNode modelJson = modelJson(config, tokens);
        ModelConfig model = model(modelJson, tokens);
        if (tokens.rows() < config.rows()) {
            throw ToolException.badData(
                    "the split '%s' has %d rows of %d tokens, but a batch takes %d: give more text",
                    tokens.manifest().id(), tokens.rows(), tokens.context(), config.rows());
        }
        try (OutputFolder folder = OutputFolder.create(out, overwrite);
                Trainer trainer = new Trainer(compute, config, model, tokens, seed)) {
            int last = steps.get(steps.size() - 1);
            try (CsvWriter losses = new CsvWriter(
                    folder.file("losses.csv"), List.of("step", "tokens", "learning_rate", "loss", "gradient_norm"))) {
                List<Integer> pending = new ArrayList<>(steps);
                saveIfDue(folder, trainer, pending, 0, tokens, modelJson, config, compute);
                for (int step = 1; step <= last; step++) {
                    Trainer.Step done = trainer.step(step, last);
                    losses.row(done.step(), done.tokens(), done.learningRate(), done.loss(), done.gradientNorm());
                    progress.accept("step " + step + " of " + last + ", loss " + done.loss());
                    saveIfDue(folder, trainer, pending, step, tokens, modelJson, config, compute);
                }
            }
            describe(folder, tokens, config, compute).parameter("steps", steps);
            folder.commit("train", Ids.check("training", family + "-s" + seed));
        }
    }

    private ObjectNode modelJson(TrainConfig config, TokenRows tokens) {
        ObjectNode json = config.model().deepCopy();
        int vocabulary = Math.toIntExact(tokens.manifest().integer("vocabulary"));
        json.put("vocab_size", vocabulary);
        String bos = tokens.manifest().parameterOr("bos", "");
        if (!bos.isEmpty()) {
            json.put("bos_token_id", Integer.parseInt(bos));
            json.put("eos_token_id", Integer.parseInt(bos));
        }
        if (tokens.largestToken() >= vocabulary) {
            throw ToolException.badData(
                    "token id %d is outside the vocabulary of %d that the manifest of '%s' names",
                    tokens.largestToken(), vocabulary, tokens.manifest().id());
        }
        return json;
    }

    private ModelConfig model(ObjectNode json, TokenRows tokens) {
        ModelConfig model = ModelConfig.read(json, configFile.toString());
        if (model.context() < tokens.context()) {
            throw ToolException.badData(
                    "rows of %d tokens are longer than model.%s %d of %s",
                    tokens.context(), model.contextField(), model.context(), configFile);
        }
        if (!model.operands().keySet().equals(model.weights().keySet())) {
            throw ToolException.badData(
                    "%s: attention_bias is 'false'; only models with biases can be trained", configFile);
        }
        return model;
    }

    private void saveIfDue(
            OutputFolder parent,
            Trainer trainer,
            List<Integer> pending,
            int step,
            TokenRows tokens,
            ObjectNode modelJson,
            TrainConfig config,
            Compute compute)
            throws IOException {
        if (pending.isEmpty() || pending.get(0) != step) {
            return;
        }
        pending.remove(0);
        String id = Ids.checkpoint(family, seed, step);
        try (OutputFolder folder = parent.nested(id)) {
            trainer.save(folder.file("model.safetensors"));
            Json.write(folder.file("config.json"), modelJson);
            if (tokens.tokenizerFile().isPresent()) {
                Files.copy(tokens.tokenizerFile().get(), folder.file(TokenRows.TOKENIZER));
            }
            describe(folder, tokens, config, compute).parameter("step", step);
            folder.commit("train", id);
        }
    }

    private OutputFolder describe(OutputFolder folder, TokenRows tokens, TrainConfig config, Compute compute)
            throws IOException {
        folder.parameter("family", family).parameter("seed", seed);
        folder.parameter("training", Json.mapper().convertValue(config, java.util.TreeMap.class));
        folder.parameter("length", steps.get(steps.size() - 1));
        Object tokenizer = tokens.manifest().parameters().get("tokenizer");
        if (tokenizer != null) {
            folder.parameter("tokenizer", tokenizer);
        }
        folder.input("tokens", tokens.manifest().id(), tokens.digest());
        folder.input("config", configFile.getFileName().toString(), Digests.ofFile(configFile));
        return folder.device(compute.device());
    }
}
