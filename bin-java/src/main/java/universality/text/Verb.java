package universality.text;

import java.util.List;

/**
 * A full verb in its forms.
 *
 * @param objects singulars of the nouns it prefers as object, best first; empty without preference
 * @param preposition the preposition it takes, empty without one
 */
record Verb(
        String base,
        String third,
        String past,
        String participle,
        String progressive,
        List<String> objects,
        String preposition) {

    /** From {@code BASE[/PAST/PARTICIPLE][=OBJECT,…][@PREPOSITION]}. */
    static Verb parse(String entry) {
        String[] atSign = entry.split("@");
        String[] equals = atSign[0].split("=");
        String[] forms = equals[0].split("/");
        String base = forms[0];
        String past = forms.length > 1 ? forms[1] : Spelling.withEd(base);
        return new Verb(
                base,
                Spelling.withS(base),
                past,
                forms.length > 2 ? forms[2] : past,
                Spelling.withIng(base),
                equals.length > 1 ? List.of(equals[1].split(",")) : List.of(),
                atSign.length > 1 ? atSign[1] : "");
    }
}
