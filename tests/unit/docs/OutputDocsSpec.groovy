package unit.docs

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.Build

/** That the comparison of docs/output.md with results sees what it should; the pipeline's specs make it with real results. */
class OutputDocsSpec extends Specification {
    private static final String DOCS = '''
        | file | columns or keys |
        |---|---|
        | `STAGE/ID.resources.json` | `wall_seconds` |

        ## identify

        | file | columns, tensors or keys |
        |---|---|
        | `ID.csv` | a row per neuron: `layer, neuron`; `share` |
        | `A__B.self.csv` (--diagonal) | `corr` |
        | `A__B.csv` (unless alone) | `layer, rho` |
        | `summary.json` | `step, checkpoints`, `thresholds` |
        | `summary.json` (of several) | `seeds` |
        | `manifest.json` | `family`; `neurons`; `correlations` |

        | other | table |
        |---|---|
        | `nothing.csv` | `x` |
        '''.stripIndent()

    @TempDir
    Path results

    OutputDocs docs = new OutputDocs(DOCS)

    def setup() {
        write('identify/g-t8.resources.json', '{"wall_seconds": 1}')
        write('identify/g-t8/g-s1.csv', 'layer,neuron,share\n')
        write('identify/g-t8/g-s1__g-s2.csv', 'layer,rho\n')
        write('identify/g-t8/summary.json', '{"step": 8, "checkpoints": [{"thresholds": {"0.3": {"step": 1}}}]}')
        write('identify/g-t8/manifest.json', '{"parameters": {"family": "g"}, "counts": {"neurons": 1}, "inputs": [{"role": "correlations"}], "files": []}')
    }

    private void write(String path, String text) {
        Path file = results.resolve(path)
        Files.createDirectories(file.parent)
        file.text = text
    }

    def 'what agrees has no problems'() {
        expect:
        docs.problems(results, []) == []
        docs.problems(results, ['unless alone']) == []
    }

    def '#what is seen'() {
        given:
        write(path, text)

        expect:
        docs.problems(results, conditions) == [problem]

        where:
        what                  | path                              | text                         | conditions     || problem
        'a file'              | 'identify/g-t8/more.txt'          | 'x'                          | []             || 'identify/g-t8/more.txt is not in docs/output.md'
        'a file of no stage'  | 'notes.csv'                       | 'x'                          | []             || 'notes.csv is not in docs/output.md'
        'a stage'             | 'graph/g/a.csv'                   | 'x'                          | []             || 'graph/g/a.csv is not in docs/output.md'
        'a column'            | 'identify/g-t8/g-s1.csv'          | 'layer,neuron,share,more'    | []             || 'identify/g-t8/g-s1.csv has [more], which docs/output.md does not have under identify `ID.csv`'
        'a column of another' | 'identify/g-t8/g-s1__g-s2.csv'    | 'layer,rho,neuron'           | []             || 'identify/g-t8/g-s1__g-s2.csv has [neuron], which docs/output.md does not have under identify `A__B.csv`'
        'a key'               | 'identify/g-t8/summary.json'      | '{"step": 8, "checkpoints": [{"thresholds": {"0.3": {"open": 1}}}]}' | [] || 'identify/g-t8/summary.json has [open], which docs/output.md does not have under identify `summary.json`'
        'a missing column'    | 'identify/g-t8/g-s1.csv'          | 'layer,neuron'               | []             || 'docs/output.md has [share] under identify `ID.csv`, which were not written'
        'a missing file'      | 'identify/g-t8/g-s1.csv'          | 'layer,neuron,share'         | ['--diagonal'] || 'docs/output.md has identify `A__B.self.csv`, which was not written'
        'a missing parameter' | 'identify/g-t8/manifest.json'     | '{"parameters": {}, "counts": {"neurons": 1}, "inputs": [{"role": "correlations"}]}' | [] || 'docs/output.md has [family] under identify `manifest.json`, which were not written'
    }

    def 'a condition that the docs do not have is an error of the spec'() {
        when:
        docs.problems(results, ['never'])

        then:
        thrown(AssertionError)
    }

    def 'docs/output.md has a table for every stage, and conditions of one file differ'() {
        given:
        List<OutputDocs.Row> rows = new OutputDocs().rows

        expect:
        Build.STAGES.every { stage -> rows.any { it.stage == stage && it.file == 'manifest.json' } }
        rows.countBy { [it.stage, it.file, it.condition] }.every { it.value == 1 }
        ['report', 'sweep'].every { stage -> rows.any { it.stage == '' && it.isOf("${stage}.resources.json") } } // these lie in OUTDIR itself
    }
}
