package universality.text;

/** The regular endings of English, with their spelling rules. */
final class Spelling {
    private Spelling() {}

    /** Plural of a noun, third person of a verb: ships, boxes, cries, goes. */
    static String withS(String word) {
        if (word.endsWith("y") && !vowelAt(word, word.length() - 2)) {
            return word.substring(0, word.length() - 1) + "ies";
        }
        boolean hissing = word.endsWith("s")
                || word.endsWith("x")
                || word.endsWith("z")
                || word.endsWith("ch")
                || word.endsWith("sh")
                || word.equals("go");
        return word + (hissing ? "es" : "s");
    }

    /** Past of a regular verb: sailed, baked, cried, chopped. */
    static String withEd(String word) {
        if (word.endsWith("e")) {
            return word + "d";
        }
        if (word.endsWith("y") && !vowelAt(word, word.length() - 2)) {
            return word.substring(0, word.length() - 1) + "ied";
        }
        return doubled(word) + "ed";
    }

    /** Present participle: sailing, baking, chopping, lying. */
    static String withIng(String word) {
        if (word.endsWith("ie")) {
            return word.substring(0, word.length() - 2) + "ying";
        }
        if (word.endsWith("e") && !word.endsWith("ee") && word.length() > 2) {
            return word.substring(0, word.length() - 1) + "ing";
        }
        return doubled(word) + "ing";
    }

    /** Comparative of a short adjective: colder, larger, happier, bigger; longer ones take more. */
    static String comparative(String adjective) {
        if (adjective.equals("good") || adjective.equals("bad")) {
            return adjective.equals("good") ? "better" : "worse";
        }
        if (adjective.endsWith("y") && adjective.length() <= 6) {
            return adjective.substring(0, adjective.length() - 1) + "ier";
        }
        if (syllables(adjective) > 1) {
            return "more " + adjective;
        }
        return adjective.endsWith("e") ? adjective + "r" : doubled(adjective) + "er";
    }

    /** Whether the article before {@code word} is an. */
    static boolean startsWithVowel(String word) {
        return vowelAt(word, 0) && !word.startsWith("uni") && !word.startsWith("one");
    }

    /** The last consonant is doubled after a stressed short vowel: stop, forget, commit, travel (British). */
    private static String doubled(String word) {
        int n = word.length();
        char last = word.charAt(n - 1);
        boolean closed = n >= 3 && !vowelAt(word, n - 1) && vowelAt(word, n - 2) && !vowelAt(word, n - 3);
        boolean stressed = syllables(word) == 1
                || word.endsWith("mit")
                || word.endsWith("get")
                || word.endsWith("gin")
                || word.endsWith("el");
        boolean doubles = closed && "wxy".indexOf(last) < 0 && stressed;
        return doubles ? word + last : word;
    }

    private static int syllables(String word) {
        int count = 0;
        for (int i = 0; i < word.length(); i++) {
            boolean silent = i == word.length() - 1 && word.charAt(i) == 'e' && count > 0;
            if ((vowelAt(word, i) || word.charAt(i) == 'y') && !silent && (i == 0 || !vowelAt(word, i - 1))) {
                count++;
            }
        }
        return count;
    }

    private static boolean vowelAt(String word, int index) {
        return index >= 0 && "aeiouAEIOU".indexOf(word.charAt(index)) >= 0;
    }
}
