package unit.verify

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Folders
import universality.data.Dtype
import universality.data.SafetensorsWriter

/** In what two results differ, and by how much. */
class ComparisonSpec extends Specification {
    private static final String NEURONS = '''layer,neuron,max_corr,top_partners,state
0,0,0.25,1.5:0.25;0.3:0.2,alive
0,1,0.5,0.1:0.5;1.7:0.125,alive
1,0,,,inactive
'''
    private static final String RAGGED = NEURONS.replace('0,0,0.25,', '0,0,')

    @TempDir
    Path dir

    Path folder(String name, Map<String, Object> files) {
        files.each { path, content ->
            Path file = dir.resolve("${name}/${path}")
            Files.createDirectories(file.parent)
            content instanceof byte[] ? Files.write(file, content) : Files.writeString(file, content as String)
        }
        Files.createDirectories(dir.resolve(name))
    }

    Verify compare(Map<String, Object> a, Map<String, Object> b, Object... options) {
        Verify.run(dir.resolve('found.json'), folder('a', a), folder('b', b), *options)
    }

    def 'equal folders are equal, whatever times they hold'() {
        when:
        def found = compare(
                ['x/t.csv': NEURONS, 'x.resources.json': '{"wall_seconds": 1}', 'pipeline/trace.txt': 'one', 'ro-crate-metadata.json': '{}'],
                ['x/t.csv': NEURONS, 'x.resources.json': '{"wall_seconds": 2}', 'pipeline/trace.txt': 'two', 'pipeline/run.json': '{}', 'ro-crate-metadata.json': '[]'])

        then:
        found.status == 0
        found.answer.readLines() == ["verify: 1 file, ${NEURONS.length()} bytes: the same bytes; 4 files left out (times, hosts, --exclude)"]
        found.report.left_out == 4
        found.report.tolerance == [absolute: 0, relative: 0]
    }

    def 'a folder without a file, or with what cannot be read alone, is something to compare with'() {
        given:
        Path link = folder('linked', [:]).resolve('gone.csv')
        Files.createSymbolicLink(link, dir.resolve('nowhere'))

        expect:
        compare(['x.txt': 'x'], [:]).answer.readLines() == ['only in the first: x.txt', 'verify: of 1 file 1 only in the first']
        Verify.run(null, link.parent, folder('none', [:])).with { [it.status, it.answer.readLines()[0]] } ==
                [65, 'unreadable: gone.csv: a link to nothing: the work folder may be gone']

        cleanup:
        Files.delete(link)
    }

    def 'files of one side only are named'() {
        when:
        def found = compare(['both.txt': 'x', 'a/one.txt': 'x'], ['both.txt': 'x', 'two.txt': 'x'])

        then:
        found.status == 65
        found.answer.readLines() == [
                'only in the first: a/one.txt',
                'only in the second: two.txt',
                'verify: of 3 files 1 only in the first, 1 only in the second']
    }

    def 'tables: #what'() {
        when:
        def found = compare(['t.csv': NEURONS], ['t.csv': change(NEURONS)])

        then:
        found.status == 65
        found.report.findings.size() == 1
        found.answer.readLines()[0] == 'different: t.csv'
        found.answer.readLines().drop(1).dropRight(1)*.trim() == expected
        found.report.within_tolerance == []

        where:
        what                   | change                                                            || expected
        'one number'           | { it.replace('0,0,0.25', '0,0,0.2500001') }                       || ['max_corr: 1 by at most 1.00e-07 (relative 4.00e-07)']
        'the largest of two'   | { it.replace('0,0,0.25', '0,0,0.35').replace('0,1,0.5', '0,1,0.75') } || ['max_corr: 2 by at most 0.250 (relative 0.333)']
        'numbers among others' | { it.replace('1.5:0.25;', '1.5:0.2625;') }                        || ['top_partners: 1 by at most 0.0125 (relative 0.0476)']
        'another partner'      | { it.replace('0.1:0.5', '0.10:0.5') }                             || ["top_partners: 1 of other text, at layer 0, neuron 1 '0.1:0.5;1.7:0.125' and '0.10:0.5;1.7:0.125'"]
        'one partner less'     | { it.replace(';0.3:0.2', '') }                                    || ["top_partners: 1 of other text, at layer 0, neuron 0 '1.5:0.25;0.3:0.2' and '1.5:0.25'"]
        'text'                 | { it.replace('inactive', 'undetermined') }                        || ["state: 1 of other text, at layer 1, neuron 0 'inactive' and 'undetermined'"]
        'an undefined cell'    | { it.replace('0,0,0.25', '0,0,') }                                || ['max_corr: 1 defined on one side only']
        'the same number'      | { it.replace('0,1,0.5,', '0,1,0.50,') }                           || ['max_corr: 1 by at most 0.00 (relative 0.00)']
        'a row less at the end' | { it.replace('1,0,,,inactive\n', '') }                           || ['1 rows of the first only, such as layer 1, neuron 0']
        'a row less amid'      | { it.replaceAll(/0,1,.*\n/, '') }                                 || ['1 rows of the first only, such as layer 0, neuron 1']
        'a row more'           | { it.replace('1,0,', '0,2,0.1,,alive\n1,0,') }                    || ['1 rows of the second only, such as layer 0, neuron 2']
        'a row of another neuron' | { it.replace('0,1,0.5', '0,7,0.5') }                           || ['1 rows of the first only, such as layer 0, neuron 1', '1 rows of the second only, such as layer 0, neuron 7']
        'another order'        | { String t -> def l = t.readLines(); [l[0], l[3], l[1], l[2]].join('\n') + '\n' } || ['the same rows in another order']
        'a column less'        | { it.readLines()*.replaceFirst(/,[^,]*$/, '').join('\n') + '\n' } || ['state: a column of the first only']
        'a renamed column'     | { it.replace(',state', ',kind') }                                 || ['state: a column of the first only', 'kind: a column of the second only']
        'columns exchanged'    | { String t -> t.readLines().collect { it.split(',', -1).with { c -> [c[1], c[0], c[2], c[3], c[4]] }.join(',') }.join('\n') + '\n' } || ['cells are the same; the order of columns, line ends or quotes are not']
        'line ends'            | { it.replace('\n', '\r\n') }                                      || ['cells are the same; the order of columns, line ends or quotes are not']
        'a ragged row'         | { it.replace('0,0,0.25,', '0,0,') }                               || ["from byte 45 on; ${NEURONS.length()} bytes, sha256 ${NEURONS.bytes.sha256()}, and ${RAGGED.length()} bytes, sha256 ${RAGGED.bytes.sha256()}".toString()]
    }

    def 'rows of #table are matched by what they are about, whatever stands before them'() {
        given: 'tables as docs/output.md has them, each row with a number of its own'
        List<List<String>> cells = rows.withIndex().collect { row, i -> row.split(' ').toList() + ["0.${i + 1}".toString()] }
        Closure<String> csv = { List<List<String>> lines -> ([header + ['x']] + lines)*.join(',').join('\n') + '\n' }
        def (name, given) = ["${table}.csv".toString(), csv(cells)]

        expect: 'in another order they are the same rows'
        compare([(name): given], [(name): csv(cells.reverse())]).report.findings[0].differences*.text == ['the same rows in another order']

        and: 'each of them can be missing, and the others find themselves'
        cells.every { row ->
            def found = compare([(name): given], [(name): csv(cells - [row])])
            found.report.findings[0].differences*.text.every { it.startsWith('1 rows of the first only, such as ') } && found.report.findings[0].differences.size() == 1
        }

        where:
        table         | header                                                              || rows
        'losses'      | ['step']                                                            || ['0', '1', '2']
        'neurons'     | ['layer', 'neuron']                                                 || ['0 0', '0 1', '1 0']
        'emergence'   | ['id', 'family', 'seed', 'step', 'layer']                           || ['a-s1-t8 a 1 8 0', 'a-s1-t8 a 1 8 all', 'a-s2-t8 a 2 8 0', 'a-s1-t9 a 1 9 0', 'all a all 8 0', 'all b all 8 0']
        'persistence' | ['family', 'seed', 'layer', 'step_from', 'step_to', 'consecutive']  || ['a 1 0 0 8 true', 'a 1 0 0 9 false', 'a 1 0 8 9 true', 'a 1 1 0 8 true', 'a all 0 0 8 true', 'b 1 0 0 8 true']
        'lifetimes'   | ['family', 'seed', 'layer', 'neuron', 'birth_step']                 || ['a 1 0 0 8', 'a 1 0 1 8', 'a 1 1 0 8', 'a 2 0 0 8', 'b 1 0 0 8']
        'ablation'    | ['condition', 'layers', 'replace', 'draw', 'neurons']               || ['universal all mean 0 7', 'control_any all mean 0 7', 'control_any all mean 1 7', 'control_any 0 mean 0 7', 'control_any 0 zero 0 7']
        'summary'     | ['layers', 'replace', 'control', 'neurons', 'draws', 'metric']      || ['all mean control_any 7 5 kl', 'all mean control_any 7 5 delta_loss', 'all mean control_layer 7 5 kl', '0 mean control_any 7 5 kl', 'all zero control_any 7 5 kl']
        'sweep'       | ['combination', 'universal_threshold', 'family', 'step', 'seed']    || ['t-0.4 0.4 a 8 1', 't-0.4 0.4 a 8 all', 't-0.4 0.4 a 0 1', 't-0.4 0.4 b 8 1', 't-0.5 0.5 a 8 1', 't-0.45 0.45 a 8 1']
    }

    def 'a table without columns that name its rows is compared row by row'() {
        when:
        def found = compare(['t.csv': 'x,y\n1,2\n3,4\n'], ['t.csv': 'x,y\n1,2\n3,5\n6,7\n'])

        then:
        found.answer.readLines().drop(1).dropRight(1)*.trim() ==
                ['1 rows of the second only, such as row 4', 'y: 1 by at most 1.00 (relative 0.200)']
    }

    def 'a long table in another order, and rows that come twice'() {
        given:
        List<String> rows = (0..<5000).collect { "${it.intdiv(1000)},${it % 1000},${it / 7}" }
        Closure<String> table = { List<String> lines -> 'layer,neuron,x\n' + lines.join('\n') + '\n' }

        expect:
        compare(['t.csv': table(rows)], ['t.csv': table(rows.reverse())]).answer.contains('the same rows in another order')
        compare(['t.csv': table(rows)], ['t.csv': table(rows.reverse())], '--tolerance', '1e-9').status == 0
        compare(['t.csv': table(rows + rows[17])], ['t.csv': table(rows)]).answer.contains('1 rows of the first only, such as layer 0, neuron 17')
    }

    def 'within the tolerance: #options'() {
        when:
        def found = compare(
                ['t.csv': 'layer,neuron,x\n0,0,100.0\n0,1,0.001\n', 'same.txt': ''],
                ['t.csv': 'layer,neuron,x\n0,0,100.01\n0,1,0.0010001\n', 'same.txt': ''],
                *options)

        then:
        found.status == status
        found.summary() == summary
        found.report.sound == (status == 0)

        where:
        options                                                    || status | summary
        ['--tolerance', '0.0101']                                  || 0      | 'verify: 2 files, 35 bytes: 1 differ within the tolerance, by at most 0.0100'
        ['--tolerance', '0.009']                                   || 65     | 'verify: of 2 files 1 different'
        ['--relative-tolerance', '1.1e-4']                         || 0      | 'verify: 2 files, 35 bytes: 1 differ within the tolerance, by at most 0.0100'
        ['--relative-tolerance', '9.9e-5']                         || 65     | 'verify: of 2 files 1 different'
        ['--tolerance', '1e-6', '--relative-tolerance', '1e-4']    || 0      | 'verify: 2 files, 35 bytes: 1 differ within the tolerance, by at most 0.0100'
        []                                                         || 65     | 'verify: of 2 files 1 different'
    }

    def 'no tolerance covers text, an undefined value or a missing row'() {
        expect:
        compare(['t.csv': NEURONS], ['t.csv': change(NEURONS)], '--tolerance', '1e9').status == 65

        where:
        change << [{ it.replace('inactive', 'alive') }, { it.replace('0.5,', ',') }, { it.replace('1,0,,,inactive\n', '') },
                   { it.replace('1.5:0.25', '1.6:0.25') }, { it.replace('0.25,1.5', 'x,1.5') }]
    }

    def 'JSON: #what'() {
        given:
        String json = '{"b": [1, {"share": 0.5, "name": "x"}, null], "a": 3}'

        when:
        def found = compare(['t.json': json], ['t.json': change(json)])

        then:
        found.status == 65
        found.answer.readLines().drop(1).dropRight(1)*.trim() == expected

        where:
        what            | change                                  || expected
        'a number'      | { it.replace('0.5', '0.25') }           || ['b[1].share: 1 by at most 0.250 (relative 0.500)']
        'text'          | { it.replace('"x"', '"y"') }            || ["b[1].name: 1 of other text, 'x' and 'y'"]
        'a null'        | { it.replace('null', '4') }             || ['b[2]: 1 defined on one side only']
        'a key'         | { it.replace('"a"', '"c"') }            || ['a: 1 defined on one side only', 'c: 1 defined on one side only']
        'a longer list' | { it.replace('null]', 'null, 5, 6]') }  || ['b[3]: 1 defined on one side only', 'b[4]: 1 defined on one side only']
        'a shorter list' | { it.replace(', null]', ']') }         || ['b[2]: 1 defined on one side only']
        'another kind'  | { it.replace('"a": 3', '"a": "3"') }    || ["a: 1 of other text, '3' and '\"3\"'"]
        'a whole object' | { it.replace('{"share": 0.5, "name": "x"}', '7') } || ["b[1]: 1 of other text, '{\"share\":0.5,\"name\":\"x\"}' and '7'"]
        'layout'        | { it.replace(', ', ',\n') }             || ['values are the same, their order or layout is not']
    }

    def 'of many paths the first are named and the rest counted'() {
        when:
        def found = compare(['t.json': "[${(1..50).join(',')}]"], ['t.json': "[${(1..50).collect { it + it / 100 }.join(',')}]"])

        then:
        found.report.findings[0].differences.size() == 21
        with(found.report.findings[0].differences.last()) {
            it.where == '' && it.count == 30 && it.text == 'at 30 more paths'
            it.absolute == 0.5
            Math.abs(it.relative - 1 / 101) < 1e-12
        }
    }

    def 'manifests: what follows from other bytes counts only where bytes have to be equal'() {
        given:
        Closure<Path> make = { String name, String value, Map parameters ->
            Folders.folder(dir.resolve("${name}/identify/g"), 'identify', 'g', parameters) { out ->
                out.file('t.csv').text = "layer,neuron,x\n0,0,${value}\n"
                out.input('correlations', 'g', value * 10)
            }
            dir.resolve(name)
        }
        Path a = make('a', '0.5', [threshold: 0.5])
        Path b = make('b', '0.50001', [threshold: 0.5])
        Path c = make('c', '0.50001', [threshold: 0.25])

        expect:
        Verify.run(null, a, b, '--tolerance', '1e-4').status == 0
        Verify.run(null, a, b, '--tolerance', '1e-4').summary().contains('1 differ within the tolerance, by at most 1.00e-05')

        when:
        def found = Verify.run(dir.resolve('found.json'), a, b)

        then:
        found.report.findings*.path == ['identify/g/manifest.json', 'identify/g/t.csv']
        found.report.findings[0].differences*.where == ['files[0].bytes', 'files[0].sha256', 'inputs[0].digest']

        and: 'parameters are no consequence'
        Verify.run(dir.resolve('found.json'), a, c, '--tolerance', '1e-4').report.findings[0].differences*.where == ['parameters.threshold']
    }

    def 'tensors: #what'() {
        when:
        def found = compare(['t.safetensors': tensors([:])], ['t.safetensors': tensors(change)])

        then:
        found.status == 65
        found.answer.readLines().drop(1).dropRight(1)*.trim() == expected

        where:
        what                 | change                                   || expected
        'one element'        | [x: [1f, 2f, 3f, 4.5f]]                  || ['x: 1 by at most 0.500 (relative 0.111)']
        'a sign of zero'     | [z: [-0.0d]]                             || ['z: 1 by at most 0.00 (relative 0.00)']
        'not a number'       | [x: [1f, Float.NaN, 3f, 5f]]             || ['x: 1 by at most 1.00 (relative 0.200); 1 defined on one side only']
        'integers'           | [i: [7, -2_000_000_000]]                 || ['i: 2 by at most 4.00e+09 (relative 2.00)']
        'another shape'      | [shape: [4]]                             || ['x: F32 [2, 2] and F32 [4]']
        'another type'       | [dtype: Dtype.F64]                       || ['x: F32 [2, 2] and F64 [2, 2]']
        'another tensor'     | [name: 'y']                              || ['x: a tensor of the first only', 'y: a tensor of the second only']
        'metadata'           | [metadata: 'b']                          || ['metadata {names=a} and {names=b}']
    }

    private byte[] tensors(Map change) {
        Path file = dir.resolve('made.safetensors')
        Dtype dtype = change.dtype ?: Dtype.F32
        new SafetensorsWriter(file).withCloseable { writer ->
            writer.metadata('names', change.metadata ?: 'a')
            writer.declare(change.name ?: 'x', dtype, (change.shape ?: [2, 2]) as long[])
            writer.declare('z', Dtype.F64, 1)
            writer.declare('i', Dtype.I32, 2)
            List values = change.x ?: [1f, 2f, 3f, 4f]
            dtype == Dtype.F32 ? writer.floats(values as float[]) : writer.doubles(values as double[])
            writer.doubles((change.z ?: [0.0d]) as double[])
            writer.ints((change.i ?: [5, 2_000_000_000]) as int[])
        }
        read(file)
    }

    /** The bytes of a file, which is deleted, so that the next one can have its name. */
    private static byte[] read(Path file) {
        byte[] bytes = file.bytes
        Files.delete(file)
        bytes
    }

    def 'tensors of several megabytes are compared to their end, within the tolerance or not'() {
        given:
        Closure<byte[]> make = { float last ->
            Path file = dir.resolve('made.safetensors')
            new SafetensorsWriter(file).withCloseable { writer ->
                writer.declare('x', Dtype.F32, 700_000)
                float[] values = new float[700_000]
                values[699_999] = last
                writer.floats(values)
            }
            read(file)
        }

        expect:
        compare(['t.safetensors': make(1f)], ['t.safetensors': make(1.25f)]).answer.contains('x: 1 by at most 0.250 (relative 0.200)')
        compare(['t.safetensors': make(1f)], ['t.safetensors': make(1.25f)], '--tolerance', '0.25').status == 0
        compare(['t.safetensors': make(1f)], ['t.safetensors': make(1.25f)], '--tolerance', '0.2').status == 65
    }

    def 'other files, and those that are not what their name says, are compared by their bytes'() {
        when:
        def found = compare([(name): a], [(name): b])

        then:
        found.status == 65
        found.answer.readLines()[1].trim().startsWith("from byte ${at} on; ${a.length()} bytes, sha256 ${a.bytes.sha256()}, and ")

        where:
        name            | a             | b              || at
        'index.html'    | '<p>one</p>'  | '<p>two</p>'   || 3
        'a/f.svg'       | '<svg/>'      | '<svg/>\n'     || 6
        't.safetensors' | 'rubbish'     | 'rubbisH'      || 6
        't.json'        | '{"a": 1'     | '{"a": 2}'     || 6
        't.csv'         | ''            | 'x\n'          || 0
    }

    def 'an empty file is equal to an empty file'() {
        expect:
        compare(['t.csv': '', 't.json': ''], ['t.csv': '', 't.json': '']).status == 0
    }
}
