package unit.lib

import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification

/** Checks of parameters, and that schema, defaults and documentation name the same ones. */
class ParametersSpec extends Specification {
    static final Path PROJECT = Path.of(System.getProperty('basedir', '.')).toAbsolutePath().normalize().parent

    @Shared
    Parameters parameters = new Parameters(PROJECT.resolve('nextflow_schema.json'))

    @Shared
    Map<String, Object> defaults = configured()

    /** The block {@code params} of nextflow.config. */
    static Map<String, Object> configured() {
        List<String> lines = PROJECT.resolve('nextflow.config').readLines()
        lines.subList(lines.indexOf('params {') + 1, lines.indexOf('}'))
                .findAll { it.contains('=') }
                .collectEntries { line ->
                    def (name, literal) = line.split('=', 2)*.trim()
                    [(name): new GroovyShell().evaluate(literal)]
                }
    }

    def 'the schema and nextflow.config have the same parameters and defaults'() {
        expect:
        defaults.keySet().toList() == parameters.schema.keySet().toList()
        parameters.schema.each { name, rule -> assert rule.default == defaults[name], name }
    }

    def 'docs/usage.md explains every parameter, with its default, and no other'() {
        given:
        List<String> rows = PROJECT.resolve('docs/usage.md').readLines().findAll { it.startsWith('| `--') }
        Map<String, String> documented = rows.collectEntries {
            def cells = it.split(/\|/)*.trim()
            [(cells[1].replaceAll('[`-]', '')): cells[2].replace('`', '')]
        }

        expect:
        documented.keySet() == defaults.keySet()
        defaults.each { name, value -> assert documented[name] == (value == null ? '' : value.toString()), name }
    }

    def 'the defaults are valid'() {
        expect:
        parameters.problem(defaults) == null
    }

    def '#values: #expected'() {
        expect:
        parameters.problem(defaults + values) == expected

        where:
        values                       || expected
        [seed: 3]                    || "unknown parameter '--seed': did you mean '--seeds'? (--help lists all)"
        ['ablate-draws': 3]          || "unknown parameter '--ablate-draws': did you mean '--ablate_draws'? (--help lists all)"
        [ablateDraws: 3]             || "unknown parameter '--ablateDraws': did you mean '--ablate_draws'? (--help lists all)"
        [context: 'long']            || "parameter '--context' is 'long'; expected a whole number not below 2: Tokens in a row"
        [context: 1]                 || "parameter '--context' is '1'; expected a whole number not below 2: Tokens in a row"
        [context: 2.5]               || "parameter '--context' is '2.5'; expected a whole number not below 2: Tokens in a row"
        [outdir: true]               || "parameter '--outdir' is nothing; expected a value: Folder of the results"
        [save_tokens: 'maybe']       || "parameter '--save_tokens' is 'maybe'; expected true or false, without quotes: Publish token rows"
        [save_tokens: 'false']       || "parameter '--save_tokens' is the text 'false'; expected true or false, without quotes: Publish token rows"
        [ablate_replace: 'nil']      || "parameter '--ablate_replace' is 'nil'; expected one of zero, mean, resample: What an ablated neuron's activation becomes"
        [max_store: '100 Gb']        || "parameter '--max_store' is '100 Gb'; expected a size such as '100 GB': ${parameters.schema.max_store.description}"
        [precision: 'fp16']          || "parameter '--precision' is 'fp16'; expected one of exact, bf16, int8, sketch: ${parameters.schema.precision.description}"
        [sketch_size: 63]            || "parameter '--sketch_size' is '63'; expected a whole number not below 64: ${parameters.schema.sketch_size.description}"
        [seeds: '1;2']               || "parameter '--seeds' is '1;2'; expected whole numbers separated by commas: Seeds to train, a comma list"
        [device: 'gpu:x']            || "parameter '--device' is 'gpu:x'; expected auto, cpu, gpu or gpu:K: Where models run (but for training): auto, cpu, gpu or gpu:K; a GPU that is asked for and absent is an error"
        [ids: '/no/such.npy']        || "parameter '--ids' is '/no/such.npy'; expected a file that exists: ${parameters.schema.ids.description}"
        [universal_threshold: 'x']   || "parameter '--universal_threshold' is 'x'; expected a number from 0 to below 1: Excess correlation from which a neuron is universal"
        [universal_threshold: 1]     || "parameter '--universal_threshold' is '1'; expected a number from 0 to below 1: Excess correlation from which a neuron is universal"
        [universal_threshold: '0.4,x'] || "parameter '--universal_threshold' is 'x'; expected a number from 0 to below 1: Excess correlation from which a neuron is universal"
        [universal_threshold: '0.4,1'] || "parameter '--universal_threshold' is '1'; expected a number from 0 to below 1: Excess correlation from which a neuron is universal"
        [tokens: '100,']             || "parameter '--tokens' is ''; expected a whole number not below 0: Tokens of all splits together, at most; 0 for all of a given text"
        [precision: ['exact', 'fp16']] || "parameter '--precision' is 'fp16'; expected one of exact, bf16, int8, sketch: ${parameters.schema.precision.description}"
        [context: '32,64']           || "parameter '--context' is '32,64'; expected a whole number not below 2: Tokens in a row"
        [universal_threshold: -0.1]  || "parameter '--universal_threshold' is '-0.1'; expected a number from 0 to below 1: Excess correlation from which a neuron is universal"
    }

    def 'values as Nextflow hands them over are valid: #values'() {
        expect:
        parameters.problem(defaults + values) == null

        where:
        values << [
            [seeds: 7], [seeds: '1, 2'], [steps: 0], [universal_threshold: 0.25], [universal_threshold: 0], [universal_threshold: 0.3f],
            [save_tokens: true], [max_memory: '1.5 GB'], [max_memory: '6.GB'], [max_store: '1.5 TB'], [max_store: '0B'], [dtype: 'bf16'], [max_time: '12h'], [device: 'gpu:1'], [generate_seed: 5000000000L],
            [universal_threshold: '0.4,0.5'], [universal_threshold: [0.4, 0.5]], [tokens: '1000, 2000'], [tokens: [1000, 2000]], [precision: 'exact,sketch'], [baseline_draws: '5,10'],
        ]
    }

    def 'help names every parameter'() {
        expect:
        parameters.schema.keySet().every { parameters.help().contains("--$it ") }
    }

    def 'the distance is that of Levenshtein'() {
        expect:
        Parameters.distance(a, b) == distance

        where:
        a        | b         || distance
        ''       | ''        || 0
        ''       | 'abc'     || 3
        'kitten' | 'sitting' || 3
        'seed'   | 'seeds'   || 1
    }
}
