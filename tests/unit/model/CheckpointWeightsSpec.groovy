package unit.model

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.Dtype
import universality.data.ExitCode
import universality.data.SafetensorsFile
import universality.data.SafetensorsWriter
import universality.data.ToolException
import universality.data.TorchFile
import universality.model.CheckpointWeights

class CheckpointWeightsSpec extends Specification {
    static final Path FIXTURES = Path.of(CheckpointWeightsSpec.getResource('/checkpoints').toURI())

    @TempDir
    Path temporary

    Path copyOf(String fixture) {
        Path folder = temporary.resolve(fixture)
        Files.createDirectories(folder)
        FIXTURES.resolve(fixture).toFile().listFiles().each { Files.copy(it.toPath(), folder.resolve(it.name)) }
        folder
    }

    def "every weight of #fixture is read with the shape of its config"() {
        given:
        def weights = CheckpointWeights.open(FIXTURES.resolve(fixture))

        when:
        weights.checkShapes()
        def read = weights.config().weights().collectEntries { name, shape -> [name, weights.read(name, shape)] }

        then:
        read.size() == 2 + 12 * layers + 2
        read.every { name, values -> values.length == weights.config().weights()[name].inject(1L) { a, b -> a * b } }
        weights.unexpected() == []

        and: 'LayerNorm scales are near one and embeddings are small, so values are values and not rubbish'
        read['ln_f.weight'].every { Math.abs(it - 1) < 0.5 }
        read['wte.weight'].every { Math.abs(it) < 5 } && read['wte.weight'].any { Math.abs(it) > 0.01 }

        cleanup:
        weights?.close()

        where:
        fixture                     | layers
        'gpt2-safetensors'          | 2
        'gpt2-zip-pickle'           | 2
        'gpt2-legacy-pickle'        | 3
        'gpt2-inverse-layer-scaled' | 3
    }
}
