package universality.text;

import static universality.text.Feature.FEMININE;
import static universality.text.Feature.HEADING;
import static universality.text.Feature.IN_QUOTE;
import static universality.text.Feature.LETTER;
import static universality.text.Feature.LETTER_CLOSING;
import static universality.text.Feature.LETTER_GREETING;
import static universality.text.Feature.LIST_ITEM;
import static universality.text.Feature.MASCULINE;
import static universality.text.Feature.NAME;
import static universality.text.Feature.PLACE;
import static universality.text.Feature.RHYME;
import static universality.text.Feature.VERSE;

import java.util.Locale;
import universality.text.Clauses.Voice;

/** The forms that a document can have. Each method writes one whole document, ending in a line end. */
final class Forms {
    private final SeededRandom random;
    private final Draft draft;
    private final Scene scene;
    private final Sentences sentences;
    private final Phrases phrases;
    private final Clauses clauses;

    Forms(SeededRandom random, Draft draft, Scene scene) {
        this.random = random;
        this.draft = draft;
        this.scene = scene;
        this.sentences = new Sentences(random, draft, scene);
        this.clauses = sentences.clauses;
        this.phrases = clauses.phrases;
    }

    void any() {
        double u = random.unit();
        if (u < 0.30) {
            story();
        } else if (u < 0.40) {
            report();
        } else if (u < 0.52) {
            talk();
        } else if (u < 0.63) {
            letter();
        } else if (u < 0.75) {
            program();
        } else if (u < 0.81) {
            instructions();
        } else if (u < 0.88) {
            article();
        } else if (u < 0.94) {
            poem();
        } else {
            accounts();
        }
    }

    private void paragraph(int from, int to) {
        clauses.forgetHero();
        int count = random.between(from, to);
        for (int i = 0; i < count; i++) {
            sentences.any();
        }
    }

    private void heading(Runnable words) {
        draft.in(HEADING, words);
        draft.lines(2);
    }

    private void story() {
        if (random.chance(0.4)) {
            heading(() -> {
                draft.word("CHAPTER");
                draft.word(Integer.toString(random.between(1, 30)), Feature.NUMBER.bit() | Feature.DIGITS.bit());
            });
        }
        int paragraphs = random.between(2, 6);
        for (int i = 0; i < paragraphs; i++) {
            paragraph(4, 8);
            draft.lines(i == paragraphs - 1 ? 1 : 2);
        }
    }

    private void report() {
        heading(() -> {
            draft.word(scene.town().toUpperCase(Locale.ROOT), PLACE);
            draft.mark(",");
            phrases.fullDate();
        });
        int paragraphs = random.between(2, 4);
        for (int i = 0; i < paragraphs; i++) {
            int count = random.between(4, 7);
            for (int s = 0; s < count; s++) {
                if (random.chance(0.4)) {
                    sentences.figures();
                } else {
                    sentences.statement();
                }
            }
            draft.lines(i == paragraphs - 1 ? 1 : 2);
        }
    }

    /** Two people by turns, as in a play: ANNA: Where is the ship? */
    private void talk() {
        int turns = random.between(6, 16);
        for (int i = 0; i < turns; i++) {
            Scene.Person speaker = i % 2 == 0 ? scene.hero() : scene.other();
            draft.word(speaker.first().toUpperCase(Locale.ROOT), NAME.bit() | speaker.gender());
            draft.mark(":");
            clauses.as(
                    Voice.SPEAKING,
                    random.chance(0.4),
                    () -> draft.in(IN_QUOTE, () -> {
                        int count = random.between(1, 3);
                        for (int s = 0; s < count; s++) {
                            if (random.chance(0.3)) {
                                sentences.question();
                            } else {
                                sentences.statement();
                            }
                        }
                    }));
            draft.lines(1);
        }
    }

    private void letter() {
        draft.in(LETTER, () -> {
            draft.word(scene.town(), PLACE);
            draft.mark(",");
            phrases.fullDate();
            draft.lines(2);
            draft.in(LETTER_GREETING, () -> {
                draft.words(phrases.from("greeting"), 0);
                draft.word(scene.other().first(), NAME.bit() | scene.other().gender());
                draft.mark(",");
            });
            draft.lines(2);
            int paragraphs = random.between(1, 3);
            for (int i = 0; i < paragraphs; i++) {
                clauses.as(Voice.SPEAKING, random.chance(0.5), () -> {
                    int count = random.between(4, 7);
                    for (int s = 0; s < count; s++) {
                        sentences.statement();
                    }
                });
                draft.lines(2);
            }
            draft.in(LETTER_CLOSING, () -> {
                draft.words(phrases.from("closing"), 0);
                draft.mark(",");
            });
            draft.lines(1);
            draft.word(scene.hero().first(), NAME.bit() | scene.hero().gender());
            draft.word(scene.hero().surname(), NAME.bit() | scene.hero().gender());
            draft.lines(1);
        });
    }

    private void program() {
        int blocks = random.between(2, 4);
        for (int i = 0; i < blocks; i++) {
            if (random.chance(0.4)) {
                sentences.statement();
                draft.lines(2);
            }
            new CodePassages(phrases).passage(random.between(5, 12));
            if (i < blocks - 1) {
                draft.lines(1);
            }
        }
    }

    private void title() {
        draft.startSentence();
        phrases.nounPhrase(phrases.thing(), random.chance(0.3));
    }

    private void instructions() {
        heading(this::title);
        int steps = random.between(7, 15);
        for (int i = 1; i <= steps; i++) {
            int step = i;
            draft.in(LIST_ITEM, () -> {
                draft.word(step + ".", Feature.NUMBER.bit() | Feature.DIGITS.bit());
                sentences.instruction();
            });
            draft.lines(1);
        }
    }

    private void article() {
        Noun subject = scene.topic().things().draw(random);
        heading(() -> {
            draft.startSentence();
            phrases.bare(subject, false);
        });
        draft.startSentence();
        draft.word(Spelling.startsWithVowel(subject.singular()) ? "an" : "a", Feature.DETERMINER);
        phrases.bare(subject, false);
        draft.word("is", Feature.AUXILIARY);
        draft.words("a kind of", 0);
        phrases.bare(phrases.topicOrCommon().things().draw(random), false);
        draft.in(Feature.RELATIVE_CLAUSE, () -> {
            draft.word("that", Feature.PRONOUN);
            clauses.as(Voice.TELLING, false, () -> clauses.predicate(Agreement.IT));
        });
        draft.mark(".");
        int count = random.between(7, 14);
        for (int i = 0; i < count; i++) {
            double u = random.unit();
            if (u < 0.3) {
                sentences.existential();
            } else if (u < 0.5) {
                sentences.figures();
            } else {
                sentences.statement();
            }
        }
        draft.lines(1);
    }

    private void poem() {
        draft.in(VERSE, () -> {
            int stanzas = random.between(2, 5);
            for (int i = 0; i < stanzas; i++) {
                stanza();
                if (i < stanzas - 1) {
                    draft.lines(1);
                }
            }
        });
    }

    /** Two pairs of lines; the two of a pair end on words that rhyme. */
    private void stanza() {
        for (int pair = 0; pair < 2; pair++) {
            String[] words = phrases.from("rhyme").split("/");
            int first = random.below(words.length);
            int second = (first + 1 + random.below(words.length - 1)) % words.length;
            verseLine(words[first], ",");
            verseLine(words[second], pair == 0 ? ";" : ".");
        }
    }

    private void verseLine(String rhyme, String end) {
        draft.startSentence();
        if (random.chance(0.4)) {
            draft.word("O");
        }
        phrases.nounPhrase(phrases.thing(), random.chance(0.3));
        phrases.preposition(phrases.from("preposition"));
        phrases.nounPhrase(phrases.topicOrCommon().places().draw(random), false);
        draft.word(phrases.from("conjunction"), Feature.CONJUNCTION);
        draft.word(rhyme, RHYME);
        draft.mark(end);
        draft.lines(1);
    }

    /** A day's takings, line by line, with a total. */
    private void accounts() {
        heading(() -> {
            draft.word("Accounts");
            draft.word("of", Feature.PREPOSITION);
            draft.word(scene.hero().first(), NAME.bit() | (scene.hero().female() ? FEMININE : MASCULINE).bit());
            draft.word(scene.hero().surname(), NAME.bit() | scene.hero().gender());
        });
        int days = random.between(5, 12);
        for (int i = 0; i < days; i++) {
            draft.word(phrases.from("weekday"), Feature.DATE);
            draft.mark(":");
            int items = random.between(2, 4);
            for (int k = 0; k < items; k++) {
                boolean last = k == items - 1;
                draft.in(LIST_ITEM, () -> {
                    phrases.amount();
                    phrases.bare(phrases.topicOrCommon().things().draw(random), true);
                    draft.mark(last ? ";" : ",");
                });
            }
            phrases.price();
            draft.lines(1);
        }
        draft.word("Total");
        draft.mark(":");
        phrases.price();
        draft.lines(1);
    }
}
