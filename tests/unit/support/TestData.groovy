package unit.support

import universality.data.CheckpointFolder
import universality.data.Dtype
import universality.data.Json
import universality.data.OutputFolder
import universality.data.SafetensorsWriter

import java.nio.file.Files
import java.nio.file.Path

/** Small inputs in the project's formats, for specs of any stage. */
class TestData {
    /** The folder of a fixture written by PyTorch. */
    static Path fixture(String name) {
        Path.of(TestData.getResource("/checkpoints/$name/config.json").toURI()).parent
    }

    /** A copy of a fixture as `fetch` leaves it. */
    static Path checkpoint(Path parent, String name, Map options = [:]) {
        Path out = parent.resolve(options.id ?: name)
        def folder = OutputFolder.create(out, false)
        fixture(name).toFile().listFiles().findAll { it.name != 'golden.json' }.each {
            Files.copy(it.toPath(), folder.file(it.name))
        }
        commitCheckpoint(folder, options.id ?: name, options)
        out
    }

    static void commitCheckpoint(OutputFolder folder, String id, Map options = [:]) {
        folder.parameter('family', options.family ?: 'toy')
                .parameter('seed', options.seed ?: 1)
                .parameter('step', options.step ?: 0)
        folder.commit('fetch', id)
        folder.close()
    }

    /** A checkpoint, a GPT-2 unless config says otherwise, with given weights: name without prefix to [shape, values]. */
    static Path model(Path parent, String id, Map config, Map<String, List> weights, Map options = [:]) {
        Path out = parent.resolve(id)
        def folder = OutputFolder.create(out, false)
        Json.write(folder.file('config.json'), [model_type: 'gpt2'] + config)
        new SafetensorsWriter(folder.file('model.safetensors')).withCloseable { writer ->
            def prefix = config.model_type == 'gpt_neox' ? 'gpt_neox.' : 'transformer.'
            def stored = { name -> name in ['lm_head.weight', 'embed_out.weight'] ? name : prefix + name }
            weights.each { name, tensor -> writer.declare(stored(name), Dtype.F32, tensor[0] as long[]) }
            weights.each { name, tensor -> writer.floats(tensor[1] as float[]) }
        }
        commitCheckpoint(folder, id, options)
        out
    }

    /** Token rows; every position counts unless a mask is given. */
    static Path tokens(Path parent, String name, List<List<Integer>> rows, int vocabulary, Map options = [:]) {
        Path out = parent.resolve(name)
        int context = rows[0].size()
        def folder = OutputFolder.create(out, false)
        new SafetensorsWriter(folder.file('tokens.safetensors')).withCloseable { writer ->
            writer.declare('tokens', Dtype.I32, rows.size(), context)
            writer.declare('mask', Dtype.U8, rows.size(), context)
            writer.declare('document', Dtype.I32, rows.size(), context)
            writer.ints(rows.flatten() as int[])
            def mask = options.mask ? options.mask.flatten() : [1] * (rows.size() * context)
            writer.bytes(java.nio.ByteBuffer.wrap(mask as byte[]))
            def documents = options.documents ?: (0..<rows.size())
            writer.ints(rows.indices.collectMany { r -> [documents[r]] * context } as int[])
        }
        if (options.tokenizer) {
            folder.file('tokenizer.json').text = options.tokenizer
        }
        folder.parameter('vocabulary', vocabulary).parameter('tokenizer', options.name ?: 'ids').parameter('context', context)
        folder.count('rows', rows.size())
        folder.commit('tokenize', name)
        folder.close()
        out
    }

    static CheckpointFolder open(Path folder) {
        CheckpointFolder.open(folder)
    }

    /**
     * Stored activations as `activate` leaves them: layers[l] is [kept][d_mlp]. Positions count row by row; options: seed,
     * step, family, context, documents (per kept position), token (per kept position), tokensDigest, momentsOf (other layers).
     */
    static Path activations(Path parent, String id, List<double[][]> layers, Map options = [:]) {
        Path out = parent.resolve(id)
        int kept = layers[0].length
        int width = layers[0][0].length
        int context = options.context ?: 16
        def folder = OutputFolder.create(out, false)
        layers.eachWithIndex { layer, l ->
            new SafetensorsWriter(folder.file(universality.data.ActivationFolder.layerFile(l))).withCloseable { writer ->
                writer.declare('activations', Dtype.F32, kept, width)
                layer.each { row -> writer.floats(row as float[]) }
            }
        }
        new SafetensorsWriter(folder.file('positions.safetensors')).withCloseable { writer ->
            ['row', 'pos', 'document', 'token'].each { writer.declare(it, Dtype.I32, kept) }
            writer.ints((0..<kept).collect { it.intdiv(context) } as int[])
            writer.ints((0..<kept).collect { it % context } as int[])
            writer.ints((options.documents ?: (0..<kept).collect { it.intdiv(2 * context) }) as int[])
            writer.ints((options.token ?: (0..<kept).collect { (it * 7) % 11 }) as int[])
        }
        moments(folder, (options.momentsOf ?: layers).collect { layer -> layer.collect { row -> row.collect { it as float } } }, kept, width)
        folder.parameter('family', options.family ?: 'toy').parameter('seed', options.seed ?: 1)
                .parameter('step', options.step ?: 0).parameter('layers', layers.size()).parameter('d_mlp', width)
        folder.input('tokens', 'analysis', options.tokensDigest ?: 'a' * 64)
        folder.count('kept', kept)
        folder.commit('activate', id)
        folder.close()
        out
    }

    private static void moments(OutputFolder folder, List layers, int kept, int width) {
        def post = ['mean', 'm2', 'm3', 'm4', 'min', 'max', 'abs_mean', 'mean_square']
        def pre = ['mean', 'm2', 'm3', 'm4', 'positive']
        def values = [:].withDefault { [] }
        layers.each { layer ->
            (0..<width).each { i ->
                double[] x = layer.collect { it[i] as double } as double[]
                double mean = x.sum() / kept
                def central = { int k -> (x.collect { (it - mean)**k } as List<Double>).sum() }
                def all = [mean: mean, m2: central(2), m3: central(3), m4: central(4), min: x.min(), max: x.max(),
                           abs_mean: x.collect { Math.abs(it) }.sum() / kept, mean_square: x.collect { it * it }.sum() / kept,
                           positive: x.count { it > 0 }]
                post.each { values['post.' + it] << (all[it] as double) }
                pre.each { values['pre.' + it] << (all[it] as double) }
            }
        }
        new SafetensorsWriter(folder.file('moments.safetensors')).withCloseable { writer ->
            values.keySet().each { writer.declare(it, Dtype.F64, layers.size(), width) }
            writer.declare('count', Dtype.F64, 1)
            values.values().each { writer.doubles(it as double[]) }
            writer.doubles(kept as double)
        }
    }
}
