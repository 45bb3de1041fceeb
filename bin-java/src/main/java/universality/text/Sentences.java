package universality.text;

import static universality.text.Feature.ADVERB;
import static universality.text.Feature.AUXILIARY;
import static universality.text.Feature.CONJUNCTION;
import static universality.text.Feature.FOREIGN;
import static universality.text.Feature.IDIOM;
import static universality.text.Feature.IMPERATIVE;
import static universality.text.Feature.IN_BRACKET;
import static universality.text.Feature.IN_QUOTE;
import static universality.text.Feature.LIST_CONJUNCTION;
import static universality.text.Feature.LIST_ITEM;
import static universality.text.Feature.NUMBER;
import static universality.text.Feature.PREPOSITION;
import static universality.text.Feature.PRONOUN;
import static universality.text.Feature.QUESTION;
import static universality.text.Feature.QUOTE_MARK;
import static universality.text.Feature.SPEECH_VERB;
import static universality.text.Feature.VERB;

/** Whole sentences with their punctuation. Writes into a draft. */
final class Sentences {
    final Clauses clauses;
    private final Phrases phrases;
    private final SeededRandom random;
    private final Draft draft;
    private final Scene scene;

    Sentences(SeededRandom random, Draft draft, Scene scene) {
        this.clauses = new Clauses(random, draft, scene);
        this.phrases = clauses.phrases;
        this.random = random;
        this.draft = draft;
        this.scene = scene;
    }

    /** A sentence of a story. */
    void any() {
        double u = random.unit();
        if (u < 0.11) {
            quoted();
        } else if (u < 0.15) {
            question();
        } else if (u < 0.20) {
            enumeration();
        } else if (u < 0.24) {
            existential();
        } else if (u < 0.28) {
            figures();
        } else if (u < 0.30) {
            foreign();
        } else {
            statement();
        }
    }

    /** A declarative sentence: one clause, or two joined, perhaps with an aside in brackets. */
    void statement() {
        draft.startSentence();
        double u = random.unit();
        if (u < 0.08) {
            draft.word(phrases.from("sentence_adverb"), ADVERB);
            draft.mark(",");
            clauses.clause();
        } else if (u < 0.15) {
            draft.words(phrases.from("idiom"), IDIOM.bit());
            draft.mark(",");
            clauses.clause();
        } else if (u < 0.24) {
            clauses.subordinate();
            draft.mark(",");
            clauses.clause();
        } else {
            clauses.clause();
            if (u < 0.34) {
                clauses.subordinate();
            } else if (u < 0.46) {
                draft.mark(",");
                draft.word(phrases.from("conjunction"), CONJUNCTION);
                clauses.clause();
            } else if (u < 0.54) {
                bracket();
            } else if (u < 0.62) {
                clauses.adjunct();
            }
        }
        draft.mark(".");
    }

    private void bracket() {
        draft.in(IN_BRACKET, () -> {
            draft.opening("(", 0);
            double u = random.unit();
            if (u < 0.3) {
                draft.word("see");
                draft.word("page");
                phrases.amount();
            } else if (u < 0.6) {
                phrases.nounPhrase(phrases.thing(), random.chance(0.4));
            } else {
                clauses.clause();
            }
            draft.mark(")");
        });
    }

    /** Direct speech: "I have seen the ship," said Anna. */
    void quoted() {
        boolean asking = random.chance(0.25);
        clauses.as(
                Clauses.Voice.SPEAKING,
                random.chance(0.4),
                () -> draft.in(IN_QUOTE, () -> {
                    draft.opening("\"", QUOTE_MARK.bit());
                    draft.startSentence();
                    if (asking) {
                        draft.in(QUESTION, () -> {
                            questionBody();
                            draft.mark("?");
                        });
                    } else {
                        clauses.clause();
                        draft.mark(",");
                    }
                    draft.mark("\"", QUOTE_MARK.bit());
                }));
        String verb = asking ? "asked" : Verb.parse(phrases.from("speech")).past();
        draft.word(verb, SPEECH_VERB.bit() | VERB.bit() | Feature.PAST_TENSE.bit());
        if (random.chance(0.6)) {
            phrases.name(random.chance(0.6) ? scene.hero() : scene.other());
        } else {
            phrases.nounPhrase(phrases.person(), false);
        }
        draft.mark(".");
    }

    /** A question on its own. */
    void question() {
        draft.startSentence();
        draft.in(QUESTION, () -> {
            questionBody();
            draft.mark("?");
        });
    }

    private void questionBody() {
        double u = random.unit();
        if (u < 0.5) {
            if (u < 0.3) {
                draft.word(u < 0.1 ? "why" : u < 0.2 ? "when" : "where", PRONOUN);
            }
            // the auxiliary stands before a subject that is not written yet, so that one is chosen first
            boolean plural = random.chance(0.4);
            Agreement agreement = plural ? Agreement.THEY : Agreement.IT;
            draft.word(agreement.doing(scene.past()), AUXILIARY);
            if (plural || random.chance(0.5)) {
                Noun subject = phrases.person();
                draft.in(plural ? Feature.PLURAL_SUBJECT.bit() : 0, () -> phrases.nounPhrase(subject, plural));
            } else {
                phrases.pronoun(scene.hero());
            }
            clauses.baseVerbPhrase();
        } else if (u < 0.8) {
            draft.word("who", PRONOUN);
            clauses.simplePredicate(Agreement.IT);
        } else {
            draft.word("what", PRONOUN);
            draft.word(Agreement.IT.be(scene.past()), AUXILIARY);
            phrases.nounPhrase(phrases.thing(), false);
        }
    }

    /** A list in a sentence: Anna bought three apples, a coat and some wine. */
    void enumeration() {
        draft.startSentence();
        Agreement subject = clauses.subject();
        Verb verb = phrases.lexicon.common().verbs().draw(random);
        boolean past = scene.past();
        draft.word(subject.form(verb, past), VERB.bit() | (past ? Feature.PAST_TENSE.bit() : 0));
        items(random.between(3, 5));
        draft.mark(".");
    }

    /** Items separated by commas, the last after and. */
    void items(int count) {
        for (int i = 0; i < count; i++) {
            if (i == count - 1) {
                draft.word("and", LIST_CONJUNCTION.bit() | CONJUNCTION.bit());
            }
            draft.in(LIST_ITEM, () -> phrases.nounPhrase(phrases.thing(), random.chance(0.5)));
            if (i < count - 2) {
                draft.mark(",", LIST_ITEM.bit());
            }
        }
    }

    /** There was a ship in the harbour. */
    void existential() {
        draft.startSentence();
        Noun noun = random.chance(0.5) ? phrases.person() : phrases.thing();
        boolean plural = !noun.mass() && random.chance(0.5);
        draft.word("there", PRONOUN);
        draft.word((plural ? Agreement.THEY : Agreement.IT).be(scene.past()), AUXILIARY);
        draft.in(plural ? Feature.PLURAL_SUBJECT.bit() : 0, () -> phrases.nounPhrase(noun, plural));
        clauses.adjunct();
        draft.mark(".");
    }

    /** A sentence about amounts, prices or distances. */
    void figures() {
        draft.startSentence();
        double u = random.unit();
        boolean past = scene.past();
        if (u < 0.4) {
            Noun noun = phrases.topicOrCommon().things().draw(random);
            Agreement agreement = phrases.nounPhrase(noun, random.chance(0.5));
            draft.word(past ? "cost" : agreement.plural() ? "cost" : "costs", VERB);
            phrases.price();
        } else if (u < 0.7) {
            draft.word("it", PRONOUN);
            draft.word(Agreement.IT.be(past), AUXILIARY);
            phrases.amount();
            phrases.units();
            draft.word("from", PREPOSITION);
            draft.word(scene.town(), Feature.PLACE);
            draft.word("to", PREPOSITION);
            draft.word(phrases.from("land"), Feature.PLACE);
        } else {
            draft.word("about", PREPOSITION);
            phrases.amount();
            draft.in(Feature.PLURAL_SUBJECT, () -> phrases.bare(phrases.person(), true));
            clauses.predicate(Agreement.THEY);
        }
        draft.mark(".");
    }

    /** A run of French words, at times ending as direct speech does not: they are not understood, only recognised. */
    void foreign() {
        draft.startSentence();
        draft.in(FOREIGN, () -> {
            int words = random.between(5, 10);
            for (int i = 0; i < words; i++) {
                draft.word(phrases.from("foreign"));
            }
            draft.mark(random.chance(0.8) ? "." : "!");
        });
    }

    /** An instruction: Chop the onions slowly. */
    void instruction() {
        draft.startSentence();
        draft.in(IMPERATIVE, () -> {
            clauses.baseVerbPhrase();
            if (random.chance(0.35)) {
                draft.word("for", PREPOSITION);
                draft.word(phrases.from("count"), NUMBER);
                phrases.units();
            }
            draft.mark(".");
        });
    }
}
