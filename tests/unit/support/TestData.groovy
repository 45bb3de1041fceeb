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

    /** A GPT-2 checkpoint with given weights (name without prefix to values; shapes as config.json asks). */
    static Path model(Path parent, String id, Map config, Map<String, List> weights, Map options = [:]) {
        Path out = parent.resolve(id)
        def folder = OutputFolder.create(out, false)
        Json.write(folder.file('config.json'), [model_type: 'gpt2'] + config)
        new SafetensorsWriter(folder.file('model.safetensors')).withCloseable { writer ->
            weights.each { name, tensor -> writer.declare('transformer.' + name, Dtype.F32, tensor[0] as long[]) }
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
        folder.parameter('vocabulary', vocabulary).parameter('tokenizer', 'ids').parameter('context', context)
        folder.count('rows', rows.size())
        folder.commit('tokenize', name)
        folder.close()
        out
    }

    static CheckpointFolder open(Path folder) {
        CheckpointFolder.open(folder)
    }
}
