package universality.text;

/**
 * What one document is about; drawn once, so that topic, tense, people and town stay the same throughout it.
 *
 * @param past told in the past tense
 */
record Scene(Lexicon.Topic topic, boolean past, Person hero, Person other, String town) {
    /** Someone with a name. */
    record Person(String first, String surname, boolean female) {
        long gender() {
            return (female ? Feature.FEMININE : Feature.MASCULINE).bit();
        }

        static Person draw(SeededRandom random) {
            Lexicon lexicon = Lexicon.get();
            boolean female = random.chance(0.5);
            String first = lexicon.list(female ? "female" : "male").draw(random);
            return new Person(first, lexicon.list("surname").draw(random), female);
        }
    }

    static Scene draw(SeededRandom random) {
        Lexicon lexicon = Lexicon.get();
        Lexicon.Topic topic = lexicon.topics().get(random.below(lexicon.topics().size()));
        Person hero = Person.draw(random);
        Person other = Person.draw(random);
        while (other.first().equals(hero.first())) {
            other = Person.draw(random);
        }
        String town = lexicon.list("town").draw(random);
        return new Scene(topic, random.chance(0.65), hero, other, town);
    }
}
