package unit.tokenize

import groovy.json.JsonOutput
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.StandardCharsets
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.cli.Main
import universality.data.Dtype
import universality.data.Manifest
import universality.data.SafetensorsFile
import universality.data.SafetensorsWriter
import universality.data.TokenRows
import universality.data.ToolException
import universality.text.Feature
import universality.text.Tokenizers

class TokenizeSpec extends Specification {
    @TempDir Path folder

    /** Status and standard error of one command line. */
    Map tokenize(Object... arguments) {
        def before = System.err
        def said = new ByteArrayOutputStream()
        System.err = new PrintStream(said, true, 'UTF-8')
        try {
            return [status: Main.run((['tokenize'] + arguments.toList())*.toString() as String[]), said: said.toString('UTF-8')]
        } finally {
            System.err = before
        }
    }

    Path out(String name = 'out') {
        folder.resolve(name)
    }

    Path file(String name, String text) {
        Files.write(folder.resolve(name), text.getBytes(StandardCharsets.UTF_8))
    }

    /** Paragraphs of invented words; no two of them alike. */
    static String prose(int paragraphs, long seed = 1) {
        def random = new Random(seed)
        def word = { (1..(2 + random.nextInt(5))).collect { 'abcdefghijklmnopqrstuvwxyz'[random.nextInt(26)] }.join() }
        (1..paragraphs).collect { (1..(20 + random.nextInt(20))).collect { word() }.join(' ') + '.' }.join('\n\n') + '\n'
    }

    /** The documents of token rows as text: BOS taken out, cut where the document number changes. */
    static List<String> documents(TokenRows rows, Path from) {
        def tokenizer = Tokenizers.load(from)
        def byNumber = new LinkedHashMap<Integer, List<Integer>>()
        rows.tokens().eachWithIndex { token, i ->
            if (token != tokenizer.bos()) byNumber.computeIfAbsent(rows.document()[i], { [] }) << token
        }
        byNumber.values().collect { tokenizer.decode(it as int[]) }
    }

    /** The content of every file below a folder, one character for each byte. */
    static Map<String, String> bytes(Path root) {
        def found = new TreeMap<String, String>()
        root.toFile().eachFileRecurse(groovy.io.FileType.FILES) {
            found[root.relativize(it.toPath()).toString()] = new String(it.bytes, StandardCharsets.ISO_8859_1)
        }
        found
    }

    /** Whether the same file has the same content in two output folders. */
    boolean same(String path, String one, String other) {
        Arrays.equals(Files.readAllBytes(out(one).resolve(path)), Files.readAllBytes(out(other).resolve(path)))
    }

    List<String> leftovers() {
        folder.toFile().list().findAll { it.startsWith('out') || it.startsWith('.out') }.toList()
    }

    def "rows hold the documents, BOS first and between, and count what should count"() {
        given: 'twenty files are twenty documents'
        def texts = (0..<20).collect { i -> prose(1 + i % 3, i).strip() }
        def files = texts.withIndex().collect { text, i -> file("d${i}.txt", text + '\n') }

        when:
        def run = tokenize('--text', *files, '--tokenizer', 'byte', '--context', 50, '--out', out())
        def rows = TokenRows.read(out())

        then:
        run.status == 0
        run.said == ''
        rows.context() == 50
        (0..<rows.rows()).every { rows.tokens()[it * 50] == 256 }

        and: 'all but the dropped end comes back, document by document'
        def found = documents(rows, out())
        found.size() == 20
        found.dropRight(1) == texts.dropRight(1)
        texts.last().startsWith(found.last())

        and: 'the packing is as tight as it can be'
        long stream = texts.sum { it.getBytes('UTF-8').length }
        int expected = 0
        int column = 0
        texts.each { text ->
            if (column != 0) { expected++; column = (column + 1) % 50 }
            text.length().times { if (column == 0) { expected++; column++ }; expected++; column = (column + 1) % 50 }
        }
        rows.rows() == expected.intdiv(50)
        rows.rows() * 50 > stream

        and: 'BOS and line ends do not count, everything else does'
        rows.tokens().indices.every { rows.mask()[it] == (rows.tokens()[it] in [256, 10] ? 0 : 1) }

        and: 'numbers ascend by one, and change only at a BOS'
        rows.document()[0] == 0
        (1..<rows.document().length).every {
            def step = rows.document()[it] - rows.document()[it - 1]
            step == 0 || step == 1 && rows.tokens()[it] == 256
        }

        and: 'the manifest says it all'
        def manifest = Manifest.read(out(), 'tokenize')
        manifest.parameter('tokenizer') == 'byte'
        manifest.integer('vocabulary') == 257
        manifest.integer('bos') == 256
        manifest.integer('context') == 50
        manifest.parameter('split') == 'all'
        manifest.count('rows') == rows.rows()
        manifest.count('tokens') == rows.rows() * 50
        manifest.count('kept') == rows.kept()
        manifest.count('documents') == 20
        manifest.inputs().size() == 20
        manifest.inputs()[3].id() == 'd3.txt'
    }

    def "nineteen files are cut at blank lines into documents of at least four rows, which is said"() {
        given:
        def files = (0..<19).collect { i -> file("d${i}.txt", prose(30, i)) }

        when:
        def run = tokenize('--text', *files, '--tokenizer', 'byte', '--context', 50, '--out', out())
        def rows = TokenRows.read(out())
        def found = documents(rows, out())

        then:
        run.status == 0
        run.said.readLines().size() == 1
        run.said.contains('19 text files (fewer than 20) cut at blank lines into')
        rows.manifest().warnings() == [run.said.strip()]
        found.size() > 19
        found.dropRight(1).every { it.length() >= 4 * 50 - 4 }

        and: 'they are whole paragraphs, and together the text'
        found.dropRight(1).every { it.endsWith('.') && !it.startsWith('\n') }
        (0..<19).collect { prose(30, it).strip() }.join('\n\n').startsWith(found.join('\n\n'))
    }

    def "splits are exact, share no document and have folders of their own"() {
        given:
        def text = file('book.txt', prose(400))

        when:
        def run = tokenize('--text', text, '--tokenizer', 'bpe:400', '--context', 16,
                '--split', 'train=8000,analysis=1000,heldout=500,examples=507', '--out', out())
        def splits = ['train', 'analysis', 'heldout', 'examples'].collectEntries { [it, TokenRows.read(out().resolve(it))] }

        then: 'rounded down to whole rows'
        run.status == 0
        splits.collectEntries { name, rows -> [name, rows.rows()] } == [train: 500, analysis: 62, heldout: 31, examples: 31]
        splits.every { name, rows -> rows.manifest().count('tokens') == rows.rows() * 16 && rows.manifest().parameter('split') == name }

        and: 'every paragraph is in one split at most (each is unlike all others)'
        def paragraphs = splits.collectEntries { name, rows -> [name, documents(rows, out().resolve(name)).collectMany { it.split('\n\n').toList() }] }
        paragraphs.values().collectMany { it.toUnique() }.countBy { it }.findAll { it.key.length() > 40 }.every { it.value == 1 }
        paragraphs.every { name, all -> all.size() > 3 }

        and: 'one tokenizer for all'
        splits.values()*.tokenizerDigest()*.get().toUnique().size() == 1
        Manifest.read(out(), 'tokenize').verify(out())
        Manifest.read(out(), 'tokenize').count('tokens') == splits.values().sum { it.rows() * 16 }

        when: 'the outer folder is given to a stage'
        TokenRows.read(out())

        then:
        def e = thrown(ToolException)
        e.message.contains('holds several splits')
    }

    def "the tokenizer is trained on the split train only"() {
        given: 'one word that only a held-out document has, often'
        def text = prose(400)
        def files = [file('book.txt', text)]
        tokenize('--text', *files, '--tokenizer', 'bpe:300', '--context', 16, '--split', 'train=50%,heldout=50%', '--out', out('out1'))
        def held = documents(TokenRows.read(out('out1').resolve('heldout')), out('out1').resolve('heldout'))[1]

        when:
        def changed = file('changed.txt', text.replace(held, held.replaceAll(/[a-z]/, 'q')))
        tokenize('--text', changed, '--tokenizer', 'bpe:300', '--context', 16, '--split', 'train=50%,heldout=50%', '--out', out('out2'))

        then:
        Files.readString(changed) != text
        same('train/tokenizer.json', 'out1', 'out2')
        same('train/tokens.safetensors', 'out1', 'out2')
        !same('heldout/tokens.safetensors', 'out1', 'out2')
    }

    def "one value in shares serves a text and the generator"() {
        given:
        def shares = 'train=62.5%,analysis=25%,examples=12.5%'
        def text = file('book.txt', prose(300))

        when:
        def generated = tokenize('--generate', 3, '--tokenizer', 'bpe:300', '--context', 32, '--tokens', 12800, '--split', shares, '--out', out('out1'))
        def real = tokenize('--text', text, '--tokenizer', 'bpe:300', '--context', 32, '--tokens', 12800, '--split', shares, '--out', out('out2'))
        def capped = tokenize('--text', text, '--tokenizer', 'bpe:300', '--context', 32, '--tokens', 1600, '--split', shares, '--out', out('out3'))
        def rows = { String name -> ['train', 'analysis', 'examples'].collect { TokenRows.read(out(name).resolve(it)).rows() } }

        then: 'generated text is exact'
        [generated, real, capped]*.status == [0, 0, 0]
        rows('out1') == [250, 100, 50]

        and: 'a text is divided nearly so, up to one document'
        def found = rows('out2')
        found.sum() > 300
        (found[0] / found.sum() - 0.625).abs() < 0.03
        (found[1] / found.sum() - 0.25).abs() < 0.03

        and: 'never more than asked for'
        rows('out3') == [31, 12, 6]
    }

    def "equal inputs give equal bytes, another seed another deal"() {
        given:
        def text = file('book.txt', prose(200))
        def run = { String name, Object... more -> tokenize('--text', text, '--tokenizer', 'bpe:300', '--context', 16, '--split', 'train=80%,heldout=20%', *more, '--out', out(name)) }

        when:
        def states = [run('out1'), run('out2'), run('out3', '--split-seed', 1)]*.status

        then:
        states == [0, 0, 0]
        bytes(out('out1')) == bytes(out('out2'))
        bytes(out('out1'))['heldout/tokens.safetensors'] != bytes(out('out3'))['heldout/tokens.safetensors']

        and: 'no name of this machine is in it'
        !bytes(out('out1')).any { name, content -> content.contains(folder.toString()) }
    }

    def "equal seeds generate equal bytes; the size of one split does not change another"() {
        given:
        def run = { String name, int seed, String split -> tokenize('--generate', seed, '--tokenizer', 'bpe:300', '--context', 32, '--split', split, '--out', out(name)).status }

        expect:
        run('out1', 1, 'train=6400,analysis=3200') == 0
        run('out2', 1, 'train=6400,analysis=3200') == 0
        run('out3', 1, 'train=3200,analysis=3200') == 0
        run('out4', 2, 'train=6400,analysis=3200') == 0
        bytes(out('out1')) == bytes(out('out2'))
        same('analysis/tokens.safetensors', 'out1', 'out3')
        !same('analysis/tokens.safetensors', 'out1', 'out4')
    }

    def "planted features agree with the tokens"() {
        given:
        tokenize('--generate', 5, '--tokenizer', tokenizer, '--context', 64, '--split', 'analysis=9600', '--out', out())
        def rows = TokenRows.read(out().resolve('analysis'))
        def pieces = Tokenizers.load(out().resolve('analysis'))
        def planted = SafetensorsFile.open(out().resolve('analysis/planted.safetensors'))
        def features = planted.longs('features')
        def names = planted.metadata().names.split(',') as List
        int width = names.size()
        def with = { String name -> int f = names.indexOf(name); (0..<rows.tokens().length).findAll { features[it * width + f] == 1 } }
        def texts = { List<Integer> at -> at.collect { pieces.decode(rows.tokens()[it]) } }

        expect:
        names == Feature.names()
        planted.tensor('features').shape() as List == [150L, 64L, width as long]

        and: 'a token of a feature shows it'
        texts(with('digits')).every { it =~ /[\d.,:£$\u00c2\ufffd ]/ }
        texts(with('quote_mark')).every { it.contains('"') }
        texts(with('name')).every { it =~ /\p{L}/ }
        with('number').size() > 50

        and: 'a token that shows it has the feature'
        def inCode = with('code').toSet()
        def digits = with('digits').toSet()
        (0..<rows.tokens().length).every { !(pieces.decode(rows.tokens()[it]) =~ /\d/) || it in digits || it in inCode }
        def questions = with('question').toSet()
        (0..<rows.tokens().length).every { !pieces.decode(rows.tokens()[it]).contains('?') || it in questions }

        and: 'BOS has none, every other token has a topic'
        def topics = names.findAll { it.startsWith('topic_') && it != 'topic_word' }.collect { names.indexOf(it) }
        (0..<rows.tokens().length).every { i ->
            int own = topics.count { features[i * width + it] == 1 }
            own == (rows.tokens()[i] == pieces.bos() ? 0 : 1)
        }

        cleanup:
        planted?.close()
        pieces?.close()

        where:
        tokenizer << ['bpe:600', 'byte', 'r50k']
    }

    def "a text with Windows line ends and a byte-order mark gives the rows of the plain one"() {
        given:
        def plain = prose(60)
        def unix = file('book.txt', plain)
        def windows = Files.createDirectory(folder.resolve('w')).resolve('book.txt')
        Files.writeString(windows, '\uFEFF' + plain.replace('\n', '\r\n'))

        when:
        tokenize('--text', unix, '--tokenizer', 'byte', '--context', 32, '--out', out('out1'))
        tokenize('--text', windows, '--tokenizer', 'byte', '--context', 32, '--out', out('out2'))

        then:
        same('tokens.safetensors', 'out1', 'out2')
    }

    def "BOS stands only where the packer put it, though the text spells it"() {
        given:
        def text = file('book.txt', 'one <|endoftext|> two <|endoftext|>\n\n' * 40)

        when:
        tokenize('--text', text, '--tokenizer', tokenizer, '--context', 16, '--out', out())
        def rows = TokenRows.read(out())
        int bos = rows.manifest().integer('bos')

        then:
        def found = documents(rows, out()).join('\n\n')
        found.count('<|endoftext|>') > 30
        rows.tokens().indices.every { rows.tokens()[it] != bos || it % 16 == 0 || rows.document()[it] != rows.document()[it - 1] }

        where:
        tokenizer << ['byte', 'bpe:262', 'r50k']
    }

    def "a tokenizer file serves again"() {
        given:
        def text = file('book.txt', prose(100))
        tokenize('--text', text, '--tokenizer', 'bpe:300', '--context', 16, '--out', out('out1'))

        when:
        def run = tokenize('--text', text, '--tokenizer', out('out1').resolve('tokenizer.json'), '--context', 16, '--out', out('out2'))

        then:
        run.status == 0
        same('tokens.safetensors', 'out1', 'out2')
        same('tokenizer.json', 'out1', 'out2')
        Manifest.read(out('out2'), 'tokenize').inputDigest('tokenizer').present
    }

    def "r50k needs no file"() {
        when:
        tokenize('--text', file('a.txt', prose(30)), '--tokenizer', 'r50k', '--context', 16, '--out', out())

        then:
        !Files.exists(out().resolve('tokenizer.json'))
        Tokenizers.load(out()).name() == 'r50k'
        TokenRows.read(out()).tokens()[0] == 50256
    }

    private Path idsFile(String kind, List<List<Integer>> rows) {
        def flat = rows.flatten() as int[]
        def path = folder.resolve("rows.$kind")
        if (kind == 'json') {
            Files.writeString(path, JsonOutput.toJson(rows))
        } else if (kind == 'safetensors') {
            new SafetensorsWriter(path).withCloseable { it.declare('tokens', Dtype.I64, rows.size(), rows[0].size()); it.longs(flat as long[]) }
        } else {
            def header = "{'descr': '<u2', 'fortran_order': False, 'shape': (${rows.size()}, ${rows[0].size()}), }".padRight(117) + '\n'
            def buffer = ByteBuffer.allocate(10 + header.length() + 2 * flat.length).order(ByteOrder.LITTLE_ENDIAN)
            buffer.put([0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0].collect { (it instanceof String ? it as char : it) as byte } as byte[])
            buffer.putShort(header.length() as short).put(header.bytes)
            flat.each { buffer.putShort(it as short) }
            Files.write(path, buffer.array())
        }
        path
    }

    def "rows made elsewhere are taken as they are, from #kind"() {
        given:
        def rows = (0..<6).collect { r -> (0..<5).collect { 40000 * (it % 2) + 7 * r + it } }

        when:
        def run = tokenize('--ids', idsFile(kind, rows), '--vocabulary', 50000, '--out', out())
        def read = TokenRows.read(out())

        then:
        run.status == 0
        read.tokens() as List == rows.flatten()
        read.kept() == 30
        read.document() as List == (0..<6).collectMany { [it] * 5 }
        read.manifest().parameter('tokenizer') == 'ids'
        read.manifest().integer('vocabulary') == 50000
        !read.manifest().parameters().containsKey('bos')
        Tokenizers.load(out()).piece(12) == '#12'

        where:
        kind << ['json', 'npy', 'safetensors']
    }

    def "rows made elsewhere can be split; each goes to one split"() {
        given:
        def rows = (0..<40).collect { r -> (0..<4).collect { 4 * r + it } }

        when:
        def run = tokenize('--ids', idsFile('json', rows), '--vocabulary', 160, '--split', 'analysis=75%,heldout=25%', '--out', out())
        def parts = ['analysis', 'heldout'].collect { TokenRows.read(out().resolve(it)).tokens().toList().collate(4) }

        then:
        run.status == 0
        parts*.size() == [30, 10]
        (parts[0] + parts[1]).toSet() == rows.toSet()
    }

    def "of rows made elsewhere, at most --tokens #tokens are taken"() {
        given:
        def rows = (0..<40).collect { r -> (0..<4).collect { 4 * r + it } }

        when:
        def run = tokenize('--ids', idsFile('json', rows), '--vocabulary', 160, '--tokens', tokens, '--split', 'analysis=75%,heldout=25%', '--out', out())

        then:
        run.status == 0
        ['analysis', 'heldout'].collect { TokenRows.read(out().resolve(it)).rows() } == expected

        where:
        tokens    | expected
        80        | [15, 5]
        160       | [30, 10]
        1_000_000 | [30, 10]
    }

    static byte[] npy(String header, int bytes) {
        ([0x93] + 'NUMPY'.bytes.toList() + [1, 0, header.length(), 0] + header.bytes.toList() + [0] * bytes) as byte[]
    }

    def "rows made elsewhere that are no rows are refused: #what"() {
        given:
        def path = folder.resolve(name)
        if (name.endsWith('.safetensors')) {
            new SafetensorsWriter(path).withCloseable(content)
        } else {
            Files.write(path, content instanceof String ? content.bytes : content as byte[])
        }

        when:
        def run = tokenize('--ids', path, '--vocabulary', 9, '--out', out())

        then:
        run.said.readLines().size() == 1
        run.said.contains(part)
        run.said.contains(name)
        run.status == 65
        leftovers() == []

        where:
        what                    | name            | content                                                                            | part
        'a list of numbers'     | 'a.json'        | '[1, 2]'                                                                           | 'a list of rows, each a list of ids'
        'an object'             | 'a.json'        | '{"rows": []}'                                                                     | 'a list of rows, each a list of ids'
        'a number among rows'   | 'a.json'        | '[[1, 2], 3]'                                                                      | 'row 1 has 0 ids'
        'a fraction'            | 'a.json'        | '[[1, 2.5]]'                                                                       | "'2.5' in row 0 is no token id"
        'a list in a row'       | 'a.json'        | '[[1, [2]]]'                                                                       | 'in row 0 is no token id'
        'a huge number'         | 'a.json'        | '[[1, 99999999999]]'                                                               | "'99999999999' in row 0"
        'a negative number'     | 'a.json'        | '[[1, 2], [-1, 2]]'                                                                | 'row 1 has an id that is negative'
        'JSON cut short'        | 'a.json'        | '[[1, 2], [3'                                                                      | 'is not the JSON that was expected'
        'JSON and more'         | 'a.json'        | '[[1, 2]] x'                                                                       | 'a.json'
        'rows of nothing'       | 'a.json'        | '[[], []]'                                                                         | 'has no rows'
        'an empty file'         | 'a.json'        | ''                                                                                 | 'a list of rows'
        'floats'                | 'a.npy'         | npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", 8)              | 'a little-endian integer array'
        'big-endian'            | 'a.npy'         | npy("{'descr': '>i4', 'fortran_order': False, 'shape': (1, 2), }", 8)              | 'a little-endian integer array'
        'columns first'         | 'a.npy'         | npy("{'descr': '<i4', 'fortran_order': True, 'shape': (1, 2), }", 8)               | 'a little-endian integer array'
        'one dimension'         | 'a.npy'         | npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", 8)                | 'a little-endian integer array'
        'NumPy cut short'       | 'a.npy'         | npy("{'descr': '<i4', 'fortran_order': False, 'shape': (9, 2), }", 8)              | 'has 8 bytes of data, but its header promises 72'
        'a header cut short'    | 'a.npy'         | npy("{'descr': '<i4'}", 0)[0..20]                                                  | 'is cut short'
        'no rows'               | 'a.npy'         | npy("{'descr': '<i4', 'fortran_order': False, 'shape': (0, 2), }", 0)              | 'has no rows'
        'a tensor of floats'    | 'a.safetensors' | { it.declare('tokens', Dtype.F32, 1, 2); it.floats(1f, 2f) }                       | 'is F32, integers were expected'
        'a tensor of one axis'  | 'a.safetensors' | { it.declare('tokens', Dtype.I32, 2); it.ints(1, 2) }                              | 'has 1 dimensions'
        'another tensor'        | 'a.safetensors' | { it.declare('ids', Dtype.I32, 1, 2); it.ints(1, 2) }                              | "'tokens'"
    }

    def "bad input is refused in one line and leaves nothing: #what"() {
        given:
        file('good.txt', prose(100))
        file('empty.txt', '')
        file('blank.txt', ' \n\n \t\n')
        file('short.txt', 'three little words')
        file('one.txt', prose(1))
        Files.write(folder.resolve('latin1.txt'), 'caf\u00e9 au lait'.getBytes('ISO-8859-1'))
        Files.write(folder.resolve('binary.txt'), [97, 98, 0, 99] as byte[])
        Files.write(folder.resolve('cut.txt'), [97, 98, 0xE2, 0x82] as byte[])
        file('ids.json', '[[1, 2], [3, 4]]')
        file('ragged.json', '[[1, 2], [3]]')
        file('words.json', '[["a", "b"]]')
        file('none.json', '[]')
        file('ids.npy', 'not numpy at all')
        file('ids.txt', '1 2 3')
        file('tok.json', '{"hello": 1}')

        when:
        def words = arguments.split(' ').collect { it.startsWith('@') ? folder.resolve(it.substring(1)) : it }
        def run = tokenize(*words, '--out', out())

        then:
        run.status == status
        run.said.readLines().findAll { !it.contains('cut at blank lines') && !it.endsWith('is empty') }.size() == 1
        run.said.contains(part)
        leftovers() == []

        where:
        what                      | arguments                                                             || status | part
        'no source'               | '--tokenizer byte'                                                    || 64     | '--text'
        'two sources'             | '--text @good.txt --generate 1 --tokenizer byte'                      || 64     | 'mutually exclusive'
        'no tokenizer'            | '--text @good.txt'                                                    || 64     | '--tokenizer is missing'
        'no such tokenizer'       | '--text @good.txt --tokenizer r60k'                                   || 66     | "'r60k'"
        'bpe without a size'      | '--text @good.txt --tokenizer bpe:big'                                || 64     | "'bpe:big'"
        'bpe too small'           | '--text @good.txt --tokenizer bpe:100'                                || 64     | 'bpe:257'
        'bpe too large'           | '--text @good.txt --tokenizer bpe:50000 --context 16'                 || 65     | 'choose bpe:'
        'a broken tokenizer'      | '--text @good.txt --tokenizer @tok.json'                              || 65     | 'model.vocab'
        'a missing file'          | '--text @none.txt --tokenizer byte'                                   || 66     | 'none.txt is not a file'
        'an empty file'           | '--text @empty.txt --tokenizer byte'                                  || 65     | 'there is no text in it'
        'a blank file'            | '--text @blank.txt --tokenizer byte'                                  || 65     | 'there is no text in it'
        'less than one row'       | '--text @short.txt --tokenizer byte --context 64'                     || 65     | 'fewer than one row of 64'
        'Latin-1'                 | '--text @latin1.txt --tokenizer byte --context 4'                     || 65     | 'byte 0xE9 at offset 3'
        'UTF-8 cut short'         | '--text @cut.txt --tokenizer byte --context 4'                        || 65     | 'at offset 2'
        'binary'                  | '--text @binary.txt --tokenizer byte --context 4'                     || 65     | 'zero byte at offset 2'
        'fewer documents'         | '--text @one.txt --tokenizer byte --context 4 --split train=50%,heldout=50%' || 65 | 'has 1 documents for 2 splits'
        'too many tokens'         | '--text @good.txt --tokenizer byte --context 16 --split train=90000,heldout=1000' || 65 | 'the whole text has'
        'a split without a row'   | '--text @good.txt --tokenizer byte --context 64 --split train=90,heldout=10' || 64 | 'less than one row'
        'an unknown split'        | '--text @good.txt --tokenizer byte --split training=90'               || 64     | "'training' is no split"
        'a split twice'           | '--text @good.txt --tokenizer byte --split train=90,train=80'         || 64     | 'is there twice'
        'tokens and shares'       | '--text @good.txt --tokenizer byte --split train=90%,heldout=80'      || 64     | 'all in per cent'
        'more than all'           | '--text @good.txt --tokenizer byte --split train=90%,heldout=20%'     || 64     | 'more than all'
        'nonsense'                | '--text @good.txt --tokenizer byte --split train'                     || 64     | "'train' is neither"
        'a split of nothing'      | '--text @good.txt --tokenizer byte --split train=0'                   || 64     | 'asks for nothing'
        'tokens twice'            | '--text @good.txt --tokenizer byte --split train=900 --tokens 900'    || 64     | '--tokens 900'
        'generation without end'  | '--generate 1 --tokenizer byte --split train=90%'                     || 64     | '--tokens N'
        'generation without size' | '--generate 1 --tokenizer byte'                                       || 64     | '--tokens N'
        'a seed that is none'     | '--generate x --tokenizer byte --tokens 900'                          || 64     | "'x'"
        'a row of BOS only'       | '--text @good.txt --tokenizer byte --context 1'                       || 64     | '--context 1'
        'ids without vocabulary'  | '--ids @ids.json'                                                     || 64     | '--vocabulary'
        'ids with a tokenizer'    | '--ids @ids.json --vocabulary 9 --tokenizer byte'                     || 64     | 'not with --ids'
        'ids with other rows'     | '--ids @ids.json --vocabulary 9 --context 8'                          || 65     | '--context 8'
        'ids beyond vocabulary'   | '--ids @ids.json --vocabulary 4'                                      || 65     | 'the id 4 in row 1'
        'ids of ragged rows'      | '--ids @ragged.json --vocabulary 9'                                   || 65     | 'row 1 has 1 ids'
        'ids that are words'      | '--ids @words.json --vocabulary 9'                                    || 65     | "'a' in row 0"
        'no ids'                  | '--ids @none.json --vocabulary 9'                                     || 65     | 'list of rows'
        'a broken npy'            | '--ids @ids.npy --vocabulary 9'                                       || 65     | 'not a NumPy file'
        'ids of another form'     | '--ids @ids.txt --vocabulary 9'                                       || 64     | '.json, .npy or .safetensors'
    }

    def "an existing folder is left alone unless told otherwise"() {
        given:
        def text = file('book.txt', prose(30))
        tokenize('--text', text, '--tokenizer', 'byte', '--context', 16, '--out', out())
        def before = bytes(out())

        when:
        def refused = tokenize('--text', text, '--tokenizer', 'byte', '--context', 32, '--out', out())

        then:
        refused.status == 73
        bytes(out()) == before

        when:
        def replaced = tokenize('--text', text, '--tokenizer', 'byte', '--context', 32, '--out', out(), '--overwrite')

        then:
        replaced.status == 0
        TokenRows.read(out()).context() == 32
        leftovers().sort() == ['out', 'out.resources.json']
    }

    def "an empty file among others is skipped, and said"() {
        when:
        def run = tokenize('--text', file('empty.txt', '\n'), file('good.txt', prose(30)), '--tokenizer', 'byte', '--context', 16, '--out', out())

        then:
        run.status == 0
        run.said.contains('empty.txt is empty')
        TokenRows.read(out()).manifest().warnings().size() == 2
    }
}
