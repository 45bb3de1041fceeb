package unit.text

import groovy.json.JsonOutput
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.TestData
import universality.data.CheckpointFolder
import universality.data.OutputFolder
import universality.data.TokenRows
import universality.text.R50kTokenizer
import universality.text.Tokenizers

/** Which tokenizers count as one: those that give the same ids, however their files are written. */
class TokenizerIdentitySpec extends Specification {
    static final Map BASE = [
        version: '1.0', truncation: null, padding: null, normalizer: null, post_processor: null,
        added_tokens: [[id: 3, content: '<|endoftext|>', special: true]],
        pre_tokenizer: [type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true],
        decoder: [type: 'ByteLevel'],
        model: [type: 'BPE', dropout: null, byte_fallback: false, end_of_word_suffix: '', vocab: [a: 0, b: 1, ab: 2, ba: 4], merges: ['a b', 'b a']],
    ]

    @TempDir
    Path folder

    @Shared
    Map<String, Integer> gpt2 = R50kTokenizer.vocabularyIds()

    private CheckpointFolder checkpoint(Map<String, String> files, Map parameters = [:]) {
        def out = OutputFolder.create(folder.resolve('c'), false)
        files.each { name, text -> out.file(name).text = text }
        parameters.each { name, value -> out.parameter(name, value) }
        TestData.commitCheckpoint(out, 'c')
        CheckpointFolder.open(folder.resolve('c'))
    }

    private TokenRows tokens(Map options) {
        TokenRows.read(TestData.tokens(folder, 't', [[1, 2]], 5, options))
    }

    private static String json(Map changes = [:]) {
        JsonOutput.toJson(BASE + changes + [model: BASE.model + (changes.model ?: [:])])
    }

    def "files that differ in #what are one tokenizer"() {
        expect:
        Tokenizers.agree(checkpoint(['tokenizer.json': file]), tokens(tokenizer: json())).get()

        where:
        what                   | file
        'nothing'              | json()
        'their spaces'         | JsonOutput.prettyPrint(json())
        'merges as pairs'      | json(model: [merges: [['a', 'b'], ['b', 'a']]])
        'the order of fields'  | json(model: [vocab: [ba: 4, ab: 2, b: 1, a: 0]])
        'what is put around'   | json(truncation: [max_length: 5], padding: [pad_id: 3], post_processor: [type: 'ByteLevel'], decoder: null)
        'defaults'             | json(pre_tokenizer: [add_prefix_space: false, type: 'ByteLevel'], model: [ignore_merges: false, end_of_word_suffix: null])
    }

    def "files that differ in #what are two tokenizers"() {
        expect:
        !Tokenizers.agree(checkpoint(['tokenizer.json': file]), tokens(tokenizer: json())).get()

        where:
        what                      | file
        'an id'                   | json(model: [vocab: [a: 1, b: 0, ab: 2, ba: 4]])
        'a piece'                 | json(model: [vocab: [a: 0, b: 1, ab: 2, bb: 4]])
        'the order of merges'     | json(model: [merges: ['b a', 'a b']])
        'an added token'          | json(added_tokens: [[id: 5, content: '<|endoftext|>']])
        'the normalizer'          | json(normalizer: [type: 'NFC'])
        'the space in front'      | json(pre_tokenizer: [type: 'ByteLevel', add_prefix_space: true])
        'the way words are cut'   | json(pre_tokenizer: [type: 'ByteLevel', add_prefix_space: false, use_regex: false])
        'a setting of the model'  | json(model: [byte_fallback: true])
        'all'                     | '{"a": 1}'
    }

    def "vocab.json and merges.txt stand for a tokenizer.json: #what"() {
        expect:
        Tokenizers.agree(checkpoint(files), tokens(tokenizer: json())).get() == same

        where:
        what                    | same  | files
        'the same'              | true  | ['vocab.json': '{"a": 0, "b": 1, "ab": 2, "ba": 4, "<|endoftext|>": 3}', 'merges.txt': '#version: 0.2\na b\nb a\n']
        'without merges'        | true  | ['vocab.json': '{"a": 0, "b": 1, "ab": 2, "ba": 4}']
        'another id'            | false | ['vocab.json': '{"a": 1, "b": 0, "ab": 2, "ba": 4}']
        'a piece more'          | false | ['vocab.json': '{"a": 0, "b": 1, "ab": 2, "ba": 4, "aa": 5}']
        'a piece less'          | false | ['vocab.json': '{"a": 0, "b": 1, "ab": 2}']
        'other merges'          | false | ['vocab.json': '{"a": 0, "b": 1, "ab": 2, "ba": 4}', 'merges.txt': '#version: 0.2\nb a\na b\n']
    }

    def "the vocabulary that r50k stands for is GPT-2's"() {
        expect:
        gpt2.size() == 50257
        gpt2.values().toSet() == (0..50256).toSet()
        ['!': 0, '\u0120': 220, '\u0120the': 262, 'Hello': 15496, '\u0120world': 995, '\u010a': 198, '<|endoftext|>': 50256].every { gpt2[it.key] == it.value }
    }

    def "tokens of r50k are compared by that vocabulary: #what"() {
        given:
        def other = gpt2.collectEntries { piece, id -> [piece, (id + 7) % 50257] }
        def written = { Map vocabulary, Map more = [:] -> JsonOutput.toJson([model: [type: 'BPE', vocab: vocabulary, merges: []]] + more) }
        def extra = [added_tokens: [[id: 50257, content: '<pad>']]]
        def files = [
            'vocab.json'            : ['vocab.json': JsonOutput.toJson(gpt2)],
            'tokenizer.json'        : ['tokenizer.json': written(gpt2)],
            'with a token added'    : ['tokenizer.json': written(gpt2, extra)],
            'other ids'             : ['tokenizer.json': written(other)],
            'other ids, vocab.json' : ['vocab.json': JsonOutput.toJson(other)],
            'a smaller one'         : ['vocab.json': JsonOutput.toJson(gpt2.findAll { it.value < 50000 })],
        ][what]

        expect:
        Tokenizers.agree(checkpoint(files), tokens(name: 'r50k')).get() == same

        where:
        what                     | same
        'vocab.json'             | true
        'tokenizer.json'         | true
        'with a token added'     | true
        'other ids'              | false
        'other ids, vocab.json'  | false
        'a smaller one'          | false
    }

    def "a name in the manifest of a trained checkpoint tells, too"() {
        expect:
        Tokenizers.agree(checkpoint([:], [tokenizer: 'r50k']), tokens(name: 'r50k')).get()
    }

    def "where one side does not tell, nothing is known"() {
        expect:
        Tokenizers.agree(checkpoint(files), tokens(options)).empty

        where:
        files                       | options
        [:]                         | [name: 'r50k']
        [:]                         | [tokenizer: json()]
        ['tokenizer.json': json()]  | [name: 'ids']
    }
}
