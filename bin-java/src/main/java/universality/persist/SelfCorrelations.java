package universality.persist;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import universality.data.CheckpointName;
import universality.data.CsvTable;
import universality.data.Manifest;
import universality.data.NeuronShape;
import universality.data.ToolException;

/** The tables {@code ID1__ID2.self.csv}: each neuron with itself between two steps of one seed. Read on demand. */
final class SelfCorrelations {
    private static final String SUFFIX = ".self.csv";

    private record Source(Path folder, Manifest manifest, String file) {}

    private record Between(long seed, long from, long to) {}

    private final Map<Between, Source> sources = new HashMap<>();

    /**
     * Lists the tables in folders of {@code correlate}.
     *
     * @throws ToolException (bad data) if one is of unknown checkpoints, of two seeds, or in the wrong order of steps
     */
    static SelfCorrelations read(List<Path> folders, Map<Path, Manifest> manifests, History history) {
        SelfCorrelations all = new SelfCorrelations();
        for (Path folder : folders) {
            Manifest manifest = manifests.get(folder);
            for (Manifest.FileEntry file : manifest.files()) {
                if (file.path().endsWith(SUFFIX)) {
                    all.add(new Source(folder, manifest, file.path()), history);
                }
            }
        }
        return all;
    }

    private void add(Source source, History history) {
        String name = source.file();
        String[] ids = name.substring(0, name.length() - SUFFIX.length()).split("__", -1);
        CheckpointName first = ids.length == 2 ? history.checkpoint(ids[0]) : null;
        CheckpointName second = ids.length == 2 ? history.checkpoint(ids[1]) : null;
        Path file = source.folder().resolve(name);
        if (first == null || second == null) {
            throw ToolException.badData("%s is of a checkpoint that --neurons does not have", file);
        }
        if (first.seed() != second.seed() || first.step() >= second.step()) {
            throw ToolException.badData(
                    "%s is of seed %d, step %d and seed %d, step %d, but one seed, earlier step first, was expected",
                    file, first.seed(), first.step(), second.seed(), second.step());
        }
        Source before = sources.put(new Between(first.seed(), first.step(), second.step()), source);
        if (before != null) {
            throw ToolException.badData("%s is in %s and in %s: give it once", name, before.folder(), source.folder());
        }
    }

    /** The correlations by neuron, NaN where undefined; null where there is no table. */
    double[] between(Snapshot first, Snapshot second) {
        Source source =
                sources.get(new Between(first.checkpoint.seed(), first.checkpoint.step(), second.checkpoint.step()));
        if (source == null) {
            return null;
        }
        Path file = source.manifest().verified(source.folder(), source.file());
        CsvTable table = CsvTable.read(file, "layer", "neuron", "corr");
        NeuronShape shape = NeuronShape.complete(file, table);
        if (!shape.equals(first.shape)) {
            throw ToolException.badData(
                    "%s is of %d layers of %d neurons, but its checkpoints have %d of %d",
                    file, shape.layers(), shape.width(), first.shape.layers(), first.shape.width());
        }
        double[] corr = new double[table.size()];
        Arrays.setAll(corr, row -> table.number(row, "corr"));
        return corr;
    }
}
