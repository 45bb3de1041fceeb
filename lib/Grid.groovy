/**
 * Parameters of the analysis that were given several values, and every combination of them. A task is decided by some of these
 * parameters only ({@link #DECIDE}), and runs once for all combinations that agree in those.
 *
 * <p><em>Settings</em> are what a task is given of them, as text: {@code tokens=20000,precision=exact}, in the order of
 * {@link #AXES}, whether several values were given or one. So a value that is added to a study leaves the tasks of the others,
 * and their hashes, as they are. Where several were given, results lie in a folder named by the values
 * ({@code universal_threshold-0.4}; the closure {@code ext.variant} in conf/base.config).
 */
class Grid {
    /** Parameters that may have several values, in the order in which the stages need them. */
    static final List<String> AXES = ['tokens', 'precision', 'baseline_draws', 'baseline_seed', 'universal_threshold', 'ablate_replace']
    /** The last axis, in that order, that decides a stage; whatever comes before it does so too. */
    private static final Map<String, String> DECIDE = [
        activate: 'tokens', describe: 'tokens', self: 'tokens', correlate: 'baseline_seed', control: 'baseline_seed',
        identify: 'universal_threshold', persist: 'universal_threshold', ablate: 'ablate_replace', report: 'ablate_replace',
    ]

    /** Axis to its values, at least one each; without {@code tokens} where {@code --split} says how many there are. */
    final Map<String, List<String>> values

    /** @throws IllegalArgumentException with one line, if a value is given twice or several where they have no meaning */
    Grid(Map<String, Object> params, boolean shares) {
        values = AXES.findAll { shares || it != 'tokens' }.collectEntries { name -> [(name): listed(name, params[name])] }
        if (!shares && several(params.tokens).size() > 1) {
            throw new IllegalArgumentException("--tokens ${several(params.tokens).join(',')} has several values, and --split says how many tokens each split gets: give --split in per cent")
        }
        if (shares) {
            values.tokens = values.tokens.toSorted { a, b -> amount(b) <=> amount(a) }
        }
    }

    private static List<String> listed(String name, Object value) {
        if (several(value).isEmpty() || several(value).contains(null)) {
            throw new IllegalArgumentException("--${name} '${value}' has no value; expected one, or several in a list")
        }
        List<String> texts = several(value).collect { plain(it) }
        if (texts.toSet().size() < texts.size()) {
            throw new IllegalArgumentException("--${name} '${several(value).join(',')}' names a value twice")
        }
        return texts
    }

    /** The values of a parameter: a comma list, a list of a parameters file, or the only one. */
    static List<Object> several(Object value) {
        if (value instanceof Collection) {
            return value as List
        }
        return value instanceof CharSequence ? value.toString().split(',', -1)*.trim() : [value]
    }

    /** A number in one way of writing it, so that 0.40 and 0.4 are one; other text as it is. */
    private static String plain(Object value) {
        String text = value.toString()
        if (!(text ==~ /\d*\.?\d+([eE][-+]?\d+)?/)) {
            return text
        }
        BigDecimal number = new BigDecimal(text)
        return number.signum() == 0 ? '0' : number.stripTrailingZeros().toPlainString()
    }

    /** Tokens; 0, all of a text, is more than any number. */
    private static long amount(String tokens) {
        return tokens == '0' ? Long.MAX_VALUE : tokens as long
    }

    /** Axes of which several values were given. */
    List<String> swept() {
        return values.findAll { it.value.size() > 1 }*.key
    }

    /** Every combination of the values that decide {@code stage}, the last axis varying fastest: axis to value. */
    List<Map<String, String>> combinations(String stage = 'report') {
        List<String> deciding = axes(stage)
        List<Map<String, String>> all = [[:]]
        deciding.each { name -> all = all.collectMany { before -> values[name].collect { before + [(name): it] } } }
        return all
    }

    private List<String> axes(String stage) {
        List<String> deciding = AXES.take(AXES.indexOf(DECIDE[stage]) + 1)
        return values.keySet().findAll { it in deciding }.toList()
    }

    /** What {@code stage} is given out of a combination, as text. */
    String settings(String stage, Map<String, String> combination) {
        return axes(stage).collect { "${it}=${combination[it]}" }.join(',')
    }

    /** The table of {@link Study#comparisons} with the place of each folder in the task instead of its number. */
    static String placed(String table, Object folders) {
        List<String> lines = table.readLines()
        // a single staged folder is no list
        List all = folders instanceof Collection ? folders as List : [folders]
        return (lines.take(1) + lines.tail().collect { line ->
            int cell = line.lastIndexOf(',') + 1
            line.take(cell) + all[line.substring(cell) as int]
        }).join('\n') + '\n'
    }

    /** A combination by what varies, {@code tokens-20000_universal_threshold-0.4}; empty where nothing does. */
    String name(Map<String, String> combination) {
        return swept().findAll { combination.containsKey(it) }.collect { "${it}-${combination[it]}" }.join('_')
    }
}
