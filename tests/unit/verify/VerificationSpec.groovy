package unit.verify

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Folders
import unit.support.TestData
import universality.data.Manifest
import universality.data.OutputFolder

/** Whether results are what their manifests say: every kind of tampering is found, and nothing else is. */
class VerificationSpec extends Specification {
    @TempDir
    Path dir

    Path results

    def setup() {
        results = dir.resolve('results')
        Files.createDirectories(results.resolve('pipeline'))
        results.resolve('pipeline/trace.txt').text = 'task_id\thash\n'
        results.resolve('ro-crate-metadata.json').text = '{"@graph": []}\n'
        Folders.folder(results.resolve('correlate/toy-t8'), 'correlate', 'toy-t8', [step: 8]) { out ->
            out.file('a__b.csv').text = 'layer,neuron,max_corr\n0,0,0.25\n0,1,0.5\n'
            out.file('summary.json').text = '{"pairs": []}\n'
        }
        results.resolve('correlate/toy-t8.resources.json').text = '{"wall_seconds": 1.5}\n'
        Folders.folder(results.resolve('identify/toy-t8'), 'identify', 'toy-t8', [step: 8]) { out ->
            out.file('toy-s1-t8.csv').text = 'layer,neuron,universal\n0,0,true\n'
            out.input('correlations', Manifest.readAny(results.resolve('correlate/toy-t8')))
        }
        train()
    }

    /** A folder with another inside, each with a manifest. */
    private void train() {
        OutputFolder.create(results.resolve('train/toy-s1'), false).withCloseable { out ->
            out.nested('toy-s1-t8').withCloseable { checkpoint ->
                checkpoint.file('config.json').text = '{}'
                checkpoint.file('model.safetensors').bytes = new byte[200_000]
                checkpoint.commit('train', 'toy-s1-t8')
            }
            out.file('losses.csv').text = 'step,loss\n0,2.5\n'
            out.commit('train', 'toy-s1')
        }
    }

    Verify verify(Object... options) {
        Verify.run(dir.resolve('found.json'), results, *options)
    }

    def 'sound results are sound, and what holds times is left out'() {
        when:
        def found = verify()

        then:
        found.status == 0
        found.error == ''
        found.findings() == []
        found.summary() == "verify: 10 files, ${bytes()} bytes: all as their manifests say; 3 files left out (times, hosts, --exclude)"
        found.report == [mode: 'verify', sound: true, files: 10, bytes: bytes(), left_out: 3, findings: [], within_tolerance: []]
    }

    /** What manifests list, each file once; the manifest inside train is listed by the one around it. */
    private long bytes() {
        ['correlate/toy-t8/a__b.csv', 'correlate/toy-t8/summary.json', 'identify/toy-t8/toy-s1-t8.csv', 'train/toy-s1/losses.csv',
         'train/toy-s1/toy-s1-t8/config.json', 'train/toy-s1/toy-s1-t8/model.safetensors', 'train/toy-s1/toy-s1-t8/manifest.json']
                .collect { Files.size(results.resolve(it)) }.sum() as long
    }

    def 'one stage, or one folder of it, can be verified alone'() {
        expect:
        Verify.run(null, results.resolve(folder)).status == 0

        where:
        folder << ['correlate', 'correlate/toy-t8', 'train/toy-s1/toy-s1-t8']
    }

    def '#what is found'() {
        given:
        tamper(results)

        when:
        def found = verify()

        then:
        found.status == 65
        !found.report.sound
        found.report.findings.collect { [it.kind, it.path] } == expected
        found.report.findings.every { !it.text.contains(dir.toString()) }
        found.findings().size() == expected.size()
        found.findings().every { it.length() > 20 }
        found.summary().startsWith("verify: of ")
        found.error == ''

        cleanup: // the folder's own deletion follows links
        Files.deleteIfExists(results.resolve('identify/again'))

        where:
        what                          | tamper                                                                                  || expected
        'one flipped bit'             | { flip(it.resolve('correlate/toy-t8/a__b.csv'), 30) }                                   || [['changed', 'correlate/toy-t8/a__b.csv']]
        'one more byte'               | { it.resolve('correlate/toy-t8/a__b.csv') << '\n' }                                      || [['changed', 'correlate/toy-t8/a__b.csv']]
        'a file that is cut short'    | { it.resolve('correlate/toy-t8/a__b.csv').text = '' }                                   || [['changed', 'correlate/toy-t8/a__b.csv']]
        'a flipped bit behind 128 KB' | { flip(it.resolve('train/toy-s1/toy-s1-t8/model.safetensors'), 150_000) }               || [['changed', 'train/toy-s1/toy-s1-t8/model.safetensors']]
        'a deleted file'              | { Files.delete(it.resolve('correlate/toy-t8/summary.json')) }                           || [['missing', 'correlate/toy-t8/summary.json']]
        'a renamed file'              | { Files.move(it.resolve('train/toy-s1/losses.csv'), it.resolve('train/toy-s1/loss.csv')) } || [['unlisted', 'train/toy-s1/loss.csv'], ['missing', 'train/toy-s1/losses.csv']]
        'an added file'               | { it.resolve('identify/toy-t8/more.csv').text = 'x\n' }                                 || [['unlisted', 'identify/toy-t8/more.csv']]
        'a file in an inner folder'   | { it.resolve('train/toy-s1/toy-s1-t8/more.bin').text = 'x' }                            || [['unlisted', 'train/toy-s1/toy-s1-t8/more.bin']]
        'a file of no folder'         | { it.resolve('notes.txt').text = 'x' }                                                  || [['unlisted', 'notes.txt']]
        'a crate inside a stage'      | { it.resolve('identify/toy-t8/ro-crate-metadata.json').text = '{}' }                    || [['unlisted', 'identify/toy-t8/ro-crate-metadata.json']]
        'a half-written folder'       | { Files.createDirectories(it.resolve('identify/toy-t9')).resolve('a.csv').text = 'x' }  || [['unlisted', 'identify/toy-t9/a.csv']]
        'a deleted manifest'          | { Files.delete(it.resolve('identify/toy-t8/manifest.json')) }                           || [['unlisted', 'identify/toy-t8/toy-s1-t8.csv']]
        'a manifest that is no JSON'  | { it.resolve('identify/toy-t8/manifest.json').text = '{"stage":' }                      || [['unreadable', 'identify/toy-t8/manifest.json']]
        'a manifest of something'     | { it.resolve('identify/toy-t8/manifest.json').text = '{"id": "x"}' }                    || [['unreadable', 'identify/toy-t8/manifest.json']]
        'an empty manifest'           | { it.resolve('identify/toy-t8/manifest.json').text = '' }                               || [['unreadable', 'identify/toy-t8/manifest.json']]
        'a manifest that leads out'   | { edit(it.resolve('identify/toy-t8/manifest.json'), 'toy-s1-t8.csv', '../../../x.csv') } || [['unreadable', 'identify/toy-t8/manifest.json'], ['unlisted', 'identify/toy-t8/toy-s1-t8.csv']]
        'a change within the manifest that is listed' | { edit(it.resolve('train/toy-s1/toy-s1-t8/manifest.json'), '"toy-s1-t8"', '"toy-s1-t9"') } || [['changed', 'train/toy-s1/toy-s1-t8/manifest.json']]
        'an exchange of contents'     | { exchange(it.resolve('correlate/toy-t8/a__b.csv'), it.resolve('identify/toy-t8/toy-s1-t8.csv')) } || [['changed', 'correlate/toy-t8/a__b.csv'], ['changed', 'identify/toy-t8/toy-s1-t8.csv']]
        'a link to nothing'           | { link(it.resolve('identify/toy-t8/more.csv'), it.resolve('gone')) }                    || [['unreadable', 'identify/toy-t8/more.csv']]
        'a link in a circle'          | { link(it.resolve('identify/again'), it) }                                              || [['unreadable', 'identify/again/']]
    }

    def 'a result that was written anew, manifest and all, does not fit what was made from it'() {
        given:
        Path correlations = results.resolve('correlate/toy-t8')
        OutputFolder.deleteTree(correlations)
        Folders.folder(correlations, 'correlate', 'toy-t8', [step: 8]) { out ->
            out.file('a__b.csv').text = 'layer,neuron,max_corr\n0,0,0.75\n0,1,0.5\n'
            out.file('summary.json').text = '{"pairs": []}\n'
        }

        when:
        def found = verify()

        then:
        found.status == 65
        found.report.findings*.kind == ['stale']
        found.report.findings[0].path == 'identify/toy-t8/manifest.json'
        found.report.findings[0].text.startsWith("its input correlations 'toy-t8' had the digest ")
        found.findings()[0].startsWith('made from other inputs: identify/toy-t8/manifest.json: ')
    }

    def 'inputs are known by the digest that their readers take: the rows of tokens, the table of neurons'() {
        given:
        Path tokens = TestData.tokens(results.resolve('tokenize'), 'analysis', [[1, 2], [3, 4]], 9)
        String rows = Manifest.readAny(tokens).files().find { it.path() == 'tokens.safetensors' }.sha256()
        String table = Manifest.readAny(results.resolve('identify/toy-t8')).files()[0].sha256()
        Folders.folder(results.resolve('ablate/toy-s1-t8'), 'ablate', 'toy-s1-t8', [:]) { out ->
            out.file('summary.csv').text = 'layers\n'
            out.input('tokens', 'analysis', wrong == 'tokens' ? '0' * 64 : rows)
            out.input('neurons', 'toy-s1-t8', wrong == 'neurons' ? '1' * 64 : table)
            out.input('activations', 'toy-s1-t8', '2' * 64) // not among the results
        }

        expect:
        verify().report.findings.collect { it.text.split(' had ')[0] } == expected

        where:
        wrong     || expected
        'nothing' || []
        'tokens'  || ["its input tokens 'analysis'"]
        'neurons' || ["its input neurons 'toy-s1-t8'"]
    }

    def 'published links are followed, also where a whole folder is one'() {
        given:
        Path work = Files.createDirectories(dir.resolve('work'))
        ['correlate/toy-t8', 'identify/toy-t8'].each { folder ->
            Path moved = work.resolve(folder.replace('/', '-'))
            Files.move(results.resolve(folder), moved)
            Files.createSymbolicLink(results.resolve(folder), moved)
        }

        expect:
        verify().status == 0

        when: 'the work folder is cleaned up'
        OutputFolder.deleteTree(work)
        def found = verify()

        then:
        found.status == 65
        found.report.findings*.kind.toSet() == ['unreadable'] as Set
        found.report.findings*.path == ['correlate/toy-t8', 'identify/toy-t8']
    }

    def 'what is excluded is neither read nor missed'() {
        given:
        flip(results.resolve('train/toy-s1/toy-s1-t8/model.safetensors'), 3)
        Files.delete(results.resolve('train/toy-s1/losses.csv'))

        expect:
        verify('--exclude', '**/*.safetensors', '--exclude', 'train/*/losses.csv').status == 0
        verify('--exclude', 'train/**').report.left_out == 3 + 4
        verify().status == 65
    }

    def 'names cannot steer the terminal'() {
        given:
        results.resolve("identify/toy-t8/x\u001b[2J\ny").text = 'x'

        expect:
        verify().findings() == ["not listed: identify/toy-t8/x?[2J?y: identify/toy-t8/manifest.json does not list it"]
    }

    def 'the same results give the same report, in whatever folder'() {
        given:
        results.resolve('notes.txt').text = 'x'
        Path copy = dir.resolve('elsewhere/copy')
        copyTree(results, copy)

        when:
        Verify.run(dir.resolve('one.json'), results)
        Verify.run(dir.resolve('two.json'), copy)

        then:
        dir.resolve('one.json').text == dir.resolve('two.json').text
        !dir.resolve('one.json').text.contains(dir.toString())
    }

    def '#what: refused with #status'() {
        given:
        Files.createDirectories(dir.resolve('empty'))
        dir.resolve('there.json').text = 'kept'

        when:
        def found = Verify.run(null, *arguments.collect { it.startsWith('-') || it =~ /^[\[{]/ || it ==~ /[\d.]+|NaN/ ? it : dir.resolve(it) })

        then:
        found.status == status
        found.answer == ''
        found.error.readLines().size() == 1
        found.error.contains(message)
        dir.resolve('there.json').text == 'kept'

        where:
        what                      | arguments                                    || status | message
        'no folder'               | ['nowhere']                                  || 66     | 'is not a folder: give the results of a study'
        'a folder without any'    | ['empty']                                    || 66     | 'holds no manifest.json, neither itself nor below'
        'another that is none'    | ['results', 'nowhere']                       || 66     | 'is not a folder'
        'two without a file'      | ['empty', 'empty']                           || 66     | 'there is nothing to compare: neither '
        'all excluded of two'     | ['results', 'results', '--exclude', '{,**/}*'] || 66   | 'holds a file, but for 13 left out (times, hosts, --exclude)'
        'all excluded of one'     | ['results', '--exclude', '{,**/}*']          || 66     | 'holds no manifest.json, neither itself nor below'
        'nothing'                 | []                                           || 64     | "Missing required parameter: 'RESULTS'"
        'a tolerance of one'      | ['results', '--tolerance', '0.1']            || 64     | 'a tolerance is for comparing: give two results folders'
        'a negative tolerance'    | ['results', 'results', '--tolerance', '-1']  || 64     | '--tolerance is -1.0; a finite number from 0 on was expected'
        'no number'               | ['results', 'results', '--relative-tolerance', 'NaN'] || 64 | '--relative-tolerance is NaN; a finite number from 0 on was expected'
        'a broken glob'           | ['results', '--exclude', '[a']               || 64     | "--exclude '[a' is no pattern of paths"
        'a report that is there'  | ['results', '--json', 'there.json']          || 73     | 'exists already'
        'a report without folder' | ['results', '--json', 'nowhere/found.json']  || 73     | 'cannot be written: its folder is not there; make it, or choose another --json'
        'and nothing is read'     | ['nowhere', '--json', 'nowhere/found.json']  || 73     | 'cannot be written: its folder is not there'
        'a report that is a folder' | ['results', '--json', 'empty', '--overwrite'] || 73  | 'is a folder: --json takes the name of a file'
    }

    def 'what was found is said even where the file of --json cannot be written in the end'() {
        given: 'a name that leaves no room for that of the temporary file'
        Path json = dir.resolve('x' * 250)
        results.resolve('notes.txt').text = 'x'

        when:
        def found = Verify.run(json, results)

        then:
        found.status == 73
        found.findings() == ['not listed: notes.txt: no folder around it has a manifest.json']
        found.summary() == 'verify: of 11 files 1 not listed; 3 files left out (times, hosts, --exclude)'
        found.error.readLines().size() == 1
        found.error.contains('cannot be written')
        !Files.exists(json)
    }

    private static void flip(Path file, int at) {
        byte[] bytes = file.bytes
        bytes[at] ^= 1
        file.bytes = bytes
    }

    private static void edit(Path file, String from, String to) {
        String text = file.text
        assert text.contains(from)
        file.text = text.replace(from, to)
    }

    private static void exchange(Path a, Path b) {
        def (one, two) = [a.bytes, b.bytes]
        a.bytes = two
        b.bytes = one
    }

    private static void link(Path link, Path target) {
        Files.createSymbolicLink(link, target)
    }

    static void copyTree(Path from, Path to) {
        Files.createDirectories(to.parent)
        Files.walk(from).withCloseable { walk -> walk.each { Files.copy(it, to.resolve(from.relativize(it).toString())) } }
    }
}
