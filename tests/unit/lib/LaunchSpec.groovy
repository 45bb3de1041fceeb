package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

class LaunchSpec extends Specification {
    static final Path PROJECT = ParametersSpec.PROJECT

    @TempDir
    Path folder

    def 'tools that were never built are missed in one line'() {
        given:
        Files.copy(PROJECT.resolve('nextflow_schema.json'), folder.resolve('nextflow_schema.json'))

        when:
        Launch launch = Launch.of([seeds: '1,2'], folder)

        then:
        launch.problem == "the tools are not built: run './nextflow' instead of 'nextflow', or 'mvn -q package -DskipTests' in ${folder}"
        launch.study == null
    }

    def 'the first problem is the only one'() {
        expect:
        Launch.of([sedes: '1,2'], PROJECT).problem == "unknown parameter '--sedes': did you mean '--seeds'? (--help lists all)"
    }

    /** What a launch is asked, and no hub with it. */
    private Map given(Map changes) {
        ['a', 'b'].each { Files.createDirectories(folder.resolve(it)) }
        folder.resolve('sheet.csv').text = 'family,seed,step,source\nx,1,0,a\nx,2,0,b\n'
        folder.resolve('two.csv').text = 'family,seed,step,source\nx,1,0,a\nx,2,0,b\ny,1,0,a\ny,2,0,b\n'
        folder.resolve('ids.json').text = '[[1, 2]]'
        folder.resolve('broken.json').text = '{"model": \n {]'
        folder.resolve('other.json').text = '[]'
        Map paths = changes.collectEntries { name, value -> [(name): name in ['input', 'ids', 'model_config'] ? "${folder}/${value}".toString() : value] }
        ParametersSpec.configured() + [offline: true] + paths
    }

    def 'what does not go together is said at launch: #changes'() {
        when:
        String problem = Launch.of(given(changes), PROJECT).problem

        then:
        problem?.startsWith(expected.replace('FOLDER', folder.toString()))
        !problem.contains('\n')

        where:
        changes                                                       || expected
        [input: 'sheet.csv']                                          || '--tokenizer bpe:1024 is trained on the text, and the checkpoints of --input know another one; expected r50k (GPT-2), checkpoint, or a tokenizer.json'
        [input: 'two.csv', tokenizer: 'checkpoint']                   || '--tokenizer checkpoint takes the tokenizer of one family, and --input has x, y'
        [input: 'sheet.csv', ids: 'ids.json', vocabulary: 9, tokenizer: 'checkpoint'] || '--ids and --tokenizer checkpoint exclude each other'
        [text: ',']                                                   || "--text ',' names no file"
        [dataset: 'a/b', dataset_files: ',']                          || "--dataset_files ',' names no file"
        [model_config: 'broken.json']                                 || "--model_config 'FOLDER/broken.json' is not JSON: "
        [model_config: 'other.json']                                  || "--model_config 'FOLDER/other.json' has no \"model\""
        [split: 'train=9,analysis=1000.5,heldout=7,examples=5']       || "--split: 'analysis=1000.5' is not a whole number of tokens"
    }

    def 'what goes together: #changes'() {
        expect:
        Launch.of(given(changes), PROJECT).problem == null

        where:
        changes << [
            [:], [steps: 8], [steps: '8,3'], [input: 'sheet.csv', tokenizer: 'r50k'], [input: 'sheet.csv', ids: 'ids.json', vocabulary: 9],
            [input: 'two.csv', tokenizer: 'byte'], [input: 'sheet.csv', tokenizer: 'checkpoint'],
        ]
    }

    def '--tokens that an absolute --split leaves without a use are noted: #changes'() {
        expect:
        Launch.of(given(changes), PROJECT).notes == expected

        where:
        changes                                                                    || expected
        [tokens: 9000, split: 'train=9,analysis=8,heldout=7,examples=5']           || ['--tokens 9000 is not used: --split says how many tokens each split gets']
        [split: 'train=9,analysis=8,heldout=7,examples=5']                         || []
        [tokens: 9000, split: 'train=60%,analysis=10%,heldout=10%,examples=10%']   || []
        [tokens: 9000]                                                             || []
    }

    def 'a hub that cannot be asked, for the tool does not run, is one line'() {
        given:
        Path tool = Files.createDirectories(folder.resolve('bin')).resolve('universality')
        tool.text = '#!/bin/sh\n'

        when:
        new Hub(folder, null, true).files([[source: 'a/b', revision: '']], null)

        then:
        def e = thrown(IllegalArgumentException)
        e.message.startsWith("'${tool}' cannot be run: ")
        !e.message.contains('\n')
    }

    def 'the environment says offline: #environment'() {
        expect:
        Hub.offline(environment) == offline

        where:
        environment                  || offline
        [:]                          || false
        [HF_HUB_OFFLINE: '1']        || true
        [TRANSFORMERS_OFFLINE: 'on'] || true
        [TRANSFORMERS_OFFLINE: '0']  || false
        [HF_HUB_OFFLINE: 'no', TRANSFORMERS_OFFLINE: 'Yes'] || true
    }

    def 'help needs no tools and no study'() {
        given:
        Files.copy(PROJECT.resolve('nextflow_schema.json'), folder.resolve('nextflow_schema.json'))

        expect:
        Launch.of([help: true], folder).help.startsWith('Usage: nextflow run main.nf')
    }

    def 'the last line of a message'() {
        expect:
        Launch.lastLine(message) == line

        where:
        message                                            || line
        null                                               || null
        ''                                                 || null
        "warning\nuniversality train: it failed\n\n"       || 'universality train: it failed'
    }

    def 'a quiet failure has no place in a script'() {
        expect:
        Launch.quiet(new RuntimeException('x')).stackTrace.length == 0
    }

    def 'a task gives its tool what heap and engine leave; half of it after a device ran out'() {
        expect:
        Tasks.blocks(memory == null ? null : new Memory(memory), previous) == expected

        where:
        memory | previous   || expected
        400    | null       || "'100 MB'"
        1500   | null       || "'725 MB'"
        16384  | null       || "'13936 MB'"
        16384  | [exit: 76] || "'6968 MB'"
        16384  | [exit: 71] || "'13936 MB'"
        null   | null       || "'1136 MB'"
    }

    def 'heap, engine and blocks of a task of #memory MB are within its memory'() {
        given:
        long blocks = (Tasks.blocks(new Memory(memory)) =~ /\d+/)[0].toLong()

        expect: 'the heap as bin/universality takes it'
        Math.min(2048, memory.intdiv(4)) + 400 + blocks <= memory
        blocks >= memory.intdiv(4)

        where:
        memory << [800, 1024, 1500, 2048, 4096, 6144, 16384, 32768, 1000000]
    }

    static class Memory {
        private final long megabytes

        Memory(long megabytes) {
            this.megabytes = megabytes
        }

        long toMega() {
            megabytes
        }
    }

    def 'a stub folder is a valid result'() {
        given:
        File script = folder.resolve('stub.sh').toFile()
        script.text = Stub.folder('identify', 'toy-t0', ['a.csv': Stub.csv('layer,neuron,universal', [universal: true]), 'sub/b.json': '{}'])

        when:
        def process = new ProcessBuilder('bash', '-eu', script.path).directory(folder.toFile()).start()

        then:
        process.waitFor() == 0
        def manifest = universality.data.Manifest.read(folder.resolve('toy-t0'), 'identify')
        manifest.verify(folder.resolve('toy-t0'))
        manifest.files()*.path() == ['a.csv', 'sub/b.json']
        folder.resolve('toy-t0/a.csv').text == 'layer,neuron,universal\n0,0,true\n'
        folder.resolve('toy-t0.resources.json').text.trim() == '{}'
    }
}
