package universality.benchmarks;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.OutputFolder;
import universality.text.CorpusGenerator;
import universality.text.SeededRandom;

/**
 * Throughput and memory of {@code tokenize}, from a file of plain text to committed token rows: the tool as a process of its own
 * with a small Java heap, its start included. Beside it, in one thread of this process, what the same text costs to read and
 * decode, and to encode with jtokkit alone. Two texts: paragraphs in random order, which repeat words, and invented words of a
 * large vocabulary, which do so less. Arguments (all optional, {@code name=value}): {@code text} (a file with paragraphs; without
 * it they are generated), {@code megabytes} (200), {@code tokenizer} (r50k), {@code threads} (2), {@code heap} (200m), {@code
 * words} (500000), {@code project} (the folder with bin/universality; the current one).
 */
public final class TokenizeThroughput {
    private final Map<String, String> arguments = new LinkedHashMap<>();
    private final Path folder;

    private TokenizeThroughput(Path folder, String... arguments) {
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            this.arguments.put(parts[0], parts[1]);
        }
        this.folder = folder;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("throughput");
        try {
            TokenizeThroughput benchmark = new TokenizeThroughput(folder, arguments);
            benchmark.run("paragraphs", benchmark.paragraphs());
            benchmark.run("invented words", benchmark.inventedWords());
        } finally {
            OutputFolder.deleteTree(folder);
        }
    }

    private String value(String name, String fallback) {
        return arguments.getOrDefault(name, fallback);
    }

    private interface Paragraphs {
        String next();
    }

    private Paragraphs paragraphs() throws IOException {
        List<String> all = new ArrayList<>();
        if (arguments.containsKey("text")) {
            all.addAll(List.of(Files.readString(Path.of(value("text", ""))).split("\n\n+")));
        } else {
            CorpusGenerator generator = new CorpusGenerator(1);
            for (int d = 0; d < 2000; d++) {
                all.addAll(List.of(generator.document("bench", d).text().split("\n\n+")));
            }
        }
        SeededRandom random = new SeededRandom(1);
        return () -> all.get(random.below(all.size()));
    }

    /** Words whose frequency falls with their rank, with capitals, numbers, signs and letters of other alphabets among them. */
    private Paragraphs inventedWords() {
        SeededRandom random = new SeededRandom(2);
        String[] words = new String[Integer.parseInt(value("words", "500000"))];
        for (int w = 0; w < words.length; w++) {
            words[w] = word(random);
        }
        return () -> {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 80; i++) {
                int rank = (int) Math.pow(words.length, random.unit()) - 1;
                String word = random.chance(0.02) ? Integer.toString(random.below(100000)) : words[rank];
                text.append(i == 0 ? "" : random.chance(0.1) ? ", " : " ").append(word);
            }
            return text.append('.').toString();
        };
    }

    private static String word(SeededRandom random) {
        String letters =
                random.chance(0.05) ? "абвгдежзиклмнопрст" : random.chance(0.1) ? "aeiouéüßñrstl" : "etaoinshrdlucmfw";
        int length = random.between(2, 10);
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append(letters.charAt(random.below(letters.length())));
        }
        return random.chance(0.1) ? word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1) : word.toString();
    }

    private void run(String name, Paragraphs paragraphs) throws IOException, InterruptedException {
        Path text = folder.resolve("text.txt");
        long bytes = Long.parseLong(value("megabytes", "200")) * 1_000_000;
        long written = 0;
        try (Writer writer = Files.newBufferedWriter(text)) {
            while (written < bytes) {
                String paragraph = paragraphs.next() + "\n\n";
                writer.write(paragraph);
                written += paragraph.getBytes(StandardCharsets.UTF_8).length;
            }
        }
        System.out.printf(Locale.ROOT, "%n%s: %.0f MB%n", name, Files.size(text) / 1e6);
        double decoded = decode(text);
        double[] library = library(text);
        tool(text, decoded, library[0] / library[1]);
        Files.delete(text);
    }

    private static double cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    }

    private static double decode(Path text) throws IOException {
        double start = cpu();
        char[] block = new char[1 << 16];
        try (BufferedReader reader = Files.newBufferedReader(text)) {
            while (reader.read(block) >= 0) {
                // decoding is all that is measured
            }
        }
        double seconds = cpu() - start;
        print("reading and decoding alone", seconds, "CPU s");
        return seconds;
    }

    /** Tokens and CPU seconds of the library alone on the first part of the text, after a warm-up on the same. */
    private static double[] library(Path text) throws IOException {
        List<String> paragraphs = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(text)) {
            long characters = 0;
            for (String line; characters < 8_000_000 && (line = reader.readLine()) != null; ) {
                paragraphs.add(line + "\n\n");
                characters += line.length();
            }
        }
        Encoding encoding = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
        double[] result = new double[2];
        for (int round = 0; round < 3; round++) {
            double start = cpu();
            long tokens = 0;
            for (String paragraph : paragraphs) {
                tokens += encoding.encodeOrdinary(paragraph).size();
            }
            result = new double[] {tokens, cpu() - start};
        }
        print("jtokkit alone, r50k, one thread, warm", result[0] / result[1] / 1e6, "million tokens per CPU s");
        return result;
    }

    private void tool(Path text, double decoded, double libraryRate) throws IOException, InterruptedException {
        Path out = folder.resolve("tokens");
        Path project = Path.of(value("project", ""));
        ProcessBuilder process = new ProcessBuilder(
                        project.resolve("bin/universality").toAbsolutePath().toString(),
                        "tokenize",
                        "--text",
                        text.toString(),
                        "--tokenizer",
                        value("tokenizer", "r50k"),
                        "--context",
                        "512",
                        "--threads",
                        value("threads", "2"),
                        "--overwrite",
                        "--out",
                        out.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        process.environment().put("UNIVERSALITY_HEAP", value("heap", "200m"));
        long start = System.nanoTime();
        if (process.start().waitFor() != 0) {
            throw new IOException("tokenize failed");
        }
        double wall = (System.nanoTime() - start) / 1e9;
        var used = Json.read(folder.resolve("tokens.resources.json"));
        double tokens = Manifest.read(out, "tokenize").count("tokens");
        double cpu = used.path("cpu_seconds").asDouble();
        print("the tool, end to end, " + value("threads", "2") + " threads", tokens / wall / 1e6, "million tokens/s");
        print("the tool, end to end", tokens / cpu / 1e6, "million tokens per CPU s");
        print("the tool, end to end", tokens / cpu / libraryRate, "of jtokkit's rate for each CPU s");
        print("the tool, end to end", cpu / decoded, "times the CPU s of decoding");
        print(
                "its peak memory, heap of " + value("heap", "200m"),
                used.path("peak_resident_bytes").asDouble() / 1e6,
                "MB");
        OutputFolder.deleteTree(out);
    }

    private static void print(String what, double value, String unit) {
        System.out.printf(Locale.ROOT, "%-60s %10.2f %s%n", what, value, unit);
    }
}
