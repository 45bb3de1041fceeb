package unit.lib

import spock.lang.Specification

class GridSpec extends Specification {
    private static Study study(Map changes = [:]) {
        Study.trained(StudySpec.PARAMS + changes)
    }

    def 'one value each: one combination without a name, and settings all the same'() {
        given:
        Grid grid = study().grid

        expect:
        grid.swept() == []
        grid.combinations().size() == 1
        grid.name(grid.combinations()[0]) == ''
        grid.settings('identify', grid.combinations()[0]) ==
                'tokens=10000,precision=exact,baseline_draws=5,baseline_seed=1,universal_threshold=0.5'
        study().comparisons() == []
        study().reports().size() == 1
    }

    def 'a value is the same however it is written: #value'() {
        expect:
        study(universal_threshold: value).grid.values.universal_threshold == expected

        where:
        value          || expected
        0.5            || ['0.5']
        0.50           || ['0.5']
        0.5f           || ['0.5']
        '0.50'         || ['0.5']
        '0.40, .5'     || ['0.4', '0.5']
        [0.4, 0.5]     || ['0.4', '0.5']
        '0,0.10'       || ['0', '0.1']
    }

    def 'a stage runs once for all combinations that agree in what decides it'() {
        given: '2 numbers of tokens, 3 of draws, 2 thresholds, 2 replacements; 9 checkpoints at 3 steps, 3 of them ablated, 2 controls'
        Study study = study(tokens: '5000,10000', baseline_draws: '3,5,7', universal_threshold: '0.4,0.5', ablate_replace: 'zero,mean')

        expect:
        study.grid.combinations().size() == 24
        study.texts()*.tokens == ['10000', '5000']
        study.activations().size() == 2 * 9
        study.correlations().countBy { it.meta.control == 'self' } == [(false): 2 * 3 * (3 + 2), (true): 2 * 3]
        study.identifications().size() == 12 * 3
        study.persistences().size() == 12
        study.ablations().size() == 24 * 3
        study.comparisons().size() == 1
        study.reports().size() == 24 + 1

        and: 'options say what the settings say'
        study.correlations().findAll { it.meta.control != 'self' }.every {
            it.meta.settings == "tokens=${it.tokens},precision=exact,baseline_draws=${it.options.baseline_draws},baseline_seed=1".toString()
        }
        study.identifications().every { it.meta.settings.endsWith("universal_threshold=${it.options.threshold}") }
        study.ablations().every { it.meta.settings.endsWith("ablate_replace=${it.options.replace}") }

        and: 'a smaller number of tokens is cut out of the largest, but for what is trained on'
        study.texts()*.meta == [null, [id: 'tokens', settings: 'tokens=5000']]
        study.part('5000') == 'analysis=350,heldout=100,examples=50'
    }

    def 'what was there before stays as it is when a value is added: #added'() {
        given:
        Study before = study()
        Study after = study(added)

        expect: 'every task but what puts all side by side'
        ['activations', 'correlations', 'identifications', 'persistences', 'ablations', 'reports'].each { stage ->
            assert after."$stage"().containsAll(before."$stage"())
        }
        after.reports().size() == 3

        where:
        added << [[universal_threshold: '0.5,0.4'], [universal_threshold: [0.4, 0.50]], [baseline_draws: '7,5'], [tokens: '10000,5000'], [precision: 'exact,bf16'], [ablate_replace: 'mean,zero']]
    }

    def 'the table says which results belong to which combination'() {
        given:
        Map task = study(universal_threshold: '0.4,0.5', ablate_replace: 'zero,mean').comparisons()[0]
        List<List<String>> rows = task.table.readLines()*.tokenize(',')

        expect:
        rows[0] == ['combination', 'tokens', 'precision', 'baseline_draws', 'baseline_seed', 'universal_threshold', 'ablate_replace', 'folder']
        rows.tail()*.first().countBy { it } == ['universal_threshold-0.4_ablate_replace-zero', 'universal_threshold-0.4_ablate_replace-mean',
            'universal_threshold-0.5_ablate_replace-zero', 'universal_threshold-0.5_ablate_replace-mean'].collectEntries { [(it): 3 + 1 + 3] }
        rows.tail().every { row -> row[5] == (row[0] =~ /threshold-([.\d]+)_/)[0][1] && task.needs[row[7] as int].contains("universal_threshold=${row[5]}") }

        and: 'with the places of the folders in the task'
        Grid.placed("a,folder\nx,1\ny,0", ['in1/p', 'in2/q']) == 'a,folder\nx,in2/q\ny,in1/p\n'
    }

    def 'what makes no grid is said: #changes'() {
        when:
        study(changes)

        then:
        def e = thrown(IllegalArgumentException)
        e.message == expected

        where:
        changes                                                                              || expected
        [universal_threshold: []]                                                            || "--universal_threshold '[]' has no value; expected one, or several in a list"
        [tokens: []]                                                                         || "--tokens '[]' has no value; expected one, or several in a list"
        [baseline_seed: null]                                                                || "--baseline_seed 'null' has no value; expected one, or several in a list"
        [baseline_seed: [1, null]]                                                           || "--baseline_seed '[1, null]' has no value; expected one, or several in a list"
        [universal_threshold: '0.5,0.50']                                                    || "--universal_threshold '0.5,0.50' names a value twice"
        [tokens: '10,20', split: 'train=900,analysis=80,heldout=70,examples=60']             || '--tokens 10,20 has several values, and --split says how many tokens each split gets: give --split in per cent'
    }

    def 'where --split says how many tokens there are, --tokens decides nothing'() {
        given:
        String split = 'train=900,analysis=80,heldout=70,examples=60'

        expect:
        study(split: split, tokens: 1).activations() == study(split: split, tokens: 2).activations()
        study(split: split).activations()*.meta*.settings.toSet() == [''] as Set
        study(split: split).analysed() == 80
    }

    def 'all of a text is more than any number of tokens'() {
        expect:
        study(tokens: '5000,0').texts()*.tokens == ['0', '5000']
        study(tokens: '5000,0').analysed() == null
        study(tokens: '5000,8000').analysed() == 350 + 560
    }
}
