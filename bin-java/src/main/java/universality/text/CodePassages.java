package universality.text;

import static universality.text.Feature.CODE;
import static universality.text.Feature.CODE_COMMENT;
import static universality.text.Feature.CODE_KEYWORD;
import static universality.text.Feature.CODE_STRING;
import static universality.text.Feature.DIGITS;
import static universality.text.Feature.NUMBER;

/** Passages that look like program text. Names that a passage declares are the ones it uses later. */
final class CodePassages {
    private final Phrases phrases;
    private final SeededRandom random;
    private final Draft draft;
    private String[] names = {"x", "y"};
    private int depth;

    CodePassages(Phrases phrases) {
        this.phrases = phrases;
        this.random = phrases.random;
        this.draft = phrases.draft;
    }

    /** A passage of about {@code lines} lines, each with its line end. */
    void passage(int lines) {
        names = new String[] {identifier(), identifier(), identifier()};
        draft.in(CODE, () -> {
            for (int i = 0; i < lines; i++) {
                statement();
            }
        });
    }

    private String identifier() {
        return random.chance(0.75)
                ? phrases.from("identifier")
                : phrases.scene.topic().things().draw(random).singular();
    }

    private String name() {
        return names[random.below(names.length)];
    }

    private void statement() {
        double u = random.unit();
        if (u < 0.14) {
            comment();
        } else if (u < 0.42) {
            declaration();
        } else if (u < 0.60) {
            call();
        } else if (u < 0.72 && depth < 2) {
            block("if", this::condition);
        } else if (u < 0.80 && depth < 2) {
            block("for", this::loopHead);
        } else if (u < 0.86 && depth == 0) {
            function();
        } else {
            assignment();
        }
    }

    private void indent() {
        draft.raw("  ".repeat(depth), 0);
    }

    private void keyword(String word) {
        draft.word(word, CODE_KEYWORD);
    }

    private void comment() {
        indent();
        draft.in(CODE_COMMENT, () -> {
            draft.word("//");
            phrases.bare(phrases.person(), true);
            phrases.preposition("of");
            phrases.nounPhrase(phrases.thing(), random.chance(0.4));
        });
        draft.lines(1);
    }

    private void declaration() {
        indent();
        keyword(random.chance(0.7) ? "let" : "const");
        draft.word(name());
        if (random.chance(0.3)) {
            draft.mark(":");
            draft.word(phrases.from("type"), CODE_KEYWORD);
        }
        draft.word("=");
        expression();
        draft.raw(";\n", 0);
    }

    private void assignment() {
        indent();
        draft.word(name());
        draft.word(random.chance(0.6) ? "=" : "+=");
        expression();
        draft.raw(";\n", 0);
    }

    private void call() {
        indent();
        draft.word(random.chance(0.3) ? "print" : phrases.from("function"));
        arguments();
        draft.raw(";\n", 0);
    }

    private void arguments() {
        draft.raw("(", 0);
        int count = random.between(1, 3);
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                draft.mark(",");
            }
            simpleValue();
        }
        draft.mark(")");
    }

    private void expression() {
        double u = random.unit();
        if (u < 0.35) {
            draft.word(phrases.from("function"));
            arguments();
        } else if (u < 0.6) {
            draft.word(name());
            draft.word(random.chance(0.5) ? "+" : random.chance(0.5) ? "*" : "-");
            simpleValue();
        } else if (u < 0.7) {
            draft.opening("[", 0);
            draft.word(number(), NUMBER.bit() | DIGITS.bit());
            draft.mark(",");
            draft.word(number(), NUMBER.bit() | DIGITS.bit());
            draft.mark("]");
        } else {
            simpleValue();
        }
    }

    private void simpleValue() {
        double u = random.unit();
        if (u < 0.45) {
            draft.word(name());
        } else if (u < 0.75) {
            draft.word(number(), NUMBER.bit() | DIGITS.bit());
        } else if (u < 0.9) {
            draft.in(CODE_STRING, () -> {
                draft.opening("\"", 0);
                phrases.bare(phrases.thing(), random.chance(0.3));
                draft.mark("\"");
            });
        } else {
            keyword(u < 0.94 ? "true" : u < 0.97 ? "false" : "null");
        }
    }

    private String number() {
        return Integer.toString(random.chance(0.6) ? random.below(10) : random.below(100));
    }

    private void condition() {
        draft.word(name());
        draft.word(random.chance(0.4) ? ">" : random.chance(0.5) ? "<" : "==");
        simpleValue();
    }

    private void loopHead() {
        keyword("let");
        draft.word("i");
        draft.word("=");
        draft.word("0", NUMBER.bit() | DIGITS.bit());
        draft.mark(";");
        draft.word("i");
        draft.word("<");
        draft.word(name());
        draft.mark(";");
        draft.word("i");
        draft.mark("++");
    }

    private void block(String word, Runnable head) {
        indent();
        keyword(word);
        draft.opening("(", 0);
        head.run();
        draft.mark(")");
        body(false);
    }

    private void function() {
        indent();
        keyword("function");
        draft.word(phrases.from("function"));
        draft.raw("(", 0);
        draft.word(names[0]);
        draft.mark(",");
        draft.word(names[1]);
        draft.mark(")");
        body(true);
    }

    private void body(boolean returns) {
        draft.word("{");
        draft.lines(1);
        depth++;
        int lines = random.between(1, 3);
        for (int i = 0; i < lines; i++) {
            statement();
        }
        if (returns) {
            indent();
            keyword("return");
            expression();
            draft.raw(";\n", 0);
        }
        depth--;
        indent();
        draft.word("}");
        draft.lines(1);
    }
}
