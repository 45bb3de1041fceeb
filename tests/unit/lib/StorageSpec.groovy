package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

class StorageSpec extends Specification {
    /** 160 neurons. */
    private static final Shape SMALL = Shape.of([n_layer: 4, n_embd: 10])
    private static final Map PARAMS = StudySpec.PARAMS + [controls: 'rotated,token_permuted', activations: 'auto', max_store: '100 GB', dtype: 'f32']

    @TempDir
    Path folder

    /** Of three seeds at three steps, 160 neurons and 1,000 positions: 640 kB for each checkpoint in F32. */
    private static Storage storage(Map changes = [:], Shape shape = SMALL, Long positions = 1000) {
        Map params = PARAMS + changes
        Storage.of(Study.trained(params), params, [toy: shape], positions)
    }

    def 'activations are stored as long as there is room for all, else for the control that needs them, else for none: #changes'() {
        when:
        Storage storage = storage(changes)

        then:
        storage.stored.size() == stored
        storage.lines.first() == 'Activations: ' + line
        storage.lines.drop(1) == (left ? ['The control token_permuted is left out: it needs stored activations (--activations stored, or auto with a larger --max_store)'] : [])

        where:
        changes                                     || stored | left  | line
        [:]                                         || 9      | false | 'stored (auto): 5.76 MB for 9 checkpoints, within --max_store 100 GB'
        [max_store: '5.76 MB']                      || 9      | false | 'stored (auto): 5.76 MB for 9 checkpoints, within --max_store 5.76 MB'
        [max_store: '5.7599 MB']                    || 3      | false | 'live (auto): those of 9 checkpoints would take 5.76 MB, more than --max_store 5.7599 MB; stored for 3 checkpoints, 1.92 MB, which the control token_permuted needs'
        [max_store: '1.9 MB']                       || 0      | true  | 'live (auto): those of 9 checkpoints would take 5.76 MB, more than --max_store 1.9 MB'
        [max_store: '1.9 MB', dtype: 'bf16']        || 3      | false | 'live (auto): those of 9 checkpoints would take 2.88 MB, more than --max_store 1.9 MB; stored for 3 checkpoints, 960 kB, which the control token_permuted needs'
        [max_store: '3.MB', dtype: 'f16']           || 9      | false | 'stored (auto): 2.88 MB for 9 checkpoints, within --max_store 3.MB'
        [max_store: '2 MB', controls: 'rotated']    || 0      | false | 'live (auto): those of 9 checkpoints would take 5.76 MB, more than --max_store 2 MB'
        [max_store: '2 MB', control_steps: 'none']  || 0      | false | 'live (auto): those of 9 checkpoints would take 5.76 MB, more than --max_store 2 MB'
        [max_store: '2 MB', control_steps: '0,10']  || 0      | true  | 'live (auto): those of 9 checkpoints would take 5.76 MB, more than --max_store 2 MB'
        [activations: 'stored', max_store: '0B']    || 9      | false | 'stored (--activations stored): 5.76 MB for 9 checkpoints'
        [activations: 'live']                       || 0      | true  | 'live (--activations live): those of 9 checkpoints would take 5.76 MB'
        [activations: 'live', controls: 'rotated']  || 0      | false | 'live (--activations live): those of 9 checkpoints would take 5.76 MB'
    }

    def 'what activations take may not be known: #activations'() {
        expect:
        storage([activations: activations], *known).lines.first() == line

        where:
        activations | known        || line
        'auto'      | [null, 9]    || 'Activations: stored (auto): how much they take is not known'
        'auto'      | [SMALL, null] || 'Activations: stored (auto): how much they take is not known'
        'live'      | [null, 9]    || 'Activations: live (--activations live): those of 9 checkpoints would take an unknown amount'
    }

    def 'GPT-2 small on five million tokens is not stored'() {
        given:
        Shape gpt2 = Shape.of([n_layer: 12, n_embd: 768])

        expect:
        Storage.bytes(gpt2, 5_000_000, 'f16') == 368_640_000_000
        Storage.bytes(gpt2, 5_000_000, 'f32') == 2 * 368_640_000_000
        storage([:], gpt2, 5_000_000).stored.empty
    }

    def 'a size in bytes: #size'() {
        expect:
        Storage.bytes(size) == bytes

        where:
        size      || bytes
        '0B'      || 0
        '7 B'     || 7
        '1.5 KB'  || 1500
        '100 GB'  || 100_000_000_000
        '6.GB'    || 6_000_000_000
        '2PB'     || 2_000_000_000_000_000
    }

    def 'positions are those that count, as the folder of tokens says'() {
        given:
        Files.writeString(folder.resolve('manifest.json'), "{\"counts\": $counts}")

        expect:
        Storage.positions(folder) == positions

        where:
        counts                          || positions
        '{"tokens": 64, "kept": 63}'    || 63
        '{}'                            || null
        '{"kept": 5000000000}'          || 5_000_000_000
    }

    def 'what is not stored is correlated from the checkpoints'() {
        given:
        Study study = Study.trained(PARAMS + [controls: 'rotated,token_permuted', correlate_group: 'seed'])
                .storing(['toy-s1-t50', 'toy-s2-t50', 'toy-s3-t50', 'toy-s1-t0'] as Set)
        List<Map> tasks = study.correlations()

        expect: 'all of a task one way or the other'
        tasks.findAll { it.source == 'activations' }*.meta*.id == ['toy-t50-s2', 'toy-t50-s3', 'toy-t50-rotated', 'toy-t50-token_permuted']
        tasks.every { task -> task.needs == task.members.collect { (task.source == 'checkpoint' ? "checkpoint/${it}@" : "activate/${it}@tokens=10000").toString() } }

        and: 'and a control that needs stored ones is nowhere else, nor awaited'
        study.storing([] as Set).correlations()*.meta*.control.toSet() == ['none', 'rotated', 'self'] as Set
        study.storing([] as Set).identifications()*.needs.flatten().findAll { it.startsWith('control/') }*.tokenize('@')*.first() == ['control/toy-t50-rotated']
        tasks*.meta == study.storing(study.checkpoints*.id as Set).correlations()*.meta
    }

    def 'options of the engine reach the tasks that they concern, and no others'() {
        when:
        List<Map> tasks = Study.trained(PARAMS + [precision: precision, sketch_size: 4096]).correlations()

        then:
        tasks.findAll { it.meta.control != 'self' }.every { it.options.precision == precision && it.options.sketch_size == size }
        tasks.findAll { it.meta.control == 'self' }.every { it.options == [diagonal: true] }

        where:
        precision || size
        'bf16'    || null
        'sketch'  || 4096
    }
}
