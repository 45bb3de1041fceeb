package unit.model

import spock.lang.Specification
import universality.data.ExitCode
import universality.data.Json
import universality.data.ToolException
import universality.model.Activation
import universality.model.Gpt2Config
import universality.model.ModelConfig
import universality.model.NeoxConfig
import universality.model.Sizes

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
        config == new Gpt2Config(new Sizes(2, 4, 32, 128, 101, 24), Activation.GELU_NEW, 1e-5d, false, true, true)
        config.neurons() == 256
        config.weights().size() == 28
        config.weights()['h.1.mlp.c_fc.weight'] == [32, 128] as long[]
        config.weights()['h.1.attn.c_attn.bias'] == [96] as long[]
    }

    def "fields are read: #changes"() {
        expect:
        read(changes)."$field"() == value

        where:
        changes                                     | field               | value
        [n_inner: 48]                               | 'dMlp'              | 48
        [n_inner: null]                             | 'dMlp'              | 128
        [n_positions: 'absent', n_ctx: 16]          | 'context'           | 16
        [activation_function: 'gelu']               | 'activation'        | Activation.GELU
        [activation_function: 'gelu_pytorch_tanh']  | 'activation'        | Activation.GELU_NEW
        [activation_function: 'relu']               | 'activation'        | Activation.RELU
        [layer_norm_epsilon: 1e-6]                  | 'epsilon'           | 1e-6d
        [scale_attn_by_inverse_layer_idx: true]     | 'inverseLayerScale' | true
        [activation_function: 'gelu_fast']          | 'activation'        | Activation.GELU_NEW
        [activation_function: 'gelu_python']        | 'activation'        | Activation.GELU
        [auto_map: [AutoConfig: 'own.Config']]      | 'layers'            | 2
        [scale_attn_weights: false]                 | 'scaleAttention'    | false
        [tie_word_embeddings: false]                | 'tied'              | false
    }

    def "an untied head is a weight of its own"() {
        expect:
        read(tie_word_embeddings: false).weights()['lm_head.weight'] == [101, 32] as long[]
    }

    def "the sizes of GPT-2 #name"() {
        when:
        def config = read(n_layer: layers, n_head: heads, n_embd: width, vocab_size: 50257, n_positions: 1024, n_inner: null)

        then:
        config.dMlp() == 4 * width
        config.dHead() == 64
        config.weights().values().sum { it.inject(1L) { a, b -> a * b } } == parameters

        where: 'parameters as Hugging Face counts them'
        name     | layers | heads | width || parameters
        'small'  | 12     | 12    | 768   || 124_439_808
        'medium' | 24     | 16    | 1024  || 354_823_168
        'large'  | 36     | 20    | 1280  || 774_030_080
        'xl'     | 48     | 25    | 1600  || 1_557_611_200
    }

    static final Map NEOX = [model_type: 'gpt_neox', num_hidden_layers: 2, num_attention_heads: 4, hidden_size: 32, intermediate_size: 128,
                             vocab_size: 101, max_position_embeddings: 24]

    static NeoxConfig neox(Map changes) {
        ModelConfig.read(Json.mapper().valueToTree((NEOX + changes).findAll { it.value != 'absent' }), 'config.json') as NeoxConfig
    }

    def "defaults are those of GPT-NeoX"() {
        when:
        def config = neox([:])

        then:
        config == new NeoxConfig(new Sizes(2, 4, 32, 128, 101, 24), Activation.GELU, 1e-5d, 2, 10000d, true, true, false)
        config.weights().keySet().toList()[0..5] == ['embed_in.weight', 'layers.0.input_layernorm.weight', 'layers.0.input_layernorm.bias',
            'layers.0.attention.query_key_value.weight', 'layers.0.attention.query_key_value.bias', 'layers.0.attention.dense.weight']
        config.weights()['layers.1.mlp.dense_h_to_4h.weight'] == [128, 32] as long[]
        config.weights()['layers.1.mlp.dense_4h_to_h.weight'] == [32, 128] as long[]
        config.weights()['embed_out.weight'] == [101, 32] as long[]
        config.weights().size() == 1 + 2 * 12 + 2 + 1
    }

    def "the config of Pythia 160M gives its parameters"() {
        expect:
        neox(num_hidden_layers: 12, num_attention_heads: 12, hidden_size: 768, intermediate_size: 3072, vocab_size: 50304,
             max_position_embeddings: 2048, rotary_pct: 0.25, rotary_emb_base: 10000, use_parallel_residual: true)
            .weights().values().sum { it.inject(1L) { a, b -> a * b } } == 162_322_944
    }

    def "GPT-NeoX fields are read: #changes"() {
        expect:
        neox(changes)."$field"() == value

        where:
        changes                                                          | field           | value
        [rotary_pct: 1.0]                                                | 'rotated'       | 8
        [rotary_pct: 0.5, rotary_emb_base: 500]                          | 'rotaryBase'    | 500d
        [rope_theta: 1000, partial_rotary_factor: 0.5]                   | 'rotaryBase'    | 1000d
        [partial_rotary_factor: 0.5, rotary_pct: 0.5]                    | 'rotated'       | 4
        [rope_parameters: [rope_type: 'default', rope_theta: 2e4, partial_rotary_factor: 0.75]] | 'rotaryBase' | 2e4d
        [rope_parameters: [rope_type: 'default', rope_theta: 2e4, partial_rotary_factor: 0.75]] | 'rotated'    | 6
        [rope_parameters: [rope_theta: 2e4]]                             | 'rotated'       | 2
        [rope_scaling: null]                                             | 'rotated'       | 2
        [use_parallel_residual: false]                                   | 'parallel'      | false
        [attention_bias: false]                                          | 'attentionBias' | false
        [tie_word_embeddings: true]                                      | 'tied'          | true
        [hidden_act: 'gelu_fast']                                        | 'activation'    | Activation.GELU_NEW
        [hidden_act: 'relu']                                             | 'activation'    | Activation.RELU
        [layer_norm_eps: 1e-6]                                           | 'epsilon'       | 1e-6d
    }

    def "without attention_bias the projections of the attention have none"() {
        when:
        def config = neox(attention_bias: false)

        then:
        config.operands().keySet() - config.weights().keySet() == [0, 1].collectMany {
            ["layers.${it}.attention.query_key_value.bias".toString(), "layers.${it}.attention.dense.bias".toString()]
        } as Set
    }

    def "GPT-NeoX refused: #changes"() {
        when:
        neox(changes)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.BAD_DATA
        says.every { e.message.contains(it) }
        e.message.readLines().size() == 1

        where:
        changes                                              | says
        [hidden_size: 30]                                    | ['hidden_size 30', 'num_attention_heads 4']
        [intermediate_size: 'absent']                        | ['intermediate_size']
        [intermediate_size: null]                            | ['intermediate_size']
        [num_hidden_layers: 0]                               | ['num_hidden_layers']
        [vocab_size: 2_000_000_000]                          | ['vocab_size 2000000000', 'max_position_embeddings 24']
        [hidden_act: 'silu']                                 | ["hidden_act 'silu'", 'gelu_new (also spelt gelu_pytorch_tanh, gelu_fast)', 'relu']
        [rotary_pct: 0]                                      | ["rotary_pct is '0'"]
        [rotary_pct: 1.5]                                    | ["rotary_pct is '1.5'", 'an even number from 2 to 8']
        [rotary_pct: 0.4]                                    | ['3 would be rotated']
        [rotary_pct: 'half']                                 | ["'half'"]
        [rotary_emb_base: -1]                                | ["rotary_emb_base is '-1'"]
        [rotary_emb_base: 10000, rope_theta: 500]            | ["rope_theta is '500'", 'rotary_emb_base']
        [rotary_pct: 0.25, rope_parameters: [partial_rotary_factor: 0.5]] | ['rotary_pct', 'rope_parameters']
        [rope_scaling: [type: 'linear', factor: 2]]          | ['rope_scaling', 'linear', 'default']
        [rope_parameters: [rope_type: 'yarn', factor: 2]]    | ['rope_parameters', 'yarn', 'default']
        [layer_norm_eps: 'tiny']                             | ['layer_norm_eps']
        [use_parallel_residual: 1]                           | ['use_parallel_residual', "'1'"]
        [quantization_config: [quant_method: 'gptq']]        | ['quantization_config', 'gptq', 'F32, F16 or BF16']
        [auto_map: [AutoModelForCausalLM: 'own.Model']]      | ['auto_map', 'own.Model']
        [is_encoder_decoder: true]                           | ['is_encoder_decoder']
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
        [model_type: 'llama']                            | ["'llama'", 'supported are: gpt2, gpt_neox']
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
        [reorder_and_upcast_attn: 'yes']                 | ['reorder_and_upcast_attn', "'yes'"]
        [pruned_heads: ['0': [1]]]                       | ['pruned_heads']
        [quantization_config: [load_in_8bit: true]]      | ['quantization_config', 'load_in_8bit']
        [auto_map: [AutoModel: 'own.Model']]             | ['auto_map']
    }
}
