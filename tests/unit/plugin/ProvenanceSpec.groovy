package unit.plugin

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant
import nf.universality.Attempt
import nf.universality.Cause
import nf.universality.ProvenanceFiles
import nf.universality.Run
import nf.universality.Secrets
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.CrateRules
import universality.data.CsvTable
import universality.data.Manifest
import universality.data.OutputFolder

/** What is written about a run: record, table and crate, from tasks as Nextflow's trace has them. */
class ProvenanceSpec extends Specification {
    static final long HOUR = 3_600_000
    static final Instant BEGAN = Instant.parse('2026-03-01T10:00:00Z')

    @TempDir
    Path folder

    Path results
    Map<Path, Path> published = [:]

    def setup() {
        results = Files.createDirectories(folder.resolve('results'))
        folder.resolve('main.nf').text = 'workflow { }'
    }

    def 'the record counts what was spent, by stage, and tries again, by cause'() {
        when:
        write([
            task('TRAIN', 1, [status: 'FAILED', exit: 137, error_action: 'RETRY', realtime: HOUR, cpus: 2, '%cpu': 150f]),
            task('TRAIN', 1, [attempt: 2, realtime: 2 * HOUR, cpus: 2, '%cpu': 100f, peak_rss: 5000L]),
            task('TRAIN', 2, [status: 'FAILED', exit: 140, error_action: 'RETRY', realtime: 0L]),
            task('TRAIN', 2, [status: 'FAILED', exit: 65, error_action: 'FINISH', realtime: 0L]),
            task('ACTIVATE', 1, [realtime: HOUR / 2, cpus: 4], gpus: 2),
            task('ACTIVATE', 2, [realtime: HOUR, cpus: 4, peak_rss: 7000L], gpus: 1, cached: true),
        ])
        Map record = json('pipeline/run.json')

        then:
        record.totals == [
            tasks: 4, cached: 1, tries: 5, failed: 3, retried: 2, cpu_hours: 8.0, cpu_hours_used: 3.5, gpu_hours: 1.0,
            cached_cpu_hours: 4.0, cached_gpu_hours: 1.0, peak_rss_bytes: 7000,
        ]
        record.retries == [memory: 1, time_limit: 1]
        record.failures == [bad_data: 1]
        record.stages*.stage == ['activate', 'train']
        record.stages[1].with { [it.tasks, it.tries, it.failed, it.cpu_hours, it.gpu_hours, it.retries] } == [2, 4, 3, 6.0, 0.0, [memory: 1, time_limit: 1]]
        record.stages[0].with { [it.tasks, it.cached, it.tries, it.gpu_hours, it.retries] } == [2, 1, 1, 1.0, [:]]
        record.run.with { [it.name, it.session, it.success, it.seconds, it.exit] } == ['happy_hopper', 'session-1', true, 7200.0, 0]
        record.warnings == []
    }

    def 'hours are those of a stage, whatever the name is by which a workflow includes its process'() {
        given:
        Map hour = [realtime: HOUR]

        when:
        write([
            task('TOKENIZE', 1, hour, outputs: [result('tokenize', 'all', [:])]),
            task('SUB:TOKENIZE_PART', 1, hour + [status: 'FAILED', exit: 137, error_action: 'RETRY']),
            task('SUB:TOKENIZE_PART', 1, hour, outputs: [result('tokenize', 'part', [:])]),
            task('FETCH_TEXT', 1, hour + [status: 'FAILED', exit: 69]),
            task('MIXED', 1, hour, outputs: [result('train', 'one', [:]), result('report', 'two', [:])]),
        ])
        CsvTable table = CsvTable.read(results.resolve('pipeline/tasks.csv'))

        then:
        json('pipeline/run.json').stages.collectEntries { [(it.stage): [it.tasks, it.tries, it.cpu_hours]] } ==
                [fetch_text: [1, 1, 1.0], mixed: [1, 1, 1.0], tokenize: [2, 3, 3.0]]
        (0..<table.size()).collect { table.text(it, 'stage') } == ['tokenize', 'tokenize', 'tokenize', 'fetch_text', 'mixed']
    }

    def 'the table has every try, with empty cells for what is not known'() {
        when:
        write([
            task('A:TRAIN', 1, [
                status: 'FAILED', exit: Integer.MAX_VALUE, error_action: 'RETRY', native_id: 4711, hash: 'ab/cdef01', tag: 'x, "y"',
                submit: BEGAN.toEpochMilli(), memory: 2_000_000_000L, time: 90_000L, env: 'HF_TOKEN=hf_abc', script: 'secret',
            ]),
            task('A:TRAIN', 1, [attempt: 2], cached: true),
        ])
        CsvTable table = CsvTable.read(results.resolve('pipeline/tasks.csv'))

        then:
        table.size() == 2
        def cell = { row, column -> table.text(row, column) }
        ['stage', 'process', 'status', 'exit', 'cause', 'retried', 'native_id', 'hash', 'tag', 'submit', 'start', 'memory_bytes', 'time_limit_seconds', 'cpu_hours_used']
                .collect { cell(0, it) } ==
                ['train', 'A:TRAIN', 'FAILED', null, 'killed', 'true', '4711', 'ab/cdef01', 'x, "y"', '2026-03-01T10:00:00Z', null, '2000000000', '90.0', null]
        ['status', 'attempt', 'exit', 'cause', 'retried'].collect { cell(1, it) } == ['CACHED', '2', '0', null, null]
        !results.resolve('pipeline/tasks.csv').text.contains('hf_abc')
    }

    def 'exit #exit is #cause'() {
        expect:
        Cause.of(exit, false) == cause

        where:
        exit              | cause
        71                | 'memory'
        137               | 'memory'
        76                | 'device_memory'
        140               | 'time_limit'
        143               | 'killed'
        Integer.MAX_VALUE | 'killed'
        75                | 'try_again'
        64                | 'usage'
        65                | 'bad_data'
        66                | 'missing_input'
        69                | 'unavailable'
        70                | 'internal'
        73                | 'cannot_write'
        77                | 'refused'
        1                 | 'other'
        0                 | 'other'
    }

    def 'results are named with the digests of all that they were made of; what no task made is an input'() {
        given:
        Path tokens = result('tokenize', 'tokens', [text: ['book.txt', 'a' * 64]])
        Path trained = result('train', 'tiny-s1', [tokens: ['train', digestOf(tokens)]], ['table.csv': 'a,b\n'], 'cuda')
        published[trained] = results.resolve('train/tiny-s1')
        Files.createDirectories(results.resolve('train/tiny-s1'))

        when:
        write([task('TOKENIZE', 1, [hash: '11/aaaaaa'], outputs: [tokens]), task('TRAIN', 1, [hash: '22/bbbbbb', realtime: HOUR], outputs: [trained])])
        Map record = json('pipeline/run.json')

        then:
        record.inputs == [[role: 'text', id: 'book.txt', digest: 'a' * 64]]
        record.results*.stage == ['tokenize', 'train']
        record.results*.path == [null, 'train/tiny-s1']
        record.results*.task == ['11/aaaaaa', '22/bbbbbb']
        record.results[1].with { [it.device, it.inputs*.digest, it.files, it.bytes, it.parameters] } == ['cuda', [digestOf(tokens)], 1, 4, [n: 1]]
        record.results[1].digest == digestOf(trained)

        and: 'a tool that computed on a GPU counts as one, whether asked for or not'
        record.totals.gpu_hours == 1.0
        problems() == []
    }

    def 'what a task was given and passes on is no less an input, whoever copies it again'() {
        given: 'a tokenizer that tokenize puts beside the rows, and train into what it makes of them'
        String tokenizer = '{"model": 1}'
        String digest = tokenizer.bytes.sha256()
        Map given = [text: ['book.txt', 'a' * 64], tokenizer: ['my.json', digest]]
        Path tokens = result('tokenize', 'tokens', given, ['tokenizer.json': tokenizer, 'tokens.safetensors': '1 2 3'])
        Path part = result('tokenize', 'part', [rows: ['tokens', digestOf(tokens)]], ['tokenizer.json': tokenizer, 'tokens.safetensors': '1'])
        Path all = result('tokenize', 'all', [rows: ['tokens', digestOf(tokens)]], ['tokenizer.json': tokenizer, 'tokens.safetensors': '1 2 3'])
        Path trained = result('train', 'tiny', [tokens: ['train', '1'.bytes.sha256()]], ['tokenizer.json': tokenizer])
        List<Attempt> attempts = [
            task('TOKENIZE_PART', 1, [:], outputs: [part]), // what comes from the cache may be told before what it was made of
            task('TOKENIZE_PART', 2, [:], outputs: [all]),
            task('TOKENIZE', 1, [:], outputs: [tokens]),
            task('TRAIN', 1, [:], outputs: [trained]),
        ]

        when:
        write(attempts)

        then:
        json('pipeline/run.json').inputs == [[role: 'text', id: 'book.txt', digest: 'a' * 64], [role: 'tokenizer', id: 'my.json', digest: digest]]
        digestOf(all) == digestOf(tokens)
        (1..4).collect { objects(it) } == [
            ['#result/tokenize/tokens'], ['#result/tokenize/tokens'], ['#input/' + 'a' * 64, '#input/' + digest], ['#result/tokenize/part'],
        ]
        problems() == []

        when: 'the tokenizer is one of a checkpoint that a task fetched'
        write(attempts + task('FETCH', 1, [:], outputs: [result('fetch', 'theirs', [:], ['tokenizer.json': tokenizer])]))

        then:
        json('pipeline/run.json').inputs == [[role: 'text', id: 'book.txt', digest: 'a' * 64]]
        objects(3) == ['#input/' + 'a' * 64, '#result/fetch/theirs']
        problems() == []
    }

    def 'manifests that are corrupt, of others, or too large are told of, and nothing else is opened'() {
        given:
        Path corrupt = plain('corrupt', '{"stage": ')
        Path foreign = plain('foreign', '{"name": "x"}')
        Path large = plain('large', ' ' * (5 << 20))
        Path fine = result('describe', 'fine', [:])
        Path nameless = plain('nameless', '{"stage": "x", "id": "y", "inputs": [{"role": "text", "id": "z"}]}')
        Files.setPosixFilePermissions(fine.resolve('table.csv'), [] as Set)

        when:
        List<String> warnings = write([task('X', 1, [:], outputs: [corrupt, foreign, large, fine, nameless, folder.resolve('absent')])])
        Map record = json('pipeline/run.json')

        then:
        record.results*.id == ['fine']
        record.warnings == warnings
        warnings.size() == 5
        warnings[0].contains('corrupt') && warnings[0].contains('is not the JSON that was expected')
        warnings[1].contains('foreign')
        warnings[2].contains('only manifests of at most 4194304 are read')
        warnings[3].contains('nameless') && warnings[3].contains('no digest of an input')
        warnings[4].contains('absent is not there any more')
    }

    def 'what the work folder has lost is read where it was published'() {
        given:
        Path moved = result('train', 'tiny', [tokens: ['train', 'a' * 64]])
        result('train', 'tiny/step8', [tokens: ['train', 'a' * 64]])
        Path target = results.resolve('train/tiny')
        Files.createDirectories(target.parent)
        Files.move(moved, target)
        published[moved] = target

        when:
        List<String> warnings = write([task('TRAIN', 1, [:], outputs: [moved])])

        then:
        warnings == []
        json('pipeline/run.json').results*.path == ['train/tiny', 'train/tiny/step8']
        problems() == []
    }

    def 'folders inside of a result that are too many are told of'() {
        given:
        Path run = result('train', 'long', [:])
        (0..998).each { Files.createDirectory(run.resolve(String.format('s%04d', it))) }
        result('train', 'long/s0999', [:])
        result('train', 'long/s1000', [:])

        when:
        List<String> warnings = write([task('TRAIN', 1, [:], outputs: [run])])

        then:
        warnings.size() == 1 && warnings[0].contains('holds 1001 folders: only the first 1000 are in the record')
        json('pipeline/run.json').results*.id == ['long', 'long/s0999']
    }

    def 'a trace that lacks everything is a try of which nothing is known'() {
        when:
        List<String> warnings = write([new Attempt([:], false, 1, 0, null, []), new Attempt(['%cpu': Double.NaN, realtime: Float.NaN, cpus: 'many'], true, 2, 0, null, [])])
        CsvTable table = CsvTable.read(results.resolve('pipeline/tasks.csv'))

        then:
        warnings == []
        ['process', 'stage', 'status', 'exit', 'hours', 'cpu_hours_used'].collect { table.text(0, it) } == ['unknown', 'unknown', 'UNKNOWN', null, '0.0', null]
        ['status', 'hours', 'cpu_hours', 'cpu_hours_used'].collect { table.text(1, it) } == ['CACHED', '0.0', '0.0', null]
        json('pipeline/run.json').totals.with { [it.tasks, it.tries, it.failed, it.cpu_hours_used] } == [2, 1, 0, null]
        problems() == []
    }

    def 'a resumed run keeps what the record of the run before it said; another study does not'() {
        when:
        write([task('TRAIN', 1, [status: 'FAILED', exit: 71, error_action: 'RETRY'])], name: 'first', success: false)
        write([task('TRAIN', 1, [:])], name: 'second', resumed: true)
        write([task('TRAIN', 1, [:], cached: true)], name: 'third', resumed: true)

        then:
        json('pipeline/run.json').run.name == 'third'
        json('pipeline/run.json').earlier*.run*.name == ['first', 'second']
        json('pipeline/run.json').earlier*.retries == [[memory: 1], [:]]
        json('pipeline/run.json').earlier[0].run.success == false

        when:
        write([task('TRAIN', 1, [:])], name: 'other', session: 'session-2')

        then:
        json('pipeline/run.json').earlier == []

        when: 'a record that cannot be read is replaced'
        results.resolve('pipeline/run.json').text = '{'
        List<String> warnings = write([task('TRAIN', 1, [:])], name: 'next', session: 'session-2')

        then:
        json('pipeline/run.json').run.name == 'next'
        warnings[0].contains('is replaced, for it cannot be read')

        when: 'and one that is too large to be read'
        results.resolve('pipeline/run.json').withOutputStream { out -> (1..33).each { out.write(new byte[1 << 20]) } }
        warnings = write([task('TRAIN', 1, [:])], name: 'last', session: 'session-2')

        then:
        json('pipeline/run.json').run.name == 'last'
        warnings[0].contains('is replaced, for it has 34603008 bytes')
    }

    def 'nothing half-written is left where writing fails'() {
        given: 'a folder where the table should go'
        Files.createDirectories(results.resolve('pipeline/tasks.csv/x'))

        when:
        write([task('TRAIN', 1, [:])])

        then:
        thrown(IOException)
        results.resolve('pipeline').toFile().list().toList() == ['tasks.csv']
    }

    def 'secrets are hidden by their names'() {
        expect:
        Secrets.hidden([tokens: 5, tokenizer: 'byte', hf_token: 'hf_x', nested: [dbPassword: 'y', plain: "a${1}"], url: 'https://me:pw@host/x', none: null, files: [folder]]) ==
                [tokens: 5, tokenizer: 'byte', hf_token: '[hidden]', nested: [dbPassword: '[hidden]', plain: 'a1'], url: 'https://me:[hidden]@host/x', none: null, files: [folder.toString()]]
        Secrets.hidden('nextflow run main.nf --tokens 12000 --hf_token hf_x --api-key="a b" --tokenizer byte') ==
                'nextflow run main.nf --tokens 12000 --hf_token [hidden] --api-key=[hidden] --tokenizer byte'
    }

    def 'the crate has all that its profiles ask for, whatever happened'() {
        given:
        Path tokens = result('tokenize', 'tokens', [text: ['a book.txt', 'a' * 64]])
        Path one = result('identify', 'tiny:t0 é%', [tokens: ['train', digestOf(tokens)]])
        published[one.resolve('manifest.json')] = Files.createDirectories(results.resolve('identify/tiny:t0 é%')).resolve('manifest.json')
        List<Attempt> attempts = [
            task('TOKENIZE', 1, [:], cached: true, outputs: [tokens]),
            task('MY_SUB:IDENTIFY', 1, [status: 'FAILED', exit: 137, error_action: 'RETRY', start: BEGAN.toEpochMilli(), complete: BEGAN.toEpochMilli() + 5]),
            task('MY_SUB:IDENTIFY', 1, [attempt: 2, realtime: 3000L, '%cpu': 98.5f, peak_rss: 5000L], outputs: [one]),
        ]

        when:
        write(attempts, success: success, license: license, agent: agent)
        Map crate = json('ro-crate-metadata.json')
        Map<String, Map> graph = crate['@graph'].collectEntries { [(it['@id']): it] }

        then:
        problems() == []
        graph['./'].license['@id'] == licenseId
        CrateRules.ids(graph['./'], 'hasPart').containsAll(['pipeline/workflow/main.nf', 'pipeline/run.json', 'pipeline/tasks.csv', 'identify/tiny%3At0%20%C3%A9%25/'])
        graph['#attempt-2'].error == 'memory, exit code 137; tried again'
        graph['#attempt-3'].actionStatus['@id'] == 'http://schema.org/CompletedActionStatus'
        CrateRules.ids(graph['#attempt-3'], 'object') == ['#result/tokenize/tokens']
        CrateRules.ids(graph['#attempt-3'], 'result') == ['identify/tiny%3At0%20%C3%A9%25/']
        CrateRules.ids(graph['#execution-2'], 'object') == ['#attempt-2', '#attempt-3']
        CrateRules.ids(graph['#run'], 'object') == ['#input/' + 'a' * 64, '#parameter/seeds/value', '#parameter/tokens/value']
        graph['#run'].actionStatus['@id'].endsWith(success ? 'CompletedActionStatus' : 'FailedActionStatus')
        graph['#parameter/tokens'].additionalType == 'Integer'

        where:
        success | license                          | agent                         || licenseId
        true    | null                             | 'nobody'                      || '#license'
        false   | 'https://spdx.org/licenses/MIT'  | 'https://orcid.org/0000-0001' || 'https://spdx.org/licenses/MIT'
        true    | 'ask the author, please'         | null                          || '#license'
    }

    def 'the rules find #what'() {
        given:
        write([task('TRAIN', 1, [:]), task('TRAIN', 1, [:])])
        Map crate = json('ro-crate-metadata.json')
        Map<String, Map> graph = crate['@graph'].collectEntries { [(it['@id']): it] }

        when:
        breakIt(crate, graph, results)

        then:
        CrateRules.problems(crate, results).any { it.contains(what) }

        where:
        what                                  | breakIt
        'the metadata file is about the root' | { c, g, r -> g['ro-crate-metadata.json'].remove('about') }
        'datePublished'                       | { c, g, r -> g['./'].datePublished = 'yesterday' }
        'the root has a license'              | { c, g, r -> g['./'].remove('license') }
        'provenance/0.5'                      | { c, g, r -> g['./'].conformsTo.removeIf { it['@id'].contains('provenance') } }
        'once'                                | { c, g, r -> c['@graph'] << g['#run'] }
        'which is there'                      | { c, g, r -> c['@graph'].remove(g['#tool/TRAIN']) }
        'is a part of the root'               | { c, g, r -> g['./'].hasPart.removeIf { it['@id'] == 'pipeline/run.json' } }
        'is in the folder'                    | { c, g, folder -> Files.delete(folder.resolve('pipeline/tasks.csv')) }
        'programmingLanguage'                 | { c, g, r -> g['pipeline/workflow/main.nf'].remove('programmingLanguage') }
        'HowTo'                               | { c, g, r -> g['pipeline/workflow/main.nf']['@type'].remove('HowTo') }
        'has a tool as its instrument'        | { c, g, r -> g['#attempt-1'].remove('instrument') }
        'has a HowToStep as its instrument'   | { c, g, r -> g['#execution-1'].instrument = ['@id': '#tool/TRAIN'] }
        'has the run as its result'           | { c, g, r -> g['#organization'].remove('result') }
        'additionalType'                      | { c, g, r -> g['#parameter/seeds'].remove('additionalType') }
    }

    private List<String> problems() {
        CrateRules.problems(json('ro-crate-metadata.json'), results)
    }

    /** What the crate says that a try was made of. */
    private List<String> objects(int attempt) {
        CrateRules.ids(json('ro-crate-metadata.json')['@graph'].find { it['@id'] == "#attempt-${attempt}" }, 'object')
    }

    private List<String> write(Map changes = [:], List<Attempt> attempts) {
        Map values = [
            name: 'happy_hopper', session: 'session-1', resumed: false, success: true, license: null, agent: 'nobody',
        ] + changes
        Run.Workflow workflow = new Run.Workflow('nf-universality', '0.1.0', 'Which neurons?', null, null, folder.resolve('main.nf'), null, null, null, [])
        Run run = new Run(
                values.name, values.session, values.resumed, false, BEGAN, BEGAN.plusSeconds(7200), values.success, values.success ? 0 : 1,
                values.success ? null : 'a tool said no', 'nextflow run main.nf', 'test', [seeds: '1,2', tokens: 12000, input: null], '24.10.0',
                values.agent, 'host', '/launch', '/work', values.license, workflow)
        new ProvenanceFiles(results).write(run, attempts, published)
    }

    private static Attempt task(Map options = [:], String process, int index, Map trace) {
        Map values = [process: process, name: "${process} (${index})".toString(), status: 'COMPLETED', exit: 0, attempt: 1, realtime: 1000L, cpus: 1] + trace
        new Attempt(values, options.cached ?: false, index, options.gpus ?: 0, 'local', options.outputs ?: [])
    }

    /** A folder as the tools write them. */
    private Path result(String stage, String id, Map<String, List<String>> inputs, Map<String, String> files = ['table.csv': 'a,b\n'], String device = null) {
        Path target = folder.resolve("work/${stage}/${id}")
        OutputFolder.create(target, false).withCloseable { out ->
            files.each { name, content -> out.file(name).text = content }
            out.parameter('n', 1)
            inputs.each { role, input -> out.input(role, input[0], input[1]) }
            if (device) {
                out.device(device)
            }
            out.commit(stage, id)
        }
        target
    }

    private static String digestOf(Path result) {
        Manifest.readAny(result).contentDigest()
    }

    private Path plain(String name, String manifest) {
        Path target = Files.createDirectories(folder.resolve("work/${name}"))
        target.resolve('manifest.json').text = manifest
        target
    }

    private Object json(String path) {
        new JsonSlurper().parse(results.resolve(path).toFile())
    }
}
