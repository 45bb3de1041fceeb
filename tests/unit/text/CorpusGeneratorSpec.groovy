package unit.text

import spock.lang.Shared
import spock.lang.Specification
import universality.text.CorpusGenerator
import universality.text.Feature
import universality.text.PlantedText

class CorpusGeneratorSpec extends Specification {
    @Shared List<PlantedText> documents = (0..<600).collect { new CorpusGenerator(1).document('train', it) }

    /** The stretches of text in which a feature holds. */
    static List<String> stretches(PlantedText document, Feature feature) {
        def found = []
        int start = -1
        for (int i = 0; i <= document.text().length(); i++) {
            boolean here = i < document.text().length() && (document.features()[i] & feature.bit()) != 0
            if (here && start < 0) start = i
            if (!here && start >= 0) {
                found << document.text().substring(start, i)
                start = -1
            }
        }
        found
    }

    List<String> all(Feature feature) {
        documents.collectMany { stretches(it, feature) }
    }

    def "a document depends on seed, stream and number alone, not on the locale"() {
        given:
        def before = Locale.default

        when:
        Locale.setDefault(Locale.forLanguageTag('tr-TR-u-nu-arab'))

        then:
        new CorpusGenerator(1).document('train', 7).text() == documents[7].text()
        new CorpusGenerator(1).document('train', 7).features() == documents[7].features()
        new CorpusGenerator(2).document('train', 7).text() != documents[7].text()
        new CorpusGenerator(1).document('analysis', 7).text() != documents[7].text()

        cleanup:
        Locale.setDefault(before)
    }

    def "the table names every feature in order and describes it"() {
        given:
        def rows = Feature.getResourceAsStream('/features/planted.csv').getText('UTF-8').readLines()

        expect:
        rows[0] == 'name,description'
        rows.drop(1).collect { it.split(',')[0] } == Feature.names()
        Feature.names() == Feature.values()*.label()
        Feature.names().size() in 30..63
    }

    def "every feature is planted, none everywhere"() {
        given:
        long characters = documents.sum { it.text().length() } as long

        expect:
        Feature.values().every { feature ->
            double share = all(feature)*.length().sum(0) / characters
            assert share > 2e-4 && share < 0.6: "$feature has $share"
            true
        }
    }

    def "documents have a sensible length and end in a line end"() {
        given:
        def words = documents.collect { it.text().split(/\s+/).length }

        expect:
        words.count { it in 40..500 } > 0.97 * words.size()
        words.max() < 700
        words.min() > 15
        words.sum() / words.size() > 110
        documents.every { it.text().endsWith('\n') && !it.text().contains('  \n') && !it.text().startsWith('\n') }
        documents.every { it.features().length == it.text().length() }
    }

    def "the vocabulary is rich and Zipfian"() {
        given:
        def counts = documents.collectMany { it.text().findAll(/\p{L}+/) }*.toLowerCase().countBy { it }.values().sort().reverse()

        expect:
        counts.size() > 1100
        counts[0] > 20 * counts[100]
        counts[100] > 3 * counts[600]
    }

    def "what is planted as #feature reads like it"() {
        given:
        def found = all(feature)

        expect:
        found.size() > 20
        found.every { it ==~ pattern }

        where:
        feature                 | pattern
        Feature.DIGITS          | /\$?£?\d[\d.,:]*( \d+)*/
        Feature.YEAR            | /\d{4}/
        Feature.PRICE           | /[£$]\d+\.\d0|\d+( (pounds|shillings))?|pounds|shillings/
        Feature.CLOCK_TIME      | /\d{1,2}:\d\d/
        Feature.NEGATION        | /(?i)not|never|no/
        Feature.QUOTE_MARK      | /"/
        Feature.IN_QUOTE        | /(?s)(".*[,?]"|[^"]+[.?!])/
        Feature.IN_BRACKET      | /(?s)\(.*\)/
        Feature.QUESTION        | /(?s).*\?/
        Feature.LIST_CONJUNCTION| /and/
        Feature.CODE_STRING     | /"\w+"/
        Feature.CODE_COMMENT    | /\/\/ .*/
        Feature.CODE_KEYWORD    | /[a-z]+/
        Feature.LETTER_GREETING | /(Dear|My dear|Dearest) \w+,/
        Feature.LETTER_CLOSING  | /(Yours|With|Your|Ever)[ a-z]+,/
        Feature.SPEECH_VERB     | /\w+/
        Feature.NUMBER          | /.*(\d|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty|hundred|first|second|third|fourth|fifth|last).*|Two|Three|\w+/
        Feature.RELATIVE_CLAUSE | /(who|which|that) .*/
        Feature.SUBORDINATE_CLAUSE | /(?i)(because|when|although|if|while|before|after|until|unless|since) .*/
        Feature.POSSESSIVE      | /(?i)'s|his|her|their|my|your|our|its/
        Feature.CONJUNCTION     | /(?i)and|but|or|so|yet|than|because|when|although|if|while|before|after|until|unless|since/
    }

    def "outside its stretches #word is not planted as #feature"() {
        expect: 'every occurrence of the sign carries the feature'
        documents.every { document ->
            (document.text() =~ pattern).results().allMatch { match ->
                (document.features()[match.start()] & (feature.bit() | Feature.CODE.bit())) != 0
            }
        }

        where:
        word            | pattern             | feature
        'never'         | /\bnever\b/         | Feature.NEGATION
        'a digit'       | /\d/                | Feature.DIGITS
        'a quote'       | /"/                 | Feature.QUOTE_MARK
        'a bracket'     | /\(/                | Feature.IN_BRACKET
        'a question'    | /\?/                | Feature.QUESTION
        'Dear'          | /\bDear\b/          | Feature.LETTER_GREETING
        'because'       | /\bbecause\b/       | Feature.SUBORDINATE_CLAUSE
        'she'           | /\b[Ss]he\b/        | Feature.FEMININE
        'Thomas'        | /\bThomas\b/        | Feature.NAME
        'London'        | /\bLondon\b/        | Feature.PLACE
    }

    def "subjects agree with their verbs"() {
        given:
        def texts = documents*.text()

        expect: 'a singular pronoun never with a plural verb, and the other way round'
        !texts.any { it =~ /\b([Hh]e|[Ss]he) (are|were|have|do)\b/ }
        !texts.any { it =~ /\bWe (is|was|has|does)\b/ }
        texts.count { it =~ /\b(we|We) (are|were|have)\b/ } > 10
        texts.count { it =~ /\b([Hh]e|[Ss]he) (is|was|has|had)\b/ } > 10
    }

    def "a document keeps to its topic and its hero"() {
        expect:
        documents.every { document ->
            def topics = Feature.values().findAll { it.label().startsWith('topic_') && it != Feature.TOPIC_WORD }
            topics.count { stretches(document, it) == [document.text()] } == 1
        }
    }

    def "splits share no long run of words"() {
        given:
        def runs = { String stream ->
            def found = new HashSet<String>()
            (0..<400).each { i ->
                def document = new CorpusGenerator(1).document(stream, i)
                // the heads of loops in program text are alike everywhere, as they are in real programs
                def words = stretches(document, Feature.CODE) ? [] : document.text().split(/\s+/) as List
                for (int k = 0; k + 12 <= words.size(); k++) found << words[k..<k + 12].join(' ')
            }
            found
        }
        def train = runs('train')
        def heldout = runs('heldout')

        expect:
        train.size() > 10_000
        train.intersect(heldout).empty
    }
}
