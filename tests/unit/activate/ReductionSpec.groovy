package unit.activate

import ai.djl.ndarray.types.Shape
import groovy.json.JsonSlurper
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.TestData
import universality.activate.ActivateStage
import universality.activate.BackgroundWork
import universality.activate.Batching
import universality.activate.Reduction
import universality.activate.Store
import universality.data.CheckpointFolder
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.OutputFolder
import universality.data.TokenRows
import universality.data.ToolException
import universality.model.Arithmetic
import universality.model.LanguageModel
import universality.model.ModelConfig
import universality.model.capture.LayerwiseForward
import universality.tensor.Compute

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch

/** What comes of activations does not depend on how they were cut into batches, and a disk that is full is heard of. */
class ReductionSpec extends Specification {
    static final NAME = 'gpt2-inverse-layer-scaled'
    static final LAYERS = 3
    static final WIDTH = 128
    static final CONTEXT = 24

    @TempDir
    Path folder

    @Shared
    Compute compute = Compute.start('cpu', 1)

    def cleanupSpec() {
        compute.close()
    }

    private TokenRows tokens(int rows) {
        def random = new Random(7)
        def ids = (0..<rows).collect { (0..<CONTEXT).collect { random.nextInt(101) } }
        def mask = (0..<rows).collect { r -> (0..<CONTEXT).collect { r % 11 == 3 || random.nextInt(8) == 0 ? 0 : 1 } }
        TokenRows.read(TestData.tokens(folder, 't', ids, 101, [mask: mask]))
    }

    private LanguageModel model() {
        LanguageModel.load(compute, CheckpointFolder.open(TestData.checkpoint(folder, NAME)))
    }

    /** All results of a reduction to which the rows come in batches of the given sizes, again and again; with files if a name is given. */
    private Map reduce(TokenRows tokens, ModelConfig config, int[] rows, List<float[][]> data, List<Integer> sizes, int unit, int block, String name) {
        def out = OutputFolder.create(folder.resolve(name), false)
        def kernel = compute.kernel('moments')
        def store = new Store(out, compute.manager(), config, tokens.kept(), Dtype.F16)
        def reduction = new Reduction(compute.manager(), kernel, config, tokens, rows, new Batching(unit, block, unit, 1, 0), store, Dtype.F16)
        int first = 0
        for (int i = 0; first < rows.length; i++) {
            int count = Math.min(sizes[i % sizes.size()], rows.length - first)
            LAYERS.times { layer ->
                compute.manager().newSubManager().withCloseable { scope ->
                    def part = data[layer].collect { values ->
                        scope.create(Arrays.copyOfRange(values, first * CONTEXT * WIDTH, (first + count) * CONTEXT * WIDTH), new Shape(count * CONTEXT, WIDTH))
                    }
                    reduction.accept(layer, first, count, part[0], part[1])
                }
            }
            first += count
        }
        store.finish()
        def result = [:]
        reduction.layers().eachWithIndex { l, i ->
            result["post$i"] = [l.post.mean(), l.post.m2(), l.post.m3(), l.post.m4(), l.least, l.largest, l.magnitudeSum].collect { it as List }
            result["pre$i"] = [l.pre.mean(), l.pre.m2(), l.pre.m3(), l.pre.m4(), l.positive].collect { it as List }
            result["count$i"] = l.post.count()
            result["examples$i"] = [l.examples.values() as List, l.examples.positions() as List]
            result["file$i"] = out.file(universality.data.ActivationFolder.layerFile(i)).bytes.encodeHex().toString()
        }
        [reduction, store, out, kernel]*.close()
        result
    }

    def "batches of any size give the same bits"() {
        given: 'random activations, small integers among them, so that there are ties'
        def tokens = tokens(97)
        def model = model()
        int[] rows = new LayerwiseForward(compute, model, tokens, 1, 1, 1).rows()
        def random = new Random(3)
        def data = (0..<LAYERS).collect { layer ->
            (0..1).collect { float[] x = new float[rows.length * CONTEXT * WIDTH]; x.indices.each { i -> x[i] = i % 3 == 0 ? random.nextInt(4) : (float) random.nextGaussian() }; x }
        }

        when:
        def whole = reduce(tokens, model.config(), rows, data, [97], 2, 16, 'whole')
        def cut = reduce(tokens, model.config(), rows, data, sizes, 2, 16, 'cut')

        then:
        rows.length == 97 - 9
        whole.count0 == tokens.kept()
        whole.keySet().every { assert whole[it] == cut[it]; true }
        and: 'examples are those of a sort, of equal values the earlier position'
        def kept = rows.toList().collectMany { r -> (0..<CONTEXT).collect { r * CONTEXT + it } }.findAll { tokens.mask()[it] != 0 }
        def at = rows.toList().indexed().collectEntries { i, r -> [r, i] }
        (0..<8).every { n ->
            def value = { p -> data[1][1][(at[p.intdiv(CONTEXT)] * CONTEXT + p % CONTEXT) * WIDTH + n] }
            def best = kept.sort(false) { a, b -> value(b) <=> value(a) ?: a <=> b }.take(10)
            assert whole.examples1[1][10 * n..<10 * n + 10] == best
            assert whole.examples1[0][10 * n..<10 * n + 10] == best.collect { value(it) }
            true
        }

        cleanup:
        model?.close()

        where:
        sizes << [[2], [6, 2, 40], [16]]
    }

    def "after device memory was too small the pass goes on with fewer rows, and takes nothing twice"() {
        given:
        def tokens = tokens(61)
        def model = model()
        def forward = new LayerwiseForward(compute, model, tokens, 2, 16, 1)
        def taken = [:].withDefault { [] }
        int[] next = new int[LAYERS]

        when: 'the third layer of the second batch and the first of the third do not fit'
        forward.run({ int layer, int first, int count, pre, post ->
            if (count > 8 && first >= 16 && layer == 2 || count > 4 && first >= 24) {
                throw new ToolException(ExitCode.DEVICE_MEMORY, 'full')
            }
            assert post.shape == new Shape(count * CONTEXT, WIDTH)
            for (int row = next[layer]; row < first + count; row++) {
                taken[layer] << row
            }
            next[layer] = Math.max(next[layer], first + count)
        } as LayerwiseForward.Consumer)

        then:
        forward.batch() == 4
        (0..<LAYERS).every { taken[it] == (0..<forward.rows().length) as List }

        cleanup:
        model?.close()
    }

    def "several lanes hand rows over in order, layer by layer, and one that fails ends them all"() {
        given:
        def many = Compute.start('cpu', 3)
        def tokens = tokens(61)
        def model = LanguageModel.load(many, CheckpointFolder.open(TestData.checkpoint(folder, NAME)))
        def forward = new LayerwiseForward(many, model, tokens, 2, 2, 3)
        def taken = (0..<LAYERS).collect { Collections.synchronizedList([]) }
        def lanes = Collections.synchronizedSet([] as Set)

        when:
        forward.run({ int layer, int first, int count, pre, post ->
            lanes << Thread.currentThread().name
            count.times { taken[layer] << first + it }
        } as LayerwiseForward.Consumer)

        then:
        taken.every { it == (0..<forward.rows().length) as List }
        lanes.every { it.startsWith('lane-') }

        when:
        taken*.clear()
        forward.run({ int layer, int first, int count, pre, post ->
            taken[layer] << first
            if (layer == 1 && first == 20) {
                throw new IllegalStateException('no more')
            }
        } as LayerwiseForward.Consumer)

        then:
        def e = thrown(IllegalStateException)
        e.message == 'no more'
        taken[1] == (0..20).step(2) as List
        taken[2] == (0..<taken[2].size()).collect { 2 * it } && taken[2].size() <= 10

        cleanup:
        model?.close()
        many?.close()
    }

    def "if not even the smallest batch fits, that is said"() {
        given:
        def model = model()
        int calls = 0

        when:
        new LayerwiseForward(compute, model, tokens(9), 2, 8, 1).run({ int layer, int first, int count, pre, post ->
            calls++
            throw new ToolException(ExitCode.DEVICE_MEMORY, 'full')
        } as LayerwiseForward.Consumer)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.DEVICE_MEMORY
        calls == 3 // 8, 4, 2 rows

        cleanup:
        model?.close()
    }

    def "more memory gives more lanes, or larger batches on a GPU, up to a bound; units and blocks stay the same"() {
        given:
        def config = model().withCloseable { it.config() }

        when:
        def batchings = [0L, 1L << 24, 1L << 25, 1L << 40].collect {
            Batching.choose(config, CONTEXT, Arithmetic.F32, Dtype.F16, gpu, 8, it) }

        then:
        batchings*.unit().unique() == [unit] && batchings*.block().unique() == [block]
        batchings*.lanes() == batchings*.lanes().sort(false) && batchings*.batch() == batchings*.batch().sort(false)
        (gpu ? batchings*.batch() : batchings*.lanes()).unique().size() > 2
        batchings[0].batch() == unit && batchings[0].lanes() == 1
        batchings[-1].batch() == most && batchings[-1].lanes() == (gpu ? 1 : 8)
        batchings[1..2].every { it.bytes() <= 1L << 25 }
        batchings.every { it.batch() % it.unit() == 0 }

        where:
        gpu   || unit | block | most
        false || 170  | 170   | 170
        true  || 85   | 170   | 1360
    }

    def "what a task in the background throws is thrown by the next one that is submitted, or at the end"() {
        given:
        def work = new BackgroundWork('test', 1)
        def failure = new ToolException(ExitCode.CANNOT_WRITE, 'disk full')
        def later = false

        when:
        work.submit { throw failure }
        5.times { work.submit { later = true } }
        work.finish()

        then:
        def e = thrown(ToolException)
        e.is(failure)
        !later

        cleanup:
        work.close()
    }

    def "closing background work drops what waits, and finishing does it all"() {
        given:
        def begun = new CountDownLatch(1)
        def done = Collections.synchronizedList([])

        when:
        def dropped = new BackgroundWork('test', 2)
        dropped.submit { begun.countDown(); try { new CountDownLatch(1).await() } catch (InterruptedException e) { throw new IllegalStateException(e) } }
        begun.await()
        dropped.submit { done << 'never' }
        dropped.close()
        def work = new BackgroundWork('test', 1)
        10.times { i -> work.submit { done << i } }
        work.finish()
        work.close()

        then:
        done == (0..9) as List
    }

    def "a disk that is full ends the stage with 73, and leaves nothing"() {
        given: 'no file may have more than 64 blocks of 1,024 bytes'
        def random = new Random(7)
        def rows = (0..<60).collect { (0..<CONTEXT).collect { random.nextInt(101) } }
        Path tokens = TestData.tokens(folder, 't', rows, 101)
        Path checkpoint = TestData.checkpoint(folder, NAME)
        Path out = folder.resolve('out')
        def java = Path.of(System.getProperty('java.home'), 'bin', 'java').toString()
        def command = [java, '-Xmx256m', '-cp', System.getProperty('java.class.path'), 'universality.cli.Main', 'activate',
                       '--checkpoint', checkpoint, '--tokens', tokens, '--out', out, '--threads', '1']*.toString()

        when:
        def process = new ProcessBuilder(['bash', '-c', 'ulimit -f 64; exec "$@"', 'bash'] + command)
                .directory(folder.toFile()).redirectErrorStream(true).start()
        def text = process.inputStream.text
        int status = process.waitFor()

        then:
        assert status == 73 : text
        text.contains('layer-00.safetensors cannot be written')
        folder.toFile().list().every { !it.contains('out') }
    }
}
