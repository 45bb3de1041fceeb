package universality.cli;

import picocli.CommandLine.Command;
import universality.data.OutputFolder;
import universality.tensor.Kernels;

/** Writes every kernel as TorchScript; no stage, and no engine is started. */
@Command(
        name = "kernels",
        description =
                "Writes every kernel as an archive for torch.jit.load, to be checked and timed outside these tools.",
        sortOptions = false)
final class KernelsCommand extends StageCommand {
    @Override
    void run() {
        try (OutputFolder folder = OutputFolder.create(out, overwrite)) {
            for (String name : Kernels.names()) {
                Kernels.write(name, false, folder.file(name + ".pt"));
            }
            folder.count("kernels", Kernels.names().size()).commit("kernels", "kernels");
        }
    }
}
