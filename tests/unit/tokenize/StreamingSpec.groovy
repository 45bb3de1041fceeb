package unit.tokenize

import groovy.json.JsonOutput
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.GZIPOutputStream
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.Manifest
import universality.data.OutputFolder
import universality.data.TokenRows
import universality.data.ToolException
import universality.tokenize.Dealer
import universality.tokenize.SplitPlan
import universality.tokenize.TokenizeJob

/** Text that is too long to be held: dealt out as it is read, in constant memory, whatever the threads. */
class StreamingSpec extends Specification {
    @TempDir Path folder

    List<String> said = []

    /** Tokenizes text of which no more than {@code held} characters are held. */
    Path tokenize(Map options, Path... text) {
        def plan = options.split ? SplitPlan.parse(options.split) : null
        def settings = new TokenizeJob.Settings(options.tokenizer ?: 'byte', options.context ?: 16, plan, options.tokens ?: 0L, options.seed ?: 0L, options.threads ?: 1)
        def out = folder.resolve(options.out ?: 'out')
        OutputFolder.create(out, true).withCloseable { made ->
            new TokenizeJob(settings, made, { said << it }, options.held ?: 1000L).text(text.toList(), 'text')
            made.commit('tokenize', 'tokens')
        }
        out
    }

    Path lines(String name, int documents, long seed = 1) {
        def random = new Random(seed)
        def text = (0..<documents).collect { JsonOutput.toJson([text: "d$it " + 'word ' * (3 + random.nextInt(60))]) }.join('\n')
        Files.write(folder.resolve(name), text.getBytes('UTF-8'))
    }

    static List<String> documents(Path split) {
        TokenizeSpec.documents(TokenRows.read(split), split)
    }

    def "without splits, a streamed text gives the same rows as a held one"() {
        given:
        def book = Files.writeString(folder.resolve('book.txt'), TokenizeSpec.prose(300))

        when:
        def held = tokenize(book, out: 'held', tokenizer: tokenizer, held: 1L << 24)
        def streamed = tokenize(book, out: 'streamed', tokenizer: tokenizer)

        then:
        Files.readAllBytes(held.resolve('tokens.safetensors')) == Files.readAllBytes(streamed.resolve('tokens.safetensors'))
        Manifest.read(streamed, 'tokenize').parameter('order') == 'text'
        Manifest.read(held, 'tokenize').parameterOr('order', '') == ''
        Manifest.read(held, 'tokenize').warnings() == Manifest.read(streamed, 'tokenize').warnings()

        where:
        tokenizer << ['byte', 'bpe:300', 'r50k']
    }

    def "a streamed text is dealt out by document, in shares, in its own order"() {
        given:
        def text = lines('a.jsonl', 2000)

        when:
        def out = tokenize(text, split: 'train=70%,analysis=15%,heldout=5%', tokenizer: 'bpe:280')
        def found = ['train', 'analysis', 'heldout'].collectEntries { [it, documents(out.resolve(it))] }
        def tokens = found.keySet().collectEntries { [it, TokenRows.read(out.resolve(it)).rows() * 16] }
        def numbers = found.collectEntries { name, all -> [name, all.collect { (it =~ /^d(\d+) /)[0][1] as int }] }
        double all = tokens.values().sum() / 0.9

        then: 'no document is in two splits, order is kept'
        numbers.values().flatten().toSet().size() == numbers.values()*.size().sum()
        numbers.values().every { it == it.toSorted() }

        and: 'a tenth stays out'
        (numbers.values()*.size().sum() / 2000d - 0.9).abs() < 0.03

        and: 'shares are met within a few documents'
        (tokens.train / all - 0.7).abs() < 0.01
        (tokens.analysis / all - 0.15).abs() < 0.01
        (tokens.heldout / all - 0.05).abs() < 0.01

        and: 'dealing is not regular'
        numbers.heldout.collate(2, 1, false).collect { it[1] - it[0] }.toSet().size() > 10

        and: 'all is recorded'
        def manifest = Manifest.read(out, 'tokenize')
        manifest.count('documents_read') == 2000
        manifest.count('files_unread') == 0
        manifest.count('trained_characters') >= 2000 * 40
    }

    def "tokens asked for are exact, and reading stops when they are there"() {
        given:
        def files = (0..<5).collect { lines("${it}.jsonl", 300, it) } as Path[]

        when:
        def out = tokenize(split: 'train=8000,analysis=1600,heldout=800', *files)
        def rows = ['train', 'analysis', 'heldout'].collect { TokenRows.read(out.resolve(it)).rows() }
        def manifest = Manifest.read(out, 'tokenize')

        then:
        rows == [500, 100, 50]
        manifest.count('files_unread') == 4
        manifest.inputs()*.id() == ['0.jsonl']
        manifest.count('documents_read') < 150
        manifest.inputs()[0].digest() == universality.data.Digests.ofFile(files[0])

        when: 'a bound on the whole'
        def bounded = tokenize(split: 'train=80%,analysis=20%', tokens: 3200L, out: 'bounded', *files)

        then:
        ['train', 'analysis'].collect { TokenRows.read(bounded.resolve(it)).rows() } == [160, 40]
    }

    def "asking for more than there is says how much there is"() {
        given:
        def text = lines('a.jsonl', 100)

        when:
        tokenize(text, split: 'train=90000,analysis=1600')

        then:
        def e = thrown(ToolException)
        def found = (e.message =~ /asks for 90000 tokens, but its part of the text has (\d+); the whole text has (\d+), and 91600 were asked for/)[0]
        (found[1] as int) < (found[2] as int)
        (found[2] as int) <= (['train', 'analysis'].sum { name ->
            TokenRows.read(tokenize(text, split: 'train=98%,analysis=2%', out: 'all').resolve(name)).rows() * 16 } as int) + 200
    }

    def "bytes do not depend on the number of threads, #kind"() {
        given:
        def text = lines('a.jsonl', 1500)
        def run = { int threads -> tokenize(text, split: 'train=70%,analysis=30%', tokenizer: 'bpe:300', threads: threads, out: "t$threads", held: held, tokens: tokens) }

        when:
        def made = [1, 2, 5].collect { TokenizeSpec.bytes(run(it)) }

        then:
        made[0] == made[1]
        made[0] == made[2]

        where:
        kind                  | held     | tokens
        'streamed'            | 1000L    | 0L
        'streamed, and bound' | 1000L    | 20000L
        'held'                | 1L << 24 | 0L
    }

    def "other seeds deal otherwise; a dealer repeats itself"() {
        given:
        def plan = SplitPlan.parse('train=50%,heldout=30%')
        def deal = { long seed -> def dealer = new Dealer(plan, seed); (0..<500).collect { dealer.deal(10 + it % 7) } }

        expect:
        deal(1) == deal(1)
        deal(1) != deal(2)
        deal(1).countBy { it }.with { (it[0] - 250).abs() < 10 && (it[1] - 150).abs() < 10 && (it[2] - 100).abs() < 10 }

        and: 'the first documents go to different splits'
        (0..<20).every { deal(it).take(2).toSet() == [0, 1] as Set }
    }

    private Map tool(String heap, Object... arguments) {
        def classPath = System.getProperty('surefire.test.class.path') ?: System.getProperty('java.class.path')
        def command = ["${System.getProperty('java.home')}/bin/java".toString(), "-Xmx$heap".toString(), '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'universality.cli.Main'] + arguments*.toString()
        def process = new ProcessBuilder(command).redirectErrorStream(true).start()
        def text = process.inputStream.text
        [status: process.waitFor(), said: text]
    }

    def "a long text goes through a small heap"() {
        given: 'forty megabytes, the tokens of which alone would not fit'
        def paragraphs = (0..<400).collect { TokenizeSpec.prose(1, it) }
        def random = new Random(1)
        def text = folder.resolve('a.txt.gz')
        new OutputStreamWriter(new GZIPOutputStream(Files.newOutputStream(text)), 'UTF-8').withCloseable { writer ->
            (0..<(40_000_000.intdiv(190))).each { writer.write(paragraphs[random.nextInt(400)] + '\n') }
        }

        when:
        def run = tool('48m', 'tokenize', '--text', text, '--tokenizer', 'r50k', '--context', 128, '--split', 'train=50%,heldout=10%', '--threads', 2, '--out', folder.resolve('out'))

        then:
        run.status == 0
        Manifest.read(folder.resolve('out'), 'tokenize').count('tokens') > 7_000_000
        Files.size(folder.resolve('out/train/tokens.safetensors')) > 48 * 1024 * 1024
    }
}
