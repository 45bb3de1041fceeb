package unit.ablate

import groovy.json.JsonSlurper
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir
import spock.lang.Unroll
import unit.Tool
import unit.support.Folders
import unit.support.TestData
import unit.model.GoldenSpec

/** Losses and KL under ablation against an independent implementation (tests/resources/checkpoints). */
class AblateParitySpec extends Specification {
    @TempDir
    Path folder

    @Unroll
    def "replacing neurons of #name by #replace gives the known loss and KL"() {
        given:
        def golden = new JsonSlurper().parse(TestData.fixture(name).resolve('golden.json'))
        def checkpoint = TestData.checkpoint(folder, name)
        def tokens = TestData.tokens(folder, 'heldout', golden.tokens, 101)
        def neurons = folder.resolve('neurons.csv')
        Folders.csv(neurons, ['layer', 'neuron'], golden.ablation.neurons)

        when:
        def run = Tool.run('ablate', '--checkpoint', checkpoint, '--tokens', tokens, '--neurons', neurons,
                '--replace', replace, '--draws', 2, '--device', 'cpu', '--threads', 1, '--out', folder.resolve('out'))
        def rows = Folders.rows(folder.resolve('out/ablation.csv'))
        def all = rows.find { it.condition == 'universal' && it.layers == 'all' }

        then:
        run.status == 0
        close(all.loss_clean, golden.loss_mean)
        close(all.loss, golden.ablation[replace + '_loss'])
        close(all.kl, golden.ablation[replace + '_kl_clean_to_ablated'])
        close(all.delta_loss, golden.ablation[replace + '_loss'] - golden.loss_mean)
        all.neurons == '6' && all.tokens == '69' && all.positions == '72' && all.replace == replace

        where:
        [name, replace] << [GoldenSpec.NAMES, ['zero', 'mean']].combinations()
    }

    static boolean close(def a, def b) {
        assert Math.abs((a as double) - (b as double)) <= 1e-5
        true
    }
}
