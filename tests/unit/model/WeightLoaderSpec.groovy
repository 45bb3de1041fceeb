package unit.model

import ai.djl.ndarray.types.DataType
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.data.TorchBytes
import unit.support.TestData
import universality.data.CheckpointFolder
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.ToolException
import universality.model.CheckpointWeights
import universality.model.LanguageModel
import universality.model.WeightLoader
import universality.tensor.Compute

/** Weights of which a part at a time is brought to the device. */
class WeightLoaderSpec extends Specification {
    static final CONFIG = [n_embd: 32, n_head: 2, n_layer: 1, n_positions: 8, vocab_size: 40_000]
    static final long[] SHAPE = [40_000, 32]

    @TempDir
    Path folder

    private float[] values() {
        def random = new Random(3)
        float[] values = new float[40_000 * 32]
        values.indices.each { values[it] = random.nextFloat() - 0.5f }
        values
    }

    /** Rounded to bfloat16; of two that are equally near the even one. */
    private static float[] nearest(float[] values) {
        values.collect {
            int bits = Float.floatToIntBits(it)
            Float.intBitsToFloat((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000 as int)
        } as float[]
    }

    private Path checkpoint(float[] values) {
        TestData.model(folder, 'model', CONFIG, ['wte.weight': [SHAPE as List, values]])
    }

    def 'a weight of more than one part is that of the file, as #type: #stored'() {
        given: 'more than a million elements'
        def expected = values()
        def path = checkpoint(expected)
        if (stored != 'safetensors') {
            Files.delete(path.resolve('model.safetensors'))
            float[] turned = new float[expected.length]
            expected.indices.each { turned[(it % 32) * 40_000 + it.intdiv(32)] = expected[it] }
            def spec = stored == 'pickled' ? [[40_000, 32], [32, 1], expected] : [[40_000, 32], [1, 40_000], turned]
            Files.write(path.resolve('pytorch_model.bin'), TorchBytes.zip(
                    [['transformer.wte.weight', 'FloatStorage', '0', expected.length, 0, spec[0], spec[1]]],
                    ['0': TorchBytes.floats(spec[2] as double[])]))
        }
        def compute = Compute.start('cpu', 1)
        def source = CheckpointWeights.open(path)
        def kernel = LanguageModel.kernel(compute, source.config())

        when:
        def weight = new WeightLoader(compute.manager(), kernel, source).load('wte.weight', type, SHAPE)
        def found = weight.toType(DataType.FLOAT32, true).toFloatArray()
        float[] rounded = type == Dtype.F32 ? expected : nearest(expected)

        then:
        weight.shape.shape == SHAPE
        (weight.dataType == DataType.FLOAT32) == (type == Dtype.F32) // the engine's binding has no name for the other
        Arrays.equals(found, rounded)

        cleanup:
        kernel?.close()
        source?.close()
        compute?.close()

        where:
        type       | stored
        Dtype.F32  | 'safetensors'
        Dtype.BF16 | 'safetensors'
        Dtype.F32  | 'pickled'
        Dtype.F32  | 'pickled, transposed'
    }

    def 'a value in a later part that is not finite is named by its place in the whole'() {
        given:
        def values = values()
        values[1_200_000] = Float.NaN
        def compute = Compute.start('cpu', 1)

        when:
        LanguageModel.load(compute, CheckpointFolder.open(checkpoint(values)))

        then:
        def refused = thrown(ToolException)
        refused.code() == ExitCode.BAD_DATA
        refused.message.endsWith("tensor 'transformer.wte.weight' holds NaN at element 1200000; weights must be finite")

        cleanup:
        compute?.close()
    }
}
