package universality.text;

import static universality.text.Feature.ADJECTIVE;
import static universality.text.Feature.DETERMINER;
import static universality.text.Feature.DIGITS;
import static universality.text.Feature.FEMININE;
import static universality.text.Feature.MASCULINE;
import static universality.text.Feature.NAME;
import static universality.text.Feature.NEGATION;
import static universality.text.Feature.NOUN;
import static universality.text.Feature.NUMBER;
import static universality.text.Feature.PLACE;
import static universality.text.Feature.PLURAL_NOUN;
import static universality.text.Feature.POSSESSIVE;
import static universality.text.Feature.PREPOSITION;
import static universality.text.Feature.PRONOUN;
import static universality.text.Feature.TOPIC_WORD;

/** Phrases below the clause: noun phrases, names, numbers, dates. Writes into a draft. */
final class Phrases {
    private static final double FROM_TOPIC = 0.72;

    final Lexicon lexicon = Lexicon.get();
    final SeededRandom random;
    final Draft draft;
    final Scene scene;

    Phrases(SeededRandom random, Draft draft, Scene scene) {
        this.random = random;
        this.draft = draft;
        this.scene = scene;
    }

    /** A draw from one of the lists in the section common of the lexicon. */
    String from(String list) {
        return lexicon.list(list).draw(random);
    }

    Lexicon.Topic topicOrCommon() {
        return random.chance(FROM_TOPIC) ? scene.topic() : lexicon.common();
    }

    long topical(Lexicon.Topic topic) {
        return topic == scene.topic() ? TOPIC_WORD.bit() : 0;
    }

    Noun person() {
        return topicOrCommon().persons().draw(random);
    }

    Noun thing() {
        Lexicon.Topic topic = topicOrCommon();
        return (random.chance(0.2) ? topic.masses() : topic.things()).draw(random);
    }

    private long nounMask(Noun noun, boolean many) {
        long mask = NOUN.bit() | (many && !noun.mass() ? PLURAL_NOUN.bit() : 0);
        return scene.topic().nouns().contains(noun) ? mask | TOPIC_WORD.bit() : mask;
    }

    /** Writes just the noun. */
    void bare(Noun noun, boolean many) {
        draft.word(noun.form(many), nounMask(noun, many));
    }

    /** Writes a noun phrase, {@code the old ships}; returns how its verb agrees. */
    Agreement nounPhrase(Noun noun, boolean many) {
        boolean plural = many && !noun.mass();
        Lexicon.Topic topic = topicOrCommon();
        String adjective = null;
        if (random.chance(0.3)) {
            // half of the time the adjective that this noun prefers, so that the pair can be learnt
            adjective = random.chance(0.5)
                    ? topic.adjectives().companion(noun.singular())
                    : topic.adjectives().draw(random);
        }
        String next = adjective == null ? noun.form(plural) : adjective;
        if (plural) {
            pluralDeterminer();
        } else if (noun.mass()) {
            massDeterminer();
        } else {
            singularDeterminer(next);
        }
        if (adjective != null) {
            draft.word(adjective, ADJECTIVE.bit() | topical(topic));
        }
        bare(noun, plural);
        return plural ? Agreement.THEY : Agreement.IT;
    }

    private void singularDeterminer(String next) {
        double u = random.unit();
        if (u < 0.5) {
            draft.word("the", DETERMINER);
        } else if (u < 0.76) {
            draft.word(Spelling.startsWithVowel(next) ? "an" : "a", DETERMINER);
        } else if (u < 0.88) {
            possessive();
        } else if (u < 0.91) {
            draft.word("no", DETERMINER.bit() | NEGATION.bit());
        } else if (u < 0.94) {
            draft.word("the", DETERMINER);
            draft.word(from("ordinal"), NUMBER.bit() | ADJECTIVE.bit());
        } else {
            draft.word(u < 0.96 ? "this" : u < 0.98 ? "every" : "another", DETERMINER);
        }
    }

    private void pluralDeterminer() {
        double u = random.unit();
        if (u < 0.42) {
            draft.word("the", DETERMINER);
        } else if (u < 0.6) {
            draft.word(from("quantifier"), DETERMINER);
        } else if (u < 0.76) {
            draft.word(from("count"), NUMBER.bit() | DETERMINER.bit());
        } else if (u < 0.88) {
            possessive();
        } else if (u < 0.94) {
            draft.word(u < 0.91 ? "these" : "those", DETERMINER);
        }
    }

    private void massDeterminer() {
        double u = random.unit();
        if (u < 0.5) {
            draft.word("the", DETERMINER);
        } else if (u < 0.75) {
            draft.word(u < 0.68 ? "some" : "much", DETERMINER);
        } else if (u < 0.85) {
            possessive();
        }
    }

    private void possessive() {
        long mask = POSSESSIVE.bit() | PRONOUN.bit() | DETERMINER.bit();
        if (random.chance(0.25)) {
            name(scene.hero());
            draft.mark("'s", POSSESSIVE.bit());
        } else if (random.chance(0.6)) {
            // the hero's own: the gender agrees with the name in the text
            draft.word(
                    scene.hero().female() ? "her" : "his", mask | scene.hero().gender());
        } else {
            String word = from("possessive_determiner");
            long gender = word.equals("her") ? FEMININE.bit() : word.equals("his") ? MASCULINE.bit() : 0;
            draft.word(word, mask | gender);
        }
    }

    /** A first name, now and then with title or surname. */
    void name(Scene.Person person) {
        long mask = NAME.bit() | person.gender();
        double u = random.unit();
        if (u < 0.12) {
            draft.word(person.female() ? "Mrs" : "Mr", mask);
            draft.word(person.surname(), mask);
            return;
        }
        draft.word(person.first(), mask);
        if (u > 0.85) {
            draft.word(person.surname(), mask);
        }
    }

    /** {@code he} or {@code she}. */
    void pronoun(Scene.Person person) {
        draft.word(person.female() ? "she" : "he", PRONOUN.bit() | person.gender());
    }

    /** {@code him} or {@code her}. */
    void objectPronoun(Scene.Person person) {
        draft.word(person.female() ? "her" : "him", PRONOUN.bit() | person.gender());
    }

    /** The document's own town, sometimes another town or country. */
    void town() {
        double u = random.unit();
        draft.word(u < 0.6 ? scene.town() : from(u < 0.85 ? "town" : "land"), PLACE);
    }

    void preposition(String preposition) {
        draft.word(preposition, PREPOSITION);
    }

    /** An amount in digits: 7, 42, 1,250. */
    void amount() {
        int value = random.chance(0.6) ? random.between(2, 99) : random.between(100, 9999);
        String text = value < 1000 ? Integer.toString(value) : value / 1000 + "," + padded(value % 1000, 3);
        draft.word(text, NUMBER.bit() | DIGITS.bit());
    }

    /** A unit of measure in the plural: miles, pounds. */
    void units() {
        draft.word(from("unit") + "s", NOUN.bit() | PLURAL_NOUN.bit());
    }

    void year() {
        draft.word(Integer.toString(random.between(1700, 1949)), NUMBER.bit() | DIGITS.bit() | Feature.YEAR.bit());
    }

    /** £4.50 or 12 pounds. */
    void price() {
        long mask = Feature.PRICE.bit() | NUMBER.bit() | DIGITS.bit();
        if (random.chance(0.7)) {
            draft.word(
                    (random.chance(0.6) ? "£" : "$") + random.between(1, 60) + "." + random.between(0, 9) + "0", mask);
        } else {
            draft.word(Integer.toString(random.between(2, 90)), mask);
            draft.word(random.chance(0.5) ? "pounds" : "shillings", Feature.PRICE);
        }
    }

    /** 7:30 or 11:05. */
    void clockTime() {
        draft.word(
                random.between(1, 12) + ":" + padded(5 * random.below(12), 2),
                Feature.CLOCK_TIME.bit() | NUMBER.bit() | DIGITS.bit());
    }

    /** 12 March 1871. */
    void fullDate() {
        draft.word(Integer.toString(random.between(1, 28)), Feature.DATE.bit() | NUMBER.bit() | DIGITS.bit());
        draft.word(from("month"), Feature.DATE);
        draft.in(Feature.DATE, this::year);
    }

    static String padded(int value, int width) {
        String digits = Integer.toString(value);
        return "0".repeat(Math.max(0, width - digits.length())) + digits;
    }
}
