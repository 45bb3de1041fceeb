package unit.tensor

import ai.djl.engine.Engine
import ai.djl.ndarray.NDArray
import ai.djl.ndarray.types.DataType
import ai.djl.ndarray.types.Shape
import java.nio.file.Path
import spock.lang.AutoCleanup
import spock.lang.Requires
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.Multiplying
import unit.support.Processor
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.ToolException
import universality.tensor.Compute
import universality.tensor.Kernel

/** Products by oneDNN, which stand in the place of the engine's on some processors. */
@Requires(value = { Processor.x86() }, reason = 'oneDNN is tried on x86-64 only')
class ProductsSpec extends Specification {
    @Shared
    @AutoCleanup
    Compute compute = Compute.start('cpu', 2)

    @Shared
    @AutoCleanup
    Kernel direct = Kernel.load(compute.manager(), 'correlate', true)

    @TempDir
    Path folder

    def manager = compute.manager().newSubManager()

    def setup() {
        compute.seed(1)
    }

    def cleanup() {
        manager.close()
    }

    def 'with w #how they are what F64 gives'() {
        given:
        def x = normal(70, 600)
        def w = weight(how)
        def bias = normal(w.shape.get(0))
        def expected = x.toType(DataType.FLOAT64, false).matMul(w.toType(DataType.FLOAT64, false).transpose())

        expect:
        far(kernel('linear', x, w), expected) < 2e-6
        far(kernel('affine', x, w, bias), expected.add(bias)) < 2e-6
        far(kernel('product', x, w, manager.zeros(new Shape(70, 512))), expected) < 2e-6
        far(kernel('product', x.transpose().duplicate().transpose(), w, manager.zeros(new Shape(70, 512))), expected) < 2e-6

        where:
        how << ['as it is', 'transposed', 'a part of each row', 'a part of each column']
    }

    def 'a library that is not known is refused, whatever the processor is'() {
        when:
        withProperty('universality.products', 'oneDNN') { compute.kernel('correlate') }

        then:
        def refused = thrown(ToolException)
        refused.message == "'oneDNN' in -Duniversality.products is not known; expected onednn or engine"
        refused.code() == ExitCode.USAGE
    }

    def 'so is a type of numbers that has no fast products anywhere'() {
        when:
        withProperty('universality.fast', 'int8,fp16') { compute.fastInt8() }

        then:
        def refused = thrown(ToolException)
        refused.message == "'fp16' in -Duniversality.fast is not known; expected bf16 or int8"
    }

    @Requires(value = { Processor.x86() && !Processor.sumsInt8() }, reason = 'this processor sums products of 8-bit integers')
    def 'so are 8-bit integers where their products are not summed as they are'() {
        when:
        withProperty('universality.fast', 'int8') { compute.fastInt8() }

        then:
        def refused = thrown(ToolException)
        refused.message.contains('no VNNI instructions')
        refused.code() == ExitCode.USAGE
    }

    private static void withProperty(String name, String value, Closure action) {
        String before = System.getProperty(name)
        System.setProperty(name, value)
        try {
            action()
        } finally {
            before == null ? System.clearProperty(name) : System.setProperty(name, before)
        }
    }

    def 'small ones, other types and no rows at all are multiplied too'() {
        given:
        def x = normal(20, 96)
        def w = normal(384, 96)

        expect:
        far(kernel('linear', x, w), x.toType(DataType.FLOAT64, false).matMul(w.toType(DataType.FLOAT64, false).transpose())) < 2e-6
        kernel('linear', manager.zeros(new Shape(0, 600)), normal(500, 600)).shape == new Shape(0, 500)
        kernel('linear', narrow(x), narrow(w)).shape == new Shape(20, 384)
    }

    def 'a weight that is trained keeps its gradient'() {
        given:
        def w = normal(500, 600)
        w.setRequiresGradient(true)

        when:
        def collector = Engine.getEngine('PyTorch').newGradientCollector()
        collector.backward(kernel('linear', normal(70, 600), w).sum())

        then:
        w.gradient.abs().sum().getFloat() > 0

        cleanup:
        collector?.close()
    }

    @Requires(value = { Processor.takesOneDnn() }, reason = 'oneDNN stands in by itself on AMD with AVX-512 only')
    def 'a row’s product has the same bits beside any others, from one thread or, in whole vectors, from two'() {
        given:
        def x = normal(1536, inner)
        def w = turned ? normal(inner, outer).transpose() : normal(outer, inner)
        def bias = normal(outer)
        byte[] all = null
        compute.sideBySide(1, lane -> { all = kernel('affine', x, w, bias).toByteArray() })
        def other = [:]
        def look = { lane ->
            [*least..17, 31, 32, 33, 100, 511, 1025].each { rows ->
                def few = kernel('affine', x.get("0:$rows"), w, bias).toByteArray()
                if (!Arrays.equals(few, 0, few.length, all, 0, few.length)) {
                    other[rows] = lane
                }
            }
        }

        when:
        compute.sideBySide(1, look) // its operations have one thread
        if (outer % 16 == 0) { // else the threads share what is left over
            look('two threads')
        }

        then:
        other == [:]

        where: 'the last is left to the engine, which sums up to three rows in another order'
        inner | outer | turned | least
        768   | 3072  | false  | 1
        768   | 3072  | true   | 1
        3072  | 768   | false  | 1
        3072  | 768   | true   | 1
        512   | 2048  | false  | 1
        1024  | 1030  | false  | 1
        1024  | 1030  | true   | 4
    }

    def 'a process that is told to end while it multiplies ends by that signal, without a crash'() {
        given:
        def java = Path.of(System.getProperty('java.home'), 'bin', 'java').toString()
        def process = new ProcessBuilder(java, '-Xmx512m', '-cp', System.getProperty('java.class.path'), Multiplying.name)
                .directory(folder.toFile()).redirectErrorStream(true).start()

        when:
        def output = process.inputReader()
        while (output.readLine() != 'multiplying') {
            assert process.alive
        }
        Thread.sleep(500) // it is in a product then, mostly
        process.toHandle().destroy() // which leaves the output open
        def rest = output.text

        then:
        process.waitFor() == 143
        rest.empty
        folder.toFile().list().length == 0

        cleanup:
        process?.destroyForcibly()

        where: 'without waiting for products, about every other one crashed'
        attempt << (1..3)
    }

    private NDArray weight(String how) {
        switch (how) {
            case 'transposed': return normal(600, 512).transpose()
            case 'a part of each row': return normal(512, 700).get(':, 50:650')
            case 'a part of each column': return normal(600, 700).get(':, 50:562').transpose()
            default: return normal(512, 600)
        }
    }

    private NDArray narrow(NDArray x) {
        def room = kernel('room', x.shape.get(0), x.shape.get(1), Dtype.BF16, x)
        def zero = manager.zeros(new Shape(x.shape.get(1)), DataType.FLOAT64)
        direct.call(manager, 'fill', room, 0L, x, zero, zero.add(1), 0L).get(0)
    }

    private NDArray normal(long... shape) {
        manager.randomNormal(new Shape(shape))
    }

    private NDArray kernel(String method, Object... arguments) {
        direct.call(manager, method, arguments).singletonOrThrow()
    }

    /** The largest distance, of the largest value. */
    private static double far(NDArray found, NDArray expected) {
        def most = expected.abs().max().getDouble()
        found.toType(DataType.FLOAT64, false).sub(expected).abs().max().getDouble() / most
    }
}
