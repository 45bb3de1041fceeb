package universality.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * What the generator plants in its text, one bit each. What each means stands in the table {@code features/planted.csv}, whose
 * rows must be these constants in this order (checked when the class is first used).
 */
public enum Feature {
    TOPIC_SEA,
    TOPIC_KITCHEN,
    TOPIC_WAR,
    TOPIC_LAW,
    TOPIC_MUSIC,
    TOPIC_MEDICINE,
    TOPIC_FARM,
    TOPIC_SCHOOL,
    TOPIC_TRADE,
    TOPIC_STARS,
    TOPIC_TRAVEL,
    TOPIC_HOUSE,
    TOPIC_WORD,
    IN_QUOTE,
    QUOTE_MARK,
    SPEECH_VERB,
    IN_BRACKET,
    LIST_ITEM,
    LIST_CONJUNCTION,
    QUESTION,
    NEGATION,
    NEGATED_CLAUSE,
    RELATIVE_CLAUSE,
    SUBORDINATE_CLAUSE,
    PASSIVE,
    IMPERATIVE,
    IDIOM,
    CODE,
    CODE_KEYWORD,
    CODE_STRING,
    CODE_COMMENT,
    LETTER,
    LETTER_GREETING,
    LETTER_CLOSING,
    FOREIGN,
    VERSE,
    HEADING,
    DETERMINER,
    NOUN,
    PLURAL_NOUN,
    VERB,
    PAST_TENSE,
    AUXILIARY,
    ADJECTIVE,
    COMPARATIVE,
    ADVERB,
    PREPOSITION,
    CONJUNCTION,
    PRONOUN,
    FEMININE,
    MASCULINE,
    NAME,
    PLACE,
    POSSESSIVE,
    NUMBER,
    DIGITS,
    YEAR,
    PRICE,
    CLOCK_TIME,
    DATE,
    SENTENCE_START,
    PLURAL_SUBJECT,
    RHYME;

    /** The table of all features, a resource of this jar. */
    public static final String TABLE = "/features/planted.csv";

    private static final List<String> NAMES = readTable();

    /** The bit of this feature in a mask of features. */
    public long bit() {
        return 1L << ordinal();
    }

    /** The name in the table and in files, such as {@code topic_sea}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The names of all features in the order of their bits. */
    public static List<String> names() {
        return NAMES;
    }

    private static List<String> readTable() {
        List<String> names = new ArrayList<>();
        try (var stream = Objects.requireNonNull(Feature.class.getResourceAsStream(TABLE), TABLE);
                var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
                CSVParser rows = CSVFormat.DEFAULT
                        .builder()
                        .setHeader()
                        .setSkipHeaderRecord(true)
                        .get()
                        .parse(reader)) {
            for (CSVRecord row : rows) {
                if (row.get("description").isBlank()) {
                    throw new IllegalStateException(TABLE + " does not describe '" + row.get("name") + "'");
                }
                names.add(row.get("name"));
            }
        } catch (IOException e) {
            throw new IllegalStateException(TABLE + " cannot be read", e);
        }
        List<String> expected = Arrays.stream(values()).map(Feature::label).toList();
        if (!names.equals(expected) || expected.size() > Long.SIZE) {
            throw new IllegalStateException(TABLE + " lists " + names + ", but the generator plants " + expected);
        }
        return List.copyOf(names);
    }
}
