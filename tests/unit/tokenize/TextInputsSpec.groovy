package unit.tokenize

import com.github.luben.zstd.Zstd
import com.github.luben.zstd.ZstdOutputStream
import groovy.json.JsonOutput
import io.airlift.compress.Compressor
import io.airlift.compress.lz4.Lz4Compressor
import io.airlift.compress.snappy.SnappyCompressor
import java.nio.charset.StandardCharsets
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.GZIPOutputStream
import org.apache.parquet.bytes.BytesInput
import org.apache.parquet.compression.CompressionCodecFactory
import org.apache.parquet.conf.PlainParquetConfiguration
import org.apache.parquet.example.data.simple.SimpleGroupFactory
import org.apache.parquet.hadoop.ParquetFileWriter
import org.apache.parquet.hadoop.example.ExampleParquetWriter
import org.apache.parquet.hadoop.metadata.CompressionCodecName
import org.apache.parquet.column.ParquetProperties
import org.apache.parquet.io.LocalOutputFile
import org.apache.parquet.schema.MessageTypeParser
import spock.lang.Specification
import spock.lang.TempDir
import universality.cli.Main
import universality.data.Digests
import universality.data.Manifest
import universality.data.OutputFolder
import universality.data.TokenRows

/** What text can come in, and what is said of text that cannot. */
class TextInputsSpec extends Specification {
    static final List<String> DOCUMENTS = (0..<12).collect { i ->
        ['naïve café', '日本語のテキスト 😀', 'two\n\nparagraphs', 'tab\t"quoted" \\ back', 'ends in CRLF\r\nhere'][i % 5] + ' ' + TokenizeSpec.prose(1, i).strip()
    }

    @TempDir Path folder

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

    /** Tokenizes with bytes, so that documents come back exactly; the last one may be cut. */
    Map bytes(Object... arguments) {
        tokenize(*arguments, '--tokenizer', 'byte', '--context', 8, '--out', out(), '--overwrite')
    }

    Path out() {
        folder.resolve('out')
    }

    List<String> documents() {
        TokenizeSpec.documents(TokenRows.read(out()), out())
    }

    Path file(String name, byte[] content) {
        Files.createDirectories(folder.resolve(name).parent)
        Files.write(folder.resolve(name), content)
    }

    Path file(String name, String content) {
        file(name, content.getBytes(StandardCharsets.UTF_8))
    }

    static byte[] gzip(byte[] content) {
        def packed = new ByteArrayOutputStream()
        new GZIPOutputStream(packed).withCloseable { it.write(content) }
        packed.toByteArray()
    }

    static byte[] zstd(byte[] content) {
        Zstd.compress(content)
    }

    static String lines(List<String> texts, String column = 'text') {
        texts.withIndex().collect { text, i -> JsonOutput.toJson([id: i, (column): text, meta: [n: [1, 2], text: 'no']]) + '\n' }.join()
    }

    /** Compresses pages, for the library's writer; what reads them is the tool's own. */
    static class Codecs implements CompressionCodecFactory {
        CompressionCodecFactory.BytesInputCompressor getCompressor(CompressionCodecName name) {
            new CompressionCodecFactory.BytesInputCompressor() {
                BytesInput compress(BytesInput bytes) { BytesInput.from(pack(name, bytes.toInputStream().readAllBytes())) }
                CompressionCodecName getCodecName() { name }
                void release() {}
            }
        }

        CompressionCodecFactory.BytesInputDecompressor getDecompressor(CompressionCodecName name) { null }

        void release() {}

        static byte[] pack(CompressionCodecName name, byte[] page) {
            switch (name) {
                case CompressionCodecName.SNAPPY: return block(new SnappyCompressor(), page)
                case CompressionCodecName.LZ4_RAW: return block(new Lz4Compressor(), page)
                case CompressionCodecName.GZIP: return gzip(page)
                case CompressionCodecName.ZSTD: return zstd(page)
                default: return page
            }
        }

        static byte[] block(Compressor compressor, byte[] page) {
            def packed = new byte[compressor.maxCompressedLength(page.length)]
            Arrays.copyOf(packed, compressor.compress(page, 0, page.length, packed, 0, packed.length))
        }
    }

    Path parquet(String name, List<Map> rows, Map options = [:]) {
        def schema = MessageTypeParser.parseMessageType(options.schema ?:
                'message m { required int64 id; optional binary text (STRING); optional binary raw; repeated binary many (STRING); optional group deep { optional binary text (STRING); } }')
        def path = folder.resolve(name)
        Files.createDirectories(path.parent)
        def writer = ExampleParquetWriter.builder(new LocalOutputFile(path))
                .withConf(new PlainParquetConfiguration())
                .withType(schema)
                .withCodecFactory(new Codecs())
                .withCompressionCodec(options.codec ?: CompressionCodecName.UNCOMPRESSED)
                .withWriterVersion(options.version ?: ParquetProperties.WriterVersion.PARQUET_1_0)
                .withDictionaryEncoding(options.dictionary ?: false)
                .withPageSize(512)
                .withRowGroupSize(options.groups ?: 1L << 20)
                .withMinRowCountForPageSizeCheck(1)
                .build()
        def factory = new SimpleGroupFactory(schema)
        rows.each { row ->
            def group = factory.newGroup()
            row.each { key, value -> group.append(key, value) }
            writer.write(group)
        }
        writer.close()
        path
    }

    def "records are documents, as they are, from #name"() {
        given:
        def plain = content.getBytes('UTF-8')
        def packed = name =~ /(?i)gz$/ ? gzip(plain) : name =~ /(?i)zst$/ ? zstd(plain) : plain

        when:
        def run = bytes('--text', file(name, packed))

        then:
        run.status == 0
        run.said == ''
        documents().dropRight(1) == DOCUMENTS.dropRight(1)
        DOCUMENTS.last().startsWith(documents().last())

        and: 'the digest is that of the file as it lies there'
        def manifest = Manifest.read(out(), 'tokenize')
        manifest.inputs()*.digest() == [Digests.ofFile(folder.resolve(name))]
        manifest.parameter('text_column') == 'text'
        manifest.count('documents_read') == 12

        where:
        name            | content
        'a.jsonl'       | lines(DOCUMENTS)
        'a.ndjson'      | lines(DOCUMENTS).strip() // no line end at the end
        'a.json'        | '\uFEFF' + lines(DOCUMENTS) // a byte-order mark
        'a.jsonl.gz'    | lines(DOCUMENTS).replace('\n', '\r\n')
        'a.jsonl.zst'   | '\n' + lines(DOCUMENTS) + '\n \n'
        'a.json.gz'     | lines(DOCUMENTS)
        'A.JSON.ZST'    | lines(DOCUMENTS)
    }

    def "rows of Parquet are documents: #codec, #version, dictionary #dictionary"() {
        given: 'several row groups and pages'
        def rows = DOCUMENTS.withIndex().collect { text, i -> [id: i as long, text: text] }
        def path = parquet('a.parquet', rows, [codec: codec, version: version, dictionary: dictionary, groups: 700L])

        when:
        def run = bytes('--text', path)

        then:
        run.said == ''
        run.status == 0
        documents().dropRight(1) == DOCUMENTS.dropRight(1)
        Manifest.read(out(), 'tokenize').inputs()*.digest() == [Digests.ofFile(path)]

        where:
        [codec, version, dictionary] << [
            [CompressionCodecName.UNCOMPRESSED, CompressionCodecName.SNAPPY, CompressionCodecName.GZIP, CompressionCodecName.ZSTD, CompressionCodecName.LZ4_RAW],
            ParquetProperties.WriterVersion.values().toList(),
            [true, false],
        ].combinations()
    }

    def "packed files of several parts are read to their end"() {
        given:
        def halves = [lines(DOCUMENTS.take(5)), lines(DOCUMENTS.drop(5))]*.getBytes('UTF-8')

        when:
        bytes('--text', file('a.jsonl.gz', [gzip(halves[0]), gzip(halves[1])].inject(new ByteArrayOutputStream()) { s, b -> s.write(b); s }.toByteArray()))
        def gz = documents()
        bytes('--text', file('a.jsonl.zst', [zstd(halves[0]), zstd(halves[1])].inject(new ByteArrayOutputStream()) { s, b -> s.write(b); s }.toByteArray()))

        then:
        gz.dropRight(1) == DOCUMENTS.dropRight(1)
        documents() == gz
    }

    def "zstd with a long window"() {
        given:
        def packed = new ByteArrayOutputStream()
        new ZstdOutputStream(packed).setLong(30).withCloseable { it.write(lines(DOCUMENTS).getBytes('UTF-8')) }

        expect:
        bytes('--text', file('a.jsonl.zst', packed.toByteArray())).status == 0
        documents().dropRight(1) == DOCUMENTS.dropRight(1)
    }

    def "packed plain text gives the rows of the plain file"() {
        given:
        def text = TokenizeSpec.prose(60)

        when:
        bytes('--text', file('book.txt', text))
        def plain = Files.readAllBytes(out().resolve('tokens.safetensors'))
        bytes('--text', file('book.txt.' + ending, packed(text)))

        then:
        Files.readAllBytes(out().resolve('tokens.safetensors')) == plain

        where:
        ending | packed
        'gz'   | { String t -> gzip(('\uFEFF' + t.replace('\n', '\r\n')).getBytes('UTF-8')) }
        'zst'  | { String t -> zstd(t.replace('\n', '\r').getBytes('UTF-8')) }
    }

    def "a folder is read in the order of its paths, without what describes it"() {
        given:
        file('set/data/b.jsonl', lines(DOCUMENTS[4..7]))
        file('set/data/a.jsonl.gz', gzip(lines(DOCUMENTS[0..3]).getBytes('UTF-8')))
        parquet('set/data/c.parquet', DOCUMENTS[8..11].collect { [id: 1L, text: it] })
        file('set/README.md', 'not text')
        file('set/dataset_info.json', '{"not": "text"}')
        file('set/manifest.json', '{"not": "ours"}')
        file('set/.git/a.txt', 'hidden')

        when:
        def run = bytes('--text', folder.resolve('set'))

        then:
        run.said == ''
        documents().dropRight(1) == DOCUMENTS.dropRight(1)
        Manifest.read(out(), 'tokenize').inputs()*.id() == ['data/a.jsonl.gz', 'data/b.jsonl', 'data/c.parquet']
    }

    private Path fetched(Map<String, String> files) {
        def made = OutputFolder.create(folder.resolve('fetched'), false)
        files.each { name, text -> Files.writeString(made.file(name), text) }
        made.parameter('kind', 'dataset')
        made.commit('fetch', 'org--set')
        folder.resolve('fetched')
    }

    def "a fetched data set is what its manifest says"() {
        given:
        def set = fetched(['data/a.jsonl': lines(DOCUMENTS), 'README.md': 'x'])
        file('fetched/data/b.jsonl', lines(['not listed']))

        when:
        def run = bytes('--text', set)

        then:
        run.status == 0
        documents().dropRight(1) == DOCUMENTS.dropRight(1)
        Manifest.read(out(), 'tokenize').inputs().collect { [it.role(), it.id()] } == [['dataset', 'org--set'], ['text', 'data/a.jsonl']]

        when: 'a file was changed, its size was not'
        Files.writeString(set.resolve('data/a.jsonl'), lines(DOCUMENTS).replace('paragraphs', 'paragrapsh'))
        def changed = bytes('--text', set)

        then:
        changed.status == 65
        changed.said.contains('a.jsonl has sha256')

        when: 'a file was cut'
        Files.writeString(set.resolve('data/a.jsonl'), lines(DOCUMENTS.dropRight(1)))

        then:
        bytes('--text', set).said.contains('cut short')

        when: 'a file is gone'
        Files.delete(set.resolve('data/a.jsonl'))

        then:
        bytes('--text', set).status == 66
    }

    def "another column can hold the text"() {
        given:
        def rows = DOCUMENTS.collect { [id: 1L, body: it] }
        def schema = 'message m { required int64 id; required binary body (STRING); }'

        when:
        bytes('--text', file('a.jsonl', lines(DOCUMENTS, 'body')), '--text-column', 'body')
        def fromLines = documents()
        bytes('--text', parquet('a.parquet', rows, [schema: schema]), '--text-column', 'body')

        then:
        fromLines.dropRight(1) == DOCUMENTS.dropRight(1)
        documents() == fromLines
    }

    def "empty documents are left out and counted, from #kind"() {
        given:
        def texts = ['', 'one ' * 9, ' \n ', null, 'two ' * 9]
        def path = kind == 'parquet'
                ? parquet('a.parquet', texts.collect { it == null ? [id: 1L] : [id: 1L, text: it] })
                : file('a.jsonl', texts.collect { JsonOutput.toJson([text: it]) }.join('\n'))

        when:
        def run = bytes('--text', path)

        then:
        run.said.strip() == '3 empty documents are left out'
        Manifest.read(out(), 'tokenize').with { [it.count('documents'), it.count('documents_read'), it.count('documents_empty')] } == [2, 2, 3]

        where:
        kind << ['jsonl', 'parquet']
    }

    def "malformed text is refused in one line that names the place: #what"() {
        given:
        def good = lines(DOCUMENTS)
        def bad = content.call(this, good)
        def path = bad instanceof Path ? bad : file(name, bad instanceof String ? bad.getBytes('UTF-8') : bad as byte[])

        when:
        def run = bytes('--text', path)

        then:
        run.said.readLines().size() == 1
        run.said.contains(part)
        run.said.contains(path.fileName.toString())
        run.status == 65
        !Files.exists(out())
        folder.toFile().list().every { !it.startsWith('.out') }

        where:
        what                          | name          | content                                                                  | part
        'a broken line'               | 'a.jsonl'     | { s, g -> g + '{"text": "x\n' }                                          | 'a.jsonl line 13 is not JSON'
        'a list'                      | 'a.jsonl'     | { s, g -> g + '["x"]\n' }                                                | 'a.jsonl line 13 is no JSON object'
        'two objects in a line'       | 'a.jsonl'     | { s, g -> '{"text": "x"} {"text": "y"}\n' }                              | 'line 1 has something after'
        'no column'                   | 'a.jsonl'     | { s, g -> g + '\n{"body": "x", "author": 1}\n' }                         | "line 14 has no column 'text'; it has [author, body]"
        'the column twice'            | 'a.jsonl'     | { s, g -> '{"text": "x", "text": "y"}\n' }                               | "'text' twice"
        'a number'                    | 'a.jsonl'     | { s, g -> '{"text": 12}\n' }                                             | "line 1: the column 'text' holds a number"
        'an object'                   | 'a.jsonl'     | { s, g -> '{"text": {"en": "x"}}\n' }                                    | "holds an object"
        'Latin-1 in JSON'             | 'a.jsonl'     | { s, g -> '{"text": "caf\u00e9"}\n'.getBytes('ISO-8859-1') }             | 'line 1 is not UTF-8: byte 0xE9 at offset 13'
        'a gzip cut short'            | 'a.jsonl.gz'  | { s, g -> def b = gzip(g.bytes); Arrays.copyOf(b, b.length - 20) }       | 'cut short'
        'a zstd cut short'            | 'a.jsonl.zst' | { s, g -> def b = zstd(g.bytes); Arrays.copyOf(b, b.length - 5) }        | 'cut short'
        'no gzip at all'              | 'a.txt.gz'    | { s, g -> 'plain text' }                                                 | 'no gzip data'
        'an empty gzip'               | 'a.txt.gz'    | { s, g -> '' }                                                           | 'no gzip data'
        'no zstd at all'              | 'a.txt.zst'   | { s, g -> 'plain text' }                                                 | 'no zstd data'
        'Latin-1 behind gzip'         | 'a.txt.gz'    | { s, g -> gzip(('x' * 70000 + '\u00e9y').getBytes('ISO-8859-1')) }       | 'byte 0xE9 at offset 70000'
        'UTF-8 cut at a block'        | 'a.txt'       | { s, g -> ('x' * 65535 + 'é').getBytes('UTF-8')[0..65535] }              | 'byte 0xC3 at offset 65535'
        'a zero byte'                 | 'a.txt.zst'   | { s, g -> zstd(('x' * 70000 + '\0').getBytes('UTF-8')) }                 | 'zero byte at offset 70000'
        'bzip2'                       | 'a.txt.bz2'   | { s, g -> 'BZh' }                                                        | 'files .bz2 cannot be read'
        'no Parquet'                  | 'a.parquet'   | { s, g -> 'PAR1 something PAR1' }                                        | 'no Parquet file'
        'an empty Parquet'            | 'a.parquet'   | { s, g -> '' }                                                           | 'no Parquet file'
        'Parquet cut short'           | 'a.parquet'   | { s, g -> def p = s.parquet('b.parquet', [[id: 1L, text: 'x' * 999]]); Files.readAllBytes(p)[0..<-30] as byte[] } | 'cut short'
        'encrypted Parquet'           | 'a.parquet'   | { s, g -> ('PARE' + 'x' * 40 + '\20\0\0\0PARE').getBytes('ISO-8859-1') } | 'is encrypted'
        'Parquet without the column'  | 'a.parquet'   | { s, g -> s.parquet('b.parquet', [[title: 'x']], [schema: 'message m { optional binary title (STRING); }']) } | "has no column 'text'; it has [title]"
        'a column of numbers'         | 'a.parquet'   | { s, g -> s.parquet('b.parquet', [[text: 4L]], [schema: 'message m { optional int64 text; }']) }   | "'text' is 'optional int64 text'"
        'a column of bytes'           | 'a.parquet'   | { s, g -> s.parquet('b.parquet', [[text: 'x']], [schema: 'message m { optional binary text; }']) } | 'text (a string) was expected'
        'a column of lists'           | 'a.parquet'   | { s, g -> s.parquet('b.parquet', [[text: 'x']], [schema: 'message m { repeated binary text (STRING); }']) } | 'text (a string) was expected'
        'a nested column'             | 'a.parquet'   | { s, g -> s.parquet('b.parquet', [[id: 1L]], [schema: 'message m { optional int64 id; optional group text { optional int64 en; } }']) } | 'text (a string) was expected'
        'a codec that is not read'    | 'a.parquet'   | { s, g -> s.parquet('b.parquet', [[id: 1L, text: 'x']], [codec: CompressionCodecName.BROTLI]) } | 'compressed by BROTLI'
        'a damaged page'              | 'a.parquet'   | { s, g -> def p = s.parquet('b.parquet', [[id: 1L, text: 'abc' * 500]], [codec: CompressionCodecName.ZSTD]); def b = Files.readAllBytes(p); (60..90).each { b[it] = 7 }; b } | 'cut short or no Parquet file'
    }

    def "what is not there, and a folder without text, are refused"() {
        given:
        Files.createDirectory(folder.resolve('empty'))
        file('other/data.bin', 'x')
        def tokens = OutputFolder.create(folder.resolve('made'), false)
        tokens.commit('tokenize', 'x')
        def model = OutputFolder.create(folder.resolve('model'), false)
        Files.writeString(model.file('vocab.json'), '{}')
        model.commit('fetch', 'x')

        expect:
        bytes('--text', folder.resolve('none.jsonl')).with { it.status == 66 && it.said.contains('none.jsonl is not a file') }
        bytes('--text', folder.resolve('empty')).with { it.status == 65 && it.said.contains('empty has no file with text') }
        bytes('--text', folder.resolve('other')).with { it.status == 65 && it.said.contains('.parquet') }
        bytes('--text', folder.resolve('model')).with { it.status == 65 && it.said.contains('is a fetched model') }
        bytes('--text', folder.resolve('made')).with { it.status == 65 && it.said.contains("the stage 'tokenize'") }
    }

    def "a small file that unpacks without end exhausts no memory: #name"() {
        given: 'some kilobytes that are hundreds of megabytes of one line'
        def packed = new ByteArrayOutputStream()
        def block = ('x' * (1 << 20)).bytes
        new ZstdOutputStream(packed).withCloseable { stream ->
            stream.write(start.bytes)
            80.times { stream.write(block) }
        }

        when:
        def run = bytes('--text', file(name, packed.toByteArray()))

        then:
        packed.size() < 50_000
        run.status == 65
        run.said.contains(part)

        where:
        name          | start      | part
        'a.txt.zst'   | ''         | 'has a document of more than 16777216 characters'
        'a.jsonl.zst' | '{"text":"' | 'line 1 has more than 67108864 bytes'
    }
}
