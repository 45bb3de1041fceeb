package universality.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** The words of the generated corpus, read from {@code features/lexicon.txt} (its head describes the format). Immutable. */
final class Lexicon {
    private static final String RESOURCE = "/features/lexicon.txt";
    private static final Lexicon INSTANCE = new Lexicon();

    /**
     * The vocabulary of one topic.
     *
     * @param feature the feature of its documents; {@code null} for the words common to all topics
     * @param nouns persons, things, masses and places
     */
    record Topic(
            Feature feature,
            Zipf<Noun> persons,
            Zipf<Noun> things,
            Zipf<Noun> masses,
            Zipf<Noun> places,
            Zipf<Verb> verbs,
            Zipf<Verb> moves,
            Zipf<String> adjectives,
            Set<Noun> nouns) {}

    private final List<Topic> topics = new ArrayList<>();
    private final Topic common;
    private final Map<String, Zipf<String>> lists = new HashMap<>();
    private final Map<String, Noun> nouns = new HashMap<>();

    static Lexicon get() {
        return INSTANCE;
    }

    private Lexicon() {
        Map<String, Map<String, List<String>>> sections = read();
        for (Map.Entry<String, Map<String, List<String>>> section : sections.entrySet()) {
            if (section.getKey().startsWith("topic ")) {
                String name = section.getKey().replace(' ', '_').toUpperCase(Locale.ROOT);
                topics.add(topic(Feature.valueOf(name), section.getValue()));
            }
        }
        Map<String, List<String>> shared = sections.get("common");
        common = topic(null, shared);
        topics.forEach(this::index);
        index(common);
        topics.forEach(
                topic -> topic.verbs().words().forEach(verb -> verb.objects().forEach(this::noun)));
        shared.forEach((key, words) -> lists.put(
                key, Zipf.of(words.stream().map(w -> w.replace('_', ' ')).toList())));
    }

    private static Topic topic(Feature feature, Map<String, List<String>> words) {
        Zipf<Noun> persons = nouns(words.get("person"), false, true);
        Zipf<Noun> things = nouns(words.get("thing"), false, false);
        Zipf<Noun> masses = nouns(words.get("mass"), true, false);
        Zipf<Noun> places = nouns(words.get("place"), false, false);
        Set<Noun> nouns = new HashSet<>();
        List.of(persons, things, masses, places).forEach(list -> nouns.addAll(list.words()));
        return new Topic(
                feature,
                persons,
                things,
                masses,
                places,
                verbs(words.get("verb")),
                verbs(words.get("move")),
                Zipf.of(words.get("adjective")),
                Set.copyOf(nouns));
    }

    private void index(Topic topic) {
        for (Zipf<Noun> list : List.of(topic.persons(), topic.things(), topic.masses(), topic.places())) {
            list.words().forEach(noun -> nouns.putIfAbsent(noun.singular(), noun));
        }
    }

    private static Zipf<Noun> nouns(List<String> entries, boolean mass, boolean person) {
        return Zipf.of(entries.stream().map(e -> Noun.parse(e, mass, person)).toList());
    }

    private static Zipf<Verb> verbs(List<String> entries) {
        return Zipf.of(entries.stream().map(Verb::parse).toList());
    }

    private static Map<String, Map<String, List<String>>> read() {
        Map<String, Map<String, List<String>>> sections = new LinkedHashMap<>();
        Map<String, List<String>> section = null;
        try (var stream = Objects.requireNonNull(Lexicon.class.getResourceAsStream(RESOURCE), RESOURCE)) {
            String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            for (String line :
                    text.lines().filter(l -> !l.isBlank() && !l.startsWith("#")).toList()) {
                if (line.startsWith("[")) {
                    section = new HashMap<>();
                    sections.put(line.substring(1, line.indexOf(']')), section);
                } else {
                    String[] words = line.strip().split(" +");
                    Objects.requireNonNull(section, RESOURCE)
                            .put(words[0], Arrays.asList(words).subList(1, words.length));
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(RESOURCE + " cannot be read", e);
        }
        return sections;
    }

    List<Topic> topics() {
        return topics;
    }

    /** Words that belong to no topic. */
    Topic common() {
        return common;
    }

    /** The noun with this singular; there must be one. */
    Noun noun(String singular) {
        return Objects.requireNonNull(nouns.get(singular), singular);
    }

    /** A list of the section common by its key, such as {@code female} or {@code idiom}. */
    Zipf<String> list(String key) {
        return Objects.requireNonNull(lists.get(key), key);
    }
}
