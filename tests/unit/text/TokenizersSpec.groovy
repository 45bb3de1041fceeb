package unit.text

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer
import groovy.json.JsonSlurper
import java.nio.charset.StandardCharsets
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.AutoCleanup
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.ExitCode
import universality.data.OutputFolder
import universality.data.ToolException
import universality.text.CorpusGenerator
import universality.text.Tokenizer
import universality.text.Tokenizers

class TokenizersSpec extends Specification {
    static final Map<String, String> PLAIN = [truncation: 'false', padding: 'false', addSpecialTokens: 'false']

    static final List<String> AWKWARD = [
        '', ' ', '\n', '\n\n\n  x', 'a  b   c', "it's o'clock; they'll've 'tis ''s", 'line\r\nline\rline',
        'naïve café £4.50 “quoted” — dash…', '日本語のテキスト', '😀👩‍👩‍👧 𝒳 family', 'e\u0301 combining', 'tab\tand\u00a0nbsp\u0085nel',
        '<|endoftext|>', 'before <|endoftext|><|endoftext|>after', 'x' * 3000, '1234567890 ½ ٣ Ⅷ', '\u0001\u001c\u001f control', 'Ω≈ç√ Ελλάδα мир',
    ]

    @Shared @AutoCleanup Tokenizer bpe = train(700, (0..<300).collect { new CorpusGenerator(7).document('train', it).text() })
    @Shared @AutoCleanup Tokenizer bytes = Tokenizers.named('byte')
    @Shared @AutoCleanup Tokenizer r50k = Tokenizers.named('r50k')
    @TempDir Path folder

    static Tokenizer train(int vocabulary, List<String> texts) {
        Tokenizers.train(vocabulary) { add, wanted -> texts.each { if (wanted.asBoolean) add.accept(it) } }
    }

    static List<String> fuzz(int count, long seed) {
        def random = new Random(seed)
        def alphabets = [(0..0x24f), (32..126), [32, 10, 9, 39, 115, 116, 97, 49], (0x2010..0x2027) + (97..105), (0x370..0x6ff), (0x1f600..0x1f64f) + [32, 65]]
        (0..<count).collect {
            def alphabet = alphabets[random.nextInt(alphabets.size())]
            def text = new StringBuilder()
            random.nextInt(60).times { text.appendCodePoint(alphabet[random.nextInt(alphabet.size())]) }
            text.toString()
        }
    }

    def "every text comes back from its ids, with #name"() {
        expect:
        (AWKWARD + fuzz(300, 1)).every { tokenizer.decode(tokenizer.encode(it)) == it }

        where:
        name << ['bpe', 'byte', 'r50k']
        tokenizer = [bpe: bpe, byte: bytes, r50k: r50k][name]
    }

    def "byte ids are the UTF-8 bytes and 256 starts rows"() {
        expect:
        AWKWARD.every { text -> bytes.encode(text) as List == text.getBytes(StandardCharsets.UTF_8).collect { it & 0xff } }
        bytes.vocabulary() == 257
        bytes.bos() == 256
    }

    def "Hugging Face's library reads our tokenizer.json and gives the same ids for whole texts, with #name"() {
        given: 'the file as it is written, special tokens included'
        def file = folder.resolve('tokenizer.json')
        Files.writeString(file, tokenizer.json().get(), StandardCharsets.UTF_8)
        def library = HuggingFaceTokenizer.newInstance(file, PLAIN)
        def texts = (AWKWARD + fuzz(500, 2) + (0..<40).collect { new CorpusGenerator(9).document('other', it).text() })
                .findAll { !it.contains('<|endoftext|>') }

        expect:
        texts.every { library.encode(it, false, false).ids as List == tokenizer.encode(it) as List }

        and: 'the special token is the last id there too'
        library.encode('<|endoftext|>', false, false).ids as List == [tokenizer.vocabulary() - 1L]
        library.decode(tokenizer.encode('Anna said') as long[]) == 'Anna said'

        cleanup:
        library?.close()

        where:
        name << ['bpe', 'byte']
        tokenizer = [bpe: bpe, byte: bytes][name]
    }

    /** As the tokenizers of GPT-NeoX and Pythia are: composed characters, and tokens for runs of spaces. */
    static String neox(String json) {
        def root = new JsonSlurper().parseText(json)
        int next = root.added_tokens[0].id + 1
        root.normalizer = [type: 'NFC']
        root.added_tokens += (2..6).collect { n ->
            [id: next + n - 2, content: ' ' * n, single_word: false, lstrip: false, rstrip: false, normalized: true, special: false]
        }
        groovy.json.JsonOutput.toJson(root)
    }

    def "Hugging Face's library gives the same ids where it composes characters and knows runs of spaces"() {
        given:
        def file = folder.resolve('neox.json')
        Files.writeString(file, neox(bpe.json().get()), StandardCharsets.UTF_8)
        def library = HuggingFaceTokenizer.newInstance(file, PLAIN)
        def tokenizer = Tokenizers.named(file.toString())
        def random = new Random(4)
        def pieces = ['the ship', 'is', ' ', '  ', '   ', '\n', '\n\n', '\n', 'e\u0301', 'é', 'Ω', '\u212b', "'s", '.', '12', '\t', '日本', '\r\n']
        def mixed = (0..<1500).collect { (0..<random.nextInt(25)).collect { pieces[random.nextInt(pieces.size())] }.join() }
        def texts = (AWKWARD + fuzz(500, 8) + mixed + (0..<20).collect { new CorpusGenerator(9).document('other', it).text() })
                .findAll { !it.contains('<|endoftext|>') }

        expect:
        texts.every { text ->
            assert library.encode(text, false, false).ids as List == tokenizer.encode(text) as List
            true
        }

        cleanup:
        library?.close()
        tokenizer?.close()
    }

    def "a special token that is spelt out in a text stays text, with #name"() {
        given:
        def ids = tokenizer.encode('a<|endoftext|>b')

        expect:
        !(tokenizer.bos() in (ids as List))
        ids.length > 3
        tokenizer.decode(ids) == 'a<|endoftext|>b'
        tokenizer.decode(tokenizer.bos()) == '<|endoftext|>'

        where:
        name << ['bpe', 'byte', 'r50k']
        tokenizer = [bpe: bpe, byte: bytes, r50k: r50k][name]
    }

    def "r50k is GPT-2's own encoding"() {
        expect:
        r50k.encode('Hello world') as List == [15496, 995]
        r50k.encode('\n\n') as List == [628]
        r50k.vocabulary() == 50257
        r50k.bos() == 50256
        r50k.json().empty
    }

    def "places cover the text without gaps, with #name"() {
        expect:
        (AWKWARD + fuzz(200, 3)).every { text ->
            def encoded = tokenizer.encodeWithPlaces(text)
            assert encoded.ids() as List == tokenizer.encode(text) as List
            int covered = 0
            encoded.ids().eachWithIndex { id, i ->
                assert encoded.starts()[i] <= covered && encoded.ends()[i] > encoded.starts()[i]
                covered = encoded.ends()[i]
            }
            assert covered == text.length()
            true
        }

        where:
        name << ['bpe', 'byte', 'r50k']
        tokenizer = [bpe: bpe, byte: bytes, r50k: r50k][name]
    }

    def "the place of a token is the text it stands for"() {
        given:
        def text = 'Dear Anna, the ships are £4.50.'
        def encoded = bpe.encodeWithPlaces(text)

        expect:
        encoded.ids().indices.every { i ->
            def piece = bpe.piece(encoded.ids()[i])
            piece.contains('\\x') || text.substring(encoded.starts()[i], encoded.ends()[i]) == piece
        }
    }

    def "unpaired surrogates count as the replacement character"() {
        expect:
        tokenizer.decode(tokenizer.encode('a\uD83Db\uDE00')) == 'a\uFFFDb\uFFFD'

        where:
        tokenizer << [bpe, bytes, r50k]
    }

    def "pieces are shown so that a reader sees every one"() {
        expect:
        bytes.piece('\n' as char as int) == '\\n'
        bytes.piece(9) == '\\t'
        bytes.piece(1) == '\\u0001'
        bytes.piece(0xE2) == '\\xE2'
        bytes.piece(65) == 'A'
        bytes.piece(32) == ' '
        bytes.piece(256) == '<|endoftext|>'
        bytes.piece(257) == '#257'
        bytes.piece(-1) == '#-1'
        r50k.piece(995) == ' world'
    }

    def "only tokens made of line ends are line ends"() {
        expect:
        (0..<bpe.vocabulary()).every { bpe.newlineOnly(it) == (bpe.decode(it) ==~ /[\r\n]+/) }
        (0..<bytes.vocabulary()).findAll { bytes.newlineOnly(it) } == [10, 13]
        r50k.newlineOnly(198) && r50k.newlineOnly(628) && !r50k.newlineOnly(220)
    }

    def "merges are those of counting every pair anew at every step (seed #seed)"() {
        given:
        def random = new Random(seed)
        def texts = (0..<20).collect { (0..<40).collect { ['a', 'aa', 'ab', 'b', 'ba', 'aab', 'é', 'bab'][random.nextInt(8)] }.join(random.nextBoolean() ? ' ' : '') }
        int vocabulary = 257 + 25

        when:
        def tokenizer = train(vocabulary, texts)

        then:
        new JsonSlurper().parseText(tokenizer.json().get()).model.merges == referenceMerges(texts, vocabulary)

        cleanup:
        tokenizer?.close()

        where:
        seed << (1..6)
    }

    /** Byte pair encoding as in the paper: count all pairs, merge the best, again. */
    private static List<String> referenceMerges(List<String> texts, int vocabulary) {
        def words = texts.collectMany { (it =~ / ?\p{L}+/).collect { w -> w as String } }.countBy { it }
        def printable = (33..126) + (0xa1..0xac) + (0xae..0xff)
        def shown = [:]
        int next = 256
        (0..255).each { shown[it] = (it in printable ? it : next++) as char as String }
        def symbols = words.collect { word, n -> [word.getBytes('UTF-8').collect { it & 0xff }, n] }
        def pieces = (0..255).collect { shown[it] }
        def merges = []
        while (pieces.size() < vocabulary - 1) {
            def counts = [:].withDefault { 0 }
            symbols.each { ids, n -> (0..<ids.size() - 1).each { if (ids.size() > 1) counts[[ids[it], ids[it + 1]]] += n } }
            def best = counts.findAll { it.value > 1 }.sort { x, y -> y.value <=> x.value ?: x.key[0] <=> y.key[0] ?: x.key[1] <=> y.key[1] }.entrySet()[0].key
            def piece = pieces[best[0]] + pieces[best[1]]
            int id = pieces.indexOf(piece)
            if (id < 0) {
                id = pieces.size()
                pieces << piece
            }
            merges << pieces[best[0]] + ' ' + pieces[best[1]]
            symbols = symbols.collect { ids, n ->
                def merged = []
                for (int i = 0; i < ids.size(); i++) {
                    boolean here = i + 1 < ids.size() && ids[i] == best[0] && ids[i + 1] == best[1]
                    merged << (here ? id : ids[i])
                    if (here) i++
                }
                [merged, n]
            }
        }
        merges
    }

    def "a vocabulary without room, or a text without pairs, is refused"() {
        when:
        train(256, ['some text'])

        then:
        def small = thrown(ToolException)
        small.code() == ExitCode.USAGE
        small.message.contains('bpe:257')

        when:
        train(400, ['ab ab'])

        then:
        def poor = thrown(ToolException)
        poor.code() == ExitCode.BAD_DATA
        poor.message.contains('bpe:258') // a b, and nothing else twice: " ab" occurs once
    }

    def "bpe:257 is bytes"() {
        given:
        def tokenizer = train(257, ['some text'])

        expect:
        tokenizer.encode('né') as List == [0x6e, 0xc3, 0xa9]
        tokenizer.bos() == 256

        cleanup:
        tokenizer?.close()
    }

    def "a folder's tokenizer is its file, or what its manifest names"() {
        given:
        def make = { String name, String json, Map parameters ->
            def made = OutputFolder.create(folder.resolve(name), false)
            if (json) Files.writeString(made.file('tokenizer.json'), json)
            parameters.each { key, value -> made.parameter(key, value) }
            made.commit('tokenize', name)
            folder.resolve(name)
        }

        expect:
        Tokenizers.load(make('a', bpe.json().get(), [tokenizer: 'bpe:700'])).with { it.name() == 'bpe:700' && it.decode(encode('the ship')) == 'the ship' }
        Tokenizers.load(make('b', null, [tokenizer: 'r50k'])).vocabulary() == 50257
        Tokenizers.load(make('c', null, [tokenizer: 'ids', vocabulary: 50])).with { it.piece(3) == '#3' && it.decode(1, 2) == '#1 #2' }

        when:
        Tokenizers.load(make('d', null, [:]))

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.MISSING_INPUT
    }

    def "a tokenizer that is not byte-level works through the library"() {
        given: 'words split at spaces, the space written as U+2581, lower-cased first'
        def json = '''{"version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [{"id": 0, "content": "<s>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
            "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Metaspace", "replacement": "\\u2581", "prepend_scheme": "always", "split": true},
            "post_processor": null, "decoder": {"type": "Metaspace", "replacement": "\\u2581", "prepend_scheme": "always", "split": true},
            "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"<s>": 0, "?": 1, "\\u2581the": 2, "\\u2581é😀": 3, "\\u2581end": 4}}}'''
        def file = folder.resolve('words.json')
        Files.writeString(file, json)
        def tokenizer = Tokenizers.named(file.toString())
        def text = 'The é😀 End unknown <s>'

        expect:
        tokenizer.name() == 'words.json'
        tokenizer.vocabulary() == 5
        tokenizer.bos() == 0
        tokenizer.encode(text) as List == [2, 3, 4, 1, 1]
        tokenizer.piece(2) == ' the'
        tokenizer.decode(2, 4) == 'the end'
        def encoded = tokenizer.encodeWithPlaces(text)
        (0..<3).collect { text.substring(encoded.starts()[it], encoded.ends()[it]).strip() } == ['The', 'é😀', 'End']

        cleanup:
        tokenizer?.close()
    }

    def "a file that is no tokenizer is refused: #what"() {
        given:
        def file = folder.resolve('t.json')
        Files.writeString(file, content)

        when:
        Tokenizers.named(file.toString())

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        e.message.contains(part)

        where:
        what              | content                                                                     | part
        'no JSON'         | 'hello'                                                                     | 'is not JSON'
        'no vocabulary'   | '{}'                                                                        | 'model.vocab'
        'no start token'  | '{"model": {"vocab": {"a": 0}}, "added_tokens": []}'                        | '<|endoftext|>'
        'a bad id'        | '{"model": {"vocab": {"a": -1}}, "added_tokens": []}'                       | "'-1'"
    }

    def "a name that is nothing is refused"() {
        when:
        Tokenizers.named('r5ok')

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.MISSING_INPUT
        e.message.contains("'r5ok'")
    }
}
