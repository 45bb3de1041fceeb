package universality.text;

import static universality.text.Feature.ADJECTIVE;
import static universality.text.Feature.ADVERB;
import static universality.text.Feature.AUXILIARY;
import static universality.text.Feature.COMPARATIVE;
import static universality.text.Feature.CONJUNCTION;
import static universality.text.Feature.IDIOM;
import static universality.text.Feature.NEGATED_CLAUSE;
import static universality.text.Feature.NEGATION;
import static universality.text.Feature.PASSIVE;
import static universality.text.Feature.PAST_TENSE;
import static universality.text.Feature.PLURAL_SUBJECT;
import static universality.text.Feature.PREPOSITION;
import static universality.text.Feature.PRONOUN;
import static universality.text.Feature.RELATIVE_CLAUSE;
import static universality.text.Feature.SUBORDINATE_CLAUSE;
import static universality.text.Feature.VERB;

/** Clauses: a subject and a predicate that agrees with it. Writes into a draft. */
final class Clauses {
    /** Who speaks: in letters and direct speech, I and we are subjects. */
    enum Voice {
        TELLING,
        SPEAKING
    }

    final Phrases phrases;
    private final SeededRandom random;
    private final Draft draft;
    private final Scene scene;
    private Voice voice = Voice.TELLING;
    private boolean past;
    private boolean heroNamed;

    Clauses(SeededRandom random, Draft draft, Scene scene) {
        this.phrases = new Phrases(random, draft, scene);
        this.random = random;
        this.draft = draft;
        this.scene = scene;
        this.past = scene.past();
    }

    /** Writes a passage in another voice and tense. */
    void as(Voice other, boolean inPast, Runnable passage) {
        Voice voiceBefore = voice;
        boolean pastBefore = past;
        voice = other;
        past = inPast;
        passage.run();
        voice = voiceBefore;
        past = pastBefore;
    }

    /** At the start of a paragraph the hero is called by name again. */
    void forgetHero() {
        heroNamed = false;
    }

    /** Subject and predicate. */
    void clause() {
        predicate(subject());
    }

    /** Subordinating conjunction and clause. */
    void subordinate() {
        draft.in(SUBORDINATE_CLAUSE, () -> {
            draft.word(phrases.from("subordinator"), CONJUNCTION);
            clause();
        });
    }

    /** Writes a subject; returns what agrees with it. */
    Agreement subject() {
        double u = random.unit();
        if (voice == Voice.SPEAKING && u < 0.45) {
            return speaker();
        }
        if (u < 0.36) {
            if (heroNamed && random.chance(0.6)) {
                phrases.pronoun(scene.hero());
            } else {
                phrases.name(scene.hero());
                heroNamed = true;
            }
            return Agreement.IT;
        }
        if (u < 0.42) {
            phrases.name(scene.other());
            return Agreement.IT;
        }
        Noun noun = u < 0.82 ? phrases.person() : phrases.thing();
        return longSubject(noun, random.chance(0.35));
    }

    private Agreement speaker() {
        double u = random.unit();
        if (u < 0.55) {
            draft.in(PRONOUN, () -> pronounI());
            return Agreement.I;
        }
        boolean we = u < 0.8;
        long plural = we ? PLURAL_SUBJECT.bit() : 0;
        draft.word(we ? "we" : "you", PRONOUN.bit() | plural);
        return new Agreement(we ? 1 : 2, true);
    }

    private void pronounI() {
        draft.word("I");
    }

    private Agreement longSubject(Noun noun, boolean many) {
        boolean plural = many && !noun.mass();
        Agreement[] agreement = new Agreement[1];
        draft.in(plural ? PLURAL_SUBJECT.bit() : 0, () -> {
            agreement[0] = phrases.nounPhrase(noun, many);
            if (random.chance(0.07)) {
                draft.word("of", PREPOSITION);
                phrases.nounPhrase(phrases.thing(), random.chance(0.3));
            }
        });
        if (random.chance(0.08)) {
            relative(noun, agreement[0]);
        }
        return agreement[0];
    }

    /** A relative clause on {@code noun}. */
    private void relative(Noun noun, Agreement agreement) {
        draft.in(RELATIVE_CLAUSE, () -> {
            draft.word(noun.person() ? "who" : random.chance(0.5) ? "which" : "that", PRONOUN);
            simplePredicate(agreement);
        });
    }

    /** Writes a predicate of one of many shapes that agrees with the subject. */
    void predicate(Agreement subject) {
        double u = random.unit();
        if (u < 0.46) {
            simplePredicate(subject);
        } else if (u < 0.55) {
            copula(subject);
        } else if (u < 0.63) {
            draft.word(phrases.from("modal"), AUXILIARY);
            baseVerbPhrase();
        } else if (u < 0.69) {
            attitude(subject);
        } else if (u < 0.75) {
            draft.word(subject.be(past), AUXILIARY);
            verbPhrase(Verb::progressive, 0);
        } else if (u < 0.81) {
            draft.word(subject.have(past), AUXILIARY);
            verbPhrase(Verb::participle, 0);
        } else if (u < 0.86) {
            passive(subject);
        } else if (u < 0.95) {
            negated(subject);
        } else if (past) {
            draft.words(phrases.from("verb_idiom"), IDIOM.bit());
        } else {
            copula(subject);
        }
        if (random.chance(0.1)) {
            draft.word(phrases.from("adverb"), ADVERB);
        }
    }

    /** Full verb in the finite form with its objects. */
    void simplePredicate(Agreement subject) {
        boolean inPast = past;
        verbPhrase(verb -> subject.form(verb, inPast), inPast ? PAST_TENSE.bit() : 0);
    }

    private void copula(Agreement subject) {
        draft.word(subject.be(past), AUXILIARY);
        if (random.chance(0.25)) {
            draft.word("not", NEGATION);
        }
        Lexicon.Topic topic = phrases.topicOrCommon();
        String adjective = topic.adjectives().draw(random);
        long mask = ADJECTIVE.bit() | phrases.topical(topic);
        double u = random.unit();
        if (u < 0.25) {
            draft.in(COMPARATIVE, () -> {
                draft.words(Spelling.comparative(adjective), mask);
                draft.word("than", CONJUNCTION);
            });
            phrases.nounPhrase(phrases.thing(), random.chance(0.3));
        } else {
            if (u < 0.5) {
                draft.word(phrases.from("degree"), ADVERB);
            }
            draft.word(adjective, mask);
        }
    }

    private void attitude(Agreement subject) {
        Verb verb = Verb.parse(phrases.from("attitude"));
        draft.word(subject.form(verb, past), VERB.bit() | (past ? PAST_TENSE.bit() : 0));
        draft.word("to", PREPOSITION);
        baseVerbPhrase();
    }

    private void negated(Agreement subject) {
        boolean never = random.chance(0.35);
        if (never) {
            draft.word("never", NEGATION);
            draft.in(NEGATED_CLAUSE, () -> simplePredicate(subject));
        } else {
            draft.word(subject.doing(past), AUXILIARY);
            draft.word("not", NEGATION);
            draft.in(NEGATED_CLAUSE, this::baseVerbPhrase);
        }
    }

    private void passive(Agreement subject) {
        Lexicon.Topic topic = phrases.topicOrCommon();
        Verb verb = topic.verbs().draw(random);
        draft.in(PASSIVE, () -> {
            draft.word(subject.be(past), AUXILIARY);
            draft.word(verb.participle(), VERB.bit() | phrases.topical(topic));
        });
        if (random.chance(0.7)) {
            draft.word("by", PREPOSITION);
            phrases.nounPhrase(phrases.person(), random.chance(0.3));
        }
    }

    /** Verb in its base form with its objects: after to, did not, modals, and as an instruction. */
    void baseVerbPhrase() {
        verbPhrase(Verb::base, 0);
    }

    /** A full verb with objects and adjuncts. */
    private void verbPhrase(java.util.function.Function<Verb, String> form, long mask) {
        Lexicon.Topic topic = phrases.topicOrCommon();
        boolean transitive = random.chance(0.65);
        Verb verb = (transitive ? topic.verbs() : topic.moves()).draw(random);
        draft.word(form.apply(verb), VERB.bit() | mask | phrases.topical(topic));
        if (transitive) {
            object(verb);
        } else {
            complement(verb);
        }
        if (random.chance(0.15)) {
            adjunct();
        }
    }

    private void object(Verb verb) {
        if (!verb.objects().isEmpty() && random.chance(0.8)) {
            int rank = random.chance(0.6) ? 0 : random.below(verb.objects().size());
            phrases.nounPhrase(phrases.lexicon.noun(verb.objects().get(rank)), random.chance(0.3));
        } else if (random.chance(0.12)) {
            phrases.objectPronoun(random.chance(0.7) ? scene.hero() : scene.other());
        } else {
            phrases.nounPhrase(phrases.thing(), random.chance(0.3));
        }
    }

    private void complement(Verb verb) {
        if (verb.preposition().isEmpty()) {
            return;
        }
        phrases.preposition(verb.preposition());
        double u = random.unit();
        if (u < 0.45) {
            phrases.nounPhrase(phrases.topicOrCommon().places().draw(random), false);
        } else if (u < 0.55) {
            phrases.town();
        } else {
            phrases.nounPhrase(u < 0.75 ? phrases.person() : phrases.thing(), random.chance(0.25));
        }
    }

    /** Where or when: in the harbour, in Bristol, at 7:30, on Monday, in 1847. */
    void adjunct() {
        double u = random.unit();
        if (u < 0.4) {
            phrases.preposition(phrases.from("preposition"));
            phrases.nounPhrase(phrases.topicOrCommon().places().draw(random), false);
        } else if (u < 0.6) {
            phrases.preposition("in");
            phrases.town();
        } else if (u < 0.75) {
            phrases.preposition("on");
            draft.word(phrases.from("weekday"), Feature.DATE);
        } else if (u < 0.85) {
            phrases.preposition("at");
            phrases.clockTime();
        } else {
            phrases.preposition("in");
            if (random.chance(0.5)) {
                phrases.year();
            } else {
                draft.word(phrases.from(random.chance(0.6) ? "month" : "season"), Feature.DATE);
            }
        }
    }
}
