/** The only way in which a value enters a task's shell script. */
class Shell {
    /** {@code value} as one shell word: plain where it holds nothing special, else in single quotes. */
    static String quote(Object value) {
        String text = value.toString()
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException('a value for the shell contains a NUL character')
        }
        return text ==~ /[A-Za-z0-9_.,:=\/+@%-]+/ ? text : "'" + text.replace("'", "'\\''") + "'"
    }

    /**
     * Command-line options in the order given: {@code [top: 10, store: 'none']} becomes {@code --top 10 --store none}. A null
     * or false leaves an option out, true gives a flag, a list gives one word for each element. Underscores in names become
     * hyphens (parameters are snake_case, tool options kebab-case).
     */
    static String options(Map<String, Object> values) {
        List<String> words = []
        values.each { String name, Object value ->
            if (value == null || value == false || value == []) {
                return
            }
            words << '--' + name.replace('_', '-')
            if (value != true) {
                words.addAll((value instanceof Collection ? value : [value]).collect { quote(it) })
            }
        }
        return words.join(' ')
    }

    /**
     * An option with staged files, or nothing where there are none. ({@code files ? … : ''} will not do: a single staged file
     * is a path, and in Nextflow a path is false unless it exists, which this one does in the task's folder only.)
     */
    static String files(String option, Object files) {
        List words = (files instanceof Collection ? files : [files]).collect { quote(it) }
        return words ? ([option] + words).join(' ') : ''
    }
}
