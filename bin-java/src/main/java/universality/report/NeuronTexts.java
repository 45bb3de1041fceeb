package universality.report;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import universality.data.TokenRows;
import universality.report.Results.Folder;
import universality.report.Study.Family;
import universality.report.Study.Model;

/** Examples and their text, by checkpoint id. Files are opened when first asked for; the caller closes it. */
final class NeuronTexts implements AutoCloseable {
    private final Study study;
    private final Map<String, Optional<Examples>> examples = new HashMap<>();
    private final Map<String, Optional<TokenTexts>> texts = new HashMap<>();

    NeuronTexts(Study study) {
        this.study = study;
    }

    /** The strongest activations of a neuron, empty where its checkpoint kept none. */
    List<Examples.Example> examples(Family family, String id, int layer, int neuron) {
        return examples.computeIfAbsent(family.name() + "\n" + id, k -> open(family.model(id)))
                .map(e -> e.of(layer, neuron))
                .orElse(List.of());
    }

    private static Optional<Examples> open(Model model) {
        return model == null
                        || model.activations() == null
                        || !model.activations().lists(Examples.FILE)
                ? Optional.empty()
                : Optional.of(Examples.open(model.activations()));
    }

    /** The text at an example, empty where the tokens that {@code activate} read are not among the results. */
    Optional<TokenTexts.Snippet> text(Family family, String id, Examples.Example example) {
        Model model = family.model(id);
        String digest = model == null || model.activations() == null
                ? ""
                : model.activations().manifest().inputDigest("tokens").orElse("");
        return texts.computeIfAbsent(digest, this::tokens)
                .filter(t -> t.has(example.row(), example.position()))
                .map(t -> t.at(example.row(), example.position()));
    }

    private Optional<TokenTexts> tokens(String digest) {
        for (Folder folder : study.results().of("tokenize")) {
            boolean read = folder.manifest().files().stream()
                    .anyMatch(f -> f.path().equals(TokenRows.FILE) && f.sha256().equals(digest));
            if (read) {
                return Optional.of(TokenTexts.open(folder));
            }
        }
        return Optional.empty();
    }

    @Override
    public void close() {
        examples.values().forEach(e -> e.ifPresent(Examples::close));
        texts.values().forEach(t -> t.ifPresent(TokenTexts::close));
    }
}
