package universality.tokenize;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import universality.data.ExitCode;
import universality.data.OutputFolder;
import universality.data.TokenRows;
import universality.data.ToolException;
import universality.text.Tokenizer;

/** The token folders of all splits in the making, and what their manifests say. The caller commits the outer folder. */
final class Splits implements AutoCloseable {
    private final OutputFolder out;
    private final SplitPlan plan;
    private final boolean nested;
    private final int context;
    private final List<OutputFolder> folders = new ArrayList<>();
    private final List<RowWriter> writers = new ArrayList<>();
    private final Map<String, Object> parameters = new LinkedHashMap<>();
    private final List<String[]> inputs = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final Map<String, Long> totals = new LinkedHashMap<>();

    /** @param nested whether each split is a folder of its own */
    Splits(OutputFolder out, SplitPlan plan, boolean nested, int context) {
        this.out = out;
        this.plan = plan;
        this.nested = nested;
        this.context = context;
    }

    /**
     * Starts the next split of the plan.
     *
     * @param features names of planted features; {@code null} where rows have none
     */
    RowWriter start(List<String> features) {
        OutputFolder folder =
                nested ? out.nested(plan.parts().get(folders.size()).name()) : out;
        folders.add(folder);
        RowWriter writer = new RowWriter(folder, context, features);
        writers.add(writer);
        return writer;
    }

    /** A parameter of all folders. */
    void parameter(String name, Object value) {
        parameters.put(name, value);
    }

    /** An input of all folders. */
    void input(String role, String id, String digest) {
        inputs.add(new String[] {role, id, digest});
    }

    /** A line in the outer manifest. */
    void warning(String line) {
        warnings.add(line);
    }

    /** A count in the outer manifest. */
    void count(String name, long value) {
        totals.put(name, value);
    }

    /** Makes all files and commits nested folders. */
    void finish(Tokenizer tokenizer) {
        for (int s = 0; s < folders.size(); s++) {
            OutputFolder folder = folders.get(s);
            writers.get(s).finish();
            writeTokenizer(folder, tokenizer);
            writers.get(s).counts().forEach((name, count) -> {
                totals.merge(name, count, Long::sum);
                if (nested) {
                    folder.count(name, count);
                }
            });
            if (nested) {
                String name = plan.parts().get(s).name();
                describe(folder, name, tokenizer);
                folder.commit("tokenize", name);
            }
        }
        describe(out, nested ? plan.text() : SplitPlan.ALL, tokenizer);
        totals.forEach(out::count);
        warnings.forEach(out::warning);
    }

    private void describe(OutputFolder folder, String split, Tokenizer tokenizer) {
        folder.parameter("tokenizer", tokenizer.name())
                .parameter("vocabulary", tokenizer.vocabulary())
                .parameter("context", context)
                .parameter("split", split);
        if (tokenizer.bos() >= 0) {
            folder.parameter("bos", tokenizer.bos());
        }
        parameters.forEach(folder::parameter);
        inputs.forEach(input -> folder.input(input[0], input[1], input[2]));
    }

    private static void writeTokenizer(OutputFolder folder, Tokenizer tokenizer) {
        if (tokenizer.json().isEmpty()) {
            return;
        }
        Path file = folder.file(TokenRows.TOKENIZER);
        try {
            Files.writeString(file, tokenizer.json().get(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new ToolException(ExitCode.CANNOT_WRITE, file + " cannot be written: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        writers.forEach(RowWriter::close);
    }
}
