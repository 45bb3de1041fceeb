package universality.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.TokenRows;
import universality.report.Results.Folder;
import universality.report.Study.Family;
import universality.report.Study.Model;

/** What was run: models, tokens, tools, parameters, inputs and warnings, all from the manifests. */
final class OverviewSection implements Section {
    private static final int MOST_CHARACTERS = 160;

    @Override
    public String id() {
        return "run";
    }

    @Override
    public String title() {
        return "What was run";
    }

    @Override
    public void write(Page page, Markup out) {
        howToRead(page.study(), out);
        models(page.study(), out);
        tokens(page.study(), out);
        warnings(page.study(), out);
        tools(page.study(), out);
        parameters(page.study(), out);
        inputs(page.study(), out);
    }

    private static void howToRead(Study study, Markup out) {
        out.open("div", "class", "lead");
        out.element("h3", "How to read this page");
        out.element(
                "p",
                "A neuron's best correlation with any neuron of another seed, averaged over the seeds, minus the same with"
                        + " randomly rotated models (the baseline), is its excess correlation. A neuron is called universal"
                        + " when its excess is above the threshold (0.5 unless said otherwise), so it has found nearly the same"
                        + " feature as neurons of models that never saw each other. Believe a share only where it stands clear"
                        + " of the controls and of step 0, which are counted by the same code.");
        if (study.hasTrained()) {
            out.element("h3", "These are toy models");
            out.element(
                    "p",
                    "The checkpoints were trained by this pipeline: a real GPT-2 architecture, but one or two layers and a few"
                            + " hundred neurons wide rather than twelve layers of thousands, on millions of tokens at most"
                            + " rather than billions. Expect simpler features (single words, positions, fixed phrases), higher"
                            + " baselines, because activations live in few dimensions, and shares that depend on the text and"
                            + " the activation function. The toy shows that the measurement works; it says nothing about how"
                            + " universal the neurons of a large model are.");
        }
        out.close().line();
    }

    private static void models(Study study, Markup out) {
        out.element("h3", "Models");
        if (study.families().isEmpty()) {
            Section.absent(out, "No checkpoint of known family, seed and step is among these results.");
            return;
        }
        TableView table = new TableView(
                "Models by family",
                List.of("Family", "Seeds", "Steps", "Checkpoints", "Layers", "Neurons per layer", "Neurons", "Origin"));
        for (Family family : study.families()) {
            Model any = family.models().stream()
                    .filter(m -> m.activations() != null)
                    .findFirst()
                    .orElse(null);
            Manifest activations = any == null ? null : any.activations().manifest();
            long layers = activations == null ? 0 : Long.parseLong(activations.parameterOr("layers", "0"));
            long width = activations == null ? 0 : Long.parseLong(activations.parameterOr("d_mlp", "0"));
            table.row()
                    .head(family.name())
                    .text(list(family.seeds()))
                    .text(list(family.modelSteps()))
                    .count(family.models().size())
                    .value(layers, layers == 0 ? Format.UNDEFINED : Format.count(layers))
                    .value(width, width == 0 ? Format.UNDEFINED : Format.count(width))
                    .value(layers * width, layers == 0 ? Format.UNDEFINED : Format.count(layers * width))
                    .text(origin(family));
        }
        out.add(table.end());
        architecture(study, out);
    }

    private static String list(List<Long> numbers) {
        return numbers.stream().map(n -> Format.count(n).replace(",", "\u202f")).collect(Collectors.joining(", "));
    }

    private static String origin(Family family) {
        SortedSet<String> origins = new TreeSet<>();
        for (Model model : family.models()) {
            if (model.checkpoint() != null) {
                Manifest manifest = model.checkpoint().manifest();
                origins.add(
                        manifest.stage().equals("train")
                                ? "trained by this pipeline"
                                : "fetched: " + manifest.parameterOr("source", "source not recorded"));
            }
        }
        return origins.isEmpty() ? "not among these results" : String.join("; ", origins);
    }

    private static void architecture(Study study, Markup out) {
        SortedMap<String, SortedSet<String>> settings = new TreeMap<>();
        for (Family family : study.families()) {
            for (Model model : family.models()) {
                if (model.checkpoint() != null && model.checkpoint().lists("config.json")) {
                    JsonNode config = Json.read(model.checkpoint().path().resolve("config.json"));
                    for (Map.Entry<String, JsonNode> field : config.properties()) {
                        if (field.getValue().isValueNode()) {
                            settings.computeIfAbsent(field.getKey(), k -> new TreeSet<>())
                                    .add(field.getValue().asText());
                        }
                    }
                }
            }
        }
        if (!settings.isEmpty()) {
            details(out, "Architecture (config.json)", keyValues("Fields of config.json", settings));
        }
    }

    private static Markup keyValues(String caption, SortedMap<String, SortedSet<String>> settings) {
        TableView table = new TableView(caption, List.of("Name", "Value"));
        settings.forEach((name, values) -> table.row().head(name).text(joined(values)));
        return table.end();
    }

    /** Integers by value, anything else as text, so that steps do not read 0, 1000, 200. */
    private static int natural(String a, String b) {
        boolean numbers = a.matches("\\d{1,18}") && b.matches("\\d{1,18}");
        return numbers ? Long.compare(Long.parseLong(a), Long.parseLong(b)) : a.compareTo(b);
    }

    private static String joined(SortedSet<String> values) {
        String all = String.join(" | ", values);
        return all.codePointCount(0, all.length()) <= MOST_CHARACTERS
                ? all
                : all.substring(0, all.offsetByCodePoints(0, MOST_CHARACTERS)) + "… ("
                        + Format.plural(values.size(), "value", "values") + ")";
    }

    private static void details(Markup out, String summary, Markup content) {
        out.open("details").element("summary", summary).add(content).close().line();
    }

    private static void tokens(Study study, Markup out) {
        out.element("h3", "Tokens");
        List<Folder> folders = study.results().of("tokenize").stream()
                .filter(f -> f.lists(TokenRows.FILE))
                .toList();
        if (folders.isEmpty()) {
            Section.absent(out, "No token folder (stage tokenize) is among these results.");
            return;
        }
        TableView table = new TableView(
                "Token rows by split",
                List.of(
                        "Folder",
                        "Split",
                        "Text",
                        "Tokenizer",
                        "Vocabulary",
                        "Rows",
                        "Context",
                        "Documents",
                        "Tokens",
                        "Counted",
                        "tokens.safetensors"));
        for (Folder folder : folders) {
            Manifest m = folder.manifest();
            String digest = m.files().stream()
                    .filter(f -> f.path().equals(TokenRows.FILE))
                    .findFirst()
                    .orElseThrow()
                    .sha256();
            table.row()
                    .head(folder.name())
                    .text(m.parameterOr("split", null))
                    .text(textSource(m))
                    .text(m.parameterOr("tokenizer", null))
                    .text(m.parameterOr("vocabulary", null))
                    .count(m.count("rows"))
                    .text(m.parameterOr("context", null))
                    .count(m.count("documents"))
                    .count(m.count("tokens"))
                    .count(m.count("kept"))
                    .code(shortDigest(digest));
        }
        out.add(table.end());
        out.element(
                "p",
                "“Counted” are the positions whose activations and losses enter the statistics (mask = 1).",
                "class",
                "note");
    }

    private static String textSource(Manifest manifest) {
        if (manifest.parameters().get("generate") != null) {
            return "generated, seed " + manifest.parameter("generate");
        }
        String files = manifest.inputs().stream()
                .filter(i -> !i.role().equals("tokenizer"))
                .map(Manifest.Input::id)
                .distinct()
                .collect(Collectors.joining(", "));
        return files.isEmpty() ? manifest.parameterOr("source", null) : files;
    }

    static String shortDigest(String digest) {
        return digest.length() > 12 ? digest.substring(0, 12) : digest;
    }

    private static void warnings(Study study, Markup out) {
        SortedMap<String, List<String>> byLine = new TreeMap<>();
        for (Folder folder : study.results().folders()) {
            for (String warning : folder.manifest().warnings()) {
                byLine.computeIfAbsent(folder.manifest().stage() + ": " + warning, w -> new ArrayList<>())
                        .add(folder.name());
            }
        }
        study.results()
                .incomplete()
                .forEach(name -> byLine.put(
                        name + " has no manifest.json: its stage did not finish, so it is left out", List.of(name)));
        out.element("h3", "Warnings");
        if (byLine.isEmpty()) {
            out.element("p", "None of the stages gave a warning.").line();
            return;
        }
        out.open("ul", "class", "warnings");
        byLine.forEach((line, folders) -> {
            out.open("li").text(line);
            out.element("span", folders.size() == 1 ? folders.get(0) : folders.size() + " folders", "class", "where");
            out.close();
        });
        out.close().line();
    }

    private static void tools(Study study, Markup out) {
        SortedMap<String, Integer> counts = new TreeMap<>();
        SortedMap<String, String[]> cells = new TreeMap<>();
        for (Folder folder : study.results().folders()) {
            Manifest m = folder.manifest();
            String device = m.device() == null ? "" : m.device();
            String key = String.format("%02d", Results.STAGES.indexOf(m.stage()) + 1) + "|" + m.stage() + "|"
                    + m.version() + "|" + m.stageDigest() + "|" + device;
            counts.merge(key, 1, Integer::sum);
            cells.put(key, new String[] {m.stage(), m.version(), m.stageDigest(), device});
        }
        TableView table = new TableView(
                "Stages and the code that ran", List.of("Stage", "Folders", "Version", "Code digest", "Device"));
        cells.forEach((key, cell) -> table.row()
                .head(cell[0])
                .count(counts.get(key))
                .text(cell[1])
                .code(cell[2] == null ? Format.UNDEFINED : shortDigest(cell[2]))
                .text(cell[3].isEmpty() ? null : cell[3]));
        details(out, "Tool versions, code digests and devices", table.end());
    }

    private static void parameters(Study study, Markup out) {
        Markup all = new Markup();
        for (String stage : Results.STAGES) {
            SortedMap<String, SortedSet<String>> values = new TreeMap<>();
            for (Folder folder : study.results().of(stage)) {
                flatten("", folder.manifest().parameters(), values);
            }
            if (!values.isEmpty()) {
                all.add(keyValues(stage, values));
            }
        }
        details(out, "Parameters of every stage", all);
    }

    /** Nested parameters by their path, such as {@code training.beta1}. */
    private static void flatten(String path, Map<?, ?> parameters, SortedMap<String, SortedSet<String>> values) {
        parameters.forEach((name, value) -> {
            if (value instanceof Map<?, ?> nested) {
                flatten(path + name + ".", nested, values);
            } else {
                values.computeIfAbsent(path + name, n -> new TreeSet<>(OverviewSection::natural))
                        .add(String.valueOf(value));
            }
        });
    }

    private static void inputs(Study study, Markup out) {
        TableView table = new TableView("Inputs by stage", List.of("Stage", "Role", "Input", "Digest", "Read by"));
        SortedMap<String, SortedSet<String>> readers = new TreeMap<>();
        for (Folder folder : study.results().folders()) {
            for (Manifest.Input input : folder.manifest().inputs()) {
                readers.computeIfAbsent(
                                folder.manifest().stage() + "\n" + input.role() + "\n" + input.id() + "\n"
                                        + input.digest(),
                                k -> new TreeSet<>())
                        .add(folder.name());
            }
        }
        readers.forEach((key, by) -> {
            String[] cell = key.split("\n", -1);
            table.row()
                    .text(cell[0])
                    .text(cell[1])
                    .text(cell[2])
                    .code(shortDigest(cell[3]))
                    .text(by.size() == 1 ? by.first() : by.size() + " folders");
        });
        details(out, "Digests of all inputs (" + readers.size() + ")", table.end());
    }
}
