package unit.text

import com.knuddels.jtokkit.Encodings
import com.knuddels.jtokkit.api.EncodingType
import java.nio.charset.StandardCharsets
import java.util.regex.Pattern
import spock.lang.AutoCleanup
import spock.lang.Shared
import spock.lang.Specification
import universality.text.CorpusGenerator
import universality.text.PreTokens
import universality.text.Tokenizer
import universality.text.Tokenizers

/** The scanner of words against GPT-2's pattern, and the encoder that remembers words against the library. */
class PreTokensSpec extends Specification {
    static final Pattern GPT2 = Pattern.compile(
            /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/, Pattern.UNICODE_CHARACTER_CLASS)

    static final List<List<Integer>> ALPHABETS = [
        (0..0x24f).toList(), (32..126).toList(), [32, 32, 10, 9, 39, 115, 116, 100, 109, 108, 114, 118, 101, 97, 49],
        [9, 10, 11, 12, 13, 0x1c, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2007, 0x200a, 0x200b, 0x2028, 0x2029, 0x202f, 0x205f, 0x2060, 0x3000, 0xfeff, 97],
        (0x300..0x36f).toList() + [97, 101, 32, 39], (0x370..0x6ff).toList(), (0x900..0xdff).toList(), (0x3040..0x30ff).toList() + (0x4e00..0x4eff).toList(),
        (0x1d400..0x1d7ff).toList() + [32, 65], (0x1f300..0x1f6ff).toList() + [0x200d, 0xfe0f, 32], (0x10000..0x1107f).toList() + [49, 32],
        (0x20000..0x2007f).toList() + (0x1e900..0x1e95f).toList(), [0x660, 0xbd, 0x2160, 0x3007, 0x2460, 49, 46, 32],
    ]

    @Shared @AutoCleanup Tokenizer r50k = Tokenizers.named('r50k')

    static List<String> fuzz(int count, long seed, int longest) {
        def random = new Random(seed)
        (0..<count).collect {
            def text = new StringBuilder()
            def alphabet = ALPHABETS[random.nextInt(ALPHABETS.size())]
            random.nextInt(longest).times {
                if (random.nextInt(12) == 0) alphabet = ALPHABETS[random.nextInt(ALPHABETS.size())]
                text.appendCodePoint(alphabet[random.nextInt(alphabet.size())])
            }
            text.toString()
        }
    }

    static List<String> prose() {
        (0..<60).collect { new CorpusGenerator(3).document('words', it).text() } +
                ["KING RICHARD:\nWhy, 'tis o'er-past; thou'lt ne'er--\n\n  Exeunt.\t \n", "it's  we're   they'll'd'S 'T don't've \n \n x", '  lead', 'trail  ', '\n', ' ', "'", "''s"]
    }

    static List<String> words(String text) {
        def chars = text.toCharArray()
        def found = []
        for (int from = 0; from < chars.length;) {
            int to = PreTokens.end(chars, from, chars.length)
            found << text.substring(from, to)
            from = to
        }
        found
    }

    def "every character has the class that the pattern gives it"() {
        given:
        def classes = [/\p{L}/, /\p{N}/, /./, /\s/].collect { Pattern.compile(it, Pattern.UNICODE_CHARACTER_CLASS | Pattern.DOTALL).matcher('') }
        def differing = []

        when:
        for (int point = 0; point <= 0x10ffff; point++) {
            def c = Character.toString(point)
            if ((point < 0xd800 || point > 0xdfff) && !classes[PreTokens.classify(point)].reset(c).matches()
                    || PreTokens.classify(point) == 2 && [0, 1, 3].any { classes[it].reset(c).matches() }) {
                differing << point
            }
            if (point > 0x323af && point < 0xe0000) point = 0xe0000 // not assigned
        }

        then:
        differing == []
    }

    def "texts are cut as the pattern cuts them"() {
        expect:
        (fuzz(3000, 11, 60) + prose()).every { text ->
            def matcher = GPT2.matcher(text)
            def expected = []
            while (matcher.find()) expected << matcher.group()
            assert words(text) == expected
            true
        }
    }

    def "r50k gives the library's ids, remembered or not"() {
        given: 'words that take the places of others, and long ones'
        def library = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE)
        def random = new Random(5)
        def many = (0..<40_000).collect { Integer.toString(random.nextInt() & 0xffffff, 36) }.join(' ')
        def texts = fuzz(1000, 12, 80) + prose() + [many, many.reverse(), 'x' * 5000, 'né' * 3000, ' ' * 300 + 'end', '<|endoftext|>']

        expect:
        2.times {
            texts.each { text ->
                assert r50k.encode(text) == library.encodeOrdinary(text).toArray()
            }
        }
        true
    }

    def "twins give the same ids on other threads"() {
        given:
        def texts = fuzz(400, 13, 200) + prose()
        def expected = texts.collect { tokenizer.encode(it).toList() }

        when:
        def found = (0..<4).collect { java.util.concurrent.CompletableFuture.supplyAsync { def twin = tokenizer.twin(); def all = texts.collect { twin.encode(it).toList() }; twin.close(); all } }*.get()

        then:
        found.every { it == expected }
        tokenizer.encode(texts[0]).toList() == expected[0]

        cleanup:
        tokenizer?.close()

        where:
        tokenizer << [Tokenizers.named('r50k'), TokenizersSpec.train(600, (0..<200).collect { new CorpusGenerator(7).document('train', it).text() })]
    }
}
