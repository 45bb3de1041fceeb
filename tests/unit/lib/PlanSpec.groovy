package unit.lib

import groovy.json.JsonOutput
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

class PlanSpec extends Specification {
    private static final Map GPT2 = [model_type: 'gpt2', n_layer: 12, n_head: 12, n_embd: 768, n_positions: 1024, vocab_size: 50257]
    private static final Map NEOX =
            [model_type: 'gpt_neox', num_hidden_layers: 12, hidden_size: 768, intermediate_size: 3072, max_position_embeddings: 2048, vocab_size: 50304]

    @TempDir
    Path folder

    def 'the neurons and weights of a config'() {
        given:
        Shape shape = Shape.of(config)

        expect:
        shape.neurons() == 36864
        shape.weights() == 4 * (12 * (4 * 768 * 768 + 2 * 768 * 3072) + embedded * 768L)

        where: 'the rows of embeddings, positions and an untied head'
        config                                || embedded
        GPT2                                  || 50257 + 1024
        GPT2 + [tie_word_embeddings: false]   || 2 * 50257 + 1024
        NEOX                                  || 2 * 50304
        NEOX + [tie_word_embeddings: true]    || 50304
        GPT2 + [n_inner: null]                || 50257 + 1024
    }

    def 'a config that does not tell has no shape: #config'() {
        expect:
        Shape.of(config) == null

        where:
        config << [null, [], 'text', [:], [n_layer: 12], [n_embd: 768], [n_layer: '12', n_embd: 768], [n_layer: 0, n_embd: 768], [n_layer: 1.5, n_embd: 8]]
    }

    def 'work and disk, controls counted'() {
        given: 'three models of 4 layers of 40 neurons at one step, two controls'
        Map config = [n_layer: 4, n_embd: 10]

        when:
        List<String> lines = plan([config] * 3)

        then: '3 pairs and 2 * 2 more; 2 n N^2 operations each'
        lines.contains('Tokens analysed: 1000; neurons in a model: 160')
        lines.contains('Work: 358e6 operations in the products of 7 pairs, controls among them')
        lines.any { it.startsWith('Disk: activations 1.92 MB in the work folder (640 kB the largest checkpoint)') }
        lines.contains('Activations: stored (auto): 1.92 MB for 3 checkpoints, within --max_store 100 GB')
        lines.contains('Text: generated, seed 1; rows of 64 tokens, tokenizer r50k; analysis=1000,heldout=200,examples=200')
    }

    def 'a sweep is said, and the tasks and products of all combinations are counted'() {
        when: 'two numbers of draws repeat the products, two thresholds what follows'
        List<String> lines = plan([[n_layer: 4, n_embd: 10]] * 3, null, [baseline_draws: '5,10', universal_threshold: '0.4,0.5'])

        then:
        lines.contains('Sweep: 4 combinations of baseline_draws 5, 10; universal_threshold 0.4, 0.5')
        lines.contains('Tasks: 38 (fetch 3, tokenize 1, activate 3, describe 3, correlate 6, identify 4, ablate 12, sweep 1, report 5)')
        lines.contains('Work: 717e6 operations in the products of 14 pairs, controls among them')
    }

    def 'what is not stored takes no disk, but memory for the models of a task, and has no control that needs it'() {
        when:
        List<String> lines = plan([[n_layer: 4, n_embd: 10]] * 3, null, [max_store: '1 MB', controls: 'rotated,token_permuted'])

        then: 'a model has 4 * (4 * 100 + 2 * 400) weights of 4 bytes'
        lines.contains('Activations: live (auto): those of 3 checkpoints would take 1.92 MB, more than --max_store 1 MB')
        lines.any { it.startsWith('The control token_permuted is left out: ') }
        lines.contains('Memory of correlate, live: twice the weights of the models of a task, which are at most 57.6 kB in f32')
        lines.contains('Work: 256e6 operations in the products of 5 pairs, controls among them')
        !lines.any { it.startsWith('Disk:') }
    }

    def 'what is not known is said to be: some'() {
        when:
        List<String> lines = plan([[n_layer: 4, n_embd: 10], [hidden: 'x'], [n_layer: 4, n_embd: 10]])

        then:
        lines.contains('Not counted below, for want of a config.json that tells the size: x-s2-t0')
        lines.any { it.endsWith('operations in the products of 3 pairs, controls among them') }
    }

    def 'what is not known is said to be: all'() {
        when:
        List<String> lines = plan([[:], null, []])

        then:
        lines.contains('Tokens analysed: 1000; neurons in a model: not known')
        lines.last() == 'Disk and work: not known: no checkpoint has a config.json that tells its size'
        !lines.any { it.startsWith('Work:') }
    }

    def 'rows of ids have no tokenizer and the length that they have'() {
        given:
        Path ids = Files.writeString(folder.resolve('ids.json'), '[[1, 2]]')

        expect:
        plan([[:], [:], [:]], ids).contains("Text: ${ids}; analysis=1000,heldout=200,examples=200".toString())
    }

    /** Lines of the plan for checkpoints with these configs ({@code null}: one that is no JSON). */
    private List<String> plan(List<Object> configs, Path ids = null, Map changes = [:]) {
        String rows = ''
        configs.eachWithIndex { config, index ->
            Files.createDirectories(folder.resolve("m${index}"))
            rows += "x,${index + 1},0,m${index}\n"
        }
        Path sheet = Files.writeString(folder.resolve('sheet.csv'), 'family,seed,step,source\n' + rows)
        Map params = ParametersSpec.configured() + [
            split: 'analysis=1000,heldout=200,examples=200', tokenizer: 'r50k', controls: 'rotated,shifted',
        ] + changes
        Study study = Study.given(sheet, params)
        List<Map> files = configs.withIndex().collect { config, index ->
            [source: folder.resolve("m${index}").toString(), revision: '', commit: '', path: 'config.json', bytes: '10', download: '0',
             config: config == null ? '{' : JsonOutput.toJson(config)]
        }
        Hub hub = new Hub(folder, null, true) {
            @Override
            List<Map> files(List<Map> origins, Map dataset) {
                files
            }
        }
        new Plan(new Launch(study: study, ids: ids), params, hub).text().readLines()*.trim()
    }
}
