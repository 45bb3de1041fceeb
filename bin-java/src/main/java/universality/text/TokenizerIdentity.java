package universality.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import universality.data.Digests;
import universality.data.ExitCode;
import universality.data.Json;
import universality.data.Manifest;
import universality.data.TokenRows;
import universality.data.ToolException;

/**
 * What decides which ids a text has, as far as a folder tells: from its {@code tokenizer.json}, else its {@code vocab.json} and
 * {@code merges.txt}, else the name in its manifest. How a file is formatted, and what it says about padding, truncation,
 * decoding or tokens put around a text, is no part of it.
 *
 * @param digest of all rules; {@code null} where only the vocabulary is known
 * @param vocabulary id of each piece but for added tokens
 * @param added id of each added token
 * @param merges pairs in their order; {@code null} where they are not known
 */
record TokenizerIdentity(
        String digest, Map<String, Integer> vocabulary, Map<String, Integer> added, List<String> merges) {
    private static final String VOCABULARY = "vocab.json";
    private static final String MERGES = "merges.txt";
    /** Fields of the model that change ids where they are set. */
    private static final List<String> SETTINGS =
            List.of("continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges");

    /** The identity of the tokenizer of a checkpoint or token folder; empty where nothing tells. */
    static Optional<TokenizerIdentity> of(Path folder, Manifest manifest) {
        Path file = folder.resolve(TokenRows.TOKENIZER);
        if (Files.isRegularFile(file)) {
            return Optional.of(of(Json.read(file)));
        }
        Path vocabulary = folder.resolve(VOCABULARY);
        if (Files.isRegularFile(vocabulary)) {
            Path merges = folder.resolve(MERGES);
            return Optional.of(new TokenizerIdentity(
                    null, ids(Json.read(vocabulary)), Map.of(), Files.isRegularFile(merges) ? lines(merges) : null));
        }
        return manifest.parameterOr("tokenizer", "").equals(R50kTokenizer.NAME)
                ? Optional.of(new TokenizerIdentity(null, R50kTokenizer.vocabularyIds(), Map.of(), null))
                : Optional.empty();
    }

    private static TokenizerIdentity of(JsonNode root) {
        JsonNode model = root.path("model");
        Map<String, Integer> added = new TreeMap<>();
        root.path("added_tokens")
                .forEach(token -> added.put(
                        token.path("content").asText(), token.path("id").asInt()));
        List<String> merges = new ArrayList<>();
        model.path("merges")
                .forEach(pair -> merges.add(
                        pair.isArray()
                                ? pair.path(0).asText() + " " + pair.path(1).asText()
                                : pair.asText()));
        return new TokenizerIdentity(digest(root, added, merges), ids(model.path("vocab")), added, merges);
    }

    private static String digest(JsonNode root, Map<String, Integer> added, List<String> merges) {
        JsonNode model = root.path("model");
        Object all = root; // of no known form: all of it counts
        if (model.path("vocab").size() > 0) {
            Map<String, Object> rules = new TreeMap<>();
            rules.put("type", model.path("type"));
            rules.put("vocab", model.path("vocab").isObject() ? ids(model.path("vocab")) : model.path("vocab"));
            rules.put("merges", merges);
            rules.put("added", added);
            for (String name : SETTINGS) {
                if (model.path(name).asBoolean() || !model.path(name).asText("").matches("|null|false")) {
                    rules.put(name, model.path(name));
                }
            }
            rules.put("normalizer", plain(root.path("normalizer")));
            rules.put("pre_tokenizer", plain(root.path("pre_tokenizer")));
            all = rules;
        }
        try {
            return Digests.ofText(Json.mapper().writeValueAsString(all));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A part of a pipeline with its fields in order, without those that change no id or have their default. */
    private static Object plain(JsonNode node) {
        if (node instanceof ObjectNode) {
            Map<String, Object> fields = new TreeMap<>();
            node.properties().forEach(field -> {
                boolean isDefault =
                        field.getKey().equals("use_regex") && field.getValue().asBoolean();
                if (!isDefault && !field.getKey().equals("trim_offsets")) {
                    fields.put(field.getKey(), plain(field.getValue()));
                }
            });
            return fields;
        }
        if (node instanceof ArrayNode) {
            List<Object> parts = new ArrayList<>();
            node.forEach(part -> parts.add(plain(part)));
            return parts;
        }
        return node.isMissingNode() || node.isNull() ? "" : node;
    }

    /** Ids by piece; a list, as of Unigram models, has [piece, score] at the place of the id. */
    private static Map<String, Integer> ids(JsonNode vocabulary) {
        Map<String, Integer> ids = new TreeMap<>();
        vocabulary
                .properties()
                .forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
        if (vocabulary.isArray()) {
            for (int id = 0; id < vocabulary.size(); id++) {
                ids.put(vocabulary.get(id).path(0).asText(), id);
            }
        }
        return ids;
    }

    private static List<String> lines(Path merges) {
        try {
            return Files.readAllLines(merges).stream()
                    .filter(line -> !line.isBlank() && !line.startsWith("#version"))
                    .toList();
        } catch (IOException e) {
            throw new ToolException(ExitCode.MISSING_INPUT, merges + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * Whether both give a text the same ids, as far as both tell. Where one has no list of added tokens, the other's do not
     * count: text never becomes one of them.
     */
    boolean agrees(TokenizerIdentity other) {
        if (digest != null && other.digest != null) {
            return digest.equals(other.digest);
        }
        return contains(other)
                && other.contains(this)
                && (merges == null || other.merges == null || merges.equals(other.merges));
    }

    private boolean contains(TokenizerIdentity other) {
        Map<String, Integer> all = new HashMap<>(vocabulary);
        all.putAll(added);
        return all.entrySet().containsAll(other.vocabulary.entrySet());
    }
}
