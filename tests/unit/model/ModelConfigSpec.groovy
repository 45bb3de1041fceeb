package unit.model

import spock.lang.Specification
import universality.data.ExitCode
import universality.data.Json
import universality.data.ToolException
import universality.model.ModelConfig

class ModelConfigSpec extends Specification {
    static final Map GOOD = [model_type: 'gpt2', n_layer: 2, n_head: 4, n_embd: 32, vocab_size: 101, n_positions: 24]

    static ModelConfig read(Map changes) {
        def fields = GOOD + changes
        ModelConfig.read(Json.mapper().valueToTree(fields.findAll { it.value != 'absent' }), 'config.json')
    }

    def "defaults are those of GPT-2"() {
        when:
        def config = read([:])

        then:
        config == new ModelConfig(2, 4, 32, 128, 101, 24, 'gelu_new', 1e-5d, false, true, true)
        config.neurons() == 256
        config.weights().size() == 28
        config.weights()['h.1.mlp.c_fc.weight'] == [32, 128] as long[]
        config.weights()['h.1.attn.c_attn.bias'] == [96] as long[]
    }

    def "fields are read: #changes"() {
        expect:
        read(changes)."$field" == value

        where:
        changes                                     | field               | value
        [n_inner: 48]                               | 'dMlp'              | 48
        [n_inner: null]                             | 'dMlp'              | 128
        [n_positions: 'absent', n_ctx: 16]          | 'context'           | 16
        [activation_function: 'gelu']               | 'activation'        | 'gelu'
        [activation_function: 'gelu_pytorch_tanh']  | 'activation'        | 'gelu_new'
        [activation_function: 'relu']               | 'activation'        | 'relu'
        [layer_norm_epsilon: 1e-6]                  | 'epsilon'           | 1e-6d
        [scale_attn_by_inverse_layer_idx: true]     | 'inverseLayerScale' | true
        [scale_attn_weights: false]                 | 'scaleAttention'    | false
        [tie_word_embeddings: false]                | 'tied'              | false
    }

    def "an untied head is a weight of its own"() {
        expect:
        read(tie_word_embeddings: false).weights()['lm_head.weight'] == [101, 32] as long[]
    }

    def "refused: #changes"() {
        when:
        read(changes)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        says.every { e.message.contains(it) }

        where:
        changes                                          | says
        [model_type: 'gpt_neox']                         | ["'gpt_neox'", 'supported are: gpt2']
        [model_type: 'absent']                           | ['supported are: gpt2']
        [n_head: 5]                                      | ['n_embd 32', 'n_head 5']
        [n_layer: 0]                                     | ['n_layer', "'0'"]
        [n_layer: -1]                                    | ['n_layer']
        [n_embd: 'absent']                               | ['n_embd']
        [n_embd: 32.5]                                   | ['n_embd', '32.5']
        [vocab_size: 3_000_000_000]                      | ['vocab_size', '3000000000']
        [vocab_size: 2_000_000_000]                      | ['vocab_size 2000000000', '2^31']
        [n_inner: 2_000_000_000]                         | ['n_inner 2000000000']
        [n_inner: 'many']                                | ['n_inner', "'many'"]
        [activation_function: 'silu']                    | ["'silu'", 'gelu_new', 'gelu', 'relu']
        [layer_norm_epsilon: 0]                          | ['layer_norm_epsilon', "'0'"]
        [layer_norm_epsilon: '1e-5']                     | ['layer_norm_epsilon']
        [tie_word_embeddings: 'yes']                     | ['tie_word_embeddings', "'yes'"]
        [add_cross_attention: true]                      | ['add_cross_attention']
    }
}
