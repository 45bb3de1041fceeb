package pipeline

import java.nio.file.Path
import spock.lang.AutoCleanup
import spock.lang.Requires
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.support.SmallDisk

/**
 * A study that is struck at random moments and resumed gives the bytes of an unbroken one, and runs nothing twice that was done.
 *
 * <p>How often, and what, is for system properties to say (docs/testing.md): {@code fire.blows}, {@code fire.seed},
 * {@code fire.profile}, {@code fire.options}, {@code fire.folder}, {@code fire.disk}.
 */
@Requires({ os.linux })
class FireSpec extends Specification {
    private static final String PROFILE = System.getProperty('fire.profile', 'test')
    private static final long SEED = Long.getLong('fire.seed', 1)
    private static final int BLOWS = Integer.getInteger('fire.blows', 7)
    private static final String KEPT = System.getProperty('fire.folder')
    /** All of what the study writes into its work folder; and its results. */
    private static final String DISK = System.getProperty('fire.disk', '200m')

    @TempDir
    @Shared
    Path folder

    @Shared
    Pipeline unbroken

    @Shared
    Pipeline.Result first

    @AutoCleanup
    Fire fire

    private static List<String> study() {
        // all that a study makes is published, so that all of it is compared
        ['-profile', PROFILE, '--save_tokens', '--save_activations'] + (System.getProperty('fire.options') ?: '').tokenize(' ')
    }

    /** The folder that is kept from one run of this spec to the next has the unbroken study, finished or not. */
    def setupSpec() {
        unbroken = new Pipeline(KEPT == null ? folder.resolve('unbroken') : Path.of(KEPT, "unbroken-${PROFILE}"))
        first = unbroken.run(*study(), *(KEPT == null ? [] : ['-resume']))
        first.succeeded()
    }

    /** What was struck, whether or not the results then were right. */
    def cleanup() {
        println("seed ${SEED}, ${fire.launches} launches\n${fire.reports.join('\n')}")
    }

    def 'blows at random moments change no byte of the results, and cost no task that was done'() {
        given:
        boolean disks = SmallDisk.allowed()
        List<Blow> kinds = Blow.values().findAll { disks || !(it in [Blow.DISK, Blow.RESULTS]) } - (BLOWS < Blow.values().size() ? [Blow.TERMINATE] : [])
        Random random = new Random(SEED)
        // without the plugin Nextflow itself runs some tasks again that were done: RetriedTasksSpec
        fire = new Fire(new Pipeline(folder.resolve('broken')), study() + ['-plugins', PluginSpec.PLUGIN], random, disks ? DISK : null)

        when:
        Pipeline.Result last = fire.under(Blow.some(BLOWS, kinds, random), first.tasks.size(), 0.7)

        then: 'all of them were dealt'
        fire.dealt.size() >= (BLOWS <= 8 ? BLOWS : 0.8 * BLOWS)

        and: 'the study is whole, each task in a folder of its own'
        last.tasks*.name.toSet() == first.tasks*.name.toSet()
        last.tasks.findAll { it.status in ['COMPLETED', 'CACHED'] }*.workdir.toSet().size() == first.tasks.size()

        and: 'the same bytes'
        fire.pipeline.published() == unbroken.published()
    }
}
