package universality.text;

/**
 * Person and number of a subject, which decide the form of its verb.
 *
 * @param person 1, 2 or 3
 */
record Agreement(int person, boolean plural) {
    static final Agreement I = new Agreement(1, false);
    static final Agreement IT = new Agreement(3, false);
    static final Agreement THEY = new Agreement(3, true);

    private boolean thirdSingular() {
        return person == 3 && !plural;
    }

    String be(boolean past) {
        if (past) {
            return plural || person == 2 ? "were" : "was";
        }
        if (plural || person == 2) {
            return "are";
        }
        return person == 1 ? "am" : "is";
    }

    String have(boolean past) {
        return past ? "had" : thirdSingular() ? "has" : "have";
    }

    String doing(boolean past) {
        return past ? "did" : thirdSingular() ? "does" : "do";
    }

    String form(Verb verb, boolean past) {
        return past ? verb.past() : thirdSingular() ? verb.third() : verb.base();
    }
}
