package universality.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.IVersionProvider;
import universality.data.Build;
import universality.tensor.Compute;

/** {@code universality --version}: version, the digest of each stage's code, the engine (which is started for it). */
final class VersionProvider implements IVersionProvider {
    @Override
    public String[] getVersion() {
        List<String> lines = new ArrayList<>();
        lines.add("universality " + Build.version());
        for (String stage : Build.STAGES) {
            lines.add(stage + " " + Build.stageDigest(stage));
        }
        lines.add("engine " + Compute.engineVersion());
        return lines.toArray(String[]::new);
    }
}
