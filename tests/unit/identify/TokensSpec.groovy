package unit.identify

import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import unit.support.TestData

/** What identify is given must be of the same tokens, and of the same activations. */
class TokensSpec extends Specification {
    @TempDir
    Path folder

    private Path activations(String name, int seed, String digest, long draw = seed) {
        Random random = new Random(draw)
        double[][] x = (0..<96).collect { (0..<3).collect { random.nextGaussian() } as double[] } as double[][]
        TestData.activations(folder.resolve(name).tap { it.toFile().mkdirs() }, "toy-s$seed-t0", [x], [seed: seed, tokensDigest: digest * 64])
    }

    private Path correlated(String name, List<Path> models, String... more) {
        Path out = folder.resolve(name)
        assert Tool.run('correlate', '--activations', *models, '--baseline-draws', 1, '--threads', 1, '--device', 'cpu', '--out', out, *more).status == 0
        out
    }

    private Tool identify(List<Path> correlations, Object... more) {
        Tool.run('identify', '--correlations', *correlations, *more, '--out', folder.resolve('out'))
    }

    def "pairs of different tokens are refused"() {
        given:
        Path first = correlated('one', [activations('a', 1, 'a'), activations('a', 2, 'a')])
        Path second = correlated('two', [activations('b', 1, 'b'), activations('b', 3, 'b')])
        Path third = correlated('three', [activations('c', 2, 'b'), activations('c', 3, 'b')])

        expect:
        identify([first, second, third]).refused(65, "the tokens '${'b' * 64}'", "'${'a' * 64}'")
    }

    def "a control on other tokens is refused"() {
        given:
        Path study = correlated('study', [activations('a', 1, 'a'), activations('a', 2, 'a')])
        Path control = correlated('control', [activations('b', 1, 'b'), activations('b', 2, 'b')], '--control', 'rotated')

        expect:
        identify([study], '--controls', control).refused(65, 'is of other tokens')
    }

    def "activations that are not those which were correlated are refused"() {
        given:
        Path one = activations('a', 1, 'a')
        Path study = correlated('study', [one, activations('a', 2, 'a')])
        Path other = activations('b', 1, 'a', 77)

        expect:
        identify([study], '--activations', other).refused(65, "--activations of 'toy-s1-t0' are of other activations")
        identify([study], '--activations', one).status == 0
    }

    def "nor are activations of other weights than those that were run to be correlated"() {
        given:
        List<Path> checkpoints = [1, 2].collect { seed -> TestData.checkpoint(folder, 'gpt2-safetensors', [id: "toy-s$seed-t0", seed: seed, step: 0]) }
        Random random = new Random(8)
        Path tokens = TestData.tokens(folder, 'tokens', (0..<60).collect { (0..<24).collect { random.nextInt(101) } }, 101)
        Path study = folder.resolve('study')
        assert Tool.run('correlate', '--checkpoint', *checkpoints, '--tokens', tokens, '--baseline-draws', 1, '--threads', 1, '--device', 'cpu', '--out', study).status == 0
        Path other = TestData.checkpoint(folder.resolve('other').tap { it.toFile().mkdirs() }, 'gpt2-inverse-layer-scaled', [id: 'toy-s1-t0', seed: 1, step: 0])
        List<Path> activations = [checkpoints[0], other].withIndex().collect { checkpoint, i ->
            Path out = folder.resolve("activations-$i")
            assert Tool.run('activate', '--checkpoint', checkpoint, '--tokens', tokens, '--store', 'none', '--threads', 1, '--device', 'cpu', '--out', out).status == 0
            out
        }

        expect:
        identify([study], '--activations', activations[1]).refused(65, "--activations of 'toy-s1-t0' are of other weights")
        identify([study], '--activations', activations[0]).status == 0
    }
}
