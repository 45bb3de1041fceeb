package universality.text;

/**
 * A common noun.
 *
 * @param plural equal to {@code singular} where there is none to be told apart
 * @param mass without plural and without the article a
 * @param person can act, speak and be called he or she
 */
record Noun(String singular, String plural, boolean mass, boolean person) {
    /** From {@code SINGULAR} or {@code SINGULAR/PLURAL}. */
    static Noun parse(String entry, boolean mass, boolean person) {
        String[] forms = entry.split("/");
        String plural = mass ? forms[0] : forms.length > 1 ? forms[1] : Spelling.withS(forms[0]);
        return new Noun(forms[0], plural, mass, person);
    }

    String form(boolean many) {
        return many ? plural : singular;
    }
}
