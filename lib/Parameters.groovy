import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path

/**
 * The parameters as nextflow_schema.json describes them: checks of what the user gave, and the text of {@code --help}. Knows
 * the part of JSON schema that the file uses: {@code type, enum, pattern, minimum, maximum, exclusiveMaximum, format:
 * file-path}; and {@code sweep} for parameters that may have several values (see {@link Grid}).
 */
class Parameters {
    /** Parameter name to its schema, in the order of the file. */
    final Map<String, Map> schema
    private final List<Map> groups

    Parameters(Path file) {
        Map document = (Map) new JsonSlurper().parse(file.toFile(), 'UTF-8')
        groups = document.allOf.collect { (Map) document['$defs'][it['$ref'].split('/').last()] }
        schema = groups.collectEntries { it.properties }
    }

    /** One line about the first thing that is wrong with {@code values}, or null. */
    String problem(Map<String, Object> values) {
        String unknown = values.keySet().findAll { !schema.containsKey(it) }.min()
        if (unknown != null) {
            String camel = unknown.replaceAll(/([a-z0-9])([A-Z])/, '$1_$2').toLowerCase()
            return "unknown parameter '--${unknown}': did you mean '--${nearest(camel)}'? (--help lists all)"
        }
        return schema.findResult { name, rule ->
            rule.sweep && values[name] != null
                    ? Grid.several(values[name]).findResult { misfit(name, rule, typed(rule, it)) }
                    : misfit(name, rule, values[name])
        }
    }

    /** A value of a comma list as what it looks like, which Nextflow does for single ones. */
    private static Object typed(Map rule, Object value) {
        if (!(value instanceof CharSequence) || !(rule.type in ['integer', 'number']) || !(value ==~ /-?\d*\.?\d+/)) {
            return value
        }
        return value.toString().contains('.') ? new BigDecimal(value.toString()) : new BigInteger(value.toString())
    }

    private static String misfit(String name, Map rule, Object value) {
        if (value == null) {
            return null
        }
        String found = value instanceof Boolean && rule.type != 'boolean'
                ? (value ? 'nothing' : "'false'")
                : "'${value}'"
        if (rule.type == 'boolean' && value in ['true', 'false']) {
            found = "the text ${found}"
        }
        String expected = mismatch(rule, value)
        return expected == null ? null : "parameter '--${name}' is ${found}; expected ${expected}: ${rule.description}"
    }

    /** What was expected where {@code value} breaks {@code rule}, else null. */
    private static String mismatch(Map rule, Object value) {
        switch (rule.type) {
            case 'boolean':
                // text is no boolean: 'false' would count as true wherever it is asked
                return value instanceof Boolean ? null : 'true or false, without quotes'
            case 'integer':
                return whole(value) && inRange(rule, value) ? null : 'a whole number' + range(rule)
            case 'number':
                return decimal(value) && inRange(rule, value) ? null : 'a number' + range(rule)
            default:
                return textMismatch(rule, value)
        }
    }

    private static String textMismatch(Map rule, Object value) {
        String text = value.toString()
        if (value instanceof Boolean || value instanceof Map || value instanceof Collection || text.isEmpty()) {
            return 'a value'
        }
        if (rule.enum && !(text in rule.enum)) {
            return 'one of ' + rule.enum.join(', ')
        }
        if (rule.pattern && !(text ==~ rule.pattern)) {
            return rule.errorMessage ?: "text that matches ${rule.pattern}"
        }
        if (rule.format == 'file-path' && !Files.isRegularFile(Path.of(text))) {
            return 'a file that exists'
        }
        return null
    }

    private static boolean whole(Object value) {
        return value instanceof Integer || value instanceof Long || value instanceof BigInteger
    }

    private static boolean decimal(Object value) {
        return value instanceof Number
    }

    private static boolean inRange(Map rule, Object value) {
        return (rule.minimum == null || value >= rule.minimum)
                && (rule.maximum == null || value <= rule.maximum)
                && (rule.exclusiveMaximum == null || value < rule.exclusiveMaximum)
    }

    private static String range(Map rule) {
        if (rule.minimum != null && rule.maximum != null) {
            return " from ${rule.minimum} to ${rule.maximum}"
        }
        if (rule.minimum != null && rule.exclusiveMaximum != null) {
            return " from ${rule.minimum} to below ${rule.exclusiveMaximum}"
        }
        return rule.minimum != null ? " not below ${rule.minimum}" : ''
    }

    /** The known name with the fewest edits to {@code name}. */
    String nearest(String name) {
        return schema.keySet().min { distance(it, name) }
    }

    /** Levenshtein distance. */
    static int distance(String a, String b) {
        List<Integer> row = (0..b.length()).toList()
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0]
            row[0] = i
            for (int j = 1; j <= b.length(); j++) {
                int previous = row[j]
                row[j] = [row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)].min()
                diagonal = previous
            }
        }
        return row[b.length()]
    }

    /** Every parameter with its default and meaning. */
    String help() {
        List<String> lines = ['Usage: nextflow run main.nf [-profile NAME,…] [-resume] [--PARAMETER VALUE …]']
        groups.each { group ->
            lines << '' << (String) group.title
            group.properties.each { name, rule ->
                String preset = rule.containsKey('default') ? " [${rule.default}]" : ''
                lines << "  --${name.padRight(20)} ${rule.description}${rule.sweep ? '; several: a comma list' : ''}${preset}".toString()
            }
        }
        return lines.join('\n')
    }
}
