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

    def 'a token that Nextflow would write down stops the launch: #environment'() {
        expect:
        Launch.leak(environment)?.contains('NXF_DEBUG') == (leaks ?: null)
        !Launch.leak(environment)?.contains('secret')

        where:
        environment                                             || leaks
        [:]                                                     || false
        [HF_TOKEN: 'secret']                                    || false
        [NXF_DEBUG: '2']                                        || false
        [NXF_DEBUG: '0', HF_TOKEN: 'secret']                    || false
        [NXF_DEBUG: '1', HF_TOKEN: 'secret']                    || true
        [NXF_DEBUG: '3', HUGGING_FACE_HUB_TOKEN: 'secret']      || true
    }

    def 'results that cannot be written are said at launch, but not in a plan: #outdir'() {
        given:
        folder.resolve('file').text = ''

        expect:
        Launch.of(given(outdir: "${folder}/${outdir}".toString()), PROJECT).problem?.endsWith('is no folder that may be written to; make it so, or name another one') == (wrong ?: null)

        where:
        outdir     || wrong
        'file'     || true
        'file/x/y' || true
        'new/x/y'  || false
        '.'        || false
    }

    def 'a folder that Nextflow would hand to a shell as commands is refused: #project, #work, #changes'() {
        given:
        Path there = project == null ? PROJECT : Files.createDirectories(folder.resolve(project))
        if (project != null) {
            Files.copy(PROJECT.resolve('nextflow_schema.json'), there.resolve('nextflow_schema.json'))
            Files.createDirectories(there.resolve('bin-java/target'))
            Files.createSymbolicLink(there.resolve('bin-java/target/universality.jar'), PROJECT.resolve('bin-java/target/universality.jar'))
            // no link to a folder: what ends a test deletes what is behind it
            Files.createDirectories(there.resolve('conf/models'))
            Files.copy(PROJECT.resolve('conf/models/demo.json'), there.resolve('conf/models/demo.json'))
        }
        String problem = Launch.of(given(changes + [outdir: folder.toString()]), there, folder.resolve(work)).problem

        expect:
        expected == null ? problem == null : problem?.startsWith(expected) && problem.endsWith('give it another name')

        where:
        project          | work        | changes                      || expected
        null             | "w (1) 'x'" | [:]                          || null
        null             | 'w;x'       | [:]                          || "the work folder '"
        null             | 'w$x'       | [:]                          || "the work folder '"
        null             | 'w[1]'      | [:]                          || "the work folder '"
        null             | 'w\nx'      | [:]                          || "the work folder '"
        null             | 'w'         | [checkpoint_cache: 'c;d']    || "--checkpoint_cache '"
        "p (1) 'x' & y"  | 'w'         | [:]                          || null
        'p $(x)'         | 'w'         | [:]                          || "the folder of the project '"
        'p `x`'          | 'w'         | [:]                          || "the folder of the project '"
        'p "x"'          | 'w'         | [:]                          || "the folder of the project '"
        'p:x'            | 'w'         | [:]                          || "the folder of the project '"
    }

    def 'a file whose name Nextflow would hand to a shell is refused, under any link: #name'() {
        given:
        Path file = Files.writeString(folder.resolve(name), 'text')
        Path link = Files.createSymbolicLink(folder.resolve('plain.txt'), file)
        def problem = { Path text -> Launch.of(given(text: text.toString()), PROJECT, folder.resolve('work')).problem }

        expect:
        [file, link].each { text ->
            assert fine ? problem(text) == null : problem(text).startsWith("--text '") && problem(text).endsWith('pass on to a shell as it is; give it another name')
            assert !problem(text)?.contains('\n')
        }

        where:
        name                    || fine
        "it's (1) & \"x\" `y`.txt" || true
        '-rf | <x> # ~ 字.txt'   || true
        'a;b.txt'               || false
        'c[1].txt'              || false
        '$HOME.txt'             || false
        'd{e}.txt'              || false
        'what?.txt'             || false
        'two\nlines.txt'        || false
        'x\ty.txt'              || false
    }

    def 'whatever a value has in it, the problem is one line'() {
        given:
        String problem = Launch.of(given(family: 'a\n\u001b]0;b\r\u0000'), PROJECT).problem

        expect:
        problem.startsWith("parameter '--family' is 'a\\n\\u001b]0;b\\r\\u0000'; expected letters and digits")
    }

    /** What a launch is asked, and no hub with it. */
    private Map given(Map changes) {
        ['a', 'b'].each { Files.createDirectories(folder.resolve(it)) }
        folder.resolve('b/config.json').text = '{"model_type": "gpt2", "n_layer": 1, "n_head": 2, "n_embd": 8, "n_positions": 200}'
        folder.resolve('short.json').text = '{"model": {"model_type": "gpt_neox", "num_hidden_layers": 1, "hidden_size": 8, "max_position_embeddings": 16}}'
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
        [tokens: 0]                                                   || '--tokens 0 takes all of a given text, and text that is generated has no end; expected a number above 0, or --text, --ids or --dataset'
        [tokens: '9000,0']                                            || '--tokens 0 takes all of a given text'
        [input: 'sheet.csv', tokenizer: 'byte', context: 201]         || "--context 201: the checkpoint in 'FOLDER/b' has 200 positions; expected at most as many, so pass --context 200 or less"
        [model_config: 'short.json']                                  || "--context 64: --model_config 'FOLDER/short.json' has 16 positions; expected"
        [split: 'train=9,analysis=1000.5,heldout=7,examples=5']       || "--split: 'analysis=1000.5' is not a whole number of tokens"
    }

    def 'what goes together: #changes'() {
        expect:
        Launch.of(given(changes), PROJECT).problem == null

        where:
        changes << [
            [:], [steps: 8], [steps: '8,3'], [input: 'sheet.csv', tokenizer: 'r50k'], [input: 'sheet.csv', ids: 'ids.json', vocabulary: 9],
            [input: 'two.csv', tokenizer: 'byte'], [input: 'sheet.csv', tokenizer: 'checkpoint'], [input: 'sheet.csv', tokenizer: 'byte', context: 200],
            [input: 'sheet.csv', ids: 'ids.json', vocabulary: 9, context: 999], [model_config: 'short.json', context: 16],
            [tokens: 0, split: 'train=9,analysis=8,heldout=7,examples=5'],
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

    def "what Nextflow says caused a failure is found in its report"() {
        expect:
        Launch.cause(report) == line

        where:
        report                                                                             || line
        null                                                                               || null
        ''                                                                                 || null
        "Error executing process > 'A'\n\nCaused by:\n  No space left on device\n\n -- Check" || 'No space left on device'
        'Failed to publish file: /a; to: /b [copy] -- See log file for details'            || 'Failed to publish file: /a; to: /b [copy] -- See log file for details'
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
        16384  | null       || "'11888 MB'"
        16384  | [exit: 76] || "'5944 MB'"
        16384  | [exit: 71] || "'11888 MB'"
        16384  | tried(76, 16384, 5944)   || "'2972 MB'"
        16384  | tried(143, 16384, 5944)  || "'5944 MB'"
        16384  | tried(143, 16384, 11888) || "'11888 MB'"
        16384  | tried(137, 8192, 1436)   || "'2972 MB'"
        null   | tried(76, null, 568)     || "'284 MB'"
        null   | null       || "'1136 MB'"
    }

    def 'heap, engine and blocks of a task of #memory MB are within its memory'() {
        given:
        long blocks = (Tasks.blocks(new Memory(memory)) =~ /\d+/)[0].toLong()

        expect: 'the heap as bin/universality takes it'
        Math.min(8192, memory.intdiv(4)) + 400 + blocks <= memory
        blocks >= memory.intdiv(4)

        where:
        memory << [800, 1024, 1500, 2048, 4096, 6144, 16384, 32768, 1000000]
    }

    /** Trace of a try with so many MB, of which it gave so many to its tool. */
    private static Map tried(int exit, Long memory, long blocks) {
        [exit: exit, memory: memory == null ? null : memory << 20, script: "'universality' correlate --memory '${blocks} MB' --out x"]
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
