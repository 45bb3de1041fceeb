package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

class StudySpec extends Specification {
    static final Map PARAMS = [
        family: 'toy', seeds: '1,2,3', steps: '0,10,50', correlate_group: 'step', controls: 'rotated,shifted', control_steps: 'last',
        ablate_steps: 'last', baseline_draws: 5, baseline_seed: 1, top: 10, split: null, tokens: 10000, precision: 'exact',
        universal_threshold: 0.5, ablate_draws: 20, ablate_seed: 1, ablate_replace: 'zero',
    ]

    @TempDir
    Path folder

    private static Study study(Map changes = [:]) {
        Study.trained(PARAMS + changes)
    }

    def 'every meta of a stage is unique, starts with its id, has numbers as Integers and no null'() {
        given: 'a grid in which digits could run together'
        Study study = study([
            seeds: '1,12,2,23,123', steps: '0,1,2,3,23,123', control_steps: 'all', ablate_steps: 'all', correlate_group: group,
        ] + sweep)
        Map<String, List<Map>> metas = [
            train: study.trainings, checkpoint: study.checkpoints, activate: study.activations()*.meta, correlate: study.correlations()*.meta,
            identify: study.identifications()*.meta, persist: study.persistences()*.meta, ablate: study.ablations()*.meta,
            report: study.reports()*.meta,
        ]

        expect:
        metas.each { stage, all ->
            assert !all.isEmpty()
            assert all.collect { Study.name('', it) }.toSet().size() == all.size()
            assert sweep || all*.id.toSet().size() == all.size()
            all.each { meta ->
                assert meta.keySet().first() == 'id'
                assert meta.values().every { it != null }
                assert [meta.seed, meta.step].every { it == null || it instanceof Integer }
                assert meta.id ==~ /[A-Za-z0-9]+([._-][A-Za-z0-9]+)*/
            }
        }
        and: 'one order of keys for each kind of meta'
        (metas - metas.subMap('correlate')).every { stage, all -> all*.keySet()*.toList().toSet().size() == 1 }
        metas.correlate.groupBy { it.control == 'self' }.every { self, all -> all*.keySet()*.toList().toSet().size() == 1 }
        and: 'values run together without a mark, as Nextflow hashes them, are distinct too'
        metas.every { stage, all -> all*.values()*.join('').toSet().size() == all.size() }

        where:
        group  | sweep
        'step' | [:]
        'seed' | [:]
        'pair' | [:]
        'seed' | [tokens: '1,11', baseline_draws: '1,11', baseline_seed: '1,11', universal_threshold: '0.1,0.11']
    }

    def 'so are the metas of any grid: 60 of them by chance, of numbers whose digits could run together'() {
        given:
        Random random = new Random(7)
        List<Integer> numbers = [0, 1, 2, 3, 10, 11, 12, 21, 23, 100, 101, 110, 111, 112, 121, 1000, 1001, 999999999]

        expect:
        (1..60).each {
            def (seeds, steps) = [2 + random.nextInt(5), 1 + random.nextInt(6)].collect { numbers.shuffled(random).take(it).join(',') }
            String group = ['step', 'seed', 'pair'][random.nextInt(3)]
            Study study = study(family: ['t', 't1', 'a.b-c', 's1-t1'][random.nextInt(4)], seeds: seeds, steps: steps, control_steps: 'all', ablate_steps: 'all', correlate_group: group)
            [study.trainings, study.checkpoints, study.correlations()*.meta, study.identifications()*.meta, study.persistences()*.meta, study.ablations()*.meta].each { metas ->
                assert metas*.id.toSet().size() == metas.size(), "${seeds} x ${steps}, ${group}"
                assert metas*.values()*.join('').toSet().size() == metas.size()
                assert metas.every { meta -> meta.keySet().first() == 'id' && meta.values().every { it != null } }
                assert metas.collectMany { [it.seed, it.step] }.every { it == null || it instanceof Integer }
                assert metas*.keySet()*.toList().toSet().size() <= 2
            }
        }
    }

    def 'what a task needs is made by some other task, and is named once'() {
        given:
        Study study = study([control_steps: 'all', ablate_steps: 'all', correlate_group: group] + sweep)
        def named = { String stage, List<Map> tasks -> tasks.collect { Study.name(stage, it.meta) } }
        def made = study.checkpoints.collect { Study.name('checkpoint', it) } + study.trainings.collect { Study.name('train', it) } +
                'tokenize/tokens@' + named('tokenize', study.texts().tail()) + named('activate', study.activations()) +
                named('describe', study.activations()) + study.correlations().collect { Study.name(Study.kind(it.meta), it.meta) } +
                named('identify', study.identifications()) + named('persist', study.persistences()) +
                named('ablate', study.ablations()) + named('sweep', study.comparisons())
        def tasks = study.correlations() + study.identifications() + study.persistences() + study.ablations() + study.comparisons() + study.reports()

        expect:
        made.toSet().size() == made.size()
        tasks.each { task ->
            assert task.needs.every { it in made }
            assert task.needs.toSet().size() == task.needs.size()
        }

        and: 'all of it is in some report'
        study.reports()*.needs.flatten().toSet() == made.toSet() - study.checkpoints.collect { Study.name('checkpoint', it) }

        where:
        group  | sweep
        'step' | [:]
        'seed' | [:]
        'pair' | [:]
        'seed' | [tokens: '5000,10000', universal_threshold: '0.4,0.5', ablate_replace: 'zero,mean']
    }

    def 'all pairs of a step are correlated, whatever the grouping: #group'() {
        when:
        def tasks = study(seeds: '5,1,3', steps: '0,10', controls: 'none', correlate_group: group).correlations().findAll { it.meta.control == 'none' }

        then:
        tasks*.meta*.id == ids
        tasks*.needs*.collect { it - 'activate/' - '@tokens=10000' } == needs
        tasks*.options*.pairs == pairs

        where:
        group  || ids                                                                              | needs                                                                                                                     | pairs
        'step' || ['toy-t0', 'toy-t10']                                                            | [['toy-s5-t0', 'toy-s1-t0', 'toy-s3-t0'], ['toy-s5-t10', 'toy-s1-t10', 'toy-s3-t10']]                                      | [null, null]
        'seed' || ['toy-t0-s1', 'toy-t0-s3', 'toy-t10-s1', 'toy-t10-s3']                           | [['toy-s5-t0', 'toy-s1-t0'], ['toy-s5-t0', 'toy-s1-t0', 'toy-s3-t0'], ['toy-s5-t10', 'toy-s1-t10'], ['toy-s5-t10', 'toy-s1-t10', 'toy-s3-t10']] | ['toy-s5-t0:toy-s1-t0', 'toy-s5-t0:toy-s3-t0,toy-s1-t0:toy-s3-t0', 'toy-s5-t10:toy-s1-t10', 'toy-s5-t10:toy-s3-t10,toy-s1-t10:toy-s3-t10']
        'pair' || ['toy-t0-s5-s1', 'toy-t0-s5-s3', 'toy-t0-s1-s3', 'toy-t10-s5-s1', 'toy-t10-s5-s3', 'toy-t10-s1-s3'] | [['toy-s5-t0', 'toy-s1-t0'], ['toy-s5-t0', 'toy-s3-t0'], ['toy-s1-t0', 'toy-s3-t0'], ['toy-s5-t10', 'toy-s1-t10'], ['toy-s5-t10', 'toy-s3-t10'], ['toy-s1-t10', 'toy-s3-t10']] | [null] * 6
    }

    def 'a seed added to a study leaves the tasks of the seeds before it as they were'() {
        given:
        def before = study(correlate_group: 'seed', seeds: '1,2,3').correlations().findAll { it.meta.control == 'none' }
        def after = study(correlate_group: 'seed', seeds: '1,2,3,4').correlations().findAll { it.meta.control == 'none' }

        expect:
        after.containsAll(before)
        after.size() == before.size() + 3
    }

    def 'controls and ablations of the chosen steps'() {
        expect:
        study(control_steps: choice).correlations()*.meta.findAll { it.control in ['rotated', 'shifted'] }*.step.toSet() == steps as Set
        study(ablate_steps: choice).ablations()*.meta*.step.toSet() == steps as Set

        where:
        choice || steps
        'last' || [50]
        'all'  || [0, 10, 50]
        'none' || []
        10     || [10]
        '0,50' || [0, 50]
    }

    def 'a single step: no persistence, and a line that says so'() {
        given:
        Study study = study(steps: 7)

        expect:
        study.persistences() == []
        study.correlations().every { it.meta.control != 'self' }
        study.notes() == ["persistence is skipped for the family 'toy': it needs checkpoints of two steps or more"]
    }

    def 'what cannot be studied is said: #expected'() {
        when:
        study(changes)

        then:
        def e = thrown(IllegalArgumentException)
        e.message.contains(expected)
        !e.message.contains('\n')

        where:
        changes                     || expected
        [seeds: 4]                  || "the family 'toy' has the seed 4 only: correlation needs at least two seeds"
        [seeds: '1,2,1']            || "--seeds '1,2,1' names a number twice"
        [steps: '0,x']              || "the steps 'x' is not a whole number"
        [family: 'a b']             || "the family 'a b' is not a valid name"
        [family: 'a__b']            || "the family 'a__b' is not a valid name"
        [family: 'x' * 64]          || 'is not a valid name'
        [split: 'train=9,analysis=8,heldout=7'] || "--split 'train=9,analysis=8,heldout=7' has no 'examples'"
        [split: 'train=9,analysis=8.5,heldout=7,examples=5']       || "--split: 'analysis=8.5' is not a whole number of tokens"
        [split: 'train=9%,analysis=8,heldout=7,examples=5']        || 'give all splits in tokens, or all in per cent'
        [split: 'train=80%,analysis=20%,heldout=7%,examples=0.5%'] || 'adds up to 107.5%, more than all of the text'
        [split: 'train=9,analysis=0,heldout=7,examples=5']         || "'analysis=0' asks for nothing"
        [split: 'train=9,analysis=8,heldout=7,examples=5,train=1'] || "has 'train' twice"
        [split: "train=${'9' * 20},analysis=8"]                    || 'is neither NAME=TOKENS nor NAME=SHARE%'
        [controls: 'rotatd']        || "--controls names 'rotatd'"
        [controls: 'rotated,shifted,rotated'] || "--controls 'rotated,shifted,rotated' names rotated twice"
        [ablate_steps: '50,51']     || '--ablate_steps names the step 51, which no checkpoint has'
        [control_steps: '50,50']    || "--control_steps '50,50' names a number twice"
        [precision: 'exact,sketch', top: 33] || '--top 33 is more than --precision sketch finds; expected at most 32, or --precision exact'
        [family: 'x' * 40, controls: 'token_permuted', steps: '0,100000000'] || "'${'x' * 40}-t100000000-token_permuted', the name of a correlation, is longer than 64 characters: choose a shorter name than '${'x' * 40}' for the family"
        [control_steps: 3]          || '--control_steps names the step 3, which no checkpoint has'
    }

    def 'a samplesheet: ids by default, relative sources, families, quotes, empty lines'() {
        given:
        ['a', 'b', 'c d'].each { Files.createDirectories(folder.resolve(it)) }
        Path sheet = sheet('\uFEFFfamily,seed,step,source,id,revision', 'gpt,1,0,a,,', '', '"gpt","2","0",b,mine,', 'gpt, 10 ,0,"c d",,')

        when:
        Study study = Study.given(sheet, PARAMS)

        then:
        study.trainings == []
        study.checkpoints == [
            [id: 'gpt-s1-t0', family: 'gpt', seed: 1, step: 0],
            [id: 'mine', family: 'gpt', seed: 2, step: 0],
            [id: 'gpt-s10-t0', family: 'gpt', seed: 10, step: 0],
        ]
        study.checkpoints*.keySet()*.toList().toSet() == [['id', 'family', 'seed', 'step']] as Set
        study.origins['mine'] == [source: folder.resolve('b').toString(), revision: '']
        study.origins['gpt-s10-t0'] == [source: folder.resolve('c d').toString(), revision: '']
        study.splits() == 'analysis=70%,heldout=25%,examples=5%'
    }

    def 'what is no folder but reads like a repository is one of the hub'() {
        given:
        Files.createDirectories(folder.resolve('org/b'))
        Path sheet = sheet('family,seed,step,source,revision', 'gpt,1,0,org/a,step1', 'gpt,2,0,org/b,')

        when:
        Study study = Study.given(sheet, PARAMS)

        then:
        study.origins['gpt-s1-t0'] == [source: 'org/a', revision: 'step1']
        study.origins['gpt-s2-t0'] == [source: folder.resolve('org/b').toString(), revision: '']
        study.origins*.value*.source.collect { Study.isRepository(it) } == [true, false]
    }

    def 'a bad samplesheet is refused: #expected'() {
        given:
        ['a', 'b'].each { Files.createDirectories(folder.resolve(it)) }

        when:
        Study.given(sheet(*lines), PARAMS)

        then:
        def e = thrown(IllegalArgumentException)
        e.message.contains(expected)
        !e.message.contains('\n')

        where:
        lines                                                                                 || expected
        []                                                                                    || 'lists no checkpoint'
        ['family,seed,step,source']                                                           || 'lists no checkpoint'
        ['family,seed,step,sauce', 'x,1,0,a']                                                 || "unknown column 'sauce'"
        ['family,seed,source', 'x,1,a']                                                       || "the column 'step' is missing"
        ['family,seed,step,source,seed', 'x,1,0,a,1']                                         || "the column 'seed' is there twice"
        ['family,seed,step,source', 'x,1,0']                                                  || 'row 1: 3 cells where the header has 4'
        ['family,seed,step,source', 'x,1,0,a', 'x,2.5,0,b']                                   || "row 2: the seed '2.5' is not a whole number"
        ['family,seed,step,source', 'x,1,-5,a']                                               || "row 1: the step '-5' is not a whole number"
        ['family,seed,step,source', 'x/y,1,0,a']                                              || "row 1: the family 'x/y' is not a valid name"
        ['id,family,seed,step,source', '../up,x,1,0,a']                                       || "row 1: the id '../up' is not a valid name"
        ['id,family,seed,step,source', 'm,x,1,0,a', 'm,x,2,0,b']                              || "row 2: the id 'm' is there twice"
        ['family,seed,step,source', 'x,1,0,a', 'x,1,0,b']                                     || "row 2: the id 'x-s1-t0' is there twice"
        ['id,family,seed,step,source', 'm,x,1,0,a', 'n,x,1,0,b', 'o,x,2,0,b']                 || "'m' and 'n' are both seed 1, step 0"
        ['family,seed,step,source', 'x,1,0,a', 'x,2,0,gone']                                  || "row 2: the source 'gone' is not a folder"
        ['family,seed,step,source', 'x,1,0,a', 'x,2,0,a/b/c']                                 || "no repository of the hub (ORGANISATION/NAME)"
        ['family,seed,step,source,revision', 'x,1,0,a,', 'x,2,0,b,main']                     || "row 2: the source 'b' is a folder, which has no revision; leave 'main' out"
        ['family,seed,step,source', 'x,1,0,']                                                 || 'row 1: the source is empty'
        ['family,seed,step,source', 'x,1,0,a', 'x,1,5,b']                                     || "the family 'x' has the seed 1 only"
        ['family,seed,step,source', 'x,1,0,a', 'x,2,5,b']                                     || 'no step has checkpoints of two seeds'
        ['family,seed,step,source', 'x,1,0,"a']                                               || 'is no row of a comma-separated file'
    }

    def 'a step that one seed lacks is left out of that seed, with a line'() {
        given:
        ['a', 'b', 'c'].each { Files.createDirectories(folder.resolve(it)) }

        when:
        Study study = Study.given(sheet('family,seed,step,source', 'x,1,0,a', 'x,2,0,b', 'x,1,9,c'), PARAMS)

        then:
        study.identifications()*.meta*.id == ['x-t0']
        study.persistences() == []
        study.ablations()*.meta*.id == ['x-s1-t0', 'x-s2-t0']
        study.notes().any { it.contains("'x-s1-t9' is not correlated: no other seed of 'x' has step 9") }
    }

    def 'text files: lists keep their order, wildcards sort'() {
        given:
        ['b.txt', 'a.txt', 'c.md'].each { folder.resolve(it).text = it }

        expect:
        Study.files('text', "${folder}/c.md,${folder}/*.txt")*.fileName*.toString() == ['c.md', 'a.txt', 'b.txt']

        when:
        Study.files('text', "${folder}/${absent}")
        then:
        def e = thrown(IllegalArgumentException)
        e.message.contains("--text '${folder}/${absent}' is no file")

        where:
        absent << ['none.txt', '*.html']
    }

    def 'a name that is there is no pattern: #name'() {
        given:
        folder.resolve(name).text = 'x'
        folder.resolve('notes 1.txt').text = 'another'

        expect:
        Study.files('text', "${folder}/${name}")*.fileName*.toString() == [name]

        where:
        name << ['notes [1].txt', 'a[b.txt', 'what?.txt']
    }

    def 'text that names nothing is refused in one line: #given'() {
        when:
        Study.files('text', given)

        then:
        def e = thrown(IllegalArgumentException)
        e.message.startsWith(expected)
        !e.message.contains('\n')

        where:
        given    || expected
        ','      || "--text ',' names no file"
        ' '      || "--text ' ' names no file"
        'a[b'    || "--text 'a[b' is no file that exists, and no pattern of file names: "
        'a{b'    || "--text 'a{b' is no file that exists, and no pattern of file names: "
    }

    def 'a cell may be long: #kind'() {
        given:
        String cell = unit * 100_000

        expect:
        Study.rows("path,config\nx,\"${cell.replace('"', '""')}\",\n") == [['path', 'config'], ['x', cell, '']]

        where:
        kind           | unit
        'letters'      | 'a'
        'quotes'       | '"'
        'alternating'  | 'a"'
    }

    def 'products are those of pairs and, in controls, of the first with each other one: #group'() {
        given:
        Study study = study(seeds: '1,2,3,4,5', steps: '0,10', correlate_group: group)

        expect: 'two controls of the last step'
        Study.products(study.correlations()).size() == 2 * 10 + 2 * 4
        Study.products(study.correlations()).toSet().size() == 2 * 10
        Study.products(study.correlations()).countBy { it }.findAll { it.value == 3 }.keySet() ==
                (2..5).collect { ['toy-s1-t10', "toy-s${it}-t10".toString()] }.toSet()

        where:
        group << ['step', 'seed', 'pair']
    }

    def 'the products that the preset #name says: #products'() {
        given:
        Path project = ParametersSpec.PROJECT
        String preset = project.resolve("conf/studies/${name}.yml").text

        expect:
        preset.contains('\ncorrelate_group: seed\n')
        !preset.contains('\ntokens:')
        Study study = Study.given(project.resolve("conf/studies/${name}.csv"), PARAMS + [controls: Study.CONTROLS.join(','), correlate_group: 'seed'])
        Study.products(study.storing([] as Set).correlations()).size() == products
        Study.products(study.correlations()).size() == products + permuted
        preset =~ /are ${products}\s+(# )?products, /
        preset.contains('\nprecision: bf16\n')

        where:
        name               || products | permuted
        'gpt2-small'       || 50 + 12  | 4
        'gpt2-small-early' || 140 + 12 | 4
        'gpt2-medium'      || 10 + 12  | 4
        'pythia-160m'      || 36 + 9   | 3
    }

    def 'a folder of text counts as changed when a file in it does'() {
        given:
        Path inside = Files.createDirectories(folder.resolve('set/data')).resolve('a.jsonl')
        inside.text = '{"text": "x"}'
        List<Path> text = Study.files('text', "${folder}/set")
        String before = Study.state(text)

        expect:
        text*.fileName*.toString() == ['set']
        Study.state(text) == before
        Study.state([inside]) == null

        when:
        inside.text = '{"text": "xy"}'

        then:
        Study.state(text) ==~ /[0-9a-f]{64}/
        Study.state(text) != before
    }

    private Path sheet(String... lines) {
        Path sheet = folder.resolve('sheet.csv')
        sheet.text = lines.join('\n')
        sheet
    }
}
