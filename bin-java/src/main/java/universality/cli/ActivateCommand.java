package universality.cli;

import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import universality.activate.ActivateStage;
import universality.data.Dtype;
import universality.data.ToolException;
import universality.model.Arithmetic;
import universality.tensor.Compute;

/** The stage {@code activate}. */
@Command(
        name = "activate",
        description = "Runs a checkpoint over token rows: moments, largest examples, stored activations.",
        sortOptions = false)
final class ActivateCommand extends StageCommand {
    @Option(names = "--checkpoint", required = true, paramLabel = "DIR", description = "a checkpoint of fetch or train")
    private Path checkpoint;

    @Option(names = "--tokens", required = true, paramLabel = "DIR", description = "token rows of one split")
    private Path tokens;

    @Option(
            names = "--store",
            defaultValue = "all",
            paramLabel = "all|none",
            description = "whether to store the activations (default: ${DEFAULT-VALUE})")
    private String store;

    @Option(
            names = "--dtype",
            defaultValue = "f32",
            paramLabel = "f32|f16|bf16",
            description = "of the stored activations (default: ${DEFAULT-VALUE})")
    private String dtype;

    @Option(
            names = "--compute",
            defaultValue = "f32",
            paramLabel = "f32|bf16",
            description = "what the model computes its products in (default: ${DEFAULT-VALUE})")
    private String arithmetic;

    @Mixin
    private ComputeOptions compute;

    @Override
    void run() {
        ActivateStage stage = new ActivateStage(
                new ActivateStage.Settings(checkpoint, tokens, storage(), arithmetic(), compute.memoryBytes()),
                StageCommand::say);
        try (Compute engine = compute.start()) {
            stage.run(engine, out, overwrite);
        }
    }

    private Dtype storage() {
        if (store.equals("none")) {
            return null;
        }
        if (!store.equals("all")) {
            throw ToolException.usage("--store '%s' is not one of all, none", store);
        }
        return switch (dtype.toLowerCase(Locale.ROOT)) {
            case "f32" -> Dtype.F32;
            case "f16" -> Dtype.F16;
            case "bf16" -> Dtype.BF16;
            default -> throw ToolException.usage("--dtype '%s' is not one of f32, f16, bf16", dtype);
        };
    }

    private Arithmetic arithmetic() {
        return switch (arithmetic.toLowerCase(Locale.ROOT)) {
            case "f32" -> Arithmetic.F32;
            case "bf16" -> Arithmetic.BF16;
            default -> throw ToolException.usage("--compute '%s' is not one of f32, bf16", arithmetic);
        };
    }
}
